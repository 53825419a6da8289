"""
Find the images of a folder that show something.

    python examples/langchain_images.py ~/Pictures "a cat asleep"

It needs `pip install langchain-openrouter-rerank` and a key in OPENROUTER_API_KEY. It sends the
images to the model, and no other file of the folder. It can read only files in `image_root`.
"""

import sys
from pathlib import Path

from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank

MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}


def main(folder: Path, wanted: str) -> None:
    """Print the images in `folder`, the most relevant to `wanted` first."""
    images = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGES]
    documents = [Document("", metadata={"image_path": name}) for name in images]
    reranker = OpenRouterRerank(model=MODEL, image_root=folder, timeout=60)
    for document in reranker.compress_documents(documents, wanted):
        score = document.metadata.get("relevance_score")
        shown = "not ranked" if score is None else f"{score:.3f}"
        print(f"{shown:>10}  {document.metadata['image_path']}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).expanduser(), " ".join(sys.argv[2:]))
