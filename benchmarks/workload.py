"""The documents that the clients rank. They are generated, and equal in every run."""

import base64
import random
from dataclasses import dataclass

QUERY = 'How does "import" find a module?'
TEXT_MODEL = "cohere/rerank-v3.5"
IMAGE_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"

# Typical retrieved text: with quotes, line ends and a few characters that are not ASCII.
_SENTENCES = (
    "A module is found by “finders”, which sys.meta_path lists; each is asked in turn.",
    "If none knows it, ModuleNotFoundError is raised: \"No module named 'x'\" — see §5.3.\n",
    "Once found, a module is executed in a namespace of its own and kept in sys.modules.",
    "A package is a module with a __path__, where the modules inside it are looked for.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The documents of one call."""

    documents: int
    top_n: int | None = None
    images: bool = False
    """Images of 1 MB instead of texts of 1,000 characters."""

    @property
    def model(self) -> str:
        """The slug of the model."""
        return IMAGE_MODEL if self.images else TEXT_MODEL

    @property
    def results(self) -> int:
        """Number of results in a complete response."""
        return min(self.documents, self.top_n or self.documents)

    def texts(self) -> list[str]:
        """Make texts of 1,000 characters. All are different."""
        rng = random.Random(self.documents)
        return [_text(index, rng) for index in range(self.documents)]

    def base64_images(self) -> list[str]:
        """Make base64 strings of 1 MB, one for each image. All are different."""
        return [_base64_image(index) for index in range(self.documents)]


def _text(index: int, rng: random.Random) -> str:
    sentences = " ".join(rng.choices(_SENTENCES, k=15))
    return f"{index}. {sentences}"[:1000]


def _base64_image(index: int) -> str:
    # Only the first bytes are those of a PNG. No client reads more.
    noise = random.Random(index).randbytes(3000) * 250
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + noise[8:]).decode()
