"""Take the pictures of README and the guides: real runs of the embedded model in JupyterLab, under headless Chromium.

`python tools/pictures.py` writes them all to docs/pictures; names after it choose some. One is taken in the dark, too.
What stands in them is what the code beside each shows; nothing is touched up but the number of colours.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser_fixture import FLAGS  # noqa: E402
from lab_page import Notebook, lab, new_notebook  # noqa: E402

TARGET = ROOT / "docs" / "pictures"
SCALE = 1.5  # pixels of the picture per pixel of the page
COLOURS = 128
MARGIN = 6  # pixels of the page
LONG = 900_000  # ms that the model may take
MODEL = """import workbench as wb
model = wb.load("smollm2-135m-instruct")
"""
FACTS = MODEL + 'report = wb.run("calibration", model, wb.pack("facts"))\n'


@dataclass(frozen=True)
class Picture:
    """A picture: what to run, what to do then, and the element to take; without one, the page."""

    cells: tuple[str, ...]
    do: Callable[[Notebook], None]
    element: str | None = ".workbench-explorer"
    width: int = 1400
    height: int = 900
    themes: tuple[str, ...] = ("Light",)


def brush(low: float, high: float) -> Callable[[Notebook], None]:
    """Return what brushes the reliability diagram between two shares of its axis."""

    def do(book: Notebook) -> None:
        book.drag("reliability", low, high)
        book.settle()

    return do


def click(selector: str) -> Callable[[Notebook], None]:
    """Return what clicks an element."""

    def do(book: Notebook) -> None:
        book.page.click(selector)
        book.page.wait_for_timeout(2500)

    return do


def launch(book: Notebook) -> None:
    """Open the side panel beside the form."""
    book.page.wait_for_selector(".wb-run", timeout=LONG)
    book.command("workbench:show-panel")
    book.page.wait_for_timeout(3000)


TOP = "() => document.querySelector('.jp-Cell.jp-mod-active')?.scrollIntoView({ block: 'start' })"
PICTURES = {
    "notebook": Picture(
        ("%load_ext workbench\n%model smollm2-135m-instruct", "%probe calibration model facts", "%explore report"),
        brush(0.6, 1.0),
        element=None,
        height=1300,
        themes=("Light", "Dark"),
    ),
    "canvas": Picture(
        (FACTS + 'groups = wb.run("groups", report, by=["domain"])', "wb.explore(report, groups)"),
        brush(0.6, 1.0),
        element=".workbench-canvas",
    ),
    "occupations": Picture(
        (MODEL + 'report = wb.run("occupations", model, "occupations")', "wb.explore(report)"),
        click(".wb-slice >> nth=0"),
    ),
    "sweep": Picture(
        (
            MODEL
            + 'facts = wb.pack("facts").sample(60, seed=0)\n'
            + 'report = wb.run("sweep", model, facts, corruptions=["keyboard", "ocr"])',
            "wb.explore(report)",
        ),
        click(".wb-slice >> nth=0"),
    ),
    "compare": Picture(
        (
            FACTS + 'letters = wb.run("calibration", model, wb.pack("facts"), scoring="letters")',
            "wb.explore(wb.compare(report, letters))",
        ),
        click(".wb-cross-cell >> nth=1"),
        element=".workbench-canvas",
    ),
    "tokens": Picture((FACTS, "wb.explore(report, model=model)"), click(".wb-body .wb-row >> nth=0")),
    "launcher": Picture((MODEL, "wb.launch()"), launch, element=None, height=760),
}


def save(raw: bytes, path: Path) -> None:
    """Write a picture with few colours: none is off by what can be seen, and a third of the bytes stay."""
    from PIL import Image

    image = Image.open(io.BytesIO(raw)).convert("RGB")
    image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB", flush=True)


def cut(book: Notebook, picture: Picture) -> bytes:
    """Return a picture of the page, or of the element with a margin: of a page that is high enough to hold it whole."""
    if picture.element is None:
        book.page.evaluate(TOP)
        return bytes(book.page.screenshot())
    box = book.box(picture.element)
    book.resize(picture.width, int(box["height"]) + 400)
    book.page.evaluate(TOP)
    box = book.box(picture.element)
    left, top, width, height = (
        box["x"] - MARGIN,
        box["y"] - MARGIN,
        box["width"] + 2 * MARGIN,
        box["height"] + 2 * MARGIN,
    )
    return bytes(book.page.screenshot(clip={"x": left, "y": top, "width": width, "height": height}))


def take(name: str, picture: Picture, server: Any, context: Any) -> None:
    """Run a picture's cells, do what it asks for, and take it in its themes."""
    size = {"width": picture.width, "height": picture.height}
    book = new_notebook(server, context, picture.cells, size, "python3", f"{name}.ipynb")
    book.open()
    book.run_all()
    if picture.element:
        book.page.wait_for_selector(f"{picture.element}[data-ready='true']", timeout=LONG)
    elif "explore" in picture.cells[-1]:
        book.page.wait_for_selector(".workbench-explorer[data-ready='true']", timeout=LONG)
    picture.do(book)
    for theme in picture.themes:
        book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        book.page.wait_for_timeout(2500)
        book.page.mouse.move(0, 0)
        save(cut(book, picture), TARGET / f"{name}-{theme.lower()}.png")
    book.close()
    book.check()


def main() -> None:
    """Take the pictures that are named, or all."""
    from playwright.sync_api import sync_playwright

    chosen = sys.argv[1:] or list(PICTURES)
    if unknown := [name for name in chosen if name not in PICTURES]:
        sys.exit(f"No picture is called {', '.join(unknown)}; there are {', '.join(PICTURES)}.")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not on the path: apt-get install chromium.")
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as base, lab(Path(base)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        context = browser.new_context(device_scale_factor=SCALE)
        for name in chosen:
            take(name, PICTURES[name], server, context)
        browser.close()


if __name__ == "__main__":
    main()
