"""Thumbnails: small PNGs of any image, within their room."""

import io

import numpy as np
import pytest
from PIL import Image

from workbench.data._thumbnails import PNG, SIDE, thumbnails


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((8, 6), (6, 8)),
        ((8, 6, 1), (6, 8)),
        ((32, 32, 3), (32, 32)),
        ((200, 100), (24, SIDE)),
        ((64, 640, 3), (SIDE, 5)),
    ],
)
def test_small_images_keep_their_pixels_and_large_ones_shrink(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    """A PNG of at most 48 pixels a side; one that fits is the very array."""
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (made,) = thumbnails([image])
    assert made is not None
    opened = Image.open(io.BytesIO(made))

    assert made.startswith(PNG)
    assert size == opened.size
    if max(shape[:2]) <= SIDE:
        np.testing.assert_array_equal(image.squeeze(), np.asarray(opened))


def test_pictures_take_no_more_room_than_there_is() -> None:
    """The first ones while they fit, none from then on."""
    image = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    size = len(thumbnails([image])[0] or b"")
    made = thumbnails([image] * 4, room=2 * size + 10)

    assert [True, True, False, False] == [one is not None for one in made]
    assert [None] == thumbnails([image], room=0)
