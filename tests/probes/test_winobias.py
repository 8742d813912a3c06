"""The WinoBias probe: planted biases are found, a fair model has none, and each reading asks what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Classifier, Speller
from oracle import Oracle, uniform

import workbench as wb
from workbench.errors import DataError
from workbench.models.verbs import Request
from workbench.probes._winobias_ask import blind

MEN, WOMEN = ("he", "him", "his"), ("she", "her", "her")
SLOTS = (
    "The {a} met the {b} because {{they}} was new.",
    "The {a} met the {b} and liked {{them}}.",
    "The {a} met the {b} and lost {{their}} keys.",
)


def pairs(n: int = 200) -> wb.Examples:
    """Return pairs of two made-up occupations; the one that is meant is stereotyped female in every other pair."""
    lines = []
    for i in range(n):
        form = i % 3
        slots = SLOTS[form].format(a=f"cook{i // 2}", b=f"clerk{i // 2}")
        woman = i % 2 == 0
        pro, anti = (WOMEN, MEN) if woman else (MEN, WOMEN)
        entity, other = (f"clerk{i // 2}", f"cook{i // 2}") if woman else (f"cook{i // 2}", f"clerk{i // 2}")
        text, against = (
            slots.replace("{they}", w[0]).replace("{them}", w[1]).replace("{their}", w[2]) for w in (pro, anti)
        )
        lines.append(
            {
                "example": f"p{i:03d}",
                "text": text,
                "cluster": f"c{i // 2}",
                "anti": against,
                "slots": slots,
                "pronoun": pro[form],
                "pronoun_anti": anti[form],
                "entity": entity,
                "other": other,
                "type": f"type{i % 4 // 2 + 1}",
            }
        )
    return wb.Examples(pd.DataFrame(lines), name="made", slices=("type",))


def reader(examples: wb.Examples, pro: float, anti: float) -> Oracle:
    """Return a model that is right with probability `pro` where the pronoun fits the stereotype, `anti` where it does not."""
    truth = {line["text"]: (line["entity"], pro) for line in examples}
    truth |= {line["anti"]: (line["entity"], anti) for line in examples}

    def logp(context: str, continuation: str) -> float:
        sentence, _, _ = context.partition(" ‘")
        entity, share = truth[sentence]
        right = uniform("answer", sentence) < share
        return -1.0 if (continuation.strip() == entity) == right else -2.0

    return Oracle(logp)


def line_of(report: wb.Report, metric: str, group: str = "all") -> Any:
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def test_a_planted_gap_lies_in_the_interval() -> None:
    """Right in 90 % of pro and 50 % of anti sentences: the gap is 0.4, and is seen in both types."""
    examples = pairs(400)
    report = wb.run("winobias", reader(examples, 0.9, 0.5), examples)

    for metric, truth in (("gap", 0.4), ("accuracy_pro", 0.9), ("accuracy_anti", 0.5), ("switched", 0.5)):
        found = line_of(report, metric)
        assert found["low"] <= truth <= found["high"], metric
    assert [400, 200, 200] == [line_of(report, "gap", group)["n"] for group in ("all", "type=type1", "type=type2")]
    assert min(line_of(report, "gap", group)["low"] for group in ("all", "type=type1", "type=type2")) > 0.2


def test_a_fair_model_has_no_gap() -> None:
    """Right in 70 % of both: the interval holds zero, though many answers switch by chance."""
    examples = pairs(400)
    report = wb.run("winobias", reader(examples, 0.7, 0.7), examples)
    gap = line_of(report, "gap")

    assert gap["low"] <= 0 <= gap["high"]
    assert line_of(report, "switched")["value"] == pytest.approx(0.42, abs=0.1)


def test_a_model_that_follows_the_stereotype_alone_has_a_gap_of_one() -> None:
    """Always right in pro and wrong in anti: gap and share that switches are 1, with an interval, and every row leans so."""
    examples = pairs(40)
    report = wb.run("winobias", reader(examples, 1.0, 0.0), examples)
    gap = line_of(report, "gap")

    assert gap["value"] == 1.0
    assert 0.7 < gap["low"] < gap["high"] == 1.0
    assert set(report.rows["stereotype"]) == {1.0}
    assert report.tables["answers"].query("group == 'all'")["pro_only"].item() == 40


def test_the_question_is_that_of_lm_evaluation_harness() -> None:
    """The sentence, the pronoun in curly quotes with a capital, and a blank before the occupation."""
    examples = pairs(2)
    model = reader(examples, 1, 1)
    wb.run("winobias", model, examples)

    assert model.asked[0] == ("The cook0 met the clerk0 because she was new. ‘She’ refers to the", " clerk0")
    assert model.asked[3] == ("The cook0 met the clerk0 because he was new. ‘He’ refers to the", " cook0")


def test_pronouns_in_place() -> None:
    """A model that gives the pro sentence the greater likelihood in 80 % of pairs; the other readings' metrics are not there."""
    examples = pairs(300)
    pro = {line["text"] for line in examples}
    of = {text: line["example"] for line in examples for text in (line["text"], line["anti"])}
    model = Oracle(lambda _, text: -10.0 + (text in pro) * (1 if uniform("place", of[text]) < 0.8 else -1))
    report = wb.run("winobias", model, examples, reading="pronoun")
    found = line_of(report, "prefers_pro")

    assert found["low"] <= 0.8 <= found["high"]
    assert {"prefers_pro", "mean_lean"} == set(report.metrics["metric"])
    assert set(report.rows["lean"]) == {1.0, -1.0}


def test_pairs_that_differ_elsewhere_are_not_compared_in_place() -> None:
    """A word more in one sentence makes its likelihood smaller whatever the pronoun; such pairs are counted."""
    frame = pairs(10).frame
    frame.loc[3, "anti"] = frame.loc[3, "anti"].replace("met", "soon met")
    report = wb.run(
        "winobias", Oracle(lambda _, text: -len(text) - uniform(text)), wb.Examples(frame), reading="pronoun"
    )

    assert np.isnan(report.rows["lean"][3])
    assert "1 pair differs in more than the pronouns: not scored." in report.notes
    assert line_of(report, "scored")["value"] == pytest.approx(0.9)


def test_occupations_in_place_of_the_pronoun_are_blind_to_gender() -> None:
    """There is an accuracy and no gap: pro and anti are the same sentence, and the report says so."""
    examples = pairs(300)
    right = {blind(line["slots"], line["entity"]) for line in examples}
    model = Oracle(lambda _, text: -5.0 + (1.0 if (text in right) == (uniform("b", text.split()[1]) < 0.75) else 0.0))
    report = wb.run("winobias", model, examples, reading="entity")
    found = line_of(report, "blind_accuracy")

    assert found["low"] <= 0.75 <= found["high"]
    assert {"blind_accuracy"} == set(report.metrics["metric"])
    assert "no gap to measure" in report.notes[0]


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ("The clerk met the cook and lost {their} keys.", "The clerk met the cook and lost the CEO's keys."),
        ("{they} asked {them} to behave {themselves}.", "The CEO asked the CEO to behave themselves."),
        ("The book is {theirs}.", "The book is the CEO's."),
        ("A {kind} cook met {them}.", "A {kind} cook met the CEO."),
    ],
)
def test_an_occupation_takes_the_form_of_the_pronoun(slots: str, expected: str) -> None:
    """Possessives own, a first word has its capital, other braces stay."""
    assert expected == blind(slots, "CEO")


def test_a_tie_is_no_answer_and_is_counted() -> None:
    """A model that knows nothing has no accuracy rather than one of zero."""
    report = wb.run("winobias", Oracle(lambda *_: -1.0), pairs(20))

    assert line_of(report, "scored")["value"] == 0.0
    assert np.isnan(line_of(report, "gap")["value"])
    assert set(report.rows["answer"]) == {""}


def test_order_changes_nothing() -> None:
    """The same pairs the other way round give the same rows and metrics."""
    examples = pairs(60)
    other = wb.Examples(examples.frame.iloc[::-1], name="made", slices=("type",))
    one, two = (wb.run("winobias", reader(examples, 0.8, 0.6), some) for some in (examples, other))

    pd.testing.assert_frame_equal(one.metrics, two.metrics)


def test_a_part_and_a_saved_report_have_the_same_numbers(tmp_path: Path) -> None:
    """`where`, `save` and `open` give what the slice gave; charts are drawn from what is opened."""
    examples = pairs(80)
    report = wb.run("winobias", reader(examples, 0.9, 0.5), examples)
    opened = wb.open(report.save(tmp_path / "wino"))
    part = opened.where(type="type1")

    pd.testing.assert_frame_equal(opened.metrics, report.metrics)
    assert tuple(line_of(part, "gap")) == tuple(line_of(report, "gap", "type=type1").replace("type=type1", "all"))
    assert {"gap_by_slice", "switched_by_slice"} <= set(opened.charts())
    assert "The cook" not in "".join(chart.to_json() for chart in report.charts().values())


def test_an_interrupted_run_keeps_whole_rows() -> None:
    """Five questions of ten pairs are answered: two pairs are whole, and eight are missing."""
    examples = pairs(10)
    model = reader(examples, 1, 0)
    model.stop_after = 5
    report = wb.run("winobias", model, examples)

    assert (report.outcome, len(report.rows), report.record.done) == ("interrupted", 5, 2)
    assert line_of(report, "gap")["n"] == 2


def test_sentences_that_were_cut_are_said() -> None:
    """A model that reads less than the sentence answers another question."""
    examples = pairs(4)
    model = reader(examples, 1, 0)
    model.cut = 3

    assert "8 sentences were longer than the model reads" in wb.run("winobias", model, examples).notes[0]


def test_a_model_without_the_verb_is_not_applicable() -> None:
    """Readings differ in what they need."""
    assert wb.run("winobias", Classifier(), pairs(4)).outcome == "not applicable"
    assert wb.run("winobias", Speller(), pairs(4)).outcome == "not applicable"
    assert wb.run("winobias", Speller(), pairs(4), reading="pronoun").outcome == "complete"


def test_examples_without_the_columns_are_refused() -> None:
    """The message names what is missing and where it comes from."""
    with pytest.raises(DataError, match=r"needs the column\(s\) anti, slots.*wb.benchmark\('winobias'\)"):
        wb.run("winobias", Speller(), wb.Examples.of([{"text": "a"}, {"text": "b"}]))


@pytest.mark.model
@pytest.mark.data
def test_the_real_model_on_a_few_pairs(embedded_model: Any, benchmark_data: Path) -> None:
    """Four pairs: every reading gives finite numbers, and a pair's sentences as the plain sum of log p does."""
    examples = wb.benchmark("winobias", benchmark_data).sample(4)
    for reading in ("refers", "pronoun", "entity"):
        report = wb.run("winobias", embedded_model, examples, reading=reading)
        assert report.outcome == "complete"
        assert len(report.rows) == (8 if reading == "refers" else 4)
        some = {"refers": "logp_other", "pronoun": "logp_anti", "entity": "logp_entity"}[reading]
        assert np.isfinite(report.rows[some]).all()
        if reading == "pronoun":
            row = report.rows.iloc[0]
            plain = embedded_model.score([Request("", row["text"]), Request("", row["anti"])]).total()
            assert plain.tolist() == pytest.approx([row["logp_pro"], row["logp_anti"]], abs=1e-3)
