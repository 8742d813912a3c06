"""The threshold in the kernel: what the page says moves the line, the selection and the rates; what does not fit is dropped."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench._record import RunRecord
from workbench.errors import UsageError
from workbench.reports import Report
from workbench.stats.intervals import proportion
from workbench.views.threshold import Threshold


def report(n: int = 200) -> Report:
    """Return the rows of two scores of the same examples, a third of them outside, a few not known."""
    rng = np.random.default_rng(0)
    outside = np.where(np.arange(n) % 20 == 19, np.nan, (np.arange(n) % 3 == 2) * 1.0)
    base = {"group": "all", "half": "explore", "text": [f"text {i}" for i in range(n)], "outside": outside}
    ids = [f"e{i}" for i in range(n)]
    parts = [
        pd.DataFrame({"example": ids, "cluster": ids, "variant": name, "score": name, **base}).assign(
            value=rng.normal(-2 * np.nan_to_num(outside), 1) * scale
        )
        for name, scale in (("energy", 1.0), ("knn", 0.1))
    ]
    rows = pd.concat(parts, ignore_index=True).assign(rank=0.5, kept=1.0, label="", predicted="", correct=np.nan)
    rows.loc[0, "value"] = np.nan
    return Report(rows, RunRecord("ood"))


def said(view: Threshold, *message: Any) -> list[dict[str, Any]]:
    """Let the page say something, wait for the answer, and return what was sent."""
    sent: list[dict[str, Any]] = []
    view.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    for one in message:
        view._hear(view, one, [])
    view._slow.join(5.0)
    return sent


def test_it_starts_where_most_inside_examples_are_kept() -> None:
    """The first score, the threshold that keeps 95 % of the inside ones; rows without a value are left out."""
    view = wb.threshold(report())
    rows = report().rows.query("score == 'energy' and outside == 0").dropna(subset="value")

    assert "energy" == view.score
    assert 0.95 <= (rows["value"].to_numpy(np.float32) >= np.float32(view.threshold)).mean() < 0.97
    assert [199, 200] == [score["count"] for score in view.about["scores"]]
    assert 399 * 4 == len(view.values)
    assert 399 == len(view.kinds)


def test_the_page_moves_the_line() -> None:
    """The selection is what lies below, the least usual first; the answer has Wilson's intervals; the log has it once."""
    made = report()
    view = wb.threshold(made)
    sent = said(view, {"kind": "move", "score": 1, "threshold": -0.1})
    rows = made.rows.query("score == 'knn'")
    flagged = rows[rows["value"] < -0.1].sort_values("value")

    assert ("knn", -0.1, "page") == (view.score, view.threshold, view.state["by"])
    assert flagged["example"].tolist() == wb.selection["example"].tolist()
    kept = (rows[rows["outside"] == 0]["value"] >= -0.1).to_numpy(float)
    first = sent[-1]["rates"][0]
    assert ("Inside, kept", *proportion(kept)[:4]) == (
        first["words"],
        first["value"],
        first["low"],
        first["high"],
        first["n"],
    )
    assert ["kept", "let_through", "flagged"] == view.rates["rate"].tolist()
    assert ["knn below -0.1"] == made.selections["description"].tolist()
    assert f"{len(flagged)} of 200 flagged" in repr(view)


@pytest.mark.parametrize(
    "message",
    [
        "move",
        {"kind": "move"},
        {"kind": "move", "score": 2, "threshold": 0.0},
        {"kind": "move", "score": True, "threshold": 0.0},
        {"kind": "move", "score": 0, "threshold": "0"},
        {"kind": "move", "score": 0, "threshold": float("nan")},
        {"kind": "other", "score": 0, "threshold": 0.0},
    ],
)
def test_what_does_not_fit_is_dropped(message: Any) -> None:
    """A message of the page that is not a place and a number changes nothing."""
    view = wb.threshold(report())
    before = dict(view.state)
    said(view, message)

    assert before == view.state


def test_python_moves_it_too() -> None:
    """`move` takes a score by name; a score that there is not, and reports of other probes, are named."""
    view = wb.threshold(report(), "knn")
    view.move(0.05)
    assert ("knn", 0.05, "kernel") == (view.score, view.threshold, view.state["by"])

    with pytest.raises(UsageError, match="Did you mean 'knn'"):
        view.move(0.0, "kn")
    with pytest.raises(UsageError, match="finite number"):
        view.move(float("inf"))
    with pytest.raises(UsageError, match="takes a report"):
        wb.threshold([1])  # type: ignore[arg-type]
    frame = pd.DataFrame({"confidence": [0.9, 0.8], "correct": [1, 0]})
    with pytest.raises(UsageError, match="for reports of the probe 'ood'"):
        wb.threshold(wb.from_predictions(frame))


def test_the_page_may_ask_for_the_rates_of_the_line_as_it_stands() -> None:
    """They come with intervals and are no selection to log: nobody has moved anything."""
    own = report()
    view = Threshold(own, "knn")
    (answer,) = said(view, {"kind": "rates"})

    assert ("rates", 1, view.threshold) == (answer["kind"], answer["score"], answer["threshold"])
    assert ["Inside, kept", "Outside, let through", "Flagged, of all"] == [rate["words"] for rate in answer["rates"]]
    assert not len(own.selections)
