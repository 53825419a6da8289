"""Nodes of every class, and what of each is ranked."""

import base64
import io
from pathlib import Path

from llama_index.core.schema import (
    Document,
    ImageDocument,
    ImageNode,
    IndexNode,
    MediaResource,
    Node,
    TextNode,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from tests.llamaindex.custom_nodes import (
    CustomImageNode,
    CustomNode,
    CustomResource,
    CustomResourceNode,
    FailingNode,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + bytes(60)
BMP = b"BM" + bytes(range(128, 188))
PNG_BASE64 = base64.b64encode(PNG).decode()
PNG_URI = f"data:image/png;base64,{PNG_BASE64}"
JPEG_URI = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
WEBP_URI = f"data:image/webp;base64,{base64.b64encode(WEBP).decode()}"
BMP_URI = f"data:image/bmp;base64,{base64.b64encode(BMP).decode()}"
URL = "https://example.com/cat.png"
FILE = {"file_path": "/home/someone/secret.png"}


class FailingImageNode(FailingNode):
    """A user's node of which only the URL of its image can be read."""

    image_url: str = URL


def image_document(**fields):
    """Return an image document made without its constructor, which would fetch the URL."""
    return ImageDocument.model_construct(
        metadata={}, text_resource=None, image_resource=MediaResource(**fields)
    )


def restored(node):
    """Return a node that was written to the metadata of a vector store and read from it."""
    flat = node_to_metadata_dict(node, remove_text=False, flat_metadata=True)
    return metadata_dict_to_node(flat)


TEXT_NODES = {
    "text": (TextNode(text="a fox"), "a fox"),
    "text with metadata": (
        TextNode(text="a fox", metadata={"page": 3}),
        "page: 3\n\na fox",
    ),
    "text with excluded metadata": (
        TextNode(text="a fox", metadata=FILE, excluded_embed_metadata_keys=["file_path"]),
        "a fox",
    ),
    "text with a template": (
        TextNode(text="a fox", metadata={"page": 3}, text_template="{content} [{metadata_str}]"),
        "a fox [page: 3]",
    ),
    "metadata without a text": (TextNode(text="", metadata={"title": "Foxes"}), "title: Foxes"),
    "blank text": (TextNode(text=" \n"), " \n"),
    "no text": (TextNode(), ""),
    "text in a media resource": (TextNode(text_resource=MediaResource(text="a fox")), "a fox"),
    "lone surrogate": (TextNode(text="\ud800"), "\ud800"),
    "index node": (IndexNode(text="a fox", index_id="1", obj=object()), "a fox"),
    "document": (Document(text="a fox", metadata={"page": 3}), "page: 3\n\na fox"),
    "document without text": (Document(metadata={"page": 3}), ""),
    "node": (Node(text_resource=MediaResource(text="a fox")), "a fox"),
    "node with a text resource without text": (Node(text_resource=MediaResource()), ""),
    "empty node": (Node(), ""),
    "audio with text": (
        Node(
            text_resource=MediaResource(text="a bark"),
            audio_resource=MediaResource(data=b"RIFF\x00\x00\x00\x00WAVE"),
        ),
        "a bark",
    ),
    "audio without a text": (Node(audio_resource=MediaResource(path=Path("bark.wav"))), ""),
    "video with text": (
        Node(
            text_resource=MediaResource(text="it runs"),
            video_resource=MediaResource(url="https://example.com/fox.mp4"),
        ),
        "it runs",
    ),
    "video without a text": (Node(video_resource=MediaResource(data=bytes(40))), ""),
    "custom node": (CustomNode(), "custom"),
    "metadata with image fields": (
        TextNode(text="a fox", metadata=FILE | {"image_url": URL, "image": PNG_BASE64}),
        f"file_path: /home/someone/secret.png\nimage_url: {URL}\nimage: {PNG_BASE64}\n\na fox",
    ),
}

IMAGE_NODES = {
    "base64": (ImageNode(image=PNG_BASE64), None, PNG_URI),
    "base64 and caption": (ImageNode(image=PNG_BASE64, text="a fox"), "a fox", PNG_URI),
    "caption and metadata": (
        ImageNode(image=PNG_BASE64, text="a fox", metadata={"page": 3}),
        "page: 3\n\na fox",
        PNG_URI,
    ),
    "metadata without a caption": (ImageNode(image=PNG_BASE64, metadata=FILE), None, PNG_URI),
    "wrong media type": (ImageNode(image=PNG_BASE64, image_mimetype="image/jpeg"), None, PNG_URI),
    "declared media type of unrecognised bytes": (
        ImageNode(image=base64.b64encode(BMP).decode(), image_mimetype="image/bmp"),
        None,
        BMP_URI,
    ),
    "data URI": (ImageNode(image=PNG_URI), None, PNG_URI),
    "URL": (ImageNode(image_url=URL, text="a fox"), "a fox", URL),
    "data URI as URL": (ImageNode(image_url=PNG_URI), None, PNG_URI),
    "base64 preferred to URL": (ImageNode(image=PNG_BASE64, image_url=URL), None, PNG_URI),
    "URL preferred to path": (ImageNode(image_url=URL, image_path="fox.png"), None, URL),
    "URL instead of invalid base64": (ImageNode(image="no image!", image_url=URL), None, URL),
    "URL of a media resource": (
        ImageNode(image_url=str(MediaResource(url=URL).url), text="a fox"),
        "a fox",
        URL,
    ),
    "node with raw bytes": (Node(image_resource=MediaResource(data=PNG)), None, PNG_URI),
    "node with base64": (
        Node(image_resource=MediaResource(data=PNG_BASE64.encode())),
        None,
        PNG_URI,
    ),
    "node with JPEG": (Node(image_resource=MediaResource(data=JPEG)), None, JPEG_URI),
    "node with WebP": (Node(image_resource=MediaResource(data=WEBP)), None, WEBP_URI),
    "node with a data URI": (
        Node(image_resource=MediaResource(data=PNG_URI.encode())),
        None,
        PNG_URI,
    ),
    "node with a declared media type": (
        Node(image_resource=MediaResource(data=BMP, mimetype="image/bmp")),
        None,
        BMP_URI,
    ),
    "node with a data URI and a media type": (
        Node(image_resource=MediaResource(data=PNG_URI.encode(), mimetype="image/png")),
        None,
        PNG_URI,
    ),
    "node with a URL": (Node(image_resource=MediaResource(url=URL)), None, URL),
    "node with text and image": (
        Node(
            text_resource=MediaResource(text="a fox"),
            image_resource=MediaResource(data=PNG),
            metadata={"page": 3},
        ),
        "page: 3\n\na fox",
        PNG_URI,
    ),
    "node with metadata and a blank text": (
        Node(
            text_resource=MediaResource(text=" "),
            image_resource=MediaResource(data=PNG),
            metadata=FILE,
        ),
        None,
        PNG_URI,
    ),
    "node with audio and image": (
        Node(
            audio_resource=MediaResource(data=b"RIFF\x00\x00\x00\x00WAVE"),
            image_resource=MediaResource(data=PNG),
        ),
        None,
        PNG_URI,
    ),
    "document with image": (
        Document(text="a fox", image_resource=MediaResource(data=PNG)),
        "a fox",
        PNG_URI,
    ),
    "image document": (ImageDocument(image=PNG_BASE64, text="a fox"), "a fox", PNG_URI),
    "image document with bytes": (ImageDocument(image=PNG), None, PNG_URI),
    "image document with a data URI": (
        ImageDocument(image=PNG_URI, image_mimetype="image/png"),
        None,
        PNG_URI,
    ),
    "image document with a URL": (image_document(url=URL), None, URL),
    "restored image node": (restored(ImageNode(image=PNG_BASE64, text="a fox")), "a fox", PNG_URI),
    "custom node with base64": (
        CustomImageNode(content="a fox", image=PNG_BASE64),
        "a fox",
        PNG_URI,
    ),
    "custom node with bytes": (CustomImageNode(content="", image=PNG), None, PNG_URI),
    "custom node with a URL": (CustomImageNode(content="a fox", image_url=URL), "a fox", URL),
    "custom node with an invalid media type": (
        CustomImageNode(content="a fox", image=PNG, image_mimetype=7),
        "a fox",
        PNG_URI,
    ),
    "custom media resource with a URL": (
        CustomResourceNode(image_resource=CustomResource(url=URL)),
        "custom",
        URL,
    ),
    "custom media resource with base64": (
        CustomResourceNode(image_resource=CustomResource(data=PNG_BASE64)),
        "custom",
        PNG_URI,
    ),
    "failing node with a URL": (FailingImageNode(), None, URL),
}

LOCAL_IMAGES = {
    "path": (ImageNode(image_path="fox.png"), None, "fox.png"),
    "path and caption": (
        ImageNode(image_path="/img/fox.png", text="a fox"),
        "a fox",
        "/img/fox.png",
    ),
    "path instead of invalid base64": (
        ImageNode(image="no image!", image_path="fox.png"),
        None,
        "fox.png",
    ),
    "path instead of a refused URL": (
        ImageNode(image_url="file:///etc/passwd", image_path="fox.png"),
        None,
        "fox.png",
    ),
    "node with a path": (
        Node(image_resource=MediaResource(path=Path("img/fox.png"))),
        None,
        "img/fox.png",
    ),
    "image document with a path": (image_document(path=Path("fox.png")), None, "fox.png"),
    "custom node with a path": (
        CustomImageNode(content="a fox", image_path=Path("fox.png")),
        "a fox",
        "fox.png",
    ),
}

NOTHING_TO_RANK = {
    "empty image node": (ImageNode(), "the image node has no image: it is gone"),
    "image node with metadata only": (ImageNode(metadata=FILE), "it is gone"),
    "invalid base64": (ImageNode(image="no image!"), "neither"),
    "base64 of a text": (ImageNode(image=base64.b64encode(b"hello").decode()), "neither"),
    "unsupported URL scheme": (ImageNode(image_url="ftp://example.com/fox.png"), "neither"),
    "local file as URL": (Node(image_resource=MediaResource(url="file:///etc/passwd")), "neither"),
    "blank path": (ImageNode(image_path=" "), "neither"),
    "media resource without an image": (
        Node(image_resource=MediaResource(mimetype="image/png")),
        "gone",
    ),
    "restored node without its bytes": (
        restored(Node(image_resource=MediaResource(data=PNG), metadata=FILE)),
        "the image node has no image: it is gone",
    ),
    "custom node with an image of an unknown type": (
        CustomImageNode(content="", image=io.BytesIO(PNG)),
        "neither",
    ),
    "custom node with an invalid media type of an unknown format": (
        CustomImageNode(content="", image=BMP, image_mimetype=7),
        "neither",
    ),
    "failing node": (FailingNode(), "the node fails to give its content: LookupError"),
    "node with unchecked fields": (
        TextNode.model_construct(text=None),
        "the node fails to give its content",
    ),
    "custom node with the text None": (
        CustomNode(content=None),
        "the node fails to give its content",
    ),
    "custom image node with the text None": (
        CustomImageNode(content=None, image="?"),
        "the node fails to give",
    ),
}


TABLES = (TEXT_NODES, IMAGE_NODES, LOCAL_IMAGES, NOTHING_TO_RANK)
ALL_NODES = [row[0] for table in TABLES for row in table.values()]
ALL_IDS = [name for table in TABLES for name in table]
