"""Conversion of nodes of every class to documents, and of a placement to nodes."""

import base64
import io
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageDocument,
    ImageNode,
    IndexNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeWithScore,
    TextNode,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
from llamaindex_openrouter_rerank._convert.nodes import contents, have_images, ranked
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import (
    LocalImageDocument,
    Placed,
    Placement,
    Unscorable,
    WithoutImage,
)
from PIL import Image

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


def without_image(text):
    """Return the content of a node whose image cannot be used."""
    reason = (
        "the image node has no image: it is gone (storage keeps no image data), or it is "
        "neither an http(s) URL, a data URI nor base64 of an image"
    )
    return WithoutImage(text=text, reason=reason)


class CustomNode(BaseNode):
    """A user's node class, with only the methods that LlamaIndex requires."""

    content: object = "custom"

    @classmethod
    def get_type(cls):
        """Return a type that LlamaIndex does not know."""
        return "custom"

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Return the field `content`."""
        return self.content

    def get_content_blocks(self, metadata_mode=MetadataMode.ALL):
        """Fail, because conversion must not call it."""
        raise AssertionError

    def set_content(self, value):
        """Fail, because conversion must not call it."""
        raise AssertionError

    @property
    def hash(self):
        """Return a constant."""
        return "hash"


class CustomImageNode(CustomNode):
    """A user's node with the fields that LlamaIndex's image nodes have."""

    image: object = None
    image_url: object = None
    image_path: object = None
    image_mimetype: object = None


class FailingNode(CustomNode):
    """A user's node whose methods and properties fail."""

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Fail with a message that contains the text."""
        message = "the secret text"
        raise LookupError(message)

    @property
    def image_resource(self):
        """Fail."""
        raise RuntimeError

    @property
    def image(self):
        """Fail."""
        raise RuntimeError


class FailingImageNode(FailingNode):
    """A user's node of which only the URL of its image can be read."""

    image_url: str = URL


class ArrayNode(CustomNode):
    """A user's node whose image is an object without a truth value, as arrays are."""

    class _Array:
        def __bool__(self):
            message = "The truth value of an array is ambiguous"
            raise ValueError(message)

    image: object = _Array()


class CustomResource:
    """A user's media resource, which does not check its fields."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class CustomResourceNode(CustomNode):
    """A user's node with a user's media resource."""

    image_resource: object = None


def write_png(folder):
    """Write a valid image file, because LlamaIndex opens it, and return its path."""
    path = folder / "fox.png"
    Image.new("RGB", (2, 2)).save(path)
    return path


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


def content_of(node, metadata_mode=MetadataMode.EMBED):
    """Convert one node; a heading and its text are returned as one string."""
    (content,) = contents([NodeWithScore(node=node)], metadata_mode=metadata_mode)
    return "".join(content) if isinstance(content, tuple) else content


@pytest.mark.parametrize(("node", "text"), TEXT_NODES.values(), ids=TEXT_NODES)
def test_a_node_without_image_is_ranked_by_its_text(node, text):
    """A node without an image is converted to its text with metadata, even if it is blank."""
    assert content_of(node) == text


@pytest.mark.parametrize(("node", "text", "image"), IMAGE_NODES.values(), ids=IMAGE_NODES)
def test_an_image_is_found_in_every_field_of_a_node(node, text, image):
    """The image of a node becomes a data URI or stays a URL, and is ranked with its caption."""
    assert content_of(node) == RerankDocument(text=text, image=image)


@pytest.mark.parametrize(("node", "text", "path"), LOCAL_IMAGES.values(), ids=LOCAL_IMAGES)
def test_the_path_of_an_image_is_passed_on(node, text, path):
    """The path of an image is passed on, because the core decides which files may be read."""
    assert content_of(node) == LocalImageDocument(text=text, image=LocalImage(path))


@pytest.mark.parametrize(("node", "reason"), NOTHING_TO_RANK.values(), ids=NOTHING_TO_RANK)
def test_a_node_with_nothing_to_rank_has_a_reason(node, reason):
    """A node with nothing to rank is `Unscorable`, with a reason that does not quote the node."""
    content = content_of(node)

    assert isinstance(content, Unscorable)
    assert reason in content.reason
    assert "secret" not in content.reason


def test_an_image_field_with_an_array_is_left_out():
    """An image field with an array is left out, although an array has no truth value."""
    assert content_of(ArrayNode()) == without_image("custom")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (MetadataMode.ALL, "a: 1\nb: 2\n\nfox"),
        (MetadataMode.EMBED, "b: 2\n\nfox"),
        (MetadataMode.LLM, "a: 1\n\nfox"),
        (MetadataMode.NONE, "fox"),
    ],
    ids=["all", "embed", "llm", "none"],
)
@pytest.mark.parametrize("image", [None, PNG_BASE64], ids=["text", "image"])
def test_the_metadata_mode_selects_the_ranked_metadata(mode, text, image):
    """The metadata mode selects the metadata ranked with a text or with the caption of an image."""
    node = ImageNode(
        text="fox",
        image=image,
        metadata={"a": 1, "b": 2},
        excluded_embed_metadata_keys=["a"],
        excluded_llm_metadata_keys=["b"],
    )

    content = content_of(node, mode)

    with_image = RerankDocument(text=text, image=PNG_URI)
    assert content == (without_image(text) if image is None else with_image)


def test_the_file_of_an_image_document_is_not_read(tmp_path):
    """The path of an image document is passed on, even if there is no file any more."""
    path = write_png(tmp_path)
    node = ImageDocument(image_path=str(path), text="a fox")
    path.unlink()

    assert content_of(node) == LocalImageDocument(text="a fox", image=LocalImage(str(path)))


TABLES = (TEXT_NODES, IMAGE_NODES, LOCAL_IMAGES, NOTHING_TO_RANK)
ALL_NODES = [row[0] for table in TABLES for row in table.values()]
ALL_IDS = [name for table in TABLES for name in table]


@pytest.mark.parametrize("node", ALL_NODES, ids=ALL_IDS)
def test_nodes_with_image_fields_are_found_without_conversion(node):
    """`have_images` is `True` for all nodes with images, and `False` for text nodes."""
    content, items = content_of(node), [NodeWithScore(node=node)]

    if isinstance(content, RerankDocument | LocalImageDocument):
        assert have_images(items)
    if type(node) in {TextNode, IndexNode}:
        assert not have_images(items)


_recorded = []
_is_recording = []
_IO_EVENTS = ("open", "os.", "shutil.", "subprocess.", "socket.", "urllib.", "http.", "glob.")


def _record(event, args):
    if _is_recording and event.startswith(_IO_EVENTS):
        _recorded.append((event, args))


sys.addaudithook(_record)


@contextmanager
def recorded_io():
    """Record each audit event of Python that opens, lists, starts or connects to something."""
    _recorded.clear()
    _is_recording.append(True)
    yield _recorded
    _is_recording.clear()


def test_an_opened_file_is_recorded():
    """The audit hook of this module records a file that is opened."""
    with recorded_io() as events:
        Path("/etc/hostname").exists()
        Path(__file__).read_bytes()

    assert [event for event, _ in events] == ["open"]


ADDRESSES = (
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:9/latest/meta-data",
    "https://example.com/fox.png",
    "ftp://example.com/fox.png",
    "//example.com/fox.png",
    "../../../../etc/shadow",
    "~/.ssh/id_ed25519",
    "C:\\Users\\someone\\fox.png",
    "\\\\server\\share\\fox.png",
    "/dev/zero",
    "/proc/self/environ",
    "fox.png\0.txt",
    "s3://bucket/fox.png",
    PNG_URI,
    PNG_BASE64,
    "",
)


def hostile_nodes():
    """Yield nodes with an address or an image in each field where conversion could look for one."""
    metadata_keys = ("file_path", "image_path", "image_url", "url", "source", "file_name", "image")
    for address in ADDRESSES:
        metadata = dict.fromkeys(metadata_keys, address)
        for text in ("", "a fox", address):
            yield TextNode(text=text, metadata=metadata)
            yield Document(text=text, metadata=metadata)
            yield IndexNode(text=text, index_id=address, metadata=metadata)
            for field in ("image", "image_url", "image_path"):
                yield ImageNode(text=text, metadata=metadata, **{field: address})
                yield CustomImageNode(content=text, metadata=metadata, **{field: address})
            for field in ("data", "url", "path"):
                resource = CustomResource(**{field: address})
                yield CustomResourceNode(content=text, metadata=metadata, image_resource=resource)
                yield ImageDocument.model_construct(
                    metadata=metadata, text_resource=None, image_resource=resource
                )
            for kind in ("image_resource", "audio_resource", "video_resource"):
                yield Node(metadata=metadata, **{kind: MediaResource(path=Path(address or "."))})


def test_conversion_opens_nothing():
    """Conversion opens no file and no connection, for all contents of the fields of a node."""
    nodes = [NodeWithScore(node=node) for node in (*ALL_NODES, *hostile_nodes())]

    with recorded_io() as events:
        for mode in MetadataMode:
            contents(nodes, metadata_mode=mode)

    assert events == []
    assert len(nodes) * len(MetadataMode) > 3_000
    assert len(ALL_NODES) > 70


@pytest.mark.parametrize(
    ("returned", "content"),
    [
        ("a fox", "a fox"),
        ("", ""),
        ({"text": "a fox"}, RerankDocument(text="a fox")),
        ({"image": URL}, RerankDocument(image=URL)),
        ({"text": "a fox", "image": PNG_BASE64}, RerankDocument(text="a fox", image=PNG_URI)),
        ({"text": None, "image": None}, RerankDocument()),
        ({"image": "no image!"}, RerankDocument(image="no image!")),
        ({}, RerankDocument()),
        (RerankDocument(text="a fox", image=PNG_URI), RerankDocument(text="a fox", image=PNG_URI)),
        (None, Unscorable("document_fn gave nothing for it")),
    ],
    ids=[
        "text",
        "blank text",
        "mapping with a text",
        "mapping with a URL",
        "mapping with a text and base64",
        "mapping with None",
        "mapping with an invalid image",
        "empty mapping",
        "document",
        "None",
    ],
)
def test_document_fn_chooses_what_is_ranked(returned, content):
    """The result of `document_fn` is ranked instead of the node, with base64 as a data URI."""
    item = NodeWithScore(node=TextNode(text="not ranked"), score=0.5)
    passed = []

    def document_fn(item):
        passed.append(item)
        return returned

    converted = contents([item], metadata_mode=MetadataMode.EMBED, document_fn=document_fn)

    assert converted == [content]
    assert passed == [item]
    assert passed[0] is item


@pytest.mark.parametrize(
    "returned",
    [7, b"a fox", ["a fox"], {"text": 7}, {"image": 7}, {"txt": "a fox"}, {7: "a fox"}],
    ids=[
        "number",
        "bytes",
        "list",
        "number as text",
        "number as image",
        "unknown key",
        "number as key",
    ],
)
def test_an_invalid_result_of_document_fn_is_refused(returned):
    """An invalid result of `document_fn` raises an error with the position, but no text."""
    items = [NodeWithScore(node=TextNode(text=text)) for text in "ab"]
    documents = {"a": "a fox", "b": returned}

    with pytest.raises(InvalidRequestError, match=r"nodes\[1\].*return a string") as raised:
        contents(
            items,
            metadata_mode=MetadataMode.EMBED,
            document_fn=lambda item: documents[item.node.text],
        )

    assert "fox" not in str(raised.value)


RETRIEVAL_SCORES = (0.25, None, 0.5)

scores = st.floats(allow_nan=False, allow_infinity=False)


@given(data=st.data(), size=st.integers(0, 12))
def test_the_result_has_the_same_nodes_in_new_items(data, size):
    """The result has the node objects in new items, with the order and scores of the placement."""
    nodes = [
        NodeWithScore(
            node=TextNode(text=str(position), metadata={"position": position}),
            score=data.draw(scores),
        )
        for position in range(size)
    ]
    order = data.draw(st.lists(st.sampled_from(range(size)), unique=True) if size else st.just([]))
    placed = tuple(Placed(position, data.draw(st.none() | scores)) for position in order)
    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="model", requests=())
    before = [item.model_copy() for item in nodes]
    hashes = [item.node.hash for item in nodes]

    result = ranked(nodes, Placement(order=placed, ranking=ranking))

    assert [item.score for item in result] == [entry.relevance_score for entry in placed]
    for item, entry in zip(result, placed, strict=True):
        assert item is not nodes[entry.index]
        assert item.node is nodes[entry.index].node
    assert nodes == before
    assert [item.node.hash for item in nodes] == hashes


@pytest.mark.parametrize(
    "error", [None, ServiceUnavailableError("down")], ids=["nothing sent", "failed call"]
)
def test_unranked_items_keep_the_scores_of_the_retriever(error):
    """If nothing was sent or the call failed, the result has equal items, which are new."""
    nodes = [NodeWithScore(node=TextNode(text="a"), score=score) for score in RETRIEVAL_SCORES]
    order = tuple(Placed(position, None) for position in range(len(nodes)))

    result = ranked(nodes, Placement(order=order, error=error))

    assert result == nodes
    assert all(new is not old for new, old in zip(result, nodes, strict=True))


NODES_WITH_METADATA = [
    TextNode(text="a fox", metadata={"page": 3}),
    ImageNode(image=PNG_BASE64, text="a fox", metadata={"page": 3}),
    Node(text_resource=MediaResource(text="a fox"), metadata={"page": 3}),
    Document(text="a fox", metadata={"page": 3}, image_resource=MediaResource(data=PNG)),
    IndexNode(text="a fox", index_id="1", obj=TextNode(text="all"), metadata={"page": 3}),
    CustomNode(metadata={"page": 3}),
    TextNode(text="a fox", metadata={"page": 3, "retrieval_score": 0.1}),
    TextNode(
        text="a fox",
        metadata={"page": 3},
        excluded_llm_metadata_keys=["retrieval_score"],
        excluded_embed_metadata_keys=["page"],
    ),
]


@pytest.mark.parametrize("node", NODES_WITH_METADATA, ids=lambda node: type(node).__name__)
@pytest.mark.parametrize("retrieval_score", [0.25, None])
def test_the_score_of_the_retriever_can_be_kept(node, retrieval_score):
    """A kept retrieval score is in the metadata of a copy, unseen by prompts and embeddings."""
    dump, node_hash = node.model_dump(), node.hash
    texts = {mode: node.get_content(mode) for mode in (MetadataMode.EMBED, MetadataMode.LLM)}
    ranking = Ranking(results=(), model="model", requests=())
    placement = Placement(order=(Placed(0, 0.9),), ranking=ranking)

    (result,) = ranked(
        [NodeWithScore(node=node, score=retrieval_score)], placement, keep_retrieval_score=True
    )

    assert (result.score, result.node.metadata["retrieval_score"]) == (0.9, retrieval_score)
    assert result.node.metadata["page"] == 3
    assert (type(result.node), result.node_id) == (type(node), node.node_id)
    assert result.node.get_content(MetadataMode.NONE) == node.get_content(MetadataMode.NONE)
    if "retrieval_score" not in dump["metadata"]:
        assert {mode: result.node.get_content(mode) for mode in texts} == texts
    assert result.node.excluded_llm_metadata_keys.count("retrieval_score") == 1
    assert result.node.excluded_embed_metadata_keys.count("retrieval_score") == 1
    assert (node.model_dump(), node.hash) == (dump, node_hash)


def test_unranked_nodes_are_not_copied():
    """An unranked item keeps its score, so its node needs no copy."""
    item = NodeWithScore(node=TextNode(text="a fox"), score=0.25)

    (result,) = ranked([item], Placement(order=(Placed(0, None),)), keep_retrieval_score=True)

    assert result.node is item.node
    assert result.score == 0.25


def test_an_item_of_a_derived_class_keeps_its_class():
    """An item of a user's subclass of `NodeWithScore` keeps its class and its own fields."""

    class Cited(NodeWithScore):
        citation: str

    item = Cited(node=TextNode(text="a fox"), score=0.1, citation="[1]")
    ranking = Ranking(results=(), model="model", requests=())

    (result,) = ranked([item], Placement(order=(Placed(0, 0.9),), ranking=ranking))

    assert (type(result), result.citation, result.score) == (Cited, "[1]", 0.9)
    assert item.score == 0.1
