"""A report as text, as a notebook's HTML and as a document: numbers, escapes, size."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench._format import decimals, format_metric, format_number
from workbench._report_html import notebook_html, text, to_html
from workbench.errors import UsageError

ATTACK = '</script><script>window.__xss=1</script><img src=x onerror="window.__xss=1">'
LOADS = re.compile(
    r"<(?:script|link|iframe|object|embed|base|form)\b|\bon\w+=|@import|url\((?!#|[\"']?#)", re.IGNORECASE
)


class Outline(HTMLParser):
    """Notes the elements and their attributes; fails on one that is not closed in order."""

    VOID = frozenset({"meta", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop() == tag


def outline(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the elements of a page, each well closed."""
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser.seen


def report(n: int = 400, *, words: int = 3, by: tuple[str, ...] = ("domain",), name: str = ATTACK) -> wb.Report:
    """Return a report whose every text is an attack."""
    rng = np.random.default_rng(0)
    confidence = rng.beta(4, 1.2, n)
    frame = pd.DataFrame(
        {
            "example": [f"{ATTACK}{i}" for i in range(n)],
            "confidence": confidence,
            "correct": (rng.random(n) < confidence**1.5).astype(int),
            "domain": rng.choice([ATTACK, "law", "clinical medicine"], n),
            "text": [f"{ATTACK} " * words + str(i) for i in range(n)],
        }
    )
    return wb.from_predictions(frame, by=by, name=name)


@pytest.fixture(scope="module")
def attacked() -> wb.Report:
    """Return one such report for all tests that only read it."""
    return report()


@pytest.fixture(scope="module")
def document(attacked: wb.Report) -> str:
    """Return its document, drawn once."""
    return to_html(attacked)


@pytest.fixture(scope="module")
def cell(attacked: wb.Report) -> str:
    """Return what a notebook shows of it, drawn once."""
    return notebook_html(attacked)


@pytest.mark.parametrize("form", ["cell", "document"])
def test_untrusted_text_stays_text(form: str, request: pytest.FixtureRequest) -> None:
    """Names of models, groups and examples, and texts, appear escaped; no element and no handler comes of them."""
    page = request.getfixturevalue(form)
    elements = outline(page)

    assert not LOADS.search(re.sub(r"&lt;.*?&gt;", "", page))
    assert "&lt;script&gt;window.__xss=1&lt;/script&gt;" in page
    assert all(not name.startswith("on") for _, attributes in elements for name in attributes)
    assert all(
        (attributes["src"] or "").startswith("data:image/svg+xml;base64,")
        for tag, attributes in elements
        if tag == "img"
    )


def test_the_guard_can_fail() -> None:
    """A script, a handler and a stylesheet from elsewhere are found."""
    assert all(LOADS.search(page) for page in ("<SCRIPT>", "<img onerror=x>", "url(https://a.b)", "<link href=x>"))


def test_the_document_loads_nothing(document: str) -> None:
    """The only addresses are names of formats; the policy forbids scripts and loads."""
    assert set(re.findall(r"https?://[^\s\"'<>)]+", document)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in document


def test_a_thousand_rows_stay_under_a_megabyte() -> None:
    """1,000 short rows are all shown; long texts are cut, and what is left out is said."""
    short = to_html(report(1200, words=1), rows=1000)
    long = to_html(report(1200, words=400), rows=1000)

    assert "1,000 of 1,200 rows, most confident errors first" in short
    assert re.search(r"\d+ of 1,200 rows", long)
    assert max(len(page.encode()) for page in (short, long)) < 1_000_000


def test_no_id_occurs_twice(document: str) -> None:
    """The pictures of one page do not clip each other."""
    ids = re.findall(r'\sid="([^"]+)"', document)

    assert len(ids) == len(set(ids))


def test_themes_share_one_picture(attacked: wb.Report) -> None:
    """The theme "auto" has a dark block, "light" none; the body is the same."""
    auto, light = to_html(attacked), to_html(attacked, theme="light")

    assert "prefers-color-scheme: dark" in auto
    assert "prefers-color-scheme" not in light
    assert auto.partition("<body>")[2] == light.partition("<body>")[2]


def test_every_chart_is_there_with_its_sentence(attacked: wb.Report, document: str) -> None:
    """One figure per chart, each with a caption."""
    assert len(attacked.charts()) == document.count("<figure>")
    assert "<figcaption></figcaption>" not in document
    assert "The solid line is zero." in document


def test_charts_that_are_read_alike_say_so_once() -> None:
    """The later ones name the first."""
    frame = pd.DataFrame({"predicted": list("yyn") * 8, "label": list("yn") * 12, "sex": list("fm") * 12})
    page = to_html(wb.from_predictions(frame, probe="groups", by="sex"))

    assert "Read it like selection rate by slice." in page


def test_the_document_has_all_parts(attacked: wb.Report, document: str) -> None:
    """Numbers with n and method, slices, limits and the run record."""
    for part in ("Numbers", "Charts", "Slices", "Examples", "What this cannot show", "Run record"):
        assert f"<h2>{part}</h2>" in document
    assert "Wilson" in document
    assert all(limit.split(":")[0].replace("'", "&#x27;") in document for limit in attacked.limits)


def test_rows_may_be_left_out(attacked: wb.Report) -> None:
    """`rows=0` has no examples; fewer than none is refused, and so is an unknown theme."""
    assert "<h2>Examples</h2>" not in to_html(attacked, rows=0)
    with pytest.raises(UsageError, match="rows must be 0 or more"):
        to_html(attacked, rows=-1)
    with pytest.raises(UsageError, match="Unknown theme 'dark'"):
        to_html(attacked, theme="dark")


def test_a_selection_of_one_and_of_none_can_be_shown(attacked: wb.Report) -> None:
    """One example, and no example, have a text, a notebook's HTML and a document."""
    for ids in (attacked.rows["example"].head(1).tolist(), []):
        part = attacked.where(ids)
        outline(notebook_html(part))
        outline(to_html(part))
        assert "nan" not in text(part).lower()
    assert "No example was answered." in to_html(part)


def test_missing_values_are_empty_cells() -> None:
    """A row without a confidence has an empty cell, and the share scored is said."""
    frame = pd.DataFrame({"confidence": [0.9, None, 0.8], "correct": [1, 0, 0], "text": ["a", "b", "c"]})
    page = to_html(wb.from_predictions(frame, name="holes"))

    assert '<td class="n"></td>' in page
    assert ">nan<" not in page.lower()


def test_the_notebook_gets_inline_styles_alone(cell: str) -> None:
    """No style element leaks into the notebook, and JupyterLab's own sanitizer would keep every element."""
    kept = {"div", "table", "thead", "tbody", "tr", "th", "td", "code", "img", "details", "summary", "ul", "li"}

    assert {tag for tag, _ in outline(cell)} <= kept


def test_numbers_come_before_the_picture(cell: str) -> None:
    """A reader sees accuracy, interval and n before the chart."""
    assert cell.index("Accuracy") < cell.index("<img")


def test_the_text_has_no_control_characters() -> None:
    """A name cannot move the terminal's cursor; lines are the same for a plain name."""
    shown = text(report(50, by=(), name="bad\x1b[2J\rname"))

    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "bad [2J name" in shown


def test_the_text_is_as_stored() -> None:
    """The repr of a small report, but for its date."""
    frame = pd.DataFrame({"confidence": [0.9, 0.8, 0.7, 0.6] * 25, "correct": [1, 1, 0, 1] * 25})
    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE", text(wb.from_predictions(frame, name="trial")))
    lines = shown.splitlines()

    assert lines[0] == "Calibration of trial"
    assert lines[1] == "trial, 100 examples, DATE"
    assert lines[2].split() == ["Accuracy", "0.75", "[0.66,", "0.82]", "n", "=", "100"]
    assert lines[-1].endswith(".rows, .tables, .chart() or .charts(), .limits; wb.explore(report) links them")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.7134, 0.679, 0.747), "0.71 [0.68, 0.75]"),
        ((0.7134, 0.70, 0.724), "0.713 [0.700, 0.724]"),
        ((0.5, 0.2, 0.9), "0.5 [0.2, 0.9]"),
        ((-0.0004, -0.02, 0.02), "0.000 [-0.020, 0.020]"),
        ((float("nan"), 0.0, 1.0), "undefined"),
        ((0.5, float("nan"), 1.0), "0.500, no interval"),
        ((1.0, 1.0, 1.0), "1.000 [1.000, 1.000]"),
        ((123456.7, 120000.0, 126000.0), "123,457 [120,000, 126,000]"),
    ],
)
def test_digits_follow_the_interval(numbers: tuple[float, float, float], said: str) -> None:
    """The last digit shown is the first that the interval leaves open, one more where that digit is 1 or 2."""
    assert format_metric(*numbers) == said


def test_a_null_band_is_not_written_as_an_interval() -> None:
    """ECE says what chance alone would give; a band about zero has both ends."""
    assert format_metric(0.0612, 0, 0.0873, "null band: 95 %") == "0.061 (by chance up to 0.087)"
    assert format_metric(5.32, -1.96, 1.96, "null band of z: 95 %") == "5.3 (by chance -2.0 to 2.0)"


def test_more_certain_numbers_have_more_digits() -> None:
    """Decimals grow as the half-width shrinks, up to 6."""
    digits = [decimals(10.0**-power) for power in range(9)]

    assert digits == sorted(digits)
    assert digits[-1] == 6
    assert format_number(0.0) == "0.000"


@pytest.mark.browser
def test_a_browser_runs_and_loads_nothing(browser: Any, attacked: wb.Report, cell: str, tmp_path: Path) -> None:
    """Opened in light and dark, the document runs no script, asks for nothing, fits the window and changes its colours."""
    path = attacked.to_html(tmp_path / "report.html")
    (tmp_path / "cell.html").write_text(cell)
    noticed: list[str] = []
    grounds = []

    for name, scheme, width in (("report", "light", 1200), ("report", "dark", 420), ("cell", "light", 900)):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.on("console", lambda message: noticed.append(message.text))
        page.on("request", lambda request: noticed.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.with_name(f"{name}.html").as_uri())
        assert page.evaluate("window.__xss") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.close()

    assert noticed == []
    assert grounds[:2] == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"]
