"""The continuations probe: planted differences are found, the scorer's own bias is shown beside, and draws depend on ids alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier

import workbench as wb
from workbench.errors import DataError, MissingExtra, UsageError
from workbench.models._generate import Writer as RealWriter
from workbench.models.scorers import scorer
from workbench.models.verbs import Generations, ModelInfo
from workbench.probes._continuations_metrics import names_of
from workbench.probes._continuations_rows import TEMPLATES


class Writer:
    """Writes "awful" after a share of the prompts that depends on the group named in them; the draw is that of the seed."""

    name = "writer"
    verbs = frozenset({"generate"})
    model = None
    tokenizer = None
    info = ModelInfo("writer", "language model")

    def __init__(self, rates: dict[str, float], *, foul: str = "is awful", stop_after: int | None = None) -> None:
        self.rates, self.foul, self.stop_after = rates, foul, stop_after
        self.asked: list[dict[str, Any]] = []

    def generate(self, prompts: Sequence[str], *, seeds: Sequence[int], **options: Any) -> Generations:
        """Write what the seed says."""
        self.asked.append({"prompts": list(prompts), **options})
        texts: list[str | None] = []
        for i, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True)):
            rate = next((rate for group, rate in self.rates.items() if group in prompt), 0.0)
            bad = np.random.default_rng(seed).random() < rate
            reached = self.stop_after is None or i < self.stop_after
            texts.append((f" {self.foul}" if bad else " went home") if reached else None)
        return Generations(tuple(texts), np.zeros(len(texts)), np.array([text is not None for text in texts]))


def awful(texts: list[str]) -> list[list[float]]:
    """Be certain that a text is bad where it says so."""
    return [[0.1, 0.9] if "awful" in text else [0.9, 0.1] for text in texts]


def prejudiced(texts: list[str]) -> list[list[float]]:
    """Say more of whatever names the blue."""
    return [[0.6, 0.4] if "blue" in text.lower() else [0.9, 0.1] for text in texts]


FAIR = wb.load(awful, labels=["fine", "bad"], name="awful", cache=False)
BIASED = wb.load(prejudiced, labels=["fine", "bad"], name="prejudiced", cache=False)


def prompts(n: int = 60, groups: Sequence[str] = ("red", "blue"), **columns: Any) -> wb.Examples:
    """Return n prompts of each group, two by two about one person."""
    records = [
        {
            "id": f"{group}-{i}",
            "text": f"Person {i // 2} of the {group} people ",
            "group": group,
            "cluster": f"{group}{i // 2}",
        }
        | columns
        for group in groups
        for i in range(n)
    ]
    return wb.Examples.of(records, name="people", slices=tuple(columns))


def line(report: wb.Report, metric: str, group: str = "all") -> "pd.Series[Any]":
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1, (metric, group, sorted(set(report.metrics["metric"])))
    return found.iloc[0]


def p_of(method: str) -> float:
    """Return the p-value that a method states."""
    return float(method.rpartition("p = ")[2])


def test_a_planted_difference_lies_inside_the_interval() -> None:
    """Blue is written of badly in 60 %, red in 20 %: the difference is 0.4 x 0.8 score points."""
    report = wb.run("continuations", Writer({"blue": 0.6, "red": 0.2}), prompts(200), scorers=[FAIR])

    difference = line(report, "awful_difference", "group=blue")
    assert difference["low"] <= 0.32 <= difference["high"]
    share = line(report, "awful_share", "group=blue")
    assert share["low"] <= 0.6 <= share["high"]
    assert p_of(line(report, "awful_gap")["method"]) < 0.01
    assert line(report, "awful_gap")["value"] == pytest.approx(
        line(report, "awful", "group=blue")["value"] - line(report, "awful", "group=red")["value"]
    )


def test_a_fair_writer_stays_in_the_null_band() -> None:
    """The same rate for five groups: their largest difference is within what chance gives, above zero as it is."""
    groups = ("red", "blue", "green", "grey", "pink")
    report = wb.run("continuations", Writer(dict.fromkeys(groups, 0.3)), prompts(40, groups), scorers=[FAIR])

    gap = line(report, "awful_gap")
    assert 0 < gap["value"] <= gap["high"]
    assert p_of(gap["method"]) > 0.05


def test_a_biased_scorer_is_shown_by_its_table() -> None:
    """All texts alike, read whole: the gap is the scorer's, and as large on prompts alone and on names."""
    report = wb.run("continuations", Writer({}), prompts(), scorers=[BIASED], reads="whole")

    assert [0.3, 0.3, 0.3] == pytest.approx(
        [
            line(report, metric)["value"]
            for metric in ("prejudiced_gap", "prejudiced_of_prompt_gap", "prejudiced_of_name_gap")
        ]
    )
    table = report.tables["scorer_bias"].set_index(["group", "source"])["value"]
    assert [0.4, 0.4, 0.4] == pytest.approx(table["blue"].tolist())
    assert [0.1, 0.1, 0.1] == pytest.approx(table["red"].tolist())
    assert np.isnan(line(report, "prejudiced_of_name_gap")["low"])


def test_a_fair_scorer_has_no_bias_of_its_own() -> None:
    """Prompts alone and names are judged alike, whatever the model wrote."""
    report = wb.run("continuations", Writer({"blue": 1.0}), prompts(), scorers=[FAIR])

    assert line(report, "awful_gap")["value"] == pytest.approx(0.8)
    assert line(report, "awful_of_prompt_gap")["value"] == 0
    assert line(report, "awful_of_name_gap")["value"] == 0


@pytest.mark.parametrize("name", ["sentiment", "profanity", "refusal"])
def test_the_templates_are_neutral(name: str) -> None:
    """No scorer finds anything in them when they speak of stones."""
    assert max(abs(value) for value in scorer(name).values([each.format("stones") for each in TEMPLATES])) < 0.2


def test_several_samples_give_expected_maximum_and_any() -> None:
    """K = 4 draws at 0.5: any of four with 1 - 0.5^4, expected maximum 0.1 + 0.8 of it."""
    report = wb.run("continuations", Writer({"blue": 0.5, "red": 0.5}), prompts(150), scorers=[FAIR], samples=4)

    assert len(report.rows) == 4 * 300
    any_of = line(report, "awful_any")
    assert any_of["low"] <= 1 - 0.5**4 <= any_of["high"]
    assert any_of["n"] == 300
    highest = line(report, "awful_expected_max")
    assert highest["low"] <= 0.1 + 0.8 * (1 - 0.5**4) <= highest["high"]
    assert "k = 4" in highest["method"]


def test_expected_maximum_by_hand() -> None:
    """Two prompts with two samples each: maxima 0.9 and 0.2; a prompt with one sample is left out."""
    frame = pd.DataFrame(
        {"text": ["a", "a", "b", "b", "c"], "continuation": list("vwxyz"), "tox": [0.9, 0.1, 0.2, 0.0, 1.0]}
    )
    report = wb.from_predictions(frame, probe="continuations", scores="tox", scorers=())

    assert line(report, "tox_expected_max")["value"] == pytest.approx(0.55)
    assert line(report, "tox_any")["value"] == 0.5
    assert line(report, "tox_any")["n"] == 2
    assert line(report, "tox")["value"] == pytest.approx(0.44)


def test_draws_depend_on_ids_not_on_order() -> None:
    """Examples in another order, or fewer of them, get the same continuations."""
    examples = prompts(30)
    one = wb.run("continuations", Writer({"blue": 0.5, "red": 0.5}), examples, scorers=[FAIR], samples=2)
    turned = wb.Examples.of(examples.frame.iloc[::-1], name="people", slices=())
    two = wb.run("continuations", Writer({"blue": 0.5, "red": 0.5}), turned, scorers=[FAIR], samples=2)
    part = wb.run("continuations", Writer({"blue": 0.5, "red": 0.5}), examples.sample(10), scorers=[FAIR], samples=2)

    keys = ["example", "variant"]
    first = one.rows.set_index(keys)["continuation"]
    assert first.to_dict() == two.rows.set_index(keys)["continuation"].to_dict()
    assert first.loc[part.rows.set_index(keys).index].tolist() == part.rows["continuation"].tolist()
    same = ["metric", "group", "value", "low", "high", "n"]
    pd.testing.assert_frame_equal(one.metrics[same], two.metrics[same])


def test_batches_of_a_real_writer_change_no_draw() -> None:
    """A tiny random model with one prompt a batch, or all together, writes the same."""
    from tiny import language_model, tokenizer

    import workbench.models._generate as generate

    model = wb.load(language_model(), tokenizer=tokenizer(), cache=False)
    examples = prompts(4)
    together = wb.run("continuations", model, examples, scorers="refusal", max_tokens=6, samples=2)
    whole = dict(generate.BUDGET)
    try:
        generate.BUDGET["cpu"] = 1
        alone = wb.run("continuations", model, examples, scorers="refusal", max_tokens=6, samples=2)
    finally:
        generate.BUDGET.update(whole)

    assert RealWriter is generate.Writer
    assert together.rows["continuation"].tolist() == alone.rows["continuation"].tolist()
    assert together.rows["continuation"].nunique() > 2


def test_groups_are_compared_within_their_domain() -> None:
    """Two domains: a gap of each, none across; a domain is never a group's rest."""
    both = pd.concat(
        [
            prompts(40, ("red", "blue"), domain="colour").frame,
            prompts(40, ("round", "square"), domain="shape").frame,
        ]
    )
    examples = wb.Examples.of(both, name="two", slices=("domain",))
    report = wb.run("continuations", Writer({"round": 1.0, "square": 1.0}), examples, scorers=[FAIR])

    gaps = report.metrics.query("metric == 'awful_gap'").set_index("group")["value"]
    assert {"domain=colour": 0.0, "domain=shape": 0.0} == pytest.approx(gaps.to_dict())
    assert line(report, "awful_difference", "group=round")["value"] == 0
    across = report.with_options(within="").metrics.query("metric == 'awful_gap'")
    assert [0.8] == pytest.approx(across["value"].tolist())
    assert set(report.tables["scorer_bias"]["part"]) == {"domain=colour", "domain=shape"}


def test_rows_without_a_domain_are_counted_and_compared_nowhere() -> None:
    """Blank domains (None, NaN, spaces) are in the numbers of all and in no part; a note counts them."""
    both = pd.concat([prompts(40, ("red", "blue"), domain=domain).frame for domain in ("colour", "flag")])
    both["example"] = [str(i) for i in range(len(both))]
    rest = both.iloc[[0, 1, 40]].assign(example=["x", "y", "z"], domain=[None, " ", float("nan")])
    stored = pd.concat([both, rest]).assign(continuation="fine")
    report = wb.from_predictions(stored, probe="continuations", by=[], scorers=[FAIR])
    parts = set(report.tables["scorer_bias"]["part"])

    assert parts == {"domain=colour", "domain=flag"}
    assert line(report, "awful")["n"] == len(stored)
    assert (
        "3 rows have no domain: in the numbers of all, but in no comparison of groups, which is made within domain."
        in (report.notes)
    )
    whole = wb.from_predictions(stored, probe="continuations", by=[], scorers=[FAIR], within="")
    assert not any("no domain" in note for note in whole.notes)


def test_a_group_of_two_domains_has_a_line_for_each() -> None:
    """Red and blue in two domains: no two metrics share their name and group."""
    both = pd.concat([prompts(40, ("red", "blue"), domain=domain).frame for domain in ("colour", "flag")])
    both["example"] = [str(i) for i in range(len(both))]
    examples = wb.Examples.of(both, name="two", slices=("domain",))
    metrics = wb.run("continuations", Writer({"red": 1.0}), examples, scorers=[FAIR]).metrics

    assert not metrics.duplicated(["metric", "group"]).any()
    assert {"domain & group=colour & red", "domain & group=flag & blue"} <= set(metrics["group"])


def test_refusals_have_a_rate_and_a_corrected_rate() -> None:
    """Half refuse: the rate is 0.5, and the corrected one stands under its own name with the detector's error."""
    says = "I'm sorry, but I cannot help with that."
    report = wb.run(
        "continuations", Writer({"blue": 0.9, "red": 0.1}, foul=says), prompts(100), scorers=["refusal"], chat=True
    )

    blue, corrected = line(report, "refusal_rate", "group=blue"), line(report, "refusal_rate_corrected", "group=blue")
    assert blue["low"] <= 0.9 <= blue["high"]
    assert corrected["high"] - corrected["low"] > blue["high"] - blue["low"]
    assert "Rogan-Gladen" in corrected["method"]
    assert "first 120 characters" in corrected["method"]
    assert p_of(line(report, "refusal_rate_gap")["method"]) < 0.01
    assert "refusal" not in set(report.metrics["metric"])


def test_long_replies_take_the_error_of_whole_ones() -> None:
    """The method says which figures were used."""
    frame = pd.DataFrame({"continuation": ["Stir the soup and wait. " * 20, "I cannot help with that. " * 20] * 10})
    report = wb.from_predictions(frame, probe="continuations", scorers="refusal")

    assert "whole XSTest answers" in line(report, "refusal_rate_corrected")["method"]


def test_what_the_model_is_asked() -> None:
    """White space at the end is left out and said; options reach the model; chat sends the text as it is."""
    model = Writer({})
    report = wb.run("continuations", model, prompts(2), scorers=[FAIR], max_tokens=7, temperature=0.5)
    wb.run("continuations", model, prompts(2), scorers=[FAIR], chat=True)

    assert model.asked[0]["prompts"][0] == "Person 0 of the red people"
    assert (7, 0.5, False) == tuple(model.asked[0][name] for name in ("max_tokens", "temperature", "chat"))
    assert model.asked[1]["prompts"][0] == "Person 0 of the red people "
    assert any("4 of 4 prompts end in white space" in note for note in report.notes)
    assert any("cut at 7 tokens" in note for note in report.notes)


def test_empty_continuations_are_counted() -> None:
    """They have no score; a metric and a note say how many."""
    frame = pd.DataFrame({"text": list("abcd"), "continuation": ["awful", " ", "fine", None], "group": list("xxyy")})
    report = wb.from_predictions(frame, probe="continuations", scorers=[FAIR])

    assert line(report, "awful_scored")["value"] == 0.5
    assert line(report, "awful")["n"] == 2
    assert any("2 of 4 continuations are empty" in note for note in report.notes)
    assert report.rows["flagged"].isna().sum() == 2


def test_an_interrupted_run_keeps_what_is_done() -> None:
    """An example is done when all its samples are."""
    report = wb.run("continuations", Writer({}, stop_after=7), prompts(5), scorers=[FAIR], samples=2)

    assert report.outcome == "interrupted"
    assert (report.record.done, report.record.total, len(report.rows)) == (3, 10, 7)
    assert line(report, "awful_any")["n"] == 3


def test_a_run_that_was_stopped_at_once_has_no_numbers() -> None:
    """No row, no chart, and metrics that say so."""
    report = wb.run("continuations", Writer({}, stop_after=0), prompts(2), scorers=[FAIR])

    assert (0, {}) == (len(report.rows), report.charts())
    assert line(report, "awful_share")["method"] == "no interval: no rows"


def test_parts_and_saved_reports_give_the_same_numbers(tmp_path: Path) -> None:
    """`where` equals the slice; a saved report opens with its metrics, tables and charts."""
    report = wb.run(
        "continuations", Writer({"blue": 0.6, "red": 0.2}), prompts(40), scorers=[FAIR, "sentiment"], samples=2
    )
    part = report.where(group="blue")
    again = wb.open(report.save(tmp_path / "one"))

    for metric in ("awful", "awful_share", "awful_any", "sentiment", "sentiment_positive", "sentiment_negative"):
        assert line(part, metric)["value"] == line(report, metric, "group=blue")["value"]
    assert "awful_gap" not in set(part.metrics["metric"])
    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    pd.testing.assert_frame_equal(report.where(report.rows).metrics, again.where(again.rows).metrics)
    pd.testing.assert_frame_equal(report.tables["scorer_bias"], again.tables["scorer_bias"])
    assert list(report.charts()) == list(again.charts())


def test_stored_continuations_give_the_same_numbers() -> None:
    """Rows of a report, scored again."""
    report = wb.run("continuations", Writer({"blue": 0.6, "red": 0.2}), prompts(40), scorers=[FAIR], samples=2)
    again = wb.from_predictions(
        report.rows.rename(columns={"text": "prompt", "variant": "draw"}),
        probe="continuations",
        text="prompt",
        sample="draw",
        scorers=[FAIR],
    )

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    assert report.rows["variant"].tolist() == again.rows["variant"].tolist()


def test_the_first_scorer_is_what_the_explorer_shows() -> None:
    """`score` and `flagged` are those of the first scorer, and the view names columns that are there."""
    from workbench.probes.continuations import PROBE

    report = wb.run("continuations", Writer({"blue": 0.6}), prompts(20), scorers=[FAIR, BIASED])

    assert report.rows["score"].tolist() == report.rows["score_awful"].tolist()
    assert (report.rows["score"] >= 0.5).astype(float).tolist() == report.rows["flagged"].tolist()
    assert {PROBE.view.value, PROBE.view.outcome, *(name for name, _, _ in PROBE.view.columns)} <= set(report.rows)
    assert names_of(report.rows) == ["awful", "prejudiced"]


def test_a_scorer_object_is_recorded_by_its_name() -> None:
    """The record is plain text; no model is copied into it."""
    report = wb.run("continuations", Writer({}), prompts(2), scorers=[scorer(FAIR, label="bad")])

    assert ["scorer('awful', label='bad')"] == report.record.as_dict()["options"]["scorers"]


def test_charts_hold_numbers_and_names_only() -> None:
    """No text of an example stands in a spec; a group's name cannot open a tag."""
    import json

    groups = ("red", "</script><b>")
    report = wb.run("continuations", Writer({"red": 0.5}), prompts(10, groups), scorers=[FAIR])

    assert {"awful_by_group", "awful_difference_by_group"} == set(report.charts())
    for chart in report.charts().values():
        spec = json.dumps(chart.to_dict())
        assert "Person" not in spec
        assert "<" not in spec


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"samples": 3, "temperature": 0.0}, UsageError, r"samples=3 with temperature=0 gives 3 times the same"),
        ({"scorers": "profan"}, UsageError, "Did you mean 'profanity'"),
        ({"scorers": [FAIR, FAIR]}, UsageError, "Two scorers have the same name: awful, awful"),
        ({"scorers": ()}, UsageError, "No scorer is named"),
        ({"reads": "all"}, UsageError, "whole"),
        ({"max_tokens": 0}, UsageError, "max_tokens must be a whole number"),
        ({"within": "group", "scorers": [FAIR]}, UsageError, "Name a column of the examples"),
        ({"within": "domian", "scorers": [FAIR]}, UsageError, r"column of the examples \(within=\) 'domian'"),
    ],
)
def test_wrong_options_say_what_to_do(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """Each fault is one sentence with its remedy."""
    with pytest.raises(error, match=message):
        wb.run("continuations", Writer({}), prompts(2), **options)


def test_wrong_tables_say_what_to_do() -> None:
    """No continuation, unknown words and columns, taken names."""
    frame = pd.DataFrame({"text": ["a"], "reply": ["b"], "refusal": [0.1]})
    with pytest.raises(DataError, match=r"column\(s\) continuation; this table has text, reply"):
        wb.from_predictions(frame, probe="continuations")
    with pytest.raises(UsageError, match="Did you mean 'continuation'"):
        wb.from_predictions(frame, probe="continuations", continuations="reply")
    with pytest.raises(UsageError, match=r"column of the table \(group=\) 'sex'"):
        wb.from_predictions(frame, probe="continuations", continuation="reply", group="sex")
    with pytest.raises(UsageError, match="a scorer has that name"):
        wb.from_predictions(frame, probe="continuations", continuation="reply", scores="refusal")


def test_an_absent_scorer_is_said_before_the_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pip line, and nothing asked."""
    from workbench.models import scorers

    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(scorers, "import_module", absent)
    scorers._built_in.cache_clear()
    model = Writer({})
    with pytest.raises(MissingExtra, match=r"'vaderSentiment'. Install it with: pip install 'fm-workbench\[scorers\]'"):
        wb.run("continuations", model, prompts(2))
    assert model.asked == []


@pytest.mark.parametrize("model", [Classifier(), type("Choose", (Chooser,), {"verbs": frozenset({"choose"})})()])
def test_a_model_that_cannot_write_is_not_applicable(model: Any) -> None:
    """An outcome with its reason."""
    report = wb.run("continuations", model, prompts(2))

    assert report.outcome == "not applicable"
    assert "a model that writes text (generate)" in report.notes[0]
    assert len(report.metrics) == 0


@pytest.mark.model
def test_the_embedded_model_writes_and_is_scored(embedded_model: Any) -> None:
    """Six prompts, eight tokens: every row has a text and its scores, twice the same."""
    examples = prompts(3)
    one = wb.run("continuations", embedded_model, examples, max_tokens=8)
    two = wb.run("continuations", embedded_model, examples.sample(2), max_tokens=8)

    assert len(one.rows) == 6
    assert one.rows[["score_sentiment", "score_profanity"]].notna().all(axis=None)
    both = one.rows.set_index("example").loc[two.rows["example"], "continuation"]
    assert both.tolist() == two.rows["continuation"].tolist()


@pytest.mark.data
def test_stored_xstest_answers_are_scored(benchmark_data: Path) -> None:
    """GPT-4's 450 answers: the corrected rate holds the share that people found, 220 of 450."""
    stored = wb.benchmark("xstest", benchmark_data, completions="gpt4")
    report = wb.from_predictions(stored.frame, probe="continuations", scorers="refusal", by="type")

    corrected = line(report, "refusal_rate_corrected")
    assert corrected["low"] <= 220 / 450 <= corrected["high"]
    assert line(report, "refusal_rate", "group=unsafe")["value"] > 0.9


def test_the_headline_names_metrics_that_there_are() -> None:
    """With the three scorers that have names, every metric to show first exists."""
    from workbench.probes.continuations import PROBE

    report = wb.run("continuations", Writer({}), prompts(4), scorers=["sentiment", "profanity", "refusal"])

    assert {*PROBE.headline, *PROBE.sliced} <= set(report.metrics["metric"])
