import base64
from io import BytesIO

from openrouter_rerank.demo.pictures import pictures
from openrouter_rerank.images import image_problem
from PIL import Image


def test_pictures_are_valid_images():
    """Every picture has a caption, and an image that can be sent unchanged."""
    assert all(picture.text.strip() for picture in pictures())
    assert [image_problem(picture.image) for picture in pictures()] == [None] * len(pictures())


def test_pictures_are_small_and_different():
    """The images are small PNGs; none is blank, and no two are equal."""
    images = []
    for picture in pictures():
        png = base64.b64decode(picture.image.partition(",")[2])
        with Image.open(BytesIO(png)) as image:
            assert image.format == "PNG"
            assert len(image.getcolors(maxcolors=image.width * image.height)) > 1
        assert len(png) < 20_000
        images.append(png)

    assert len(set(images)) == len(images) >= 3
