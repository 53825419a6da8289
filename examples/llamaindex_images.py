"""
Find the images of a folder that show something.

    python examples/llamaindex_images.py ~/Pictures "a cat asleep"

It needs `pip install llamaindex-openrouter-rerank` and a key in OPENROUTER_API_KEY. It sends the
images to the model, and no other file of the folder. It can read only files in `image_root`.
"""

import sys
from pathlib import Path

from llama_index.core.schema import ImageNode, NodeWithScore
from llamaindex_openrouter_rerank import OpenRouterRerank

MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}


def main(folder: Path, wanted: str) -> None:
    """Print the images in `folder`, the most relevant to `wanted` first."""
    images = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGES]
    nodes = [NodeWithScore(node=ImageNode(image_path=name)) for name in images]
    reranker = OpenRouterRerank(model=MODEL, image_root=folder, timeout=60)
    for item in reranker.postprocess_nodes(nodes, query_str=wanted):
        shown = "not ranked" if item.score is None else f"{item.score:.3f}"
        print(f"{shown:>10}  {item.node.image_path}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).expanduser(), " ".join(sys.argv[2:]))
