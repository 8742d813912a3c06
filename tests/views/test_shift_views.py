"""What the explorer shows of the probes of shift: metrics of each score, slices in words, columns that fit, pictures."""

from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from workbench._record import RunRecord
from workbench.data._thumbnails import PNG, thumbnails
from workbench.probes.protocol import View
from workbench.probes.slices import PROBE
from workbench.reports import Report
from workbench.views import _rows
from workbench.views._lens import lens_of
from workbench.views._page import about

PICTURE = View(
    "gap", "Gap", "right", "Right", ("yes", "no"), columns=(("picture", "Image", "image"), ("gap", "Gap", "number"))
)


def scored() -> Report:
    """Return the rows of two scores of the same forty examples, half of them outside."""
    ids, outside = [f"e{i}" for i in range(40)], np.arange(40) % 2.0
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {"example": ids, "cluster": ids, "variant": name, "score": name, "group": "all", "half": "explore", "text": ids,
             "outside": outside, "value": rng.normal(-outside), "rank": rng.random(40), "kept": 1.0, "label": "",
             "predicted": "", "correct": np.nan}
        )
        for name in ("msp", "negative_entropy")
    ]  # fmt: skip
    return Report(pd.concat(parts, ignore_index=True), RunRecord("ood"))


def searched() -> Report:
    """Return a report of right and wrong answers with a slice that is all wrong."""
    rows = pd.DataFrame({"correct": [0.0] * 25 + [1.0] * 45, "confidence": 0.7, "kind": ["bad"] * 25 + ["good"] * 45})
    return wb.run(
        "slices",
        wb.from_predictions(rows, confidence="confidence", correct="correct", by=["kind"]),
        split=0.0,
        draws=20,
    )


def test_the_metrics_of_each_score_are_shown() -> None:
    """A probe whose metrics belong to a score shows those of every score, named, and none of their slices."""
    report = scored()
    said = [words for words, _ in lens_of(report).metrics(report.metrics)]

    assert ["AUROC, MSP", "AUROC, Negative entropy", "FPR95, MSP"] == said[:3]
    assert not any("&" in words for words in said)


def test_a_value_that_is_the_outcome_has_no_histogram() -> None:
    """Losses of 0 and 1 are told by the slices; the page has neither chart nor mean of them."""
    report = searched()
    page = about(report, lens_of(report))

    assert ([], []) == (page["charts"], page["panels"])
    assert ["n", "rate"] == [key for key, _ in page["tiles"]]


def test_slices_that_were_found_are_said_in_words() -> None:
    """The choice of slices has the titles of the view's columns, and rows outside are all others, not blank ones."""
    first = lens_of(searched()).fields[1]

    assert ("slice_1", "Slice 1", ("kind=bad", "(all others)")) == (first.name, first.title, first.labels)
    assert "Slice 1" == first.for_page()["title"]
    assert "(all others)" == PROBE.view.blank


def test_columns_know_how_much_room_their_texts_take() -> None:
    """Texts from all over the rows count, not the first ones alone; nine in ten fit."""
    rows = scored().rows.assign(text=["short"] * 40 + ["a text of some length that stands in the second half"] * 40)
    found = {column.name: column for column in _rows.view_columns(rows, ("label",), scored().view or PICTURE)}

    assert found["text"].wide
    assert (len("negative_entropy"), 52, 0) == tuple(found[name].characters for name in ("score", "text", "label"))


def test_pictures_go_to_the_page_as_addresses_of_png_alone() -> None:
    """A cell is the PNG's data URL, in the row's detail marked as a picture; other bytes and large ones are no picture."""
    (good,) = thumbnails([np.zeros((4, 4), np.uint8)])
    bad: list[Any] = [b"<svg onload=alert(1)>", None, PNG + b"x" * 200_000]
    rows = pd.DataFrame({"example": list("abcd"), "picture": [good, *bad], "gap": 0.5, "right": 1.0})
    columns = _rows.view_columns(rows, (), PICTURE)
    cells = [line[0] for line in _rows.window(rows, columns, np.arange(4), 0, 4).cells]

    assert str(cells[0]).startswith("data:image/png;base64,iVBORw0KGgo")
    assert ["", "", ""] == cells[1:]
    assert ["Image", cells[0], "image"] == _rows.detail(rows, 0, columns)[1]
    assert not any(column.wide for column in columns)
