"""
Limits how many values of a JSON text are parsed.

A parser makes an object for each value, and a value may have two bytes: `[],[],[],` needs a hundred
times its size, and much time. The length of a string costs little. So the values of a text are
counted before it is parsed, and each step here is a few functions of `bytes` for the whole text.
"""

# A value follows each of these, or is an empty object or list.
_MARKS = b"[{,"
_ALL_BUT_MARKS_AND_QUOTES = bytes(range(256)).translate(None, _MARKS + b'"')


def has_few_values(text: bytes, most: int) -> bool:
    """
    Return `True` if `text` has at most `most` brackets and commas outside strings.

    This is true at least for the part before the first mistake in `text`: no parser reads more.
    """
    # Counting needs no memory. Nearly all texts end here.
    if sum(map(text.count, _MARKS)) <= most:
        return True
    # Without escaped backslashes and quotes, each quote begins or ends a string.
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = plain.translate(None, _ALL_BUT_MARKS_AND_QUOTES)
    # No more than a name and a string follow each bracket and each comma.
    if marks.count(b'"') > 4 * most + 2:
        return False
    outside = marks.split(b'"')[::2]
    return sum(map(len, outside)) <= most
