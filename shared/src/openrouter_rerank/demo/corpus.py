"""
The corpus: what every Python carries about itself, the language reference and its docstrings.

The standard library is read as text and never imported, so nothing of it runs.
"""

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from openrouter_rerank.demo.paragraphs import passages
from openrouter_rerank.demo.passage import Passage

# What programs import every day; the rest of the library would make the first run twice as long.
_MODULES = """
    abc argparse ast asyncio asyncio.locks asyncio.queues asyncio.runners asyncio.tasks
    asyncio.timeouts base64 bisect calendar codecs collections concurrent.futures
    concurrent.futures.process concurrent.futures.thread configparser contextlib copy csv
    dataclasses datetime decimal difflib email email.message enum fileinput fnmatch fractions
    functools getpass glob gzip hashlib heapq html html.parser http.client http.cookies http.server
    importlib importlib.resources inspect io ipaddress json json.decoder json.encoder locale
    logging logging.config logging.handlers mimetypes multiprocessing.pool numbers operator os
    pathlib pickle posixpath pprint queue random re reprlib sched secrets selectors shelve shlex
    shutil signal smtplib socket sqlite3 ssl statistics string struct subprocess tarfile tempfile
    textwrap threading timeit tokenize tomllib traceback types typing unittest unittest.case
    unittest.mock urllib.parse urllib.request uuid warnings weakref zipfile zoneinfo
"""
# In words: below it a docstring says hardly more than the name it stands under.
_SHORTEST = 12

_HEADING = re.compile(r"^(\S.*)\n([*=~-])\2{3,}$", re.MULTILINE)

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def corpus() -> list[Passage]:
    """
    Read the passages of this Python, always the same ones in the same order.

    Raises:
        FileNotFoundError: If this Python has neither its reference nor its sources.
    """
    found: dict[str, Passage] = {}
    for title, text in (*_reference(), *_library()):
        for part in passages(text):
            # Topics of the reference share whole sections.
            if part not in found:
                number = len(found) + 1
                found[part] = Passage(id=f"p{number}", title=title, text=f"{title}\n\n{part}")
    if not found:
        message = "this Python carries neither pydoc_data nor the sources of its standard library"
        raise FileNotFoundError(message)
    return list(found.values())


def _reference() -> Iterator[tuple[str, str]]:
    """Yield each section of the language reference under its heading."""
    try:
        from pydoc_data.topics import topics
    except ModuleNotFoundError:  # Some distributions pack it apart
        return
    for name in sorted(topics):
        title = name
        rest = topics[name]
        while heading := _HEADING.search(rest):
            yield title, rest[: heading.start()]
            title, rest = heading[1].strip(), rest[heading.end() :]
        yield title, rest


def _library() -> Iterator[tuple[str, str]]:
    """Yield each docstring of the library under the dotted name of what it documents."""
    library = Path(sysconfig.get_path("stdlib"))
    for name in _MODULES.split():
        for file in _sources(library.joinpath(*name.split("."))):
            for title, text in _entries(ast.parse(file.read_bytes()), name):
                if len(text.split()) >= _SHORTEST:
                    yield title, text


def _sources(place: Path) -> Iterator[Path]:
    # Some modules are only a name for one with an underscore, which is written in Python.
    name = place.name
    for source in (f"{name}.py", f"{name}/__init__.py", f"{name}/_local.py", f"_py{name}.py"):
        if (file := place.parent / source).is_file():
            yield file


def _entries(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    yield module, ast.get_docstring(tree) or ""
    for member in tree.body:
        if isinstance(member, _FUNCTIONS | ast.ClassDef) and not member.name.startswith("_"):
            text = ast.get_docstring(member) or ""
            if isinstance(member, ast.ClassDef):
                text = "\n\n".join([text, *_methods(member)])
            yield f"{module}.{member.name}", text


def _methods(tree: ast.ClassDef) -> Iterator[str]:
    """Yield the name and the first paragraph of each method: a class is one entry with them all."""
    for member in tree.body:
        if isinstance(member, _FUNCTIONS) and not member.name.startswith("_"):
            summary = (ast.get_docstring(member) or "").partition("\n\n")[0]
            if summary:
                yield f"{member.name}: {summary}"
