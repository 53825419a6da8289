"""Conversion of every kind of node to what is ranked, and of a placement to nodes."""

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
from llamaindex_openrouter_rerank._convert.nodes import contents, have_image_fields, ranked
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import LocalImageDocument, Placed, Placement, Unscorable
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + bytes(60)
BMP = b"BM" + bytes(range(128, 188))
PNG64 = base64.b64encode(PNG).decode()
PNG_URI = f"data:image/png;base64,{PNG64}"
JPEG_URI = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
WEBP_URI = f"data:image/webp;base64,{base64.b64encode(WEBP).decode()}"
BMP_URI = f"data:image/bmp;base64,{base64.b64encode(BMP).decode()}"
URL = "https://example.com/cat.png"
FILE = {"file_path": "/home/someone/secret.png"}


class Foreign(BaseNode):
    """A node class of a user, with the minimum that LlamaIndex requires."""

    content: object = "foreign"

    @classmethod
    def get_type(cls):
        """Return a type that LlamaIndex does not know."""
        return "foreign"

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Return whatever it was given."""
        return self.content

    def get_content_blocks(self, metadata_mode=MetadataMode.ALL):
        """Fail, as nobody may call it."""
        raise AssertionError

    def set_content(self, value):
        """Fail, as nobody may call it."""
        raise AssertionError

    @property
    def hash(self):
        """Return a constant."""
        return "hash"


class Picture(Foreign):
    """A foreign node with the fields that images have in LlamaIndex."""

    image: object = None
    image_url: object = None
    image_path: object = None
    image_mimetype: object = None


class Broken(Foreign):
    """A node of which nothing works."""

    def get_content(self, metadata_mode=MetadataMode.ALL):
        """Fail with a message that quotes the text."""
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


class BrokenWithPicture(Broken):
    """A node of which only the image works."""

    image_url: str = URL


class Truthless(Foreign):
    """A node whose image field has no truth value, as arrays have none."""

    class _Array:
        def __bool__(self):
            message = "The truth value of an array is ambiguous"
            raise ValueError(message)

    image: object = _Array()


class Resource:
    """A foreign media resource, which checks nothing."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Resourceful(Foreign):
    """A foreign node with a foreign media resource."""

    image_resource: object = None


def png_file(folder):
    """Write a picture that LlamaIndex, which opens it, takes for one."""
    path = folder / "fox.png"
    Image.new("RGB", (2, 2)).save(path)
    return path


def without_validation(**fields):
    """Make an image document as its constructor would, had it not fetched the URL first."""
    return ImageDocument.model_construct(
        metadata={}, text_resource=None, image_resource=MediaResource(**fields)
    )


def restored(node):
    """Write a node to a vector store's metadata and read it back."""
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
    "metadata alone": (TextNode(text="", metadata={"title": "Foxes"}), "title: Foxes"),
    "blank text": (TextNode(text=" \n"), " \n"),
    "no text": (TextNode(), ""),
    "text of a resource": (TextNode(text_resource=MediaResource(text="a fox")), "a fox"),
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
    "audio alone": (Node(audio_resource=MediaResource(path=Path("bark.wav"))), ""),
    "video with text": (
        Node(
            text_resource=MediaResource(text="it runs"),
            video_resource=MediaResource(url="https://example.com/fox.mp4"),
        ),
        "it runs",
    ),
    "video alone": (Node(video_resource=MediaResource(data=bytes(40))), ""),
    "foreign node": (Foreign(), "foreign"),
    "metadata that names a picture": (
        TextNode(text="a fox", metadata=FILE | {"image_url": URL, "image": PNG64}),
        f"file_path: /home/someone/secret.png\nimage_url: {URL}\nimage: {PNG64}\n\na fox",
    ),
}

IMAGE_NODES = {
    "base64": (ImageNode(image=PNG64), None, PNG_URI),
    "base64 and caption": (ImageNode(image=PNG64, text="a fox"), "a fox", PNG_URI),
    "caption and metadata": (
        ImageNode(image=PNG64, text="a fox", metadata={"page": 3}),
        "page: 3\n\na fox",
        PNG_URI,
    ),
    "metadata for a caption": (ImageNode(image=PNG64, metadata=FILE), None, PNG_URI),
    "wrong media type": (ImageNode(image=PNG64, image_mimetype="image/jpeg"), None, PNG_URI),
    "media type of no magic number": (
        ImageNode(image=base64.b64encode(BMP).decode(), image_mimetype="image/bmp"),
        None,
        BMP_URI,
    ),
    "data URI": (ImageNode(image=PNG_URI), None, PNG_URI),
    "URL": (ImageNode(image_url=URL, text="a fox"), "a fox", URL),
    "data URI as URL": (ImageNode(image_url=PNG_URI), None, PNG_URI),
    "bytes before URL": (ImageNode(image=PNG64, image_url=URL), None, PNG_URI),
    "URL before path": (ImageNode(image_url=URL, image_path="fox.png"), None, URL),
    "URL for broken bytes": (ImageNode(image="no image!", image_url=URL), None, URL),
    "URL of a resource": (
        ImageNode(image_url=str(MediaResource(url=URL).url), text="a fox"),
        "a fox",
        URL,
    ),
    "node with raw bytes": (Node(image_resource=MediaResource(data=PNG)), None, PNG_URI),
    "node with base64": (Node(image_resource=MediaResource(data=PNG64.encode())), None, PNG_URI),
    "node with JPEG": (Node(image_resource=MediaResource(data=JPEG)), None, JPEG_URI),
    "node with WebP": (Node(image_resource=MediaResource(data=WEBP)), None, WEBP_URI),
    "node with a data URI": (
        Node(image_resource=MediaResource(data=PNG_URI.encode())),
        None,
        PNG_URI,
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
    "node with metadata for a caption": (
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
    "image document": (ImageDocument(image=PNG64, text="a fox"), "a fox", PNG_URI),
    "image document with bytes": (ImageDocument(image=PNG), None, PNG_URI),
    "image document with a data URI": (
        ImageDocument(image=PNG_URI, image_mimetype="image/png"),
        None,
        PNG_URI,
    ),
    "image document with a URL": (without_validation(url=URL), None, URL),
    "restored image node": (restored(ImageNode(image=PNG64, text="a fox")), "a fox", PNG_URI),
    "foreign base64": (Picture(content="a fox", image=PNG64), "a fox", PNG_URI),
    "foreign bytes": (Picture(content="", image=PNG), None, PNG_URI),
    "foreign URL": (Picture(content="a fox", image_url=URL), "a fox", URL),
    "foreign media type that is none": (
        Picture(content="a fox", image=PNG, image_mimetype=7),
        "a fox",
        PNG_URI,
    ),
    "foreign resource": (Resourceful(image_resource=Resource(url=URL)), "foreign", URL),
    "foreign resource with text": (
        Resourceful(image_resource=Resource(data=PNG64)),
        "foreign",
        PNG_URI,
    ),
    "broken node with image": (BrokenWithPicture(), None, URL),
}

LOCAL_IMAGES = {
    "path": (ImageNode(image_path="fox.png"), None, "fox.png"),
    "path and caption": (
        ImageNode(image_path="/img/fox.png", text="a fox"),
        "a fox",
        "/img/fox.png",
    ),
    "path for broken bytes": (ImageNode(image="no image!", image_path="fox.png"), None, "fox.png"),
    "path for a refused URL": (
        ImageNode(image_url="file:///etc/passwd", image_path="fox.png"),
        None,
        "fox.png",
    ),
    "node with a path": (
        Node(image_resource=MediaResource(path=Path("img/fox.png"))),
        None,
        "img/fox.png",
    ),
    "image document with a path": (without_validation(path=Path("fox.png")), None, "fox.png"),
    "foreign path": (Picture(content="a fox", image_path=Path("fox.png")), "a fox", "fox.png"),
}

NOTHING_TO_RANK = {
    "empty image node": (ImageNode(), "ImageNode has no text, and its image is gone"),
    "image node with metadata alone": (ImageNode(metadata=FILE), "its image is gone"),
    "broken base64": (ImageNode(image="no image!"), "neither"),
    "base64 of a text": (ImageNode(image=base64.b64encode(b"hello").decode()), "neither"),
    "other scheme": (ImageNode(image_url="ftp://example.com/fox.png"), "neither"),
    "local file as URL": (Node(image_resource=MediaResource(url="file:///etc/passwd")), "neither"),
    "blank path": (ImageNode(image_path=" "), "neither"),
    "resource without an image": (Node(image_resource=MediaResource(mimetype="image/png")), "gone"),
    "restored node without its bytes": (
        restored(Node(image_resource=MediaResource(data=PNG), metadata=FILE)),
        "Node has no text, and its image is gone",
    ),
    "foreign image of an unknown type": (Picture(content="", image=io.BytesIO(PNG)), "neither"),
    "broken node": (Broken(), "the Broken fails to give its content: LookupError"),
    "node of unchecked fields": (
        TextNode.model_construct(text=None),
        "the TextNode fails to give its content",
    ),
    "node whose text is none": (Foreign(content=None), "Foreign fails to give its content"),
    "image whose text is none": (Picture(content=None, image="?"), "Picture fails to give"),
}


def content_of(node, metadata_mode=MetadataMode.EMBED):
    """Convert one node."""
    (content,) = contents([NodeWithScore(node=node)], metadata_mode=metadata_mode)
    return "".join(content) if isinstance(content, tuple) else content


@pytest.mark.parametrize(("node", "text"), TEXT_NODES.values(), ids=TEXT_NODES)
def test_a_node_without_image_is_ranked_by_its_text(node, text):
    """The content in the chosen metadata mode is the document; a blank one is left to the core."""
    assert content_of(node) == text


@pytest.mark.parametrize(("node", "text", "image"), IMAGE_NODES.values(), ids=IMAGE_NODES)
def test_an_image_is_ranked_wherever_a_node_keeps_it(node, text, image):
    """Bytes become a data URI, URLs and data URIs stay, and the caption stands beside them."""
    assert content_of(node) == RerankDocument(text=text, image=image)


@pytest.mark.parametrize(("node", "text", "path"), LOCAL_IMAGES.values(), ids=LOCAL_IMAGES)
def test_a_path_is_left_for_the_core_to_read(node, text, path):
    """A path is passed on as a path: whether it may be read is decided elsewhere."""
    assert content_of(node) == LocalImageDocument(text=text, image=LocalImage(path))


@pytest.mark.parametrize(("node", "reason"), NOTHING_TO_RANK.values(), ids=NOTHING_TO_RANK)
def test_a_node_with_nothing_to_rank_says_why(node, reason):
    """Such a node fails nobody else's ranking, and the reason names it without quoting it."""
    content = content_of(node)

    assert isinstance(content, Unscorable)
    assert reason in content.reason
    assert "secret" not in content.reason


def test_an_image_without_truth_value_is_no_image():
    """A field that holds an array, as some nodes of others do, is left alone."""
    assert content_of(Truthless()) == "foreign"


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (MetadataMode.ALL, "a: 1\nb: 2\n\nfox"),
        (MetadataMode.EMBED, "b: 2\n\nfox"),
        (MetadataMode.LLM, "a: 1\n\nfox"),
        (MetadataMode.NONE, "fox"),
    ],
)
@pytest.mark.parametrize("image", [None, PNG64])
def test_the_metadata_mode_decides_what_stands_beside_the_text(mode, text, image):
    """The modes mean for a reranker what they mean for an embedding, with an image or without."""
    node = ImageNode(
        text="fox",
        image=image,
        metadata={"a": 1, "b": 2},
        excluded_embed_metadata_keys=["a"],
        excluded_llm_metadata_keys=["b"],
    )

    content = content_of(node, mode)

    assert content == (text if image is None else RerankDocument(text=text, image=PNG_URI))


def test_a_real_image_document_is_read_by_nobody_here(tmp_path):
    """LlamaIndex's loader gives a path, and the path is all that is looked at."""
    path = png_file(tmp_path)
    node = ImageDocument(image_path=str(path), text="a fox")
    path.unlink()

    assert content_of(node) == LocalImageDocument(text="a fox", image=LocalImage(str(path)))


ALL_NODES = [
    row[0]
    for table in (TEXT_NODES, IMAGE_NODES, LOCAL_IMAGES, NOTHING_TO_RANK)
    for row in table.values()
]


@pytest.mark.parametrize("node", ALL_NODES, ids=lambda node: type(node).__name__)
def test_nodes_with_image_fields_are_known_before_conversion(node):
    """`have_image_fields` is true for every node whose image is ranked, and for no text node."""
    content, items = content_of(node), [NodeWithScore(node=node)]

    if isinstance(content, RerankDocument | LocalImageDocument):
        assert have_image_fields(items)
    if type(node) in {TextNode, IndexNode}:
        assert not have_image_fields(items)


_opened = []
_listening = []
_REACHING_OUT = ("open", "os.", "shutil.", "subprocess.", "socket.", "urllib.", "http.", "glob.")


def _listen(event, args):
    if _listening and event.startswith(_REACHING_OUT):
        _opened.append((event, args))


sys.addaudithook(_listen)


@contextmanager
def listening():
    """Note whatever is opened, listed, started or connected."""
    _opened.clear()
    _listening.append(True)
    yield _opened
    _listening.clear()


def test_the_audit_hears_what_is_opened():
    """The proof below could fail."""
    with listening() as opened:
        Path("/etc/hostname").exists()
        Path(__file__).read_bytes()

    assert [event for event, _ in opened] == ["open"]


PLACES = (
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
    PNG64,
    "",
)


def hostile_nodes():
    """Make nodes of every kind that name places which nobody may look at, in every field."""
    metadata_keys = ("file_path", "image_path", "image_url", "url", "source", "file_name", "image")
    for place in PLACES:
        metadata = dict.fromkeys(metadata_keys, place)
        for text in ("", "a fox", place):
            yield TextNode(text=text, metadata=metadata)
            yield Document(text=text, metadata=metadata)
            yield IndexNode(text=text, index_id=place, metadata=metadata)
            for field in ("image", "image_url", "image_path"):
                yield ImageNode(text=text, metadata=metadata, **{field: place})
                yield Picture(content=text, metadata=metadata, **{field: place})
            for field in ("data", "url", "path"):
                resource = Resource(**{field: place})
                yield Resourceful(content=text, metadata=metadata, image_resource=resource)
                yield ImageDocument.model_construct(
                    metadata=metadata, text_resource=None, image_resource=resource
                )
            for kind in ("image_resource", "audio_resource", "video_resource"):
                yield Node(metadata=metadata, **{kind: MediaResource(path=Path(place or "."))})


def test_conversion_opens_nothing():
    """No file and no connection is opened for thousands of nodes that ask for it."""
    nodes = [NodeWithScore(node=node) for node in (*ALL_NODES, *hostile_nodes())]

    with listening() as opened:
        for mode in MetadataMode:
            contents(nodes, metadata_mode=mode)

    assert opened == []
    assert len(nodes) * len(MetadataMode) > 3_000
    assert len(ALL_NODES) > 70


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ("a fox", "a fox"),
        ("", ""),
        ({"text": "a fox"}, RerankDocument(text="a fox")),
        ({"image": URL}, RerankDocument(image=URL)),
        ({"text": "a fox", "image": PNG64}, RerankDocument(text="a fox", image=PNG_URI)),
        ({"text": None, "image": None}, RerankDocument()),
        ({"image": "no image!"}, RerankDocument(image="no image!")),
        ({}, RerankDocument()),
        (RerankDocument(text="a fox", image=PNG_URI), RerankDocument(text="a fox", image=PNG_URI)),
        (None, Unscorable("document_fn gave nothing for it")),
    ],
)
def test_document_fn_chooses_what_is_ranked(given, content):
    """Strings, mappings and documents are ranked as they are, and base64 becomes an image."""
    item = NodeWithScore(node=TextNode(text="never looked at"), score=0.5)
    seen = []

    def document_fn(one):
        seen.append(one)
        return given

    read = contents([item], metadata_mode=MetadataMode.EMBED, document_fn=document_fn)

    assert read == [content]
    assert seen == [item]
    assert seen[0] is item


@pytest.mark.parametrize(
    "given",
    [7, b"a fox", ["a fox"], {"text": 7}, {"image": PNG}, {"txt": "a fox"}, {7: "a fox"}],
)
def test_a_document_fn_that_returns_no_document_is_refused(given):
    """The error names the node's position and what to return, and quotes no content."""
    items = [NodeWithScore(node=TextNode(text=text)) for text in "ab"]
    given_for = {"a": "a fox", "b": given}

    with pytest.raises(InvalidRequestError, match=r"nodes\[1\].*return a string") as raised:
        contents(
            items,
            metadata_mode=MetadataMode.EMBED,
            document_fn=lambda item: given_for[item.node.text],
        )

    assert "fox" not in str(raised.value)


PAIRS = [(0, 0.25), (1, None), (2, 0.5)]

scores = st.floats(allow_nan=False, allow_infinity=False)


@given(data=st.data(), size=st.integers(0, 12))
def test_what_is_ranked_are_the_very_nodes(data, size):
    """Nodes come back in the order asked for, themselves, in new items, each with its score."""
    nodes = [
        NodeWithScore(node=TextNode(text=str(at), metadata={"at": at}), score=data.draw(scores))
        for at in range(size)
    ]
    order = data.draw(st.lists(st.sampled_from(range(size)), unique=True) if size else st.just([]))
    placed = tuple(Placed(at, data.draw(st.none() | scores)) for at in order)
    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="model", requests=())
    before = [item.model_copy() for item in nodes]
    hashes = [item.node.hash for item in nodes]

    result = ranked(nodes, Placement(order=placed, ranking=ranking))

    assert [item.score for item in result] == [place.relevance_score for place in placed]
    for item, place in zip(result, placed, strict=True):
        assert item is not nodes[place.index]
        assert item.node is nodes[place.index].node
    assert nodes == before
    assert [item.node.hash for item in nodes] == hashes


@pytest.mark.parametrize("error", [None, ServiceUnavailableError("down")])
def test_where_nothing_was_ranked_the_scores_of_the_retriever_stay(error):
    """Nothing asked or no answer: items are new, and all in them is as it was."""
    nodes = [NodeWithScore(node=TextNode(text=str(at)), score=score) for at, score in PAIRS]
    order = tuple(Placed(at, None) for at, _ in PAIRS)

    result = ranked(nodes, Placement(order=order, error=error))

    assert result == nodes
    assert all(new is not old for new, old in zip(result, nodes, strict=True))


KEPT = [
    TextNode(text="a fox", metadata={"page": 3}),
    ImageNode(image=PNG64, text="a fox", metadata={"page": 3}),
    Node(text_resource=MediaResource(text="a fox"), metadata={"page": 3}),
    Document(text="a fox", metadata={"page": 3}, image_resource=MediaResource(data=PNG)),
    IndexNode(text="a fox", index_id="1", obj=TextNode(text="all"), metadata={"page": 3}),
    Foreign(metadata={"page": 3}),
    TextNode(text="a fox", metadata={"page": 3, "retrieval_score": 0.1}),
    TextNode(
        text="a fox",
        metadata={"page": 3},
        excluded_llm_metadata_keys=["retrieval_score"],
        excluded_embed_metadata_keys=["page"],
    ),
]


@pytest.mark.parametrize("node", KEPT, ids=lambda node: type(node).__name__)
@pytest.mark.parametrize("was", [0.25, None])
def test_the_score_of_the_retriever_can_be_kept(node, was):
    """It is in the metadata of a copy, where prompts and embeddings do not see it."""
    before, hashed = node.model_dump(), node.hash
    texts = {mode: node.get_content(mode) for mode in (MetadataMode.EMBED, MetadataMode.LLM)}
    ranking = Ranking(results=(), model="model", requests=())
    placement = Placement(order=(Placed(0, 0.9),), ranking=ranking)

    (result,) = ranked([NodeWithScore(node=node, score=was)], placement, keep_retrieval_score=True)

    assert (result.score, result.node.metadata["retrieval_score"]) == (0.9, was)
    assert result.node.metadata["page"] == 3
    assert (type(result.node), result.node_id) == (type(node), node.node_id)
    assert result.node.get_content(MetadataMode.NONE) == node.get_content(MetadataMode.NONE)
    if "retrieval_score" not in before["metadata"]:
        assert {mode: result.node.get_content(mode) for mode in texts} == texts
    assert result.node.excluded_llm_metadata_keys.count("retrieval_score") == 1
    assert result.node.excluded_embed_metadata_keys.count("retrieval_score") == 1
    assert (node.model_dump(), node.hash) == (before, hashed)


def test_where_nothing_was_ranked_no_node_is_copied():
    """The score is where it was, so there is nothing to keep."""
    item = NodeWithScore(node=TextNode(text="a fox"), score=0.25)

    (result,) = ranked([item], Placement(order=(Placed(0, None),)), keep_retrieval_score=True)

    assert result.node is item.node
    assert result.score == 0.25


def test_an_item_of_a_derived_class_keeps_its_class():
    """Whoever derives from `NodeWithScore` gets the fields back that were added."""

    class Cited(NodeWithScore):
        citation: str

    item = Cited(node=TextNode(text="a fox"), score=0.1, citation="[1]")
    ranking = Ranking(results=(), model="model", requests=())

    (result,) = ranked([item], Placement(order=(Placed(0, 0.9),), ranking=ranking))

    assert (type(result), result.citation, result.score) == (Cited, "[1]", 0.9)
    assert item.score == 0.1
