"""
Conversion between LangChain's documents and the contents that a rerank model can rank.

`contents(...)` returns what of each document is ranked: its text, its image, both, or nothing and
the reason. `ranked(...)` returns copies of the documents in their new order, with their scores.

Nothing is opened or fetched: a URL is passed on, and a path becomes a `LocalImage`, which the core
reads only inside `image_root`. Images of PIL are encoded last, and only if they are sent.

- `documents`: LangChain's documents, in both directions
- `items`: what else `rerank` accepts, and what it returns
- `images`: the ways in which people store an image in a text or in a metadata field
- `pillow`: images of PIL
- `fields`: metadata that are ranked before the text
"""
