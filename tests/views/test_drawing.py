"""The drawing in the kernel: what the page or Python draws, what it is compared with, and that nobody looks before predicting."""

import base64
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import DataError, UsageError, WorkbenchError
from workbench.views.drawing import Drawing

NONE = [None] * 3


def report(n: int = 400) -> Any:
    """Return predictions of an over-confident model."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.4, 1, n)
    frame = pd.DataFrame({"confidence": confidence, "correct": (rng.random(n) < confidence**2).astype(int)})
    return wb.from_predictions(frame, bins=10)


def table(**more: Any) -> pd.DataFrame:
    """Return three points with intervals."""
    lines = {"typos": [0, 5, 20], "accuracy": [0.9, 0.8, 0.5], "low": [0.8, 0.7, 0.4], "high": [1.0, 0.9, 0.6]}
    return pd.DataFrame({**lines, **more})


def drawing() -> Drawing:
    """Return the axes of that table."""
    return wb.draw(table(), x="typos", y="accuracy")


def test_the_distance_of_the_diagonal_is_the_ece() -> None:
    """Reliability is weighted by examples, at the mean confidence of the bins: whoever draws the diagonal is off by the ECE."""
    made = report()
    ece = made.metrics.query("metric == 'ece' and group == 'all'")["value"].item()
    line = wb.draw(made, "reliability")
    line.points = line.about["at"]

    assert line.reveal().distance == pytest.approx(ece, abs=1e-12)
    assert len(made.tables["bins"]) == len(line.points)
    assert line.answer["n"].sum() == 400


def test_the_risk_is_the_share_of_errors_among_the_surest() -> None:
    """At each tenth of coverage the measured risk is that of the so many most confident rows, counted here anew."""
    made = report()
    line = wb.draw(made, "risk_coverage")
    line.points = [0.5] * 10
    surest = made.rows.sort_values("confidence", ascending=False)["correct"].to_numpy(float)
    answer = line.reveal().answer
    counted = [1 - surest[:k].mean() for k in answer["n"]]

    assert counted == pytest.approx(answer["measured"].tolist(), abs=1e-9)
    assert np.abs(answer["n"].to_numpy() - 40 * np.arange(1, 11)).max() <= 2
    assert line.distance == pytest.approx(np.abs(0.5 - np.array(counted)).mean())


def test_nothing_of_the_measured_curve_leaves_the_kernel_before_it_is_revealed() -> None:
    """Neither what goes to the page nor the still picture holds a measured number, with the drawing empty or whole."""
    line = wb.draw(table(accuracy=[0.9123, 0.8123, 0.5123]), x="typos", y="accuracy")
    for points in (NONE, [0.5, 0.5, 0.5]):
        line.points = points
        sent = json.dumps({name: line.get_state()[name] for name in ("about", "state", "measured")})
        still = base64.b64decode(line._picture()["text/html"].split("base64,")[1].split('"')[0]).decode()

        assert "0.9123" not in sent
        assert still.count("<circle") == sum(point is not None for point in points)
        with pytest.raises(UsageError, match="not shown yet"):
            _ = line.distance
    line.reveal()

    assert "0.9123" in json.dumps(line.measured)
    assert "Measured" in base64.b64decode(line._picture()["text/html"].split("base64,")[1].split('"')[0]).decode()


def test_who_has_not_predicted_cannot_look_and_who_has_looked_cannot_predict() -> None:
    """Reveal names the first point that is not drawn; afterwards the points are fixed."""
    line = drawing()
    line.points = [0.9, None, None]
    with pytest.raises(UsageError, match="2 of 3 points are not drawn yet, the first at typos 5"):
        line.reveal()
    line.points = np.array([0.9, 0.6, 0.5])
    assert "2 of 3 lie within its 95 % intervals" in line.reveal().words
    assert [True, False, True] == line.answer["within"].tolist()
    with pytest.raises(UsageError, match="the drawing is fixed"):
        line.points = [0.9, 0.8, 0.5]

    assert [0.9, 0.6, 0.5] == line.points
    assert line.words == line.reveal().words


def test_the_page_draws_and_reveals() -> None:
    """Points come in as they are drawn; Reveal brings the last ones with it, and does nothing while one is missing."""
    line = drawing()
    line._hear(line, {"kind": "points", "points": [0.9, None, None]}, [])
    assert ([0.9, None, None], "page") == (line.points, line.state["by"])
    line._hear(line, {"kind": "reveal", "points": [0.9, 0.8, None]}, [])
    assert not line.revealed
    line._hear(line, {"kind": "reveal", "points": [0.9, 0.8, 0.5]}, [])
    assert line.revealed
    line._hear(line, {"kind": "points", "points": [0.1, 0.1, 0.1]}, [])

    assert [0.9, 0.8, 0.5] == line.points
    assert 0 == line.distance


@pytest.mark.parametrize(
    "message",
    [
        "points",
        {"kind": "points"},
        {"kind": "points", "points": [0.5]},
        {"kind": "points", "points": [0.5, 0.5, "0.5"]},
        {"kind": "points", "points": [0.5, 0.5, float("nan")]},
        {"kind": "points", "points": [0.5, 0.5, 1.5]},
        {"kind": "other", "points": [0.5, 0.5, 0.5]},
        {"kind": "reveal"},
    ],
)
def test_what_does_not_fit_is_dropped(message: Any) -> None:
    """A message of the page that is not a curve on these axes changes nothing."""
    line = drawing()
    line._hear(line, message, [])

    assert (NONE, False) == (line.points, line.revealed)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([0.5], "has 3 points .typos: 0 to 20.; 1 were given"),
        ([0.5, 2, 0.5], "typos 5 must be between 0 and 1; it is 2"),
    ],
)
def test_points_that_do_not_fit_are_named(points: list[float], said: str) -> None:
    """A list of another length, and a point beyond the axis."""
    line = drawing()
    with pytest.raises(DataError, match=said):
        line.points = points


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: wb.draw([1, 2]), "a report or a table; found list"),
        (lambda: wb.draw(table()), "name two columns"),
        (lambda: wb.draw(table(), x="typo", y="accuracy"), "Did you mean 'typos'"),
        (lambda: wb.draw(table(), x="accuracy", y="typos", ends=(0, 10)), "has 20, which lies outside"),
        (lambda: wb.draw(table(), x="typos", y="accuracy", ends=(1, 0)), "the lower first"),
        (lambda: wb.draw(table().head(1), x="typos", y="accuracy"), "2 to 40 points; this table has 1 rows"),
        (lambda: wb.draw(table(accuracy=[0.1, np.nan, 0.2]), x="typos", y="accuracy"), "Row 1 has no accuracy"),
        (lambda: wb.draw(table(accuracy=list("abc")), x="typos", y="accuracy"), "must hold numbers; it holds 'a'"),
        (lambda: wb.draw(report(), "reliabilty"), "Did you mean 'reliability'"),
        (lambda: wb.draw(report(), x="a", y="b"), "x, y and ends are for tables"),
    ],
)
def test_what_cannot_be_drawn_is_said(make: Any, said: str) -> None:
    """Each wrong call has one sentence that names what is wrong."""
    with pytest.raises(WorkbenchError, match=said):
        make()


def test_a_report_without_confidences_says_what_to_do() -> None:
    """The probe is named, and the way by a table."""
    frame = pd.DataFrame({"predicted": ["a", "b"] * 20, "label": ["a", "a"] * 20, "sex": ["f", "m", "m", "f"] * 10})
    with pytest.raises(UsageError, match="this report is of 'groups'. Draw a table's curve"):
        wb.draw(wb.from_predictions(frame, probe="groups", by=["sex"]))


def test_names_are_text_in_the_still_picture() -> None:
    """Titles and labels come from tables: no markup of theirs is markup in the notebook."""
    attack = "<img src=x onerror=alert(1)>"
    frame = table(typos=[attack, "b", "c"]).rename(columns={"accuracy": attack})
    line = wb.draw(frame, x="typos", y=attack, title=attack)
    html = line._picture()["text/html"]
    still = base64.b64decode(html.split("base64,")[1].split('"')[0]).decode()

    assert "<img src=x" not in html + still
    assert "&lt;img src=x" in still


def test_the_line_at_zero_is_called_0() -> None:
    """-2.94 + 4.9 * 3 / 5 is 4e-16, in Python and in the page."""
    line = wb.draw(table(), x="typos", y="accuracy", ends=(-2.94, 1.96))
    still = base64.b64decode(line._picture()["text/html"].split("base64,")[1].split('"')[0]).decode()

    assert ">0</text>" in still
    assert "e-16" not in still
