"""A comparison on a canvas, kernel side: agreement as a slice, the other's answers, what differs in the selection."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pair_probe import pairs, report_of

import workbench as wb
from workbench.views._beside import beside
from workbench.views.canvas import Canvas, explore

N = 150


def frame(seed: int) -> pd.DataFrame:
    """Return predictions for the same questions."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(N)],
            "confidence": rng.uniform(0.3, 1, N),
            "correct": rng.integers(0, 2, N).astype(float),
            "domain": ["law", "music"] * (N // 2),
        }
    )


@pytest.fixture
def compared() -> tuple[Canvas, Any, list[dict[str, Any]]]:
    """Return a canvas of two runs, their comparison, and what is sent; the second run's rows stand in another order."""
    a, b = frame(1), frame(2).sample(frac=1, random_state=0)
    comparison = wb.compare(
        *(wb.from_predictions(t, by=["domain"], name=k) for t, k in ((a, "one"), (b, "two"))), draws=20
    )
    canvas, sent = explore(comparison), list[dict[str, Any]]()
    assert isinstance(canvas, Canvas)
    canvas.send = lambda content, buffers=None: sent.append(content)
    return canvas, comparison, sent


def test_agreement_is_a_slice_of_both(compared: Any) -> None:
    """Each row's cell is that of both outcomes, in whatever order the rows stand; what one does not know is apart."""
    canvas, comparison, _ = compared
    one, two = (report.explored.set_index("example")["correct"] for report in (comparison.a, comparison.b))
    labels = ("both right", "a right, b wrong", "a wrong, b right", "both wrong")
    for explorer in canvas.explorers:
        field = next(field for field in explorer._fields if field.name == "agreement")
        assert field.labels == labels
        ids = explorer.selection["example"]
        x, y = one[ids].to_numpy(), two[ids].to_numpy()
        wanted = 2 * (x == 0) + (y == 0)
        assert field.codes.tolist() == wanted.tolist()
    rows = canvas.explorers[0].selection
    assert (
        rows["confidence_b"].tolist()
        == comparison.b.explored.set_index("example")["confidence"][rows["example"]].tolist()
    )


def test_what_differs_is_that_of_compare_for_the_selection(compared: Any) -> None:
    """At first and after a brush: the lines are `wb.compare` of both parts, the paired ones at once, then with resampling."""
    canvas, comparison, sent = compared
    canvas._handle_custom_msg({"kind": "differences"}, [])
    law = comparison.a.explored.query("domain == 'law'")["example"].tolist()
    for ids in (comparison.a.explored["example"].tolist(), law):
        canvas.select(ids)
        canvas._quick.join(20)
        canvas._thorough.join(60)
        expected = wb.compare(comparison.a.where(ids), comparison.b.where(ids), by=(), draws=20).metrics.set_index(
            "metric"
        )
        quick, thorough = (next(m for m in reversed(sent) if m["draws"] == draws) for draws in (0, 100))
        assert quick["n"] == thorough["n"] == len(ids)
        assert quick["serial"] == canvas._link.serial
        for told in (quick, thorough):
            line = next(one for one in told["lines"] if one["words"] == "Accuracy")
            wanted = expected.loc["accuracy"]
            assert [line[k] for k in ("value_a", "value_b", "difference", "low", "high", "p")] == pytest.approx(
                wanted[["value_a", "value_b", "difference", "low", "high", "p"]].tolist()
            )
        resampled = [
            next(one for one in told["lines"] if one["words"] == "AUROC of confidence") for told in (quick, thorough)
        ]
        assert resampled[0]["low"] is None
        assert resampled[1]["low"] < resampled[1]["difference"] < resampled[1]["high"]


def test_a_selection_of_nothing_has_no_lines(compared: Any) -> None:
    """Brushes that leave no row give an empty table, no error."""
    canvas, _, sent = compared
    canvas.explorers[0].select(["e0"])
    canvas.explorers[1].select(["e1"])
    canvas._quick.join(20)

    assert sent[-1]["lines"] == []
    assert len(wb.selection) == 0


def test_a_view_says_the_agreement_in_its_own_words() -> None:
    """Two runs of a bias probe agree on the stereotype, not on what is right."""
    a = report_of(pairs(40))
    b = wb.Report(a.rows.assign(stereotype=1 - a.rows["stereotype"]), a.record, _given=a._given)
    left, right = beside(wb.compare(a, b, draws=0))

    assert left.field.labels[:2] == ("both stereotype", "a stereotype, b anti-stereotype")
    assert set(left.field.codes) == {1, 2, 4}
    assert left.field.codes.tolist() == right.field.codes.tolist()
    assert [column.title for column in left.columns] == ["b: Difference", "b: Prefers"]


def test_two_runs_of_one_model_are_told_apart_by_their_options() -> None:
    """Names, headings and the text say what differs; where that is nothing, or too much to say, "a" and "b" do."""
    runs = [wb.from_predictions(frame(k), name="one", bins=bins) for k, bins in ((1, 10), (2, 15))]
    comparison = wb.compare(*runs, draws=20)

    assert comparison.names == ("one, bins=10", "one, bins=15")
    assert "one, bins=10 (a) against one, bins=15 (b)" in repr(comparison)
    assert [side.apart for side in beside(comparison)] == ["bins=10", "bins=15"]
    assert wb.compare(runs[0], wb.from_predictions(frame(3), name="one", bins=10), draws=20).names == (
        "one (a)",
        "one (b)",
    )
    assert wb.compare(runs[0], wb.from_predictions(frame(3), name="two"), draws=20).apart == ("", "")
