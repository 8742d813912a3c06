"""Two reports of the same examples: differences with intervals that know of the pairing, and what cannot be compared is said."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser
from pair_probe import PairProbe
from probes.test_bbq import answerer, questions
from probes.test_winobias import pairs as sentences
from probes.test_winobias import reader
from scipy.stats import binomtest

import workbench as wb
from workbench.audit.compare import Comparison, compare
from workbench.charts.metrics import metric_title
from workbench.errors import DataError, UsageError
from workbench.frames import Metric, metrics_frame

KINDS = ("age", "gender", "religion")


def stored(shift: float, seed: int, *, n: int = 300, each: int = 1, noise: float = 1.0) -> wb.Report:
    """Return pairs of sentences of one easiness for all models, `each` from a template, and a model's own shift and noise."""
    rng = np.random.default_rng(99)
    easy = np.repeat(rng.normal(0.2, 1.0, n // each), each)
    own = np.random.default_rng(seed).normal(shift, noise, n)
    frame = pd.DataFrame(
        {
            "example": [f"e{i:04d}" for i in range(n)],
            "text": [f"sentence {i}" for i in range(n)],
            "other": [f"other {i}" for i in range(n)],
            "logp": easy + own - 50.0,
            "logp_other": np.full(n, -50.0),
            "tokens": 2,
            "tokens_other": 2,
            "bias_type": [KINDS[i // each % 3] for i in range(n)],
            "cluster": [f"t{i // each}" for i in range(n)],
        }
    )
    return wb.from_predictions(frame, probe="pairs", name=f"model {seed}", by="bias_type")


@cache
def seen() -> Comparison:
    """Return the comparison of two models, one of which prefers more, for the tests that only read it."""
    return compare(stored(0.6, 1), stored(0.0, 2))


def line(comparison: Comparison, metric: str, group: str = "all") -> Any:
    """Return one line of a comparison."""
    found = comparison.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def test_a_report_does_not_differ_from_itself() -> None:
    """Every difference is 0, every p-value 1, and intervals that are there hold 0."""
    report = stored(0.3, 1)
    found = compare(report, report).metrics

    assert set(found["difference"].dropna()) == {0.0}
    assert set(found["p"].dropna()) == {1.0}
    assert ((found["low"] <= 0) & (found["high"] >= 0) | found["low"].isna()).all()


def test_the_values_are_those_of_the_reports() -> None:
    """Both values of each line are what the two reports say, and the difference is a minus b."""
    a, b, found = seen().a, seen().b, seen().metrics
    keys = ["metric", "group"]

    for name, report in (("value_a", a), ("value_b", b)):
        own = report.metrics.set_index(keys)["value"].reindex(found.set_index(keys).index)
        assert np.allclose(own.to_numpy(), found[name], equal_nan=True)
    assert np.allclose(found["value_a"] - found["value_b"], found["difference"], equal_nan=True)
    assert len(found) == len(a.metrics)


def test_shares_have_mcnemars_exact_p() -> None:
    """The p-value of a share is the binomial test of the examples on which the two models disagree, overall and by slice."""
    rows = seen().rows
    for group in ("all", *(f"bias_type={kind}" for kind in KINDS)):
        some = rows if group == "all" else rows[rows["bias_type"] == group.partition("=")[2]]
        one, two = some["prefers_more_a"].to_numpy(bool), some["prefers_more_b"].to_numpy(bool)
        expected = binomtest(int((one & ~two).sum()), int((one != two).sum())).pvalue

        assert line(seen(), "prefers_more", group)["p"] == pytest.approx(expected)


def test_holm_counts_the_slices_of_one_metric() -> None:
    """The line of all stands by itself; three slices are a family of three."""
    found = seen().metrics.query("metric == 'prefers_more'")
    whole, parts = found[found["group"] == "all"], found[found["group"] != "all"]

    assert whole["p_holm"].tolist() == whole["p"].tolist()
    assert parts["p_holm"].min() == pytest.approx(min(1.0, 3 * parts["p"].min()))


@pytest.mark.parametrize("each", [1, 4])
def test_pairing_and_clusters_reach_the_interval(each: int) -> None:
    """A planted shift of 0.5 nats lies in the interval, which is far narrower than that of two reports by themselves."""
    a, b = (stored(shift, seed, each=each, noise=0.5) for shift, seed in ((0.5, 1), (0.0, 2)))
    found = line(compare(a, b), "mean_difference")
    alone = a.metrics.query("metric == 'mean_difference' and group == 'all'").iloc[0]

    assert found["low"] < 0.5 < found["high"]
    assert found["p"] <= 0.001
    assert found["high"] - found["low"] < 0.75 * (alone["high"] - alone["low"]) * 2**0.5
    assert ("75 clusters" in found["method"]) == (each == 4)


class Plain(PairProbe):
    """The made-up probe of pairs with numbers that cost nothing: a bootstrap asks for them 400 times."""

    def summarise(self, rows: pd.DataFrame, options: Any, *, by: tuple[str, ...] = (), seed: int = 0) -> pd.DataFrame:
        """Return both means, with no intervals."""
        del options, by, seed
        return metrics_frame(
            Metric(name, "all", float(rows[column].mean()), 0.0, 0.0, len(rows), "none")
            for name, column in (("pct_stereotype", "stereotype"), ("likelihood_difference", "difference"))
        )


class ByRow(Plain):
    """The made-up probe of pairs with `per_row`, which is wrong about the share if it is told to be."""

    wrong = False

    def per_row(self, rows: pd.DataFrame, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the numbers behind both metrics."""
        del options
        share = np.ones(len(rows)) if self.wrong else rows["stereotype"].to_numpy(float)
        return {"pct_stereotype": share, "likelihood_difference": rows["difference"].to_numpy(float)}


class WrongByRow(ByRow):
    """See `ByRow`."""

    wrong = True


def made_up(probe: Any, shift: float) -> wb.Report:
    """Return a report of the made-up probe on 120 pairs of 60 templates."""
    rng = np.random.default_rng(3)
    luck, own = np.repeat(rng.normal(0, 0.6, 60), 2), np.random.default_rng(int(10 * shift)).normal(shift, 0.8, 120)
    names = [f"e{i}" for i in range(120)]
    frame = pd.DataFrame({"example": names, "text": names, "other": "o", "cluster": [f"c{i // 2}" for i in range(120)]})
    return wb.run(probe, lambda texts: [[0.5, 0.5]] * len(texts), wb.Examples.of(frame.assign(difference=luck + own)))


def test_the_bootstrap_agrees_with_the_row_by_row_interval() -> None:
    """Without `per_row` the mean's interval is as wide, within the noise of 200 draws; so is that of a share."""
    exact, drawn = (compare(made_up(probe, 0.4), made_up(probe, 0.0)) for probe in (ByRow(), Plain()))
    for metric in ("pct_stereotype", "likelihood_difference"):
        one, two = line(exact, metric), line(drawn, metric)

        assert "bootstrap of 60 clusters, 200 draws" in two["method"]
        assert "bootstrap" not in one["method"]
        assert two["difference"] == pytest.approx(one["difference"])
        assert two["high"] - two["low"] == pytest.approx(one["high"] - one["low"], rel=0.25)
        assert abs(two["p"] - one["p"]) < 0.05


def test_a_per_row_that_is_wrong_is_not_believed() -> None:
    """Numbers whose mean is not the metric are no ground for a pairing: the bootstrap takes over."""
    found = compare(made_up(WrongByRow(), 0.4), made_up(WrongByRow(), 0.0), draws=20)

    assert "bootstrap" in line(found, "pct_stereotype")["method"]
    assert "sign flips" in line(found, "likelihood_difference")["method"]


class Quick(Plain):
    """The made-up probe with `values`, told to be wrong about the share or not; `asked` counts."""

    wrong = False

    def __init__(self) -> None:
        self.asked = 0

    def values(self, rows: pd.DataFrame, options: Any, *, by: tuple[str, ...] = ()) -> dict[tuple[str, str], float]:
        """Return both means."""
        self.asked += 1
        table = self.summarise(rows, options, by=by)
        return {(one.metric, "all"): one.value + self.wrong for one in table.itertuples()}


class WrongValues(Quick):
    """See `Quick`."""

    wrong = True


def test_values_alone_stand_for_the_summary_where_they_are_its_own() -> None:
    """The bootstrap asks `values`, which changes no number; where they are other numbers it asks `summarise`."""
    quick, wrong, plain = Quick(), WrongValues(), Plain()
    tables = [compare(made_up(one, 0.4), made_up(one, 0.0), draws=20).metrics for one in (quick, wrong, plain)]

    assert (quick.asked, wrong.asked) == (42, 1)
    for table in tables[:2]:
        pd.testing.assert_frame_equal(tables[2], table)


def made(probe: str) -> wb.Report:
    """Return a small report of a probe that has `per_row`."""
    if probe == "pairs":
        return stored(0.2, 3, n=60, each=2)
    if probe == "bbq":
        examples = questions(8, 3)
        return wb.run("bbq", answerer(examples, 0.4, 0.2), examples, scoring="raw")
    if probe == "calibration":
        return wb.run("calibration", Chooser(0.8, right=[True, False, True]), wb.pack("mini"), draws=20)
    examples = sentences(40)
    return wb.run("winobias", reader(examples, 0.8, 0.5), examples)


@pytest.mark.parametrize("probe", ["pairs", "bbq", "calibration", "winobias"])
def test_per_row_means_are_the_metrics(probe: str) -> None:
    """Of any rows, each of `per_row` has the metric of its name as its mean over the rows that it does not leave out."""
    report = made(probe)
    rng = np.random.default_rng(0)
    for share in (1.0, 0.6):
        rows = report.rows[rng.random(len(report.rows)) < share].reset_index(drop=True)
        table = report._probe.summarise(rows, report.options, by=(), seed=0).set_index("metric")["value"]
        own = report._probe.per_row(rows, report.options)
        shared = [name for name in own if name in table.index and np.isfinite(table[name])]

        assert len(shared) >= 3
        assert {n: float(np.nanmean(own[n])) for n in shared} == pytest.approx({n: float(table[n]) for n in shared})


def test_a_ratio_is_compared_by_resampling_templates() -> None:
    """BBQ's score in disambiguated contexts rests on other rows in each model; its planted difference lies in the interval."""
    examples = questions(24, 3)
    a, b = (
        wb.run("bbq", answerer(examples, 0.2, 0.2, correct), examples, by=[], scoring="raw") for correct in (0.5, 1.0)
    )
    found = compare(a, b, draws=60)
    score, accuracy = line(found, "bias_disambiguated"), line(found, "accuracy_disambiguated")

    assert "bootstrap of 24 clusters" in score["method"]
    assert score["low"] < 0.5 < score["high"]
    assert "whole clusters exchanged" in accuracy["method"]
    assert accuracy["low"] < -0.25 < accuracy["high"]
    assert accuracy["p"] <= 0.001


def test_what_has_a_null_band_has_no_interval() -> None:
    """The difference of two ECEs is given without one, and the method says what to do."""
    a, b = (wb.run("calibration", Chooser(p, right=[True, False]), wb.pack("mini"), by=[]) for p in (0.9, 0.6))
    found = compare(a, b, draws=20)
    ece, gap = line(found, "ece"), line(found, "confidence_gap")

    assert np.isnan(ece["low"])
    assert "null band" in ece["method"]
    assert np.isfinite(ece["difference"])
    assert gap["difference"] == pytest.approx(0.3)


def test_the_order_of_the_rows_changes_nothing() -> None:
    """Rows are matched by example, not by place."""
    b = seen().b
    turned = replace(b, rows=b.rows.iloc[::-1].reset_index(drop=True))

    pd.testing.assert_frame_equal(seen().metrics, compare(seen().a, turned).metrics)


def test_held_out_rows_stay_out() -> None:
    """What either report holds out is in no number of the comparison."""
    a, b = stored(0.6, 1), stored(0.0, 2)
    half = ["confirm" if i % 2 else "explore" for i in range(len(a.rows))]
    one, two = (replace(report, rows=report.rows.assign(half=half)) for report in (a, b))

    assert line(compare(one, two), "prefers_more")["n"] == 150


def test_a_metric_without_draws_says_so() -> None:
    """draws=0 asks `summarise` no more than twice."""
    examples = questions(6, 2)
    report = wb.run("bbq", answerer(examples, 0.4, 0.2), examples, by=[], scoring="raw")
    found = line(compare(report, report, draws=0), "bias_disambiguated")

    assert (found["difference"], found["method"]) == (0.0, "no interval: draws=0 leaves out what is no mean over rows")


def test_notes_say_what_was_not_alike() -> None:
    """Options that ask otherwise, options that count otherwise, and rows without a counterpart are named."""
    examples = sentences(20)
    a = wb.run("winobias", reader(examples, 0.8, 0.5), examples)
    b = replace(a, rows=a.rows.iloc[1:], record=replace(a.record, options={"reading": "entity"}))
    counted = replace(a, record=replace(a.record, options={**a.options, "draws": 3}))

    assert any(
        "asked differently: reading='refers' in a, 'entity' in b" in note for note in compare(a, b, draws=0).notes
    )
    assert any("1 of 40 rows of a have no counterpart" in note for note in compare(a, b, draws=0).notes)
    assert any("Both are counted with draws=3" in note for note in compare(counted, a, draws=0).notes)


def test_what_cannot_be_compared_is_said() -> None:
    """Each message names what does not match, and what to do."""
    a, b = stored(0.6, 1), stored(0.0, 2)
    examples = sentences(20)
    other = wb.run("winobias", reader(examples, 0.8, 0.5), examples)
    few = b.where(list(b.rows["example"][:299]))
    renamed = replace(b, rows=b.rows.assign(example="x" + b.rows["example"]))
    retold = replace(b, rows=b.rows.assign(text=b.rows["text"].where(b.rows.index != 7, "another")))
    lumped = replace(b, rows=b.rows.assign(cluster="one"))
    nothing = replace(b, rows=b.rows.iloc[:0])
    for wrong, message in (
        (other, "a is of 'pairs' and b of 'winobias'"),
        (nothing, "Report b has no rows"),
        ("b.workbench", "b is a str"),
    ):
        with pytest.raises(UsageError, match=message):
            compare(a, wrong)  # type: ignore[arg-type]
    for wrong, message in (
        (few, r"1 examples are in a and not in b, the first is 'e0299'.*a\.where\(ids\)"),
        (renamed, "No example of a is in b: ids are like 'e0000' in a, 'xe0000' in b.*column `example`"),
        (retold, "1 rows have another text in b, the first is 'e0007': 'sentence 7' in a, 'another' in b"),
        (lumped, "other clusters"),
    ):
        with pytest.raises(DataError, match=message):
            compare(a, wrong)
    with pytest.raises(UsageError, match="Did you mean 'bias_type'"):
        compare(a, b, by="bias_typ")
    with pytest.raises(UsageError, match="draws must be 0"):
        compare(a, b, draws=5)


def test_a_comparison_is_shown_escaped_and_in_order() -> None:
    """Names are untrusted; the headline comes first, with both values, the difference, p and n; the chart has a line at zero."""
    a, b = stored(0.6, 1), stored(0.0, 2)
    evil = replace(a, record=replace(a.record, model={"name": "<script>x</script>\x1b[2J"}))
    comparison = compare(evil, b)
    text, html = repr(comparison), comparison._repr_html_()
    found = line(comparison, "prefers_more")

    assert text.splitlines()[1].startswith(f"  {metric_title('prefers_more')} ")
    assert "p < 0.001" in text
    assert f"n = {found['n']}" in text
    assert "Holm" in text
    assert "\x1b" not in text
    assert "<script" not in html
    assert "What this cannot show" in html
    assert "data:image/svg+xml" in html
    assert "bias_type=religion" in html
    chart = comparison.chart("mean_difference").to_dict()
    assert "0" in chart["title"]["subtitle"]
    with pytest.raises(UsageError, match="Did you mean 'prefers_more'"):
        comparison.chart("prefer_more")


class Ratio(PairProbe):
    """A probe whose one metric is a ratio of sums over whichever rows count: no mean over the same rows of both models."""

    def summarise(self, rows: pd.DataFrame, options: Any, *, by: tuple[str, ...] = (), seed: int = 0) -> pd.DataFrame:
        """Return the mean difference over the rows that prefer something, by far the quickest way."""
        del options, by, seed
        numbers = rows["difference"].to_numpy(float)
        kept = numbers[numbers > -1]
        return metrics_frame([Metric("mean_of_some", "all", float(kept.mean()), 0.0, 0.0, len(kept), "none")])


@pytest.mark.slow
def test_the_bootstrap_covers_as_often_as_it_says() -> None:
    """40 clusters of three rows that share their luck, a ratio over other rows in each model: 92 to 98 % of intervals hold it."""
    rng = np.random.default_rng(5)
    probe = Ratio()
    big = rng.normal(0, 1.0, 2_000_000)
    truth = float((big + 0.3)[big + 0.3 > -1].mean() - big[big > -1].mean())
    held, sims = 0, 400
    for _ in range(sims):
        luck = np.repeat(rng.normal(0, 0.6, 40), 3)
        reports = []
        for shift in (0.3, 0.0):
            frame = pd.DataFrame(
                {"text": [f"t{i}" for i in range(120)], "other": "o", "example": [f"e{i}" for i in range(120)]}
            )
            frame["difference"] = shift + luck + rng.normal(0, 0.8, 120)
            frame["cluster"] = [f"c{i // 3}" for i in range(120)]
            reports.append(wb.run(probe, lambda texts: [[0.5, 0.5]] * len(texts), wb.Examples.of(frame)))
        found = line(compare(*reports, draws=60), "mean_of_some")
        held += found["low"] <= truth <= found["high"]

    assert 0.92 <= held / sims <= 0.98


def test_the_difference_of_two_p_values_has_no_interval() -> None:
    """A p-value estimates nothing, and rows drawn twice make it too small."""
    old, new = (
        wb.Examples.of(pd.DataFrame({"text": [f"{word} {i}" * (1 + i % 3) for i in range(12)]}), name=word)
        for word in ("one", "another")
    )
    a, b = (wb.run("shift", None, new, reference=old, on="tokens", test=test, draws=99) for test in ("ks", "mmd"))
    found = line(compare(a, b, draws=20), "p_value")

    assert found["difference"] == pytest.approx(found["value_a"] - found["value_b"])
    assert np.isnan(found["p"])
    assert "a p-value is no estimate" in found["method"]
