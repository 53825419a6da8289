"""
Find the pages of a PDF, or scans, that answer a question: pages are ranked as images, without OCR.

    pip install llamaindex-openrouter-rerank
    pdftoppm -r 100 -png report.pdf pages/page     # one image for each page, with Poppler
    python llamaindex_page_images.py pages "What was the revenue in 2024?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local-ocr]', Python 3.11 or 3.12), and then the `export` line that it prints: it
ranks the printed text of the images.
"""

import sys
from pathlib import Path

from llama_index.core.schema import ImageNode, NodeWithScore
from llamaindex_openrouter_rerank import OpenRouterRerank

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
    nodes = [NodeWithScore(node=ImageNode(image_path=page)) for page in pages]
    ranked = reranker.postprocess_nodes(nodes, query_str=question)
    for rank, item in enumerate(ranked, start=1):
        page = item.node.model_dump()["image_path"]
        print(f"{rank:2}  {page}", "(not ranked)" if item.score is None else f" {item.score:.3f}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).expanduser(), " ".join(sys.argv[2:]))
