"""Conversion without I/O: no file is opened, and no connection is made."""

import sys
from pathlib import Path

from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import contents

from tests.langchain.converted_documents import IMAGES, NO_IMAGES, UNSENDABLE_IMAGES
from tests.langchain.converted_items import ITEMS


class AuditRecorder:
    """Records Python's audit events of files, processes and the network inside a `with` block."""

    recorded = ("open", "os.", "socket.", "subprocess.", "urllib.", "shutil.", "glob.", "pathlib.")

    def __init__(self):
        self.is_recording = False
        self.events = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Record an event."""
        if self.is_recording and event.startswith(self.recorded):
            self.events.append((event, arguments))

    def __enter__(self):
        self.is_recording = True
        return self

    def __exit__(self, *_):
        self.is_recording = False


def test_no_file_is_opened_and_no_connection_is_made():
    """The converter opens none of the paths and URLs in documents."""
    rows = [*IMAGES.values(), *NO_IMAGES.values(), *UNSENDABLE_IMAGES.values()]
    documents = [Document(text, metadata=metadata) for text, metadata, _ in rows]
    items = [item for item, _ in ITEMS.values()]

    with AuditRecorder() as recorder:
        contents(documents)
        contents(documents, image_keys=["image", "image_path", "source"], rank_fields=["source"])
        contents(items, rank_fields=["title"])

    assert recorder.events == []
    with recorder, Path(__file__).open("rb"):
        pass
    assert recorder.events
