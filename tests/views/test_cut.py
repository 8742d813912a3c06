"""The line of an abstention or a decision: rates and gaps with intervals, its state both ways, what the page may say."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.stats.intervals import wilson
from workbench.views.canvas import explore


def made_up(n: int = 200, *, logits: bool = False) -> Any:
    """Return a report of predictions with two columns of groups."""
    rng = np.random.default_rng(5)
    values, label = rng.normal(0, 2, (n, 3)), rng.integers(0, 3, n)
    p = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    stated = {"confidence": p.max(1), "correct": p.argmax(1) == label}
    given = {"logits": list(values), "label": label} if logits else stated
    frame = pd.DataFrame({"domain": rng.choice(["law", "history"], n), "length": rng.integers(1, 500, n), **given})
    return wb.from_predictions(frame, by=["domain", "length"])


def brush(explorer: Any, **changes: Any) -> dict[str, Any]:
    """Return the page's message for brushes by field name."""
    named = changes.pop("ranges", {})
    ranges = [named.get(field.name) for field in explorer.lens.fields]
    message = {"kind": "brush", "serial": 1, "ranges": ranges, "mask": False, "temperature": 1.0, "origin": "page"}
    return {**message, **changes}


def hear(explorer: Any, message: Any) -> None:
    """Let the page say something, by the way that messages come in."""
    explorer._handle_custom_msg(message, [])


def decided(n: int = 400) -> Any:
    """Return a report of the probe groups: scores of two classes, two columns of groups."""
    rng = np.random.default_rng(3)
    label, sex = rng.integers(0, 2, n), rng.choice(["f", "m"], n)
    score = np.clip(0.25 + 0.4 * label + 0.15 * (sex == "m") + rng.normal(0, 0.2, n), 0, 1)
    frame = pd.DataFrame({"score": score, "label": label, "predicted": (score >= 0.5).astype(int), "sex": sex})
    return wb.from_predictions(
        frame.assign(age=rng.choice(["old", "young"], n)), probe="groups", by=["sex", "age"], draws=50
    )


def value(rates: pd.DataFrame, rate: str, group: str = "all") -> float:
    """Return one rate."""
    return float(rates.set_index(["rate", "group"]).loc[(rate, group), "value"])


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_an_abstention_has_coverage_accuracy_and_gaps(temperature: float) -> None:
    """Of the selected rows at the temperature on show, overall and by group, as counted by hand."""
    report = made_up(logits=True)
    explorer = explore(report)
    hear(explorer, brush(explorer, temperature=temperature, cut=0.6, ranges={"outcome": [0, 1]}))
    rows = report.explored.copy()
    scaled = np.exp(np.array(rows["logits"].tolist(), np.float32) / temperature)
    answered = scaled.max(1) / scaled.sum(1) >= 0.6
    rates = explorer.rates

    assert value(rates, "selection_rate") == pytest.approx(answered.mean())
    assert value(rates, "ppv") == pytest.approx(rows.correct[answered].mean())
    by = rows[answered].groupby("domain").correct.mean()
    assert value(rates, "ppv", "domain=law") == pytest.approx(by["law"])
    assert value(rates, "ppv_difference", "domain") == pytest.approx(abs(by["law"] - by["history"]))
    low, high = wilson(answered.sum(), len(rows))
    line = rates.iloc[0]
    assert (line["low"], line["high"], line["n"]) == (pytest.approx(float(low)), pytest.approx(float(high)), len(rows))
    gap = rates[rates["rate"] == "ppv_difference"].iloc[0]
    assert gap["low"] <= gap["value"] <= gap["high"]


def test_a_decision_has_the_rates_of_the_probe_at_that_threshold() -> None:
    """What the probe groups says with threshold=: the same numbers, overall, by group and between groups."""
    report = decided()
    explorer = explore(report)
    explorer.decide(0.4)
    rates, expected = explorer.rates, report.with_options(threshold=0.4).metrics.set_index(["metric", "group"])["value"]

    for rate in ("selection_rate", "tpr", "fpr", "accuracy"):
        for group in ("all", "sex=f", "sex=m"):
            assert value(rates, rate, group) == pytest.approx(expected[rate, group])
        name = "demographic_parity" if rate == "selection_rate" else rate
        assert value(rates, f"{rate}_difference", "sex") == pytest.approx(expected[f"{name}_difference", "sex"])


def test_the_line_is_a_state_of_both_sides() -> None:
    """Set in Python or in the page, it is in the state, in the words, taken back and made again; a selection of ids clears it."""
    explorer = explore(made_up())
    explorer.abstain(0.7)
    assert (explorer.state["cut"], explorer.words) == (0.7, "abstaining below 0.7")
    hear(explorer, brush(explorer, serial=9, cut=0.5))
    assert explorer.state["cut"] == 0.5
    assert explorer.undo()
    assert explorer.state["cut"] == 0.7
    assert explorer.undo()
    assert explorer.state["cut"] is None
    assert explorer.redo()
    explorer.clear()
    assert explorer.state["cut"] is None


def test_what_lies_below_the_line_can_be_selected() -> None:
    """The rows that the model abstains from, of those selected; the line stays."""
    report = made_up()
    explorer = explore(report)
    hear(explorer, brush(explorer, cut=0.5, ranges={"outcome": [1]}))
    hear(explorer, {"kind": "below"})
    rows = report.explored

    assert explorer.ids == rows[(rows.confidence < 0.5) & (rows.correct == 0)].example.tolist()
    assert explorer.state["cut"] == 0.5
    assert value(explorer.rates, "selection_rate") == 0


def test_the_page_gets_the_rates_of_the_slice_on_show() -> None:
    """With the number of the selection, the line and the slice; rows of an outcome are no groups."""
    explorer, sent = explore(made_up()), list[dict[str, Any]]()
    explorer.send = lambda content, buffers=None: sent.append(content)
    names = [field.name for field in explorer._fields]
    for serial, by in ((4, "length"), (5, "outcome")):
        hear(explorer, brush(explorer, serial=serial, cut=0.5, by=names.index(by)))
        explorer._cut.join(20)
    length, outcome = (message for message in sent if message["kind"] == "cut")

    assert (length["serial"], length["at"], length["by"]) == (4, 0.5, names.index("length"))
    assert {line["rate"] for line in length["lines"]} == {
        "selection_rate",
        "ppv",
        "selection_rate_difference",
        "ppv_difference",
    }
    assert [line["group"] for line in outcome["lines"]] == ["all", "all"]
    for strange in (2, -0.1, "0.5", True, float("nan")):
        hear(explorer, brush(explorer, serial=9, cut=strange))
        assert explorer.state["cut"] == 0.5


def test_a_line_that_cannot_stand_is_refused_in_words() -> None:
    """Numbers outside 0 to 1, the wrong kind of rows, no line at all, nothing selected."""
    confident, scored = explore(made_up()), explore(decided())
    for call, message in (
        (lambda: confident.abstain(70), "abstain.. takes a number from 0 to 1, or None for no line; found 70"),
        (
            lambda: confident.decide(0.5),
            "decide.. is for rows with a score and labels of two classes; 'Calibration of predictions' has none",
        ),
        (lambda: scored.abstain(0.5), "abstain.. is for rows with a confidence and an outcome"),
        (lambda: confident.rates, "No line is set"),
    ):
        with pytest.raises(UsageError, match=message):
            call()
    hear(confident, brush(confident, cut=0.5, ranges={"confidence": [0]}))
    assert confident.ids == []
    assert confident.rates.empty
    answers = pd.DataFrame({"correct": [1, 0] * 20, "confidence": [0.5] * 40, "sex": ["f", "m"] * 20})
    report = wb.from_predictions(answers, probe="groups", by=["sex"])
    assert explore(report).about["cut"] is None
