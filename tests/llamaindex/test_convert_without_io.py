"""Conversion of nodes without I/O: no file is opened, and no connection is made."""

import sys
from contextlib import contextmanager
from pathlib import Path

from llama_index.core.schema import (
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
from llamaindex_openrouter_rerank._convert.nodes import contents

from tests.llamaindex.converted_nodes import ALL_NODES, PNG_BASE64, PNG_URI
from tests.llamaindex.custom_nodes import CustomImageNode, CustomResource, CustomResourceNode

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
