"""What the demo shows while it works."""

import errno
import threading
from io import StringIO
from threading import Event

from openrouter_rerank.demo import activity as module
from openrouter_rerank.demo.activity import activity
from openrouter_rerank.demo.signs import signs
from rich.console import Console


class Watched(StringIO):
    """A file that knows when a text was written."""

    def __init__(self, text):
        super().__init__()
        self._text = text
        self.has_text = Event()

    def write(self, text):
        """Write, and set the event if the text is complete."""
        written = super().write(text)
        if self._text in self.getvalue():
            self.has_text.set()
        return written


def test_plain_lines_say_how_much_is_done(monkeypatch):
    """Without a terminal, plain lines have the name of the work and the number of steps."""
    monkeypatch.setattr(module, "_INTERVAL", 0.01)
    file = Watched("  Asking: 1 of 2\n")
    console = Console(file=file)

    with activity("Asking", 2, console=console, errors=Console(file=StringIO())) as advance:
        advance()
        assert file.has_text.wait(30)

    assert "\x1b" not in file.getvalue()
    assert "\r" not in file.getvalue()


def test_an_output_that_cannot_be_written_prints_no_traceback(monkeypatch):
    """If the output cannot be written any more, the thread of the plain lines ends silently."""
    monkeypatch.setattr(module, "_FIRST", 0.0)
    failures = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    tried = Event()

    class Full(StringIO):
        def write(self, text):
            tried.set()
            raise OSError(errno.ENOSPC, "No space left on device")

    with activity("Asking", console=Console(file=Full()), errors=Console(file=StringIO())):
        assert tried.wait(30)

    assert failures == []


def test_short_work_prints_no_plain_line():
    """Work that ends immediately leaves no line in a pipe."""
    file = StringIO()

    with activity("Asking", console=Console(file=file), errors=Console(file=StringIO())):
        pass

    assert file.getvalue() == ""


def test_the_line_moves_on_the_error_terminal_if_the_output_is_a_pipe():
    """If only the standard error is a terminal, the line moves there, not in the pipe."""
    output, errors = StringIO(), StringIO()
    terminal = Console(file=errors, force_terminal=True)

    with activity("Asking", 2, console=Console(file=output), errors=terminal) as advance:
        advance()

    assert output.getvalue() == ""
    assert "Asking" in errors.getvalue()
    assert "1/2" in errors.getvalue()


def test_an_output_without_the_signs_gets_ascii():
    """If the encoding of the output lacks the signs, they are replaced by ASCII characters."""
    assert signs("utf-8").right == "✔"
    assert "".join(signs("cp1252")).isascii()
    assert "".join(signs("unknown")).isascii()
    assert len(set(signs("ascii"))) == len(signs("ascii"))
