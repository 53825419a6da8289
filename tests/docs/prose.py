"""The sentences of Markdown pages and of Python modules, without their code."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

# Code, a placeholder or an address counts as one word of a sentence.
WORD_FOR_CODE = "Code"
FENCE = re.compile(r"^\s*(?:>\s*)?(`{3,}|~{3,})")
# A line that is not prose: an empty line, a table's rule, an include, an option, a section's name.
NO_PROSE = re.compile(
    r"""\s*(?:
        $ | \|[\s:|-]+\| | ::: | --8<-- | [-=*_]{3,} | >>>
        | (?:Args|Attributes|Raises|Returns|Yields|Examples?|Note|Warns):\s*$
    )""",
    re.VERBOSE,
)
BEGINNING = re.compile(
    r"""^\s*(?:>\s*)*(?:
        (?:[-*+]|\d{1,2}[.)])\s+ | \#{1,6}\s+ | (?:===|!!!|\?\?\?)\+?\s* | \[\^\w+\]:\s* | :\s{2,}
    )""",
    re.VERBOSE,
)
ARGUMENT = re.compile(r"^\s+\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*: ")
# A line of a listing in two columns.
COLUMNS = re.compile(r"\S {2,}\S")
NOT_FOR_READERS = re.compile(r"#\s*(?:!|type:|noqa|pragma|pyright:|mypy:|ruff:|///)")
END_OF_SENTENCE = re.compile(
    r"""(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\betc\.)(?<!\.\.)
        (?<=[.!?])["')\]*_]*\s+""",
    re.VERBOSE,
)
CODE = re.compile(
    r"(`+)(?!`).+?(?<!`)\1(?!`)"  # inline code
    r"|<(?:script|style)\b.*?</(?:script|style)>"
    r"|<!--.*?-->"
    r"|https?://[^\s)>\]\"']+",
    re.DOTALL,
)
# A list of code counts as one word, too.
CODES = re.compile(rf"{WORD_FOR_CODE}(?:,\s+{WORD_FOR_CODE})+")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])")
ATTRIBUTES = re.compile(r"\{\s*[:.#][^{}]*\}")
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[a-z]|%[-+ #0-9.]*[srdifgx]\b|\{[a-z_0-9.!:\[\]]*\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, with the line of the file where it begins."""

    line: int
    text: str
    in_text: bool = True
    """Whether the sentence counts for the median: not for headings and cells of tables."""

    @property
    def words(self) -> int:
        """The number of words; code is one word."""
        return sum(1 for part in self.text.split() if re.search(r"\w", part))


def sentences_of_page(text: str) -> list[Sentence]:
    """Return the sentences of a Markdown page."""
    return list(_sentences_of_lines(_without_front_matter(text)))


def sentences_of_notebook(text: str) -> list[Sentence]:
    """Return the sentences of the Markdown cells. Lines are counted within these cells."""
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return sentences_of_page("\n\n".join("".join(cell["source"]) for cell in cells))


def sentences_of_module(source: str, *, messages: bool) -> list[Sentence]:
    """Return the sentences of docstrings and comments, and of messages if `messages` is set."""
    sentences = list(_sentences_of_comments(source))
    for line, text, is_docstring in _texts(ast.parse(source)):
        if is_docstring:
            sentences.extend(_sentences_of_lines(text, first=line))
        elif messages:
            sentences.extend(_sentences_of_lines(PLACEHOLDER.sub(WORD_FOR_CODE, text), first=line))
    return sorted(sentences, key=lambda sentence: sentence.line)


def _without_front_matter(text: str) -> str:
    """Return the page with empty lines in place of the front matter, except its description."""
    if not text.startswith("---\n"):
        return text
    head, end, page = text[4:].partition("\n---\n")
    kept = [
        line.removeprefix("description:").strip() if line.startswith("description:") else ""
        for line in head.split("\n")
    ]
    return "\n".join(["", *kept, "", page]) if end else text


def _sentences_of_lines(text: str, first: int = 1) -> Iterator[Sentence]:
    """Yield the sentences of Markdown or of a docstring. Its first line has the number `first`."""
    block: list[tuple[int, str]] = []
    for number, line in _lines_without_code(text, first):
        begins = BEGINNING.match(line) or ARGUMENT.match(line)
        in_table = line.lstrip().startswith("|")
        if begins or in_table or NO_PROSE.match(line) or COLUMNS.search(line):
            yield from _sentences_of_block(block)
            block = []
        if in_table:
            for cell in re.split(r"(?<!\\)\|", line):
                yield from _sentences_of_block([(number, cell)], in_text=False)
        elif begins and "#" in begins[0]:
            yield from _sentences_of_block([(number, line[begins.end() :])], in_text=False)
        elif not NO_PROSE.match(line):
            block.append((number, line[begins.end() if begins else 0 :]))
    yield from _sentences_of_block(block)


def _lines_without_code(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers. A line of a fenced block of code is an empty line."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=first):
        mark = FENCE.match(line)
        yield number, "" if fence or mark else line
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""


def _sentences_of_block(
    block: list[tuple[int, str]], *, in_text: bool = True
) -> Iterator[Sentence]:
    """Yield the sentences of a paragraph, an item, a cell, a comment or a message."""
    text = "\n".join(line for _, line in block)
    for pattern in (CODE, CODES):
        text = pattern.sub(lambda code: WORD_FOR_CODE + "\n" * code[0].count("\n"), text)
    text = ATTRIBUTES.sub("", LINK.sub(r"\1", TAG.sub("", text)))
    start = 0
    for end in [*(match.end() for match in END_OF_SENTENCE.finditer(text)), len(text)]:
        sentence = text[start:end]
        line = text.count("\n", 0, start + len(sentence) - len(sentence.lstrip()))
        start = end
        if re.search(r"\w", sentence.replace(WORD_FOR_CODE, "")):
            yield Sentence(block[0][0] + line, " ".join(sentence.split()), in_text)


def _sentences_of_comments(source: str) -> Iterator[Sentence]:
    """Yield the sentences of the comments. Lines of comment below each other are one text."""
    block: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or NOT_FOR_READERS.match(token.string):
            continue
        number = token.start[0]
        if block and (number != block[-1][0] + 1 or not token.line.lstrip().startswith("#")):
            yield from _sentences_of_block(block)
            block = []
        block.append((number, token.string.lstrip("#:").strip()))
    yield from _sentences_of_block(block)


def _texts(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield each string with its line, and whether it is a docstring: a statement, not a value."""
    known: set[int] = set()
    for node in ast.walk(tree):  # From the outside to the inside
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)) as docstring):
                known.add(id(docstring))
                yield docstring.lineno, text, True
            case ast.JoinedStr(values=values):
                known.update(map(id, values))
                yield node.lineno, "".join(map(_part, values)), False
            case ast.Call(func=ast.Attribute(value=words, attr="split")):
                known.add(id(words))  # A list of words
            case ast.Constant(value=str(text)) if id(node) not in known and " " in text:
                yield node.lineno, text, False
            case _:
                pass


def _part(value: ast.expr) -> str:
    """Return a part of a string with placeholders, which are one word."""
    return str(value.value) if isinstance(value, ast.Constant) else WORD_FOR_CODE
