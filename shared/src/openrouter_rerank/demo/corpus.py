"""
The corpus: the documentation that ships with Python, its language reference and its docstrings.

The standard library is read as text and never imported, so none of its code runs.
"""

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from openrouter_rerank.demo.paragraphs import passages
from openrouter_rerank.demo.passage import Passage

# Modules that programs often use. With the rest of the library the first run would take twice as
# long.
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
# A docstring with fewer words says hardly more than the name that it documents.
_MIN_WORDS = 12

_HEADING = re.compile(r"^(\S.*)\n([*=~-])\2{3,}$", re.MULTILINE)

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def corpus() -> list[Passage]:
    """Return the passages of this Python. All runs return the same passages in the same order."""
    found: dict[str, Passage] = {}
    for title, text in (*_reference(), *_library()):
        for part in passages(text):
            # Several topics of the reference contain the same sections.
            if part not in found:
                number = len(found) + 1
                found[part] = Passage(id=f"p{number}", title=title, body=part)
    return list(found.values())


def _reference() -> Iterator[tuple[str, str]]:
    """Yield the heading and the text of each section of the language reference."""
    try:
        from pydoc_data.topics import topics
    except ModuleNotFoundError:  # Some distributions put it in a separate package
        return
    for name in sorted(topics):
        title = name
        rest = topics[name]
        while heading := _HEADING.search(rest):
            yield title, rest[: heading.start()]
            title, rest = heading[1].strip(), rest[heading.end() :]
        yield title, rest


def _library() -> Iterator[tuple[str, str]]:
    """Yield the dotted name and the docstring of each documented object of the library."""
    library = Path(sysconfig.get_path("stdlib"))
    for name in _MODULES.split():
        for file in _sources(library.joinpath(*name.split("."))):
            for title, text in _docstrings(ast.parse(file.read_bytes()), name):
                if len(text.split()) >= _MIN_WORDS:
                    yield title, text


def _sources(module: Path) -> Iterator[Path]:
    # Some modules only re-export a module with an underscore, which is written in Python.
    name = module.name
    for source in (f"{name}.py", f"{name}/__init__.py", f"{name}/_local.py", f"_py{name}.py"):
        if (file := module.parent / source).is_file():
            yield file


def _docstrings(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    yield module, ast.get_docstring(tree) or ""
    for member in tree.body:
        if isinstance(member, _FUNCTIONS | ast.ClassDef) and not member.name.startswith("_"):
            text = ast.get_docstring(member) or ""
            if isinstance(member, ast.ClassDef):
                text = "\n\n".join([text, *_method_summaries(member)])
            yield f"{module}.{member.name}", text


def _method_summaries(tree: ast.ClassDef) -> Iterator[str]:
    """Yield the name and first paragraph of each method. They become part of the class's text."""
    for member in tree.body:
        if isinstance(member, _FUNCTIONS) and not member.name.startswith("_"):
            summary = (ast.get_docstring(member) or "").partition("\n\n")[0]
            if summary:
                yield f"{member.name}: {summary}"
