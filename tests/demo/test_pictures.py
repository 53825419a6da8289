import base64
from io import BytesIO

from openrouter_rerank.demo.pictures import pictures
from openrouter_rerank.images import image_problem
from PIL import Image


def test_pictures_can_be_sent():
    """Every picture has a caption, and an image that may go over the wire as it is."""
    assert all(picture.text.strip() for picture in pictures())
    assert [image_problem(picture.image) for picture in pictures()] == [None] * len(pictures())


def test_something_is_drawn_on_each():
    """The images are small PNGs, none of them blank and no two the same."""
    images = []
    for picture in pictures():
        png = base64.b64decode(picture.image.partition(",")[2])
        with Image.open(BytesIO(png)) as image:
            assert image.format == "PNG"
            assert len(image.getcolors(maxcolors=image.width * image.height)) > 1
        assert len(png) < 20_000
        images.append(png)

    assert len(set(images)) == len(images) >= 3
