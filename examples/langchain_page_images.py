"""
Find the pages of a PDF, or scans, that answer a question: pages are ranked as images, without OCR.

    pip install langchain-openrouter-rerank
    pdftoppm -r 100 -png report.pdf pages/page     # one image for each page, with Poppler
    python langchain_page_images.py pages "What was the revenue in 2024?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local-ocr]', Python 3.11 or 3.12), and then the `export` line that it prints: it
ranks the printed text of the images.
"""

import sys
from pathlib import Path

from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank

MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}


def main(folder: Path, question: str) -> None:
    """Print the pages in `folder`, the most relevant to `question` first."""
    pages = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGES]
    reranker = OpenRouterRerank(
        model=MODEL,
        image_root=folder,  # No file outside of this folder is read
        image_mode="auto",  # "always" for a model that this package does not know
        timeout=60,
    )
    documents = [Document("", metadata={"image_path": page}) for page in pages]
    for rank, document in enumerate(reranker.compress_documents(documents, question), start=1):
        page, score = document.metadata["image_path"], document.metadata.get("relevance_score")
        print(f"{rank:2}  {page}", "(not ranked)" if score is None else f" {score:.3f}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).expanduser(), " ".join(sys.argv[2:]))
