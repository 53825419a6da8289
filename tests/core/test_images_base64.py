"""Which texts are accepted as base64, compared with the decoder of the standard library."""

import base64
import binascii

from hypothesis import example, given
from hypothesis import strategies as st
from openrouter_rerank.images import as_image

SVG = "image/svg+xml"
"""A declared media type, so that the first bytes do not matter."""


def is_decodable(text):
    """Return `True` if the strict decoder of `binascii` decodes `text` to at least one byte."""
    try:
        return bool(binascii.a2b_base64(text, strict_mode=True))
    except ValueError:
        return False


@given(
    st.text("AQgz09+/=-_é ", min_size=1, max_size=12)
    | st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode())
)
@example("QQ=A")
@example("QQ==QQ==")
@example("====")
@example("QQQQ=QQQ")
@example("QQQQ====")
def test_base64_is_accepted_if_the_strict_decoder_accepts_it(text):
    """A text is accepted as base64 if and only if the strict decoder accepts it."""
    image = as_image(text, declared=SVG)
    text = text.strip()
    assert (image is not None) == is_decodable(text)
