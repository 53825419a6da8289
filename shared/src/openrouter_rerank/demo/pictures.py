"""
Draws the pictures of the corpus. Each picture shows what its caption says.
"""

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.images import data_uri

_SIZE = (360, 240)
_FOREGROUND, _BACKGROUND = "black", "white"


def pictures() -> list[Passage]:
    """Draw the pictures and return them as passages."""
    return [_passage(name, caption, draw) for name, (caption, draw) in _DRAWINGS.items()]


def _passage(name: str, caption: str, draw: Callable[[ImageDraw.ImageDraw], None]) -> Passage:
    image = Image.new("RGB", _SIZE, _BACKGROUND)
    draw(ImageDraw.Draw(image))
    png = BytesIO()
    image.save(png, "PNG")
    return Passage(
        id=f"picture-{name}",
        title=f"[picture] {name}",
        text=caption,
        image=data_uri(png.getvalue()),
    )


def _diamond(draw: ImageDraw.ImageDraw) -> None:
    corners = {"A": (180, 35), "B": (80, 120), "C": (280, 120), "D": (180, 205)}
    for child, parent in ("DB", "DC", "BA", "CA"):
        draw.line((corners[child], corners[parent]), fill=_FOREGROUND, width=3)
    for name, corner in corners.items():
        _box(draw, corner, f"class {name}")


def _heap(draw: ImageDraw.ImageDraw) -> None:
    positions = [(180, 40), (100, 115), (260, 115), (60, 200), (140, 200), (220, 200), (300, 200)]
    for child in range(1, len(positions)):
        draw.line((positions[child], positions[(child - 1) // 2]), fill=_FOREGROUND, width=3)
    for position, number in zip(positions, (1, 3, 2, 7, 4, 9, 5), strict=True):
        draw.circle(position, 22, fill=_BACKGROUND, outline=_FOREGROUND, width=3)
        _write(draw, position, str(number))


def _doubling(draw: ImageDraw.ImageDraw) -> None:
    for exponent in range(6):
        left, height = 30 + 52 * exponent, 5 * 2**exponent
        draw.rectangle((left, 200 - height, left + 36, 200), fill="steelblue")
        _write(draw, (left + 18, 188 - height), str(2**exponent))
    draw.line((20, 200, 345, 200), fill=_FOREGROUND, width=3)


def _traffic_light(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((140, 15, 220, 225), fill="dimgray", outline=_FOREGROUND, width=3)
    for height, colour in ((50, "red"), (120, "black"), (190, "black")):
        draw.circle((180, height), 28, fill=colour, outline=_FOREGROUND)


def _map(draw: ImageDraw.ImageDraw) -> None:
    corner, middle, harbour = (40, 200), (170, 90), (320, 150)
    draw.polygon(((250, 240), (290, 170), (360, 175), (360, 240)), fill="lightblue")
    draw.line((corner, middle, harbour), fill="sienna", width=6)
    for position, name in ((corner, "start"), (middle, "bridge"), (harbour, "harbour")):
        draw.circle(position, 8, fill="red")
        _write(draw, (position[0], position[1] - 22), name)


def _box(draw: ImageDraw.ImageDraw, middle: tuple[int, int], text: str) -> None:
    x, y = middle
    draw.rectangle((x - 55, y - 20, x + 55, y + 20), fill=_BACKGROUND, outline=_FOREGROUND, width=3)
    _write(draw, middle, text)


def _write(draw: ImageDraw.ImageDraw, middle: tuple[int, int], text: str) -> None:
    draw.text(middle, text, fill=_FOREGROUND, anchor="mm", font=ImageFont.load_default(18))


_DRAWINGS: dict[str, tuple[str, Callable[[ImageDraw.ImageDraw], None]]] = {
    "diamond": ("Diagram of a class with two parents that share one ancestor.", _diamond),
    "heap": ("Diagram of a heap as a tree; no number is larger than those below it.", _heap),
    "doubling": ("Bar chart of a number that doubles again and again.", _doubling),
    "traffic light": ("Drawing of a traffic light that tells drivers to stop.", _traffic_light),
    "map": ("Map of the way from the start over a bridge to the harbour.", _map),
}
