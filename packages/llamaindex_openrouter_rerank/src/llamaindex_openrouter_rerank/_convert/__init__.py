"""
Conversion between LlamaIndex's nodes and the documents that are ranked. Pure.

`nodes.contents` converts each node to what can be ranked of it: a text, an image with or without a
text, or `Unscorable` with the reason why there is nothing. `nodes.ranked` returns the nodes in the
order of a placement. `images` finds the image of a node; `texts` writes the text of usual nodes.

Nothing here reads a file, fetches a URL or changes a node. LlamaIndex's own methods for images
(`resolve_image`, `get_content_blocks`) do read and fetch, so they are not called. Local images are
passed on as paths: the core reads them, if `image_root` allows it.
"""
