"""The rules of plain English that a test can check, each with what to write instead."""

import re
import statistics
from collections.abc import Iterator, Sequence

from tests.docs.prose import Sentence

MAXIMUM_WORDS = 35
MAXIMUM_MEDIAN = 18

# Words and phrases that are wrong in every text of this project, and what to write instead.
PLAIN_WORDS = {
    "whoever|whomever": "the caller, the user or the server",
    "whatever|whichever": "every, any, or the condition itself",
    "whence|wherein|whereof|whereby|hence|thus|thereof|therein|thereby": "so, from where, in which",
    "anew|afresh": "again",
    "dear|dearer|dearest": "expensive",
    "mend|mends|mended|mending": "fix",
    "shall": "must or will",
    "nobody|no one": "the exact case: no user, no caller, or not yet judged",
    "nought|naught": "zero or nothing",
    "be it|be they": "also if",
    "so many|as many again|half as much again": "the number, or the name of the option",
    "tells? (?:you )?(?:whether|if)|told by": "return `True` if, show if, or detect from",
    r"\w+ of (?:its|their|our) own(?! \w)": "its own scale, our own pool",
    "verbs of": "methods of",
    "beside|besides": "next to, with, compared with, or also",
    "at once": "immediately, or at the same time",
    "for ever|forever": "without a limit",
    r"for good(?! \w)": "permanently",
    "a share of": "a number, a fraction, or a part of",
    "(?:is|are|be) of (?:no )?use": "is useful, or is not useful",
    "(?:nothing|none) but": "only",
    "in vain": "without success",
    "so to speak|as it were": "the exact statement",
    "albeit|amidst?|amongst|lest|whilst|upon|unto": "although, among, so that not, while, or on",
    "the house": "the repository",
    "bombs?": "a small compressed body that expands to gigabytes",
    "in both colou?rs": "sync and async",
    "made-up": "invented",
    "honest": "valid, or correct",
    "takes? no part": "is skipped",
    "if need be": "the condition: if there is a proxy",
    "(?:comes?|came|becomes?) of": "the result of, happens to",
    "all the same": "still, or anyway",
    "(?:mistaken|(?:is|are|be) taken) (?:for|to be)": "treated as",
}
_PATTERNS = [
    (re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), instead)
    for words, instead in PLAIN_WORDS.items()
]
_ANY = re.compile("|".join(f"(?:{words})" for words in PLAIN_WORDS), re.IGNORECASE)


def problems(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """Yield the rules that a sentence breaks, by name, each with what to write instead."""
    if sentence.words > MAXIMUM_WORDS:
        yield "length", f"sentences of at most {MAXIMUM_WORDS} words, this has {sentence.words}"
    if _ANY.search(sentence.text):
        for pattern, instead in _PATTERNS:
            if found := pattern.search(sentence.text):
                yield found[0].lower(), instead


def median_length(sentences: Sequence[Sentence]) -> float:
    """Return the median number of words of the sentences outside headings and tables."""
    return statistics.median([each.words for each in sentences if each.in_text] or [0])
