"""Small pictures of images, for tables of examples: PNG, made once where the arrays are at hand."""

import io
from collections.abc import Iterable
from typing import Any

__all__ = ["PNG", "ROOM", "SIDE", "thumbnails"]

SIDE = 48  # pixels of the longer side at most
ROOM = 16_000_000  # bytes of the pictures of one report at most
PNG = b"\x89PNG\r\n\x1a\n"  # how each of them begins


def thumbnails(images: Iterable[Any], *, room: int = ROOM) -> list[bytes | None]:
    """Return a PNG of each image, uint8 (h, w), (h, w, 1) or (h, w, 3); None from where they would take more than `room` bytes.

    >>> import numpy as np
    >>> thumbnails([np.zeros((200, 100), np.uint8)])[0][:8] == PNG
    True
    """
    made: list[bytes | None] = []
    for image in images:
        one = _png(image) if room > 0 else None
        room -= 0 if one is None else len(one)
        made.append(one if room >= 0 else None)
    return made


def _png(image: Any) -> bytes:
    from PIL import Image

    picture = Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=6)
    return target.getvalue()
