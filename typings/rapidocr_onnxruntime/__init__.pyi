import numpy as np
from numpy.typing import NDArray

class RapidOCR:
    def __init__(self) -> None: ...
    def __call__(
        self, img_content: NDArray[np.uint8]
    ) -> tuple[list[tuple[object, str, float]] | None, object]: ...
