"""Corruptions of images against SciPy, Pillow and colorsys, and on handwritten digits."""

import colorsys
import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from workbench.data.images import _disk, image_corruption, image_corruptions
from workbench.errors import DataError, UsageError

FAMILIES = sorted(image_corruptions())
RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (40, 33, 3), np.uint8)
GRAY = np.ascontiguousarray(COLOUR[..., 0])
LARGE = ndimage.zoom(COLOUR, (3, 3, 1), order=1)


def one(name: str, image: np.ndarray, severity: int = 3, table: str = "auto", id_: str = "a") -> np.ndarray:
    """Return one image corrupted."""
    return image_corruption(name, table=table).apply([image], [id_], severity=severity)[0]


def rounded(image: np.ndarray) -> np.ndarray:
    """Return values as uint8."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", FAMILIES)
def test_shape_type_and_draws_are_kept(name: str) -> None:
    """Gray, one and three channels, odd sizes: uint8 of the same shape, and the same in any subset and order."""
    images = [COLOUR, GRAY, GRAY[..., None], LARGE, np.zeros((1, 1), np.uint8)]
    before = [image.copy() for image in images]
    family, ids = image_corruption(name), list("abcde")
    whole = family.apply(images, ids, severity=4, seed=3)
    mixed = family.apply(images[::-1], ids[::-1], severity=4, seed=3)[::-1]

    assert [(image.shape, np.dtype("uint8")) for image in images] == [(new.shape, new.dtype) for new in whole]
    assert all(map(np.array_equal, whole, mixed))
    assert np.array_equal(whole[1], family.apply(images[1:2], ["b"], severity=4, seed=3)[0])
    assert all(map(np.array_equal, before, images))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("table", ["imagenet-c", "cifar-10-c"])
def test_severity_grows(name: str, table: str) -> None:
    """Each severity moves a smooth image further from the original, and five times differ."""
    smooth = rounded(ndimage.gaussian_filter(np.random.default_rng(0).uniform(-800, 1055, (64, 64, 3)), (2, 2, 0)) + 40)
    far = [np.abs(one(name, smooth, s, table).astype(float) - smooth).mean() for s in range(1, 6)]

    assert sorted(far) == far
    assert 5 == len(set(far))


def test_the_table_goes_by_size() -> None:
    """Below 64 pixels CIFAR-10-C's constants, else ImageNet-C's; either can be asked for."""
    jpeg = image_corruption("jpeg")

    assert (40, 7) == (jpeg.constant((63, 100), 5), jpeg.constant((64, 64, 3), 5))
    assert 7 == image_corruption("jpeg", table="imagenet-c").constant((8, 8), 5)
    assert 40 == image_corruption("jpeg", table="cifar-10-c").constant((224, 224), 5)


def test_noise_has_the_published_size() -> None:
    """On an even gray: standard deviation, Poisson variance and share of struck values are the constants."""
    gray = np.full((200, 200), 128, np.uint8)
    noise = one("gaussian-noise", gray, 2) / 255
    shot = one("shot-noise", gray, 1) / 255
    struck = one("impulse-noise", gray, 5)

    assert noise.std() == pytest.approx(0.12, rel=0.02)
    assert shot.mean() == pytest.approx(128 / 255, rel=0.01)
    assert shot.var() == pytest.approx(128 / 255 / 60, rel=0.03)
    assert np.mean(struck == 255) == pytest.approx(0.135, abs=0.006)
    assert np.mean(struck == 0) == pytest.approx(0.135, abs=0.006)


def test_noise_nests() -> None:
    """The same noise grows, and pixels once struck stay so; another id draws other noise, each channel its own."""
    gray = np.full((64, 64), 128, np.uint8)
    low, high = (one("impulse-noise", gray, s) != 128 for s in (1, 5))
    weak, strong = (one("gaussian-noise", gray, s).astype(float) - 128 for s in (1, 2))

    assert (high >= low).all()
    assert np.abs(strong - 1.5 * weak).max() < 1.5
    assert not np.array_equal(one("gaussian-noise", gray), one("gaussian-noise", gray, id_="b"))
    channels = one("impulse-noise", np.full((64, 64, 3), 128, np.uint8), 5)
    assert not np.array_equal(channels[..., 0], channels[..., 1])


@pytest.mark.parametrize("severity", [1, 5])
@pytest.mark.parametrize("image", [COLOUR, LARGE], ids=["small", "large"])
def test_blur_is_scipys(image: np.ndarray, severity: int) -> None:
    """Gaussian and defocus blur equal SciPy's filters with the same kernel and edges."""
    sigma = image_corruption("gaussian-blur").constant(image.shape, severity)
    gauss = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="nearest")
    kernel = _disk(*image_corruption("defocus-blur").constant(image.shape, severity))
    disk = ndimage.correlate(image.astype(float), kernel[..., None], mode="mirror")

    assert np.abs(rounded(gauss).astype(int) - one("gaussian-blur", image, severity)).max() <= 1
    assert np.abs(rounded(disk).astype(int) - one("defocus-blur", image, severity)).max() <= 1
    assert kernel.sum() == pytest.approx(1, abs=0.014)


def test_the_disk_is_the_published_one() -> None:
    """A disk of radius 3 holds 29 cells, 17 wide; larger ones are as wide as they must be."""
    assert ((17, 17), 29) == (_disk(3, 0.1).shape, np.sum(_disk(3, 0.1) > 1e-6))
    assert (21, 21) == _disk(10, 0.5).shape
    assert np.allclose(_disk(10, 0.5), _disk(10, 0.5).T)


def test_brightness_keeps_hue_and_saturation() -> None:
    """Brightness equals colorsys's way to hue, saturation and value and back; black turns gray."""
    image = COLOUR[:4, :4].copy()
    image[0, 0] = 0
    expected = np.empty(image.shape)
    for place in np.ndindex(4, 4):
        h, s, v = colorsys.rgb_to_hsv(*(image[place] / 255))
        expected[place] = colorsys.hsv_to_rgb(h, s, min(1, v + 0.15))

    assert np.abs(expected * 255 - one("brightness", image, 3)).max() <= 0.5 + 1e-9
    assert (GRAY.astype(int) + 0.15 * 255).clip(0, 255) == pytest.approx(one("brightness", GRAY, 3), abs=0.5)


def test_contrast_by_hand() -> None:
    """Half the distance to the channel's mean is left at severity 2 of small images."""
    image = np.array([[[0, 10, 90], [100, 30, 90]]], np.uint8)

    assert [[[25, 15, 90], [75, 25, 90]]] == one("contrast", image, 2).tolist()


@pytest.mark.parametrize("image", [COLOUR, GRAY, LARGE], ids=["colour", "gray", "large"])
def test_pixelate_and_jpeg_are_pillows(image: np.ndarray) -> None:
    """Both equal what Pillow does with the constant."""
    share, quality = (image_corruption(name).constant(image.shape, 5) for name in ("pixelate", "jpeg"))
    picture, file = Image.fromarray(image), io.BytesIO()
    small = picture.resize((int(image.shape[1] * share), int(image.shape[0] * share)), Image.Resampling.BOX)
    picture.save(file, "JPEG", quality=quality)

    assert np.array_equal(np.asarray(small.resize(picture.size, Image.Resampling.BOX)), one("pixelate", image, 5))
    assert np.array_equal(np.asarray(Image.open(file)), one("jpeg", image, 5))


@pytest.mark.parametrize("image", [COLOUR, GRAY], ids=["colour", "gray"])
def test_rotation_is_scipys_one_way_or_the_other(image: np.ndarray) -> None:
    """Rotation equals SciPy's bilinear one; ids turn both ways."""
    turned = [
        rounded(ndimage.rotate(image.astype(float), angle, reshape=False, order=1, mode="nearest")).astype(int)
        for angle in (15, -15)
    ]
    seen = {
        way
        for id_ in "abcdefgh"
        for way, expected in enumerate(turned)
        if np.abs(expected - one("rotation", image, 3, id_=id_)).max() <= 1
    }

    assert {0, 1} == seen


def test_composition_is_one_after_the_other() -> None:
    """`a | b` is b of a's images; the same noise twice is drawn anew."""
    both = image_corruption("contrast") | image_corruption("jpeg")
    first = image_corruption("contrast").apply([COLOUR], ["a"])

    assert "contrast|jpeg" == both.name
    assert np.array_equal(image_corruption("jpeg").apply(first, ["a"])[0], both.apply([COLOUR], ["a"])[0])
    noise = image_corruption("gaussian-noise", table="imagenet-c")
    gray = np.full((64, 64), 128, np.uint8)
    twice = (noise | noise).apply([gray], ["a"], severity=1)[0]
    assert (twice / 255).std() == pytest.approx(0.08 * 2**0.5, rel=0.05)


def test_digits_are_read_worse() -> None:
    """A classifier of digits at 32 pixels loses accuracy with the severity of blur, rotation and brightness."""
    digits = load_digits()
    images = np.kron(digits.images, np.ones((4, 4)))[:900]
    images = rounded(images / 16 * 255)
    model = RidgeClassifier(alpha=1.0).fit(images[:600].reshape(600, -1) / 255, digits.target[:600])
    ids = [str(row) for row in range(300)]

    def accuracy(name: str, severity: int) -> float:
        new = image_corruption(name, table="imagenet-c").apply(images[600:], ids, severity=severity)
        return float(model.score(np.stack(new).reshape(300, -1) / 255, digits.target[600:900]))

    clean = model.score(images[600:].reshape(300, -1) / 255, digits.target[600:900])
    assert clean > 0.8
    for name in ("gaussian-blur", "rotation", "brightness"):
        curve = [accuracy(name, severity) for severity in (1, 3, 5)]
        assert curve[0] >= curve[1] >= curve[2]
        assert clean - curve[2] > 0.2


@pytest.mark.parametrize(
    ("images", "ids", "severity", "error", "message"),
    [
        ([GRAY.astype(float)], ["a"], 3, DataError, r"Image 0 \(id 'a'\) is an array of float64"),
        ([[1]], ["a"], 3, DataError, "is a list; images are numpy arrays"),
        ([np.zeros((2, 2, 4), np.uint8)], ["a"], 3, DataError, r"has the shape \(2, 2, 4\)"),
        ([np.zeros((0, 2), np.uint8)], ["a"], 3, DataError, r"has the shape \(0, 2\)"),
        ([GRAY], [], 3, DataError, "1 images and 0 ids"),
        ([GRAY], ["a"], 6, UsageError, "severity must be 1, 2, 3, 4 or 5; it is 6"),
    ],
)
def test_errors_say_what_is_wrong(images: list, ids: list, severity: int, error: type, message: str) -> None:
    """Types, shapes, ids and severities are named."""
    with pytest.raises(error, match=message):
        image_corruption("jpeg").apply(images, ids, severity=severity)


def test_unknown_names_are_refused() -> None:
    """An unknown family or table has the nearest beside it."""
    with pytest.raises(UsageError, match="Did you mean 'contrast'"):
        image_corruption("contrasts")
    with pytest.raises(UsageError, match="Did you mean 'imagenet-c'"):
        image_corruption("jpeg", table="imagenet")
