"""The association probe: planted and absent associations, order and batch, slices, and what it refuses."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from fakes import Chooser

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.load import load
from workbench.models.verbs import Embeddings, ModelInfo, Monitor
from workbench.stats.association import weat

WORDS = 8  # a set
SETS = ("targ1", "targ2", "attr1", "attr2")


class Planted:
    """Gives a Gaussian vector for each text, and puts targets and attributes of one side together along one axis.

    A text is "set word sentence"; the vectors of the sentences of a word differ by little.
    """

    name = "planted"
    verbs = frozenset({"embed"})
    model = None
    tokenizer = None
    info = ModelInfo("planted", "embedder")

    def __init__(self, shift: float, *, stop_after: int | None = None, unknown: Sequence[str] = ()) -> None:
        self.shift, self.stop_after, self.unknown = shift, stop_after, set(unknown)
        self.asked: list[dict[str, Any]] = []

    def embed(self, texts: Sequence[str], *, monitor: Monitor | None = None, **options: Any) -> Embeddings:
        """Draw each vector from the text's own seed."""
        self.asked.append(options)
        vectors = np.full((len(texts), 12), np.nan, np.float32)
        done = np.arange(len(texts)) < (len(texts) if self.stop_after is None else self.stop_after)
        for i, text in enumerate(texts):
            if done[i] and text not in self.unknown:
                name, word, *_ = text.split()
                vector = np.random.default_rng(seed_of(name, word)).normal(size=12)
                vector += 0.1 * np.random.default_rng(seed_of(text)).normal(size=12)
                side = {"targ1": self.shift / 2, "targ2": -self.shift / 2, "attr1": 4.0, "attr2": -4.0}[name]
                vector[0] += side
                vectors[i] = vector
        return Embeddings(vectors, done, np.zeros(len(texts), dtype=np.int64))


def examples(*, sentences: int = 1, tests: Sequence[str] = ("one",), words: int = WORDS) -> wb.Examples:
    """Return tests of four sets of words, each in so many sentences."""
    lines = [
        {
            "id": f"{test}-{name}-{word}-{i}",
            "text": f"{name} {test}{word} {i}",
            "test": test,
            "set": name,
            "category": name.upper(),
            "cluster": f"{test}{word}",
        }
        for test in tests
        for name in SETS
        for word in range(words)
        for i in range(sentences)
    ]
    return wb.Examples.of(lines, name="made", slices=("test",))


def value(report: wb.Report, metric: str, group: str = "all", column: str = "value") -> float:
    """Return one number of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return float(found[column].iloc[0])


def test_a_planted_association_lies_in_the_interval() -> None:
    """The effect of many words lies in the interval of eight, and p is below 0.05."""
    truth = value(wb.run("association", Planted(2.0), examples(words=300), draws=20), "effect_size") * np.sqrt(15 / 16)
    report = wb.run("association", Planted(2.0), examples())

    assert report.outcome == "complete"
    assert 1.0 < truth < 1.8
    assert value(report, "effect_size", column="low") < truth < value(report, "effect_size", column="high")
    assert value(report, "p_value") < 0.05
    assert value(report, "effect_size", column="n") == 2 * WORDS


def test_a_fair_model_has_zero_in_its_interval() -> None:
    """Without a shift the interval holds 0 and p is not small."""
    report = wb.run("association", Planted(0.0), examples())

    assert value(report, "effect_size", column="low") < 0 < value(report, "effect_size", column="high")
    assert value(report, "p_value") > 0.05


def test_the_numbers_are_those_of_the_vectors() -> None:
    """Effect size and exact p equal `weat` on the vectors themselves, and s(w) the definition."""
    made, model = examples(), Planted(1.0)
    report = wb.run("association", model, made)
    frame = made.frame
    vectors = {name: model.embed(frame[frame["set"] == name]["text"].tolist()).vectors for name in SETS}
    expected = weat(*(vectors[name] for name in SETS))
    first = vectors["targ1"][0]
    cosine = {
        name: np.mean([first @ v / np.linalg.norm(first) / np.linalg.norm(v) for v in vectors[name]])
        for name in ("attr1", "attr2")
    }

    assert expected.test.exact
    assert value(report, "effect_size") == pytest.approx(expected.effect.value, abs=1e-9)
    assert value(report, "p_value") == expected.test.p
    assert value(report, "p_value_two_sided") == expected.test.p_two_sided
    assert report.rows["association"].iloc[0] == pytest.approx(cosine["attr1"] - cosine["attr2"], abs=1e-6)


def test_sentences_of_a_word_are_no_new_evidence() -> None:
    """Ten sentences of each word: the published p shrinks, that by word does not, and the interval stays as wide."""
    few, many = (wb.run("association", Planted(2.0), examples(sentences=n)) for n in (1, 10))
    width = [value(one, "effect_size", column="high") - value(one, "effect_size", column="low") for one in (few, many)]

    assert "p_value_by_word" not in set(few.metrics["metric"])
    assert value(many, "p_value") < value(few, "p_value") / 5
    assert value(many, "p_value_by_word") == pytest.approx(value(few, "p_value"), abs=0.03)
    assert width[1] == pytest.approx(width[0], rel=0.15)


def test_tests_are_slices_and_holm_counts_them() -> None:
    """Each test has its own numbers, equal to those of a run of it alone; the table corrects for all of them."""
    report = wb.run("association", Planted(1.0), examples(tests=("a", "b", "c")), draws=1000)
    alone = wb.run("association", Planted(1.0), examples(tests=("b",)), draws=1000)
    table = report.tables["tests"]

    for metric in ("effect_size", "p_value", "p_value_two_sided"):
        assert value(report, metric, "test=b") == value(alone, metric)
        assert value(report.where(test="b"), metric) == value(alone, metric)
    assert value(report, "mean_absolute_effect_size") == pytest.approx(table["effect_size"].abs().mean())
    assert table["p_holm"].min() == pytest.approx(min(1, 3 * table["p"].min()))
    assert (table["p_holm"] >= table["p"]).all()
    assert ["TARG1"] * 3 == table["targ1"].tolist()


def test_order_changes_no_number() -> None:
    """The examples in another order give the same metrics."""
    made = examples(sentences=2, tests=("a", "b"))
    turned = wb.Examples.of(made.frame.sample(frac=1, random_state=3), name="made", slices=("test",), example="example")

    pd.testing.assert_frame_equal(
        wb.run("association", Planted(1.0), made, draws=500).metrics,
        wb.run("association", Planted(1.0), turned, draws=500).metrics,
    )


def test_a_part_of_the_targets_keeps_its_attributes() -> None:
    """Brushed targets have the same associations, without the rows of the attributes."""
    report = wb.run("association", Planted(1.0), examples())
    rows = report.rows
    kept = rows[rows["association"].notna() & (rows["cluster"] != "one0")]
    part = report.where(kept)

    assert value(part, "effect_size", column="n") == 2 * (WORDS - 1)
    assert np.isfinite(value(part, "effect_size", column="low"))
    half = report.where(set=["targ1"])
    assert np.isnan(value(half, "effect_size"))
    assert "targets in both sets" in half.metrics["method"].iloc[0]


def test_slices_that_hold_one_side_are_passed_over() -> None:
    """Set and category cut a test in parts, so there is no effect size by them; other columns slice."""
    made = examples(tests=("a", "b"))
    made = made.with_column("list", ["old" if i % 2 else "new" for i in range(len(made))])
    report = wb.run("association", Planted(1.0), made, by=["set", "category", "list"])

    assert {"all", "test=a", "test=b", "list=old", "list=new"} == set(report.metrics["group"])


def test_a_report_is_the_same_after_saving(tmp_path: Path) -> None:
    """Rows with lists come back, and metrics, tables and charts follow from them."""
    report = wb.run("association", Planted(1.0), examples(sentences=2, tests=("a", "b")), draws=200)
    again = wb.open(report.save(tmp_path / "one"))
    again.__dict__.pop("metrics")

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    pd.testing.assert_frame_equal(report.tables["tests"], again.tables["tests"])
    assert {"effect_sizes", "associations"} == set(again.charts())
    assert "targ1" not in str(again.chart("associations").to_dict()["datasets"])  # categories are drawn, texts are not


def test_an_interrupted_run_keeps_whole_tests_only() -> None:
    """Attributes are read first; targets that were not reached are missing, and without attributes there is nothing."""
    made = examples(tests=("a", "b"))
    some = wb.run("association", Planted(1.0, stop_after=4 * WORDS + 5), made)
    none = wb.run("association", Planted(1.0, stop_after=3), made)

    assert ("interrupted", 4 * WORDS + 5) == (some.outcome, len(some.rows))
    assert ("interrupted", 0) == (none.outcome, len(none.rows))


def test_texts_without_a_vector_are_counted() -> None:
    """A target that is not in the vocabulary keeps its row and is counted; an attribute is left out of the mean and said."""
    lost = ["targ1 one0 0", "attr2 one3 0"]
    report = wb.run("association", Planted(1.0, unknown=lost), examples())
    note = next(note for note in report.notes if "no vector" in note)

    assert "2 of 32 texts have no vector" in note
    assert "1 are targets" in note
    assert 2 * WORDS - 1 == value(report, "effect_size", column="n")
    assert value(report, "scored") == pytest.approx(15 / 16)
    assert {WORDS - 1} == {len(row) for row in report.rows["similar_2"] if len(row)}
    assert any("differ in size" in note for note in report.notes)


def test_word_vectors_and_their_missing_words() -> None:
    """A mapping is a model; the pack's words that it lacks are said."""
    pack = wb.pack("associations").where(test="flowers-insects")
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=8) for word in pack.frame["word"]}
    vectors.pop("rose")
    report = wb.run("association", load(vectors, name="mine"), pack, draws=12_870)

    assert "Vectors: the table's own." in report.notes
    assert any("'rose'" in note for note in report.notes)
    assert ("complete", 15) == (report.outcome, int(value(report, "effect_size", column="n")))


def test_options_reach_the_model_and_change_what_is_asked() -> None:
    """Layer, pooling and kind of vectors go to `embed`; only draws can be changed afterwards."""
    model = Planted(1.0)
    report = wb.run("association", model, examples(), layer=3, pooling="last", draws=100)

    assert {"layer": 3, "pooling": "last", "vectors": "hidden"} == model.asked[0]
    assert "Vectors: hidden states of layer 3, pooling last." in report.notes
    assert "100 splits drawn" in report.metrics.query("metric == 'p_value'")["method"].iloc[0]
    assert (
        "all 12,870 splits" in report.with_options(draws=20_000).metrics.query("metric == 'p_value'")["method"].iloc[0]
    )
    with pytest.raises(UsageError, match="Run the probe again"):
        report.with_options(layer=2)
    with pytest.raises(UsageError, match="neither layer nor pooling"):
        wb.run("association", model, examples(), vectors="static", layer=2)


def test_a_model_without_vectors_is_not_applicable() -> None:
    """It is an outcome with its reason."""
    report = wb.run("association", Chooser(), examples())

    assert report.outcome == "not applicable"
    assert "vectors of texts (embed)" in report.notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drop": "set"}, r"needs the column\(s\) set.*wb\.pack\('associations'\)"),
        ({"set": "target"}, r"holds 'target'; it must be one of targ1"),
        ({"without": "attr2"}, r"The test 'one' has no attr2"),
    ],
)
def test_examples_that_do_not_fit_are_refused(change: dict[str, str], message: str) -> None:
    """Each fault is named with what is wanted."""
    frame = examples().frame
    if "drop" in change:
        frame = frame.drop(columns="set")
    elif "set" in change:
        frame.loc[0, "set"] = change["set"]
    else:
        frame = frame[frame["set"] != change["without"]]

    with pytest.raises(DataError, match=message):
        wb.run("association", Planted(1.0), wb.Examples.of(frame, slices=()))


def test_a_tiny_model_runs_on_the_pack_in_any_batch() -> None:
    """Batches of one and of many give the same associations, of hidden and of static vectors."""
    pack = wb.pack("associations").where(test="gender-career")
    for options in ({"layer": 1}, {"vectors": "static"}):
        found = [
            wb.run(
                "association",
                load(tiny.language_model("llama"), tokenizer=tiny.tokenizer(), cache=False, token_budget=budget),
                pack,
                draws=200,
                **options,
            )
            for budget in (1, 2000)
        ]
        one, many = (report.rows["association"].to_numpy(float) for report in found)
        np.testing.assert_allclose(one, many, atol=1e-5)
        assert [report.outcome for report in found] == ["complete", "complete"]


@pytest.mark.data
def test_a_test_of_seat_equals_the_definition_in_plain_python(benchmark_data: Path) -> None:
    """Sentences of the authors' file with drawn vectors: s(w) and d without numpy's help, all sentences weighing alike."""
    made = wb.benchmark("seat", benchmark_data, tests="sent-weat9")
    texts = dict.fromkeys(made.frame["text"])
    vectors = {text: np.random.default_rng(seed_of(text)).normal(size=5).tolist() for text in texts}
    report = wb.run("association", load(vectors), made, draws=100)

    def s(text: str) -> float:
        near = {}
        for name in ("attr1", "attr2"):
            others = [vectors[other] for other in made.frame[made.frame["set"] == name]["text"]]
            one = vectors[text]
            near[name] = statistics.mean(
                sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)
                for other in others
            )
        return near["attr1"] - near["attr2"]

    first, second = ([s(text) for text in made.frame[made.frame["set"] == name]["text"]] for name in ("targ1", "targ2"))
    expected = (statistics.mean(first) - statistics.mean(second)) / statistics.stdev([*first, *second])

    assert value(report, "effect_size") == pytest.approx(expected, abs=1e-6)
    assert (18, 18) == (len(first), len(second))


@pytest.mark.model
def test_the_embedded_model_finds_flowers_pleasant(embedded_model: Any) -> None:
    """SmolLM2's last state of a sentence about a flower lies nearer to pleasant words than that about an insect."""
    pack = wb.pack("associations").where(test="sent-flowers-insects")
    report = wb.run("association", embedded_model, pack, pooling="last")

    assert value(report, "effect_size") == pytest.approx(1.553, abs=0.02)
    assert value(report, "effect_size", column="low") > 0.8
    assert value(report, "p_value_by_word") < 0.01
