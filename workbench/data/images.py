"""Corruptions of images: noise, blur, contrast, brightness, pixelation, JPEG and rotation, each at five severities.

    image_corruption("gaussian-noise").apply(images, ids, severity=3, seed=0)      # a list of uint8 arrays

Constants are those of ImageNet-C and, for images with a side below 64 pixels, of CIFAR-10-C, both of Hendrycks and Dietterich
(2019, arXiv 1903.12261, by their programs `make_imagenet_c.py` and `make_cifar_c.py`). What differs here: sizes are the image's
own, not 224 or 32; values are rounded to the nearest of 256, where the authors cut decimals off; gray images stay gray.
`rotation` is no part of theirs. Their motion, glass and zoom blur, weather and elastic transform are not here.

What happens to an image depends on the image, its id, the severity and the seed alone. The draws of one image are the same at
every severity: the same noise grows (`gaussian-noise`), pixels once struck stay so (`impulse-noise`); `shot-noise` is drawn anew.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from workbench.data.corruptions import SEVERITIES
from workbench.errors import DataError, UsageError, unknown

__all__ = ["TABLES", "ImageCorruption", "image_corruption", "image_corruptions"]

TABLES = ("auto", "imagenet-c", "cifar-10-c")
SMALL = 64  # pixels of the shorter side, below which "auto" takes CIFAR-10-C's constants

Image = np.ndarray[Any, Any]
Change = Callable[
    [Image, Any, np.random.Generator], Image
]  # pixels (h, w, c) of uint8, a constant, draws: pixels in [0, 255]


@dataclass(frozen=True)
class ImageCorruption:
    """A family of changes of images: its constants at severity 1 to 5 for large and small images, and what a constant is.

    `a | b` is a corruption, too: b of what a made.
    """

    name: str
    large: tuple[Any, ...]
    small: tuple[Any, ...]
    counts: str
    source: str
    change: Change = field(repr=False)
    table: str = "auto"
    parts: tuple["ImageCorruption", ...] = field(default=(), repr=False)

    def __or__(self, other: "ImageCorruption") -> "ImageCorruption":
        if not isinstance(other, ImageCorruption):
            return NotImplemented
        parts = (*(self.parts or (self,)), *(other.parts or (other,)))
        told = {
            what: "; ".join(f"{part.name}: {getattr(part, what)}" for part in parts) for what in ("counts", "source")
        }
        return ImageCorruption(f"{self.name}|{other.name}", (), (), **told, change=parts[0].change, parts=parts)

    def apply(
        self, images: Sequence[Image] | Image, ids: Sequence[str], *, severity: int = 3, seed: int = 0
    ) -> list[Image]:
        """Return the corrupted images, uint8 of the same shapes, in the order given.

        Args:
            images: uint8 arrays (h, w), (h, w, 1) or (h, w, 3), in a list or as one array (n, h, w[, c]).
            ids: one stable id for each image.
            severity: 1 to 5.
            seed: another one draws other noise.

        Raises `DataError` for what is no such array, and for a number of ids that differs.

        >>> image_corruption("contrast").apply(np.array([[[0, 200]]], np.uint8), ["a"], severity=2)[0].tolist()
        [[50, 150]]
        """
        if isinstance(severity, bool) or severity not in SEVERITIES:
            raise UsageError(f"severity must be 1, 2, 3, 4 or 5; it is {severity!r}.")
        if len(ids) != len(images) or isinstance(ids, str):
            raise DataError(
                f"There are {len(images)} images and {len(ids)} ids. Give one id for each image, in a list."
            )
        done = []
        for row, (image, id_) in enumerate(zip(images, ids, strict=True)):
            _check(image, f"Image {row} (id {id_!r})")
            for place, part in enumerate(self.parts or (self,)):
                image = part._one(image, severity, f"{seed}\x1f{part.name}\x1f{place}\x1f{id_}")
            done.append(image)
        return done

    def constant(self, shape: tuple[int, ...], severity: int) -> Any:
        """Return the constant for an image of this shape.

        >>> image_corruption("jpeg").constant((32, 32), 1), image_corruption("jpeg").constant((224, 224, 3), 1)
        (80, 25)
        """
        small = min(shape[:2]) < SMALL if self.table == "auto" else self.table == "cifar-10-c"
        return (self.small if small else self.large)[severity - 1]

    def _one(self, image: Image, severity: int, key: str) -> Image:
        """Return one image corrupted, with draws by its key."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        rng = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
        changed = self.change(np.atleast_3d(image), self.constant(image.shape, severity), rng)
        return np.asarray(np.clip(np.rint(changed), 0, 255).astype(np.uint8).reshape(image.shape))


def _check(image: Any, what: str) -> None:
    """Raise `DataError` for what is no image."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = f"an array of {image.dtype}" if isinstance(image, np.ndarray) else f"a {type(image).__name__}"
        raise DataError(
            f"{what} is {found}; images are numpy arrays of uint8, 0 to 255. Convert it: np.asarray(image, np.uint8)."
        )
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))) or image.size == 0:
        raise DataError(
            f"{what} has the shape {image.shape}; images are (h, w), (h, w, 1) or (h, w, 3). Take an alpha channel off."
        )


def _gaussian_noise(image: Image, scale: float, rng: np.random.Generator) -> Image:
    """Add normal noise of a standard deviation of `scale` x 255."""
    return np.asarray(image + 255 * scale * rng.standard_normal(image.shape))


def _shot_noise(image: Image, photons: float, rng: np.random.Generator) -> Image:
    """Count photons: Poisson of at most `photons` for a value of 255."""
    return np.asarray(rng.poisson(image / 255 * photons) / photons * 255)


def _impulse_noise(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Set a share of the values to 0 or 255, evenly, each channel by itself."""
    struck, salt = rng.random((2, *image.shape))
    return np.asarray(np.where(struck < amount, np.where(salt < 0.5, 255, 0), image))


def _filtered(image: Image, kernel: Image, mode: Any) -> Image:
    """Return the correlation with a kernel (odd sides); edges as numpy's padding has them."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(image.astype(np.float64), ((rows, rows), (columns, columns), (0, 0)), mode)
    total = np.zeros(image.shape)
    for i, j in np.argwhere(kernel):
        total += kernel[i, j] * padded[i : i + image.shape[0], j : j + image.shape[1]]
    return total


def _bell(radius: int, sigma: float) -> Image:
    """Return the weights of a normal density at -radius to radius; their sum is one."""
    weights = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum())


def _gaussian_blur(image: Image, sigma: float, _: np.random.Generator) -> Image:
    """Blur by a normal density cut at four sigma; edges repeat (scikit-image's default)."""
    bell = _bell(int(4 * sigma + 0.5), sigma)
    return _filtered(_filtered(image, bell[:, None], "edge"), bell[None], "edge")


def _disk(radius: float, alias: float) -> Image:
    """Return the kernel of defocus: a disk, its edge smoothed by a small normal density.

    As published its sum is 1.013 and 1.011 at ImageNet-C's severities 4 and 5, where the disk touches the edge of the kernel.
    """
    reach, cut = (8, 1) if radius <= 8 else (int(radius), 2)
    line = np.arange(-reach, reach + 1)
    disk = (line[:, None] ** 2 + line**2 <= radius**2).astype(float)[..., None]
    bell = _bell(cut, alias)
    return _filtered(_filtered(disk / disk.sum(), bell[:, None], "reflect"), bell[None], "reflect")[..., 0]


def _defocus_blur(image: Image, lens: tuple[float, float], _: np.random.Generator) -> Image:
    """Blur by a disk; edges mirror (OpenCV's default)."""
    return _filtered(image, _disk(*lens), "reflect")


def _contrast(image: Image, share: float, _: np.random.Generator) -> Image:
    """Draw values towards the mean of their channel, `share` of the distance left."""
    mean = image.mean((0, 1))
    return np.asarray((image - mean) * share + mean)


def _brightness(image: Image, more: float, _: np.random.Generator) -> Image:
    """Add `more` x 255 to the value of hue, saturation and value; hue and saturation stay."""
    value = image.max(2, keepdims=True).astype(np.float64)
    brighter = np.minimum(value + 255 * more, 255)
    return np.asarray(np.where(value == 0, brighter, image * (brighter / np.maximum(value, 1))))


def _pillow(image: Image, work: Callable[[Any], Any]) -> Image:
    """Return what Pillow makes of an image."""
    from PIL import Image as Pillow

    flat = image[..., 0] if image.shape[2] == 1 else image
    return np.atleast_3d(np.asarray(work(Pillow.fromarray(np.ascontiguousarray(flat)))))


def _pixelate(image: Image, share: float, _: np.random.Generator) -> Image:
    """Shrink to `share` of the sides and enlarge again, both by boxes."""
    from PIL import Image as Pillow

    height, width = image.shape[:2]
    box = Pillow.Resampling.BOX
    small = max(1, int(width * share)), max(1, int(height * share))
    return _pillow(image, lambda picture: picture.resize(small, box).resize((width, height), box))


def _jpeg(image: Image, quality: int, _: np.random.Generator) -> Image:
    """Compress as JPEG of this quality and read again; the bytes are those of the Pillow at hand."""
    from PIL import Image as Pillow

    def through(picture: Any) -> Any:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Pillow.open(file)

    return _pillow(image, through)


def _rotation(image: Image, degrees: float, rng: np.random.Generator) -> Image:
    """Turn about the centre, one way or the other by the id, bilinear; edges repeat."""
    height, width = image.shape[:2]
    angle = np.deg2rad(degrees if rng.random() < 0.5 else -degrees)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    from_y = np.clip(np.cos(angle) * y + np.sin(angle) * x + (height - 1) / 2, 0, height - 1)
    from_x = np.clip(-np.sin(angle) * y + np.cos(angle) * x + (width - 1) / 2, 0, width - 1)
    top, left = np.floor(from_y).astype(int), np.floor(from_x).astype(int)
    below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    dy, dx = (from_y - top)[..., None], (from_x - left)[..., None]
    above = image[top, left] * (1 - dx) + image[top, right] * dx
    under = image[below, left] * (1 - dx) + image[below, right] * dx
    return np.asarray(above * (1 - dy) + under * dy)


PUBLISHED = "Hendrycks and Dietterich 2019, arXiv 1903.12261: ImageNet-C, CIFAR-10-C"
TURNS = (5, 10, 15, 20, 30)
FAMILIES = {
    family.name: family
    for family in (
        ImageCorruption(
            "gaussian-noise", (0.08, 0.12, 0.18, 0.26, 0.38), (0.04, 0.06, 0.08, 0.09, 0.10),
            "standard deviation, of 1 for white", PUBLISHED, _gaussian_noise,
        ),
        ImageCorruption(
            "shot-noise", (60, 25, 12, 5, 3), (500, 250, 100, 75, 50), "photons of a white pixel", PUBLISHED, _shot_noise
        ),
        ImageCorruption(
            "impulse-noise", (0.03, 0.06, 0.09, 0.17, 0.27), (0.01, 0.02, 0.03, 0.05, 0.07),
            "share of values set to black or white", PUBLISHED, _impulse_noise,
        ),
        ImageCorruption(
            "gaussian-blur", (1, 2, 3, 4, 6), (0.4, 0.6, 0.7, 0.8, 1), "standard deviation in pixels", PUBLISHED, _gaussian_blur
        ),
        ImageCorruption(
            "defocus-blur", ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
            ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            "radius of the disk and smoothing of its edge, in pixels", PUBLISHED, _defocus_blur,
        ),
        ImageCorruption(
            "contrast", (0.4, 0.3, 0.2, 0.1, 0.05), (0.75, 0.5, 0.4, 0.3, 0.15), "share of the contrast left", PUBLISHED, _contrast
        ),
        ImageCorruption(
            "brightness", (0.1, 0.2, 0.3, 0.4, 0.5), (0.05, 0.1, 0.15, 0.2, 0.3), "added value, of 1", PUBLISHED, _brightness
        ),
        ImageCorruption(
            "pixelate", (0.6, 0.5, 0.4, 0.3, 0.25), (0.95, 0.9, 0.85, 0.75, 0.65), "share of the sides left", PUBLISHED, _pixelate
        ),
        ImageCorruption("jpeg", (25, 18, 15, 10, 7), (80, 65, 58, 50, 40), "quality of the JPEG", PUBLISHED, _jpeg),
        ImageCorruption("rotation", TURNS, TURNS, "degrees, either way", "ours", _rotation),
    )
}  # fmt: skip


def image_corruptions() -> dict[str, ImageCorruption]:
    """Return the built-in corruptions of images by name.

    >>> image_corruptions()["jpeg"].large
    (25, 18, 15, 10, 7)
    """
    return dict(FAMILIES)


def image_corruption(name: str, *, table: str = "auto") -> ImageCorruption:
    """Return a built-in corruption of images by name; `table` says whose constants: "imagenet-c", "cifar-10-c" or by size, "auto".

    Raises `UsageError` that names the known ones and the nearest.

    >>> image_corruption("rotation").counts
    'degrees, either way'
    >>> image_corruption("blur")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: Unknown image corruption 'blur'. ...
    """
    if name not in FAMILIES:
        raise unknown("image corruption", name, FAMILIES)
    if table not in TABLES:
        raise unknown("table", table, TABLES)
    return replace(FAMILIES[name], table=table)
