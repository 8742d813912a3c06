"""One number under every combination of choices: from the rows where that is enough, and by asking where it is not."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser

import workbench as wb
from workbench.audit.fragility import Fragility, fragility
from workbench.errors import UsageError


@cache
def report() -> wb.Report:
    """Return a report of an over-confident model."""
    rng = np.random.default_rng(0)
    confidence = rng.beta(4, 1.2, 400)
    frame = pd.DataFrame({"example": range(400), "confidence": confidence})
    frame["correct"] = (rng.random(400) < confidence**2).astype(int)
    return wb.from_predictions(frame, name="trial", draws=20)


@cache
def seen() -> Fragility:
    """Return a multiverse for the tests that only read it."""
    return fragility(report(), {"bins": [5, 15], "scheme": ["width", "mass"], "metric": ["l2_debiased", "smooth_ece"]})


def test_each_specification_is_the_report_with_those_options() -> None:
    """Value, interval, n and method are those of `with_options`; the report's own is marked."""
    found = seen().specifications
    for line in found.to_dict("records"):
        made = report().with_options(bins=line["bins"], scheme=line["scheme"]).metrics
        own = made[(made["metric"] == line["metric"]) & (made["group"] == "all")].iloc[0]
        assert [line[name] for name in ("value", "low", "high", "n", "method")] == own.iloc[2:].tolist()

    assert len(found) == 8
    own = found[found["base"]]
    assert own[["bins", "scheme", "metric"]].values.tolist() == [[15, "width", "l2_debiased"]]


def test_verdicts_follow_from_the_intervals() -> None:
    """Above, below or neither, and their shares, counted by hand."""
    found = fragility(report(), {"metric": ["accuracy", "mean_confidence", "confidence_gap", "ece"]}, null=0.5)
    table = found.specifications.set_index("metric")

    assert table.loc["accuracy", "verdict"] == "above"
    assert table.loc["confidence_gap", "verdict"] == "below"
    assert table.loc["ece", "verdict"] == "cannot say"
    assert np.isnan(table.loc["ece", "low"])
    assert (found.verdict, found.agreement, found.same_side) == ("above", 0.5, 0.5)


def test_what_matters_is_the_share_of_variance_of_each_choice() -> None:
    """Eta squared: of a full grid of made-up means a + b it is each part's variance; what is additive adds up to 1."""

    def make(a: int, b: int) -> wb.Report:
        hits = np.arange(100) < 40 + 10 * a + 5 * b
        frame = pd.DataFrame({"example": range(100), "confidence": 0.5, "correct": hits.astype(int)})
        return wb.from_predictions(frame, draws=20)

    found = fragility(make, {"a": [0, 1], "b": [0, 1, 2]}, metric="accuracy", null=0.5)
    share = found.matters.set_index("choice")["share"]
    parts = {"a": np.var([0.0, 0.1]), "b": np.var([0.0, 0.05, 0.1])}

    assert share.to_dict() == pytest.approx({name: part / sum(parts.values()) for name, part in parts.items()})
    assert share.sum() == pytest.approx(1)
    assert "What matters most is a" in repr(found)


def test_only_options_of_asking_ask_the_model() -> None:
    """Two scorings ask twice in all, whatever the bins; the report's own is not asked again."""
    asked: list[int] = []

    class Counting(Chooser):
        """A chooser that counts how often it is asked."""

        def choose(self, questions: Any, **options: Any) -> Any:
            """Count, and answer."""
            asked.append(len(questions))
            return super().choose(questions, **options)

    model = Counting(0.8, right=[True, False, True])
    made = wb.run("calibration", model, wb.pack("mini"), draws=20)
    found = fragility(made, {"scoring": ["raw", "per_token"], "bins": [5, 10, 15]}, model=model, metric="accuracy")

    assert len(asked) == 2
    assert len(found.specifications) == 6
    with pytest.raises(UsageError, match="'scoring' changes what the model is asked. Pass model="):
        fragility(made, {"scoring": ["raw", "per_token"]})
    stranger = wb.from_predictions(pd.DataFrame({"confidence": [0.5, 0.6], "correct": [0, 1]}))
    with pytest.raises(UsageError, match="does not hold the examples"):
        fragility(stranger, {"scoring": ["raw", "per_token"]}, model=model)


def test_reports_by_name_are_a_choice() -> None:
    """Templates, or anything else that makes another report; seeds change draws alone."""
    other = wb.from_predictions(report().rows.assign(correct=1.0)[["example", "confidence", "correct"]], draws=20)
    found = fragility({"plain": report(), "polite": other}, {"seed": [0, 1]}, metric="confidence_gap")

    assert found.choices == ("report", "seed")
    assert found.specifications.groupby("report")["verdict"].unique().map(list).to_dict() == {
        "plain": ["above"],
        "polite": ["below"],
    }
    assert found.matters["choice"].iloc[0] == "report"
    assert found.matters["share"].iloc[0] == pytest.approx(1)


def test_what_cannot_be_combined_is_left_out_and_said() -> None:
    """A function that refuses some settings loses those, with the reason; the first refusal of all is an error."""

    def make(size: int) -> wb.Report:
        if size == 3:
            raise UsageError("three will not do")
        return report().where(report().rows["example"][: 100 * size])

    found = fragility(make, {"size": [1, 2, 3]}, metric="accuracy")

    assert len(found.specifications) == 2
    assert found.notes == ("1 combination left out: three will not do",)
    with pytest.raises(UsageError, match="three will not do"):
        fragility(make, {"size": [3, 1]})


def test_it_is_shown_escaped_with_its_curve() -> None:
    """Sentences, the picture, and what it cannot show; names are untrusted."""
    evil = "<script>x</script>\x1b[2J"
    found = fragility({evil: report(), "b": report()}, metric="accuracy", null=0.5)
    html, text = seen()._repr_html_(), repr(found)

    assert "\x1b" not in text
    assert "<script" not in found._repr_html_()
    assert "8 specifications" in html
    assert "data:image/svg+xml" in html
    assert "What this cannot show" in html
    assert "<" not in found.chart().to_json()


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({}, "There is nothing to vary"),
        ({"bins": [5]}, "There is nothing to vary"),
        ({"bins": []}, "must name settings"),
        ({"bins": range(1, 99), "seed": range(9)}, "500 combinations at most; it makes 882"),
        ({"bin": [5, 10]}, "Did you mean 'bins'"),
        ({"bins": [5, 0]}, "bins"),
        ({"metric": ["ece", "eec"]}, "Did you mean 'ece'"),
    ],
)
def test_what_cannot_be_varied_is_said(vary: Any, message: str) -> None:
    """Each message names the option and what may stand there."""
    with pytest.raises(UsageError, match=message):
        fragility(report(), vary)
    with pytest.raises(UsageError, match="a function; found DataFrame"):
        fragility(report().rows, {"bins": [5, 10]})  # type: ignore[arg-type]
