"""The probe `unlabelled`: its numbers are those of stats on the answers, with the truth beside where there is one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier, Speller

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import Embeddings, ModelInfo
from workbench.stats.unlabelled import Answers, Draws, estimates


def stated(n: int, seed: int, power: float = 1.0, **columns: Any) -> wb.Examples:
    """Return examples whose text is the probability of "yes", and whose label is "yes" with that probability ** power."""
    rng = np.random.default_rng(seed)
    yes = rng.uniform(0.02, 0.98, n).round(6)
    sure = np.maximum(yes, 1 - yes)
    right = rng.random(n) < sure**power
    label = np.where((yes > 0.5) == right, "yes", "no")
    frame = pd.DataFrame(
        {"text": [str(one) for one in yes], "label": label, "example": [f"{seed}-{i}" for i in range(n)]}
    )
    return wb.Examples.of(frame.assign(**columns), text="text", label="label", example="example", name=f"set{seed}")


def value(report: wb.Report, metric: str, group: str = "all") -> pd.Series:
    """Return one line of a report's metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert 1 == len(found), (metric, group)
    return found.iloc[0]


def test_the_numbers_are_those_of_stats() -> None:
    """Every estimate and error equals the function of stats on the answers; the truth is the accuracy."""
    source, target = stated(300, 1), stated(200, 2, power=1.5)
    report = wb.run("unlabelled", Classifier(), target, reference=source, draws=50)
    answers = []
    for each in (source, target):
        yes = each.frame["text"].astype(float).to_numpy()
        answers.append(
            Answers(np.maximum(yes, 1 - yes), ((yes > 0.5) == (each.frame["label"] == "yes").to_numpy()) * 1.0)
        )
    expected = estimates(*answers, draws=Draws(50))

    for name, one in expected.items():
        assert tuple(value(report, name)[["value", "low", "high"]]) == pytest.approx(one.accuracy[:3])
        assert tuple(value(report, f"{name}_error")[["value", "low", "high"]]) == pytest.approx(one.error[:3])
    assert np.mean(answers[1].correct) == pytest.approx(value(report, "accuracy")["value"])
    assert np.mean(answers[0].correct) == pytest.approx(value(report, "reference_accuracy")["value"])
    assert {"atc", "doc", "average_confidence", "cbpe"} == set(expected)
    assert value(report, "average_confidence_error")["low"] > 0  # planted over-confidence


def test_a_target_without_labels_has_estimates_and_no_error() -> None:
    """Its labels are not made up: no accuracy, no error, and rows that are neither right nor wrong."""
    target = stated(100, 2)
    blind = wb.Examples.of(target.frame[["example", "text"]], text="text", example="example")
    report = wb.run("unlabelled", Classifier(), blind, reference=stated(200, 1), draws=20)
    seen = wb.run("unlabelled", Classifier(), target, reference=stated(200, 1), draws=20)

    assert not {"accuracy", "atc_error"} & set(report.metrics["metric"])
    assert value(seen, "atc")["value"] == value(report, "atc")["value"]
    assert report.rows.query("set == 'target'")["correct"].isna().all()
    assert any("The target has no labels" in note for note in report.notes)
    assert {"estimates"} == set(report.charts())


def test_slices_are_estimated_from_the_whole_reference(tmp_path: Any) -> None:
    """Each slice of the target has its estimate and truth; a saved report shows the same."""
    target = stated(200, 2, part=(["a", "b"] * 100))
    report = wb.run("unlabelled", Classifier(), target, reference=stated(200, 1), draws=20, by="part")
    alone = wb.run("unlabelled", Classifier(), target.where(part="a"), reference=stated(200, 1), draws=20)

    assert value(report, "cbpe", "part=a")["value"] == pytest.approx(value(alone, "cbpe")["value"])
    assert {"estimates", "accuracy_by_slice", "atc_by_slice"} <= set(report.charts())
    again = wb.open(report.save(tmp_path / "one"))
    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    assert wb.explore(report).about["fields"][1]["name"] == "set"


def test_a_column_of_weights_is_used() -> None:
    """Reference rows of weight 0 do not count in the weighted accuracy."""
    source = stated(200, 1)
    yes = source.frame["text"].astype(float)
    hit = ((yes > 0.5) == (source.frame["label"] == "yes")).to_numpy(float)
    weights = np.arange(200) % 3
    weighted = source.with_column("weight", weights.tolist())
    report = wb.run("unlabelled", Classifier(), stated(80, 2), reference=weighted, draws=20)
    without = wb.run("unlabelled", Classifier(), stated(80, 2), reference=weighted, draws=20, weights="none")

    assert np.average(hit, weights=weights) == pytest.approx(value(report, "importance_weighted")["value"])
    assert "importance_weighted" not in set(without.metrics["metric"])


class Encoder:
    """Gives a text a vector near its topic's corner; `drift` moves all of them."""

    name = "encoder"
    verbs = frozenset({"embed"})
    model = None
    tokenizer = None
    info = ModelInfo("encoder", "embedder")

    def embed(self, texts: Sequence[str], *, monitor: Any = None) -> Embeddings:
        """Return the vectors."""
        made = [
            2 * np.eye(4)["abc".index(text[0])] + np.random.default_rng(seed_of(text)).normal(size=4) + ("far" in text)
            for text in texts
        ]
        return Embeddings(np.array(made, np.float32), np.ones(len(texts), dtype=bool))


def topics(n: int, name: str) -> wb.Examples:
    """Return n examples of each of three topics."""
    records = [{"text": f"{topic} {name} {i}", "label": topic} for topic in "abc" for i in range(n)]
    return wb.Examples.of(records, text="text", label="label", name=name)


def test_vectors_get_a_head_and_weights() -> None:
    """A head is fitted on `train`; the domain classifier's weights lean to reference rows like the target's."""
    report = wb.run(
        "unlabelled", Encoder(), topics(60, "far"), reference=topics(80, "near"), train=topics(80, "train"), draws=50
    )
    shuffled = wb.Examples.of(topics(80, "train").frame.sample(frac=1, random_state=0), text="text", label="label")
    again = wb.run("unlabelled", Encoder(), topics(60, "far"), reference=topics(80, "near"), train=shuffled, draws=50)
    rows = report.rows.query("set == 'reference'")

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    assert 0.6 < value(report, "reference_accuracy")["value"] < 0.95
    assert 1 == pytest.approx(rows["weight"].mean())
    assert any("reference examples count by them" in note for note in report.notes)
    assert np.isfinite(value(report, "importance_weighted_error")[["value", "low", "high"]].to_numpy(float)).all()


def test_questions_are_asked_alike() -> None:
    """Multiple choice: confidences are those of the answers; a target that is no question is refused."""
    records = [{"text": f"q{i}", "choices": ["x", "y"], "label": i % 2} for i in range(40)]
    questions = wb.Examples.of(records, text="text", choices="choices", label="label")
    report = wb.run("unlabelled", Chooser(0.7), questions, reference=questions, draws=20)

    assert 0.7 == pytest.approx(value(report, "average_confidence")["value"])
    assert 0.5 == value(report, "accuracy")["value"]
    with pytest.raises(DataError, match="Both must be asked alike"):
        wb.run("unlabelled", Chooser(0.7), stated(30, 1), reference=questions)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wb.run("unlabelled", Classifier(), stated(9, 1)), "Name labelled examples with reference="),
        (lambda: wb.run("unlabelled", Classifier(), stated(9, 1), reference=[{"text": "0.5"}]), "has no labels"),
        (lambda: wb.run("unlabelled", Encoder(), topics(3, "x"), reference=topics(3, "y")), "to fit a head on"),
        (
            lambda: wb.run("unlabelled", Encoder(), topics(3, "x"), reference=topics(3, "y"), train=[{"text": "a"}]),
            "no labels",
        ),
        (
            lambda: wb.run("unlabelled", Classifier(), stated(9, 1), reference=stated(9, 2), weights="vector"),
            "Did you mean",
        ),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    """Each fault is one error that says what to do."""
    with pytest.raises((DataError, UsageError), match=message):
        call()


def test_a_model_without_answers_does_not_apply() -> None:
    """A model that only scores text cannot be asked."""
    assert "not applicable" == wb.run("unlabelled", Speller(), stated(9, 1), reference=stated(9, 2)).outcome


def test_texts_of_both_sets_are_noted() -> None:
    """A target that shares texts with the reference says how many: the two are not drawn independently."""
    source = stated(300, 1)
    shared = source.sample(40)

    report = wb.run("unlabelled", Classifier(), shared, reference=source, draws=20)
    apart = wb.run("unlabelled", Classifier(), stated(40, 2), reference=source, draws=20)

    assert any("40 texts stand both in the reference and in the target" in note for note in report.notes)
    assert not any("stand both" in note for note in apart.notes)
