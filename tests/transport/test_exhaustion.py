"""Calls of a process that has no descriptor left, or whose main thread has ended."""

import os
import subprocess
import sys
import textwrap

import pytest

resource = pytest.importorskip("resource", reason="this system has no limits of a process")

SETUP = """
    import asyncio, os, resource, socket, sys, threading
    from openrouter_rerank import APIConnectionError, AsyncRerankClient, RerankClient

    def call(mode, loop, **options):
        if mode == "sync":
            with RerankClient(max_retries=0, **options) as client:
                return client.rerank("b", ["a", "b", "c"], max_documents_per_request=1)

        async def acall():
            async with AsyncRerankClient(max_retries=0, **options) as client:
                return await client.rerank("b", ["a", "b", "c"], max_documents_per_request=1)

        return loop.run_until_complete(acall())

    class NoDescriptors:
        def __enter__(self):
            self.before = resource.getrlimit(resource.RLIMIT_NOFILE)
            next_descriptor = os.dup(0)
            os.close(next_descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor, self.before[1]))

        def __exit__(self, *_):
            resource.setrlimit(resource.RLIMIT_NOFILE, self.before)
"""


def printed(stage, script):
    """Run `script` in a new interpreter, and return what it prints."""
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SETUP) + textwrap.dedent(script)],
        env=os.environ
        | {"OPENROUTER_API_BASE": stage.base_url, "OPENROUTER_API_KEY": stage.api_key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
    return finished.stdout


@pytest.mark.parametrize(
    ("scheme", "is_first"),
    [("https", True), ("http", False), ("https", False)],
    ids=["first call", "later call", "later call, first with TLS"],
)
def test_without_descriptors_a_call_fails_for_the_time_being(stage, mode, scheme, is_first):
    """With no descriptor left, a call ends in a retryable error; later ones succeed."""
    text = printed(
        stage,
        f"""
        loop = asyncio.new_event_loop()
        url = "https://127.0.0.1:1/v1" if {scheme!r} == "https" else {stage.base_url!r}
        # The default certificates are read, because no variable names others.
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            os.environ.pop(name, None)
        if not {is_first}:
            call({mode!r}, loop)
        with NoDescriptors():
            try:
                call({mode!r}, loop, base_url=url, timeout=20)
            except APIConnectionError as error:
                print(error.retryable, error)
        print(call({mode!r}, loop).results[0].index)
        """,
    )

    error, result = text.splitlines()
    assert error.startswith("True could not connect to 127.0.0.1:")
    assert "Too many open files. End threads and close files" in error
    assert result == "1"


def test_calls_succeed_after_the_main_thread_has_ended(stage, mode):
    """A thread that goes on after the end of the main thread can make its first, split call."""
    text = printed(
        stage,
        f"""
        def work():
            threading.main_thread().join()
            print(call({mode!r}, asyncio.new_event_loop()).results[0].index)
            sys.stdout.flush()

        threading.Thread(target=work).start()
        """,
    )

    assert text.split() == ["1"]


def test_an_image_file_that_cannot_be_opened_is_reported(stage, tmp_path):
    """With no descriptor left, the reason for an image that is not sent is not its path."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    text = printed(
        stage,
        f"""
        from pathlib import Path
        from openrouter_rerank.images import LocalImage
        from openrouter_rerank.reranker.image_files import read_image

        with NoDescriptors():
            print(read_image(LocalImage("a.png"), Path({str(tmp_path)!r}), 1000).reason)
        """,
    )

    assert text == "the image file cannot be opened: Too many open files\n"
