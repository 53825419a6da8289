"""Pages, docstrings, comments and messages are in plain English."""

import tomllib
from pathlib import Path

import pytest

from tests.docs.plain_words import MAXIMUM_MEDIAN, median_length, problems
from tests.docs.prose import sentences_of_module, sentences_of_notebook, sentences_of_page

ROOT = Path(__file__).parents[2]
EXCEPTIONS_FILE = Path(__file__).with_name("word_exceptions.toml")
SENTENCES = tomllib.loads(EXCEPTIONS_FILE.read_text("utf-8"))["exception"]


def files(*patterns):
    """Return the files that match the patterns, relative to the repository."""
    return sorted(
        path.relative_to(ROOT).as_posix() for pattern in patterns for path in ROOT.glob(pattern)
    )


PAGES = files("*.md", "shared/*.md", "packages/*/*.md", "docs/**/*.md", "examples/*.ipynb")
SOURCES = files("shared/src/**/*.py", "packages/*/src/**/*.py")
PROGRAMS = files("benchmarks/**/*.py", "docs/**/*.py", "examples/**/*.py", "scripts/**/*.py")


def broken_rules(sentences):
    """Return the broken rules of sentences: line, text, rule, and what to write instead."""
    return [
        (sentence.line, sentence.text, rule, instead)
        for sentence in sentences
        for rule, instead in problems(sentence)
    ]


def check(file, found):
    """Require `found`, the broken rules of `file`, to be exactly its exceptions."""
    used, lines = [], []
    for line, text, rule, instead in found:
        excepted = [
            each
            for each in SENTENCES
            if (each["file"], each["rule"]) == (file, rule) and text.startswith(each["sentence"])
        ]
        used += excepted
        if not excepted:
            lines.append(f'{file}:{line}: {rule}: write {instead}\n    "{text}"')
    unused = [each for each in SENTENCES if each["file"] == file and each not in used]
    lines += [f"{EXCEPTIONS_FILE.name}: remove the exception, {each}" for each in unused]
    assert not lines, "\n" + "\n".join(lines)


@pytest.mark.parametrize("file", PAGES)
def test_a_page_is_in_plain_english(file):
    """A page has plain words, no long sentence, and mostly short ones."""
    read = sentences_of_notebook if file.endswith(".ipynb") else sentences_of_page
    sentences = read((ROOT / file).read_text("utf-8"))
    found = broken_rules(sentences)
    if (median := median_length(sentences)) > MAXIMUM_MEDIAN:
        instead = f"shorter sentences: the median may be {MAXIMUM_MEDIAN} words, and is {median}"
        found.append((1, "", "median", instead))

    check(file, found)


@pytest.mark.parametrize("file", SOURCES)
def test_a_module_is_in_plain_english(file):
    """Docstrings, comments and messages have plain words and no long sentence."""
    sentences = sentences_of_module((ROOT / file).read_text("utf-8"), messages=True)

    check(file, broken_rules(sentences))


@pytest.mark.parametrize("file", PROGRAMS)
def test_a_program_is_in_plain_english(file):
    """The docstrings and comments of programs have plain words and no long sentence."""
    sentences = sentences_of_module((ROOT / file).read_text("utf-8"), messages=False)

    check(file, broken_rules(sentences))


def test_exceptions_are_for_files_that_exist_and_have_reasons():
    """Each exception is for a file that is checked, and says why."""
    named = {each["file"] for each in SENTENCES}

    assert named <= {*PAGES, *SOURCES, *PROGRAMS}
    assert all(each["reason"].strip() for each in SENTENCES)


PAGE = """---
title: shall
description: Whatever comes first.
---
# The house

Call `shall()` at
once. See [the page](https://shall.example/shall.html "shall").

```python
shall = 1
```

| name | text |
|---|---|
| `shall` | Mend it. |

=== "LangChain"

    ~~~text
    shall
    ~~~

    It runs for ever.
"""


def test_the_code_of_a_page_is_no_prose():
    """Sentences are found across lines, in headings, cells and tabs, but not in code."""
    found = [(line, rule) for line, _, rule, _ in broken_rules(sentences_of_page(PAGE))]

    assert found == [
        (3, "whatever"),
        (5, "the house"),
        (7, "at once"),
        (16, "mend"),
        (24, "for ever"),
    ]


MODULE = '''"""Answer whoever asks."""

import logging

shall = "shall"  # noqa: shall
MESSAGE = f"wait for {shall} and nobody else"
OPTION: int = 1
"""
Set the option.

Args:
    shall: The name is no prose.
    value: Mend it.
"""
# This happens at
# once.
logging.info("%s shall stop" "now", shall)
'''


def test_the_prose_of_a_module_is_found():
    """Docstrings, comments and messages are found with their lines, names and single words not."""
    sentences = sentences_of_module(MODULE, messages=True)

    assert [(line, rule) for line, _, rule, _ in broken_rules(sentences)] == [
        (1, "whoever"),
        (6, "nobody"),
        (13, "mend"),
        (15, "at once"),
        (17, "shall"),
    ]


def test_a_long_sentence_is_found():
    """A sentence of 36 words is too long. Code is one word, and each sentence is counted."""
    words = " ".join(["word"] * 35)

    assert broken_rules(sentences_of_page(f"See {words}. Then {words[5:]}.")) == [
        (1, f"See {words}.", "length", "sentences of at most 35 words, this has 36")
    ]
    assert broken_rules(sentences_of_page(f"See `{words}`, `b` and {words[15:]}.")) == []
