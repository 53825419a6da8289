"""What the clients are given to rank: made up, the same in every run."""

import base64
import random
from dataclasses import dataclass

QUERY = 'How does "import" find a module?'
TEXT_MODEL = "cohere/rerank-v3.5"
IMAGE_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"

# Text as it is retrieved: quotes, line ends, and a few characters beyond ASCII.
_SENTENCES = (
    "A module is found by “finders”, which sys.meta_path lists; each is asked in turn.",
    "If none knows it, ModuleNotFoundError is raised: \"No module named 'x'\" — see §5.3.\n",
    "Once found, a module is executed in a namespace of its own and kept in sys.modules.",
    "A package is a module with a __path__, where the modules inside it are looked for.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Describes the documents of one call."""

    documents: int
    top_n: int | None = None
    images: bool = False
    """Images of 1 MB instead of texts of 1,000 characters."""

    @property
    def model(self) -> str:
        """The model that is asked."""
        return IMAGE_MODEL if self.images else TEXT_MODEL

    @property
    def results(self) -> int:
        """How many results a whole answer has."""
        return min(self.documents, self.top_n or self.documents)

    def texts(self) -> list[str]:
        """Make the documents; no two are alike."""
        chance = random.Random(self.documents)
        return [_text(at, chance) for at in range(self.documents)]

    def pictures(self) -> list[str]:
        """Make the base64 of the images; no two are alike."""
        return [_picture(at) for at in range(self.documents)]


def _text(at: int, chance: random.Random) -> str:
    sentences = " ".join(chance.choices(_SENTENCES, k=15))
    return f"{at}. {sentences}"[:1000]


def _picture(at: int) -> str:
    # A PNG by its first bytes, which is as far as any client looks.
    noise = random.Random(at).randbytes(3000) * 250
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + noise[8:]).decode()
