"""The sweep probe: planted costs of corruption are found exactly, beside the clean answers, by any inner probe."""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fakes import Speller
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline

import workbench as wb
from workbench.data.corruptions import Corrupted, corruption
from workbench.data.edits import Edit, apply
from workbench.errors import DataError, UsageError
from workbench.frames import halves
from workbench.models.verbs import Classes, ModelInfo, Monitor
from workbench.probes import _sweep_rows
from workbench.stats.intervals import proportion
from workbench.stats.paired import share_difference

N = 40
FEW = {"draws": 20}  # of the null bands, which are none of these tests' business


class Shout:
    """Appends an end to a tenth, two tenths, ... of the texts: at severity s to those whose id has a last digit below s."""

    name = "shout"

    def __init__(self, end: str = "!") -> None:
        self.end = end

    def apply(self, texts: Sequence[str], ids: Sequence[str], *, severity: int = 3, seed: int = 0) -> Corrupted:
        """Change text and edits by the id alone."""
        hit = [int(name[-1]) < severity for name in ids]
        edits = [
            (Edit(len(text), len(text), len(text), len(text) + len(self.end), "", self.end, "shout"),) if one else ()
            for text, one in zip(texts, hit, strict=True)
        ]
        return Corrupted([text + self.end * one for text, one in zip(texts, hit, strict=True)], edits)


class Startled:
    """Says "yes" with 0.8, but "no" with 0.6 to a text with "!"; stops after so many inputs in all."""

    name = "startled"
    verbs = frozenset({"classify"})
    model = None
    tokenizer = None
    info = ModelInfo("startled", "classifier")

    def __init__(self, *, stop: int | None = None) -> None:
        self.stop, self.asked = stop, list[str]()

    def classify(self, inputs: Sequence[str], *, monitor: Monitor | None = None) -> Classes:
        """Classify; inputs beyond the stop are not reached."""
        room = len(inputs) if self.stop is None else max(0, self.stop - len(self.asked))
        done = np.arange(len(inputs)) < room
        self.asked += inputs
        yes = np.array([0.4 if "!" in text else 0.8 for text in inputs])
        return Classes(("no", "yes"), np.where(done[:, None], np.stack([1 - yes, yes], axis=1), np.nan), None, done)


def examples(n: int = N) -> wb.Examples:
    """Return texts with ids e00, e01, ...; every answer is "yes"; two kinds, the odd and the even."""
    lines = [
        {"text": f"text number {i}", "label": "yes", "example": f"e{i:02d}", "kind": f"k{i % 2}"} for i in range(n)
    ]
    return wb.Examples.of(lines, name="made", example="example", slices=("kind",))


def cell(
    report: wb.Report, metric: str, corruption: str = "all", severity: int | None = None, slice_: str = "all"
) -> Any:
    """Return one line of the metrics."""
    m = report.metrics
    mine = m[(m["metric"] == metric) & (m["corruption"] == corruption) & (m["slice"] == slice_)]
    mine = mine[mine["severity"].isna()] if severity is None else mine[mine["severity"] == severity]
    assert 1 == len(mine)
    return mine.iloc[0]


@cache
def all_severities() -> pd.DataFrame:
    """Return the rows of all examples with typing errors at every severity."""
    return wb.run("sweep", Startled(), examples()).rows


@pytest.fixture(scope="module")
def report() -> wb.Report:
    """Return a sweep of the planted model."""
    return wb.run("sweep", Startled(), examples(), corruptions=Shout(), inner_options=FEW)


def test_a_planted_cost_is_found_at_each_severity(report: wb.Report) -> None:
    """A tenth more of the answers flip with each severity: accuracy, change, flips and confidence are exact, with their n."""
    assert (1.0, N) == (cell(report, "accuracy", "clean", 0)["value"], cell(report, "accuracy", "clean", 0)["n"])
    for severity in range(1, 6):
        share = severity / 10
        found = {name: cell(report, name, "shout", severity) for name in ("accuracy", "accuracy_change", "flip_rate")}
        assert 1 - share == pytest.approx(found["accuracy"]["value"])
        assert -share == pytest.approx(found["accuracy_change"]["value"])
        assert share == pytest.approx(found["flip_rate"]["value"])
        assert -0.2 * share == pytest.approx(cell(report, "confidence_change", "shout", severity)["value"])
        assert share == cell(report, "text_changed", "shout", severity)["value"]
        assert all(line["low"] < line["value"] < line["high"] and line["n"] == N for line in found.values())
    assert 0.3 == pytest.approx(cell(report, "flip_rate")["value"])
    assert 5 * N == cell(report, "flip_rate")["n"]


def test_paired_numbers_are_those_of_the_statistics(report: wb.Report) -> None:
    """The change is the paired difference of the same examples; over several severities an example is one cluster."""
    rows = report.rows
    third = rows[rows["severity"] == 3]
    own = share_difference(third["correct"], third["clean_correct"])
    copies = rows[rows["severity"] > 0]
    pooled = proportion(copies["flipped"], clusters=copies["example"].to_numpy())

    assert own == tuple(cell(report, "accuracy_change", "shout", 3)[["value", "low", "high", "n", "method"]])
    assert pooled == tuple(cell(report, "flip_rate")[["value", "low", "high", "n", "method"]])
    assert f"{N} clusters" in pooled.method


def test_the_clean_copy_stands_first(report: wb.Report) -> None:
    """In text and notebook each metric of the clean copy stands before that of all corrupted ones; pooled numbers name neither."""
    lines = [line.split("  ")[1] for line in repr(report).splitlines() if line.startswith("  ")]

    assert ["Accuracy, clean", "Accuracy, all corrupted copies", "Accuracy change, all corrupted copies"] == lines[:3]
    shown = report._repr_html_()
    assert 0 < shown.index("Accuracy, clean") < shown.index("Accuracy, all corrupted copies")
    assert "Mean confidence, clean" in report.html()
    assert "Accuracy, all" not in repr(report.with_options(detail="pooled"))


def test_slices_are_crossed_with_copies(report: wb.Report) -> None:
    """Digits 0, 2, 4 are even: of kind k0 at severity 3 two of five texts change; groups have the name of the cell."""
    line = cell(report, "flip_rate", "shout", 3, "kind=k0")

    assert 2 / 5 == pytest.approx(line["value"])
    assert "kind & corruption=k0 & shout:3" == line["group"]
    assert {"all", "kind=k0", "kind=k1"} == set(report.metrics["slice"])
    assert report.metrics["group"].eq("all").any()
    assert not report.metrics.duplicated(["metric", "group"]).any()
    pooled = report.with_options(detail="pooled")
    full = report.with_options(detail="full", by=["kind"])
    assert {"all"} == set(pooled.metrics["corruption"])
    assert {"ece", "auroc"} <= set(
        full.metrics.loc[full.metrics["group"] == "kind & corruption=k0 & shout:3", "metric"]
    )


def test_a_copy_has_the_numbers_of_its_own_report() -> None:
    """The second source: calibration on examples that were corrupted by hand gives each cell of the sweep, to the last digit."""
    data, chosen = examples(), corruption("keyboard")
    model = Startled()
    report = wb.run("sweep", model, data, corruptions="keyboard", severities=5, inner_options={"bins": 7})
    made = chosen.apply(data.frame["text"].tolist(), data.frame["example"].tolist(), severity=5)
    by_hand = wb.run("calibration", model, data.with_column("text", made.texts), bins=7, by=()).metrics
    mine = report.metrics[(report.metrics["corruption"] == "keyboard") & (report.metrics["slice"] == "all")]
    both = by_hand.merge(mine, on="metric", suffixes=("", "_swept"))

    assert len(by_hand) == len(both)
    pd.testing.assert_series_equal(both["value"], both["value_swept"], check_names=False)
    pd.testing.assert_series_equal(both["high"], both["high_swept"], check_names=False)


def test_unchanged_texts_keep_their_answer_and_are_not_asked_again(report: wb.Report) -> None:
    """40 clean texts and 4 + 8 + 12 + 16 + 20 changed ones are asked; the note counts the rest; severity 0 asks the clean ones."""
    model, clean = Startled(), Startled()
    wb.run("sweep", model, examples(), corruptions=[Shout()])
    only = wb.run("sweep", clean, examples(), severities=0)

    assert N + 60 == len(model.asked)
    assert any("140 of 200 corrupted texts are unchanged" in note for note in report.notes)
    assert (N, N) == (len(clean.asked), len(only.rows))
    assert {"clean"} == set(only.rows["corruption"])
    assert 1.0 == cell(only, "accuracy")["value"]
    assert "flip_rate" not in set(only.metrics["metric"])


def test_the_edits_rebuild_every_text() -> None:
    """Of two corruptions and their composition: the table of edits, applied to the clean text, gives the text that was asked."""
    report = wb.run("sweep", Startled(), examples(), corruptions="keyboard, swap,keyboard|swap", severities=(3, 5))
    edits = report.tables["edits"]
    rows = report.rows.set_index(["example", "variant"])
    for key, some in edits.groupby(["example", "variant"], sort=False):
        listed = [Edit(*line) for line in some[[*Edit._fields]].itertuples(index=False)]
        assert rows.loc[key, "text"] == apply(rows.loc[key, "before"], listed)
        assert rows.loc[key, "edit_count"] == len(listed)

    assert len(edits) > 100
    assert ["keyboard:3", "keyboard:5", "swap:3", "swap:5", "keyboard|swap:3", "keyboard|swap:5"] == list(
        dict.fromkeys(report.rows["variant"])
    )[1:]
    by_hand = examples().corrupt("swap", severity=3).frame.set_index("example")["text"]
    swapped = report.rows[report.rows["variant"] == "swap:3"].set_index("example")["text"]
    assert by_hand.to_dict() == swapped.to_dict()
    changed = report.rows[report.rows["edit_count"] > 0]
    assert changed["change"].str.contains("→").all()


@settings(max_examples=6)
@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=N, unique=True), st.integers(1, 5))
def test_subset_and_order_never_change_an_edit(places: list[int], severity: int) -> None:
    """Any examples in any order have the texts, edits and answers that they have among all."""
    whole = all_severities().set_index(["example", "variant"])
    frame = examples().frame.iloc[places]
    part = wb.run("sweep", Startled(), wb.Examples.of(frame, example="example"), severities=severity).rows
    part = part.set_index(["example", "variant"])

    columns = ["text", "edits", "predicted", "confidence", "flipped"]
    pd.testing.assert_frame_equal(part[columns], whole.loc[part.index, columns])


def test_choices_and_labels_are_never_corrupted() -> None:
    """A multiple-choice model sees corrupted questions before the very choices; a second column has bits of its own."""
    lines = [
        {"text": f"Which of these is the word number {i}?", "choices": ["alpha", "omega"], "label": i % 2}
        for i in range(12)
    ]
    model = Oracle(lambda context, answer: -len(context) - len(answer))
    wb.run("sweep", model, wb.Examples.of(lines), severities=(5,))
    pairs = wb.Examples.of([{"text": "some words in here", "other": "some words in here", "label": "a"}], text="text")
    seen: list[Any] = []

    def judge(texts: list[str]) -> list[list[float]]:
        seen.extend(texts)
        return [[0.3, 0.7]] * len(texts)

    both = wb.run("sweep", wb.load(judge, labels=["a", "b"]), pairs, severities=5, columns="text,other")
    edits = both.tables["edits"]

    assert {"alpha", "omega"} == {request.continuation.strip() for request in model.asked}
    assert len({request.context for request in model.asked}) > 12
    assert {"text", "other"} == set(edits["column"])
    halves = [edits[edits["column"] == name][["start", "new"]].to_numpy().tolist() for name in ("text", "other")]
    assert halves[0] != halves[1]


def test_another_probe_sweeps_with_its_own_columns_and_options() -> None:
    """The swap probe has variants and columns of our names (change, flipped): they come back, and its metrics are its own."""
    lines = [
        {"text": f"A Christian man met me {place}", "example": f"s{i}"}
        for i, place in enumerate(("here", "there", "twice"))
    ]
    data = wb.Examples.of(lines, example="example")
    model = wb.load(
        lambda texts: [[0.1 + 0.1 * ("Muslim" in t), 0.9 - 0.1 * ("Muslim" in t)] for t in texts],
        labels=["bad", "good"],
    )
    inner = {"axes": "religion", "positive": "bad", "most": 2}
    plain = wb.run("swap", model, data, **inner)
    report = wb.run("sweep", model, data, inner="swap", inner_options=inner, corruptions="swap", severities=(1,))
    clean = report.rows[report.rows["corruption"] == "clean"]
    mine = _sweep_rows.inner_rows(clean)

    pd.testing.assert_frame_equal(mine[plain.rows.columns].reset_index(drop=True), plain.rows)
    theirs = plain.metrics.query("group == 'all' and metric == 'ctf_gap'")["value"].item()
    assert theirs == pytest.approx(cell(report, "ctf_gap", "clean", 0)["value"])


def test_embeddings_are_compared_with_the_clean_ones() -> None:
    """A model that has vectors alone: [3, 4] beside [3, 0], the mean with the word that was put there, has a cosine of 0.6."""
    data = wb.Examples.of([{"text": f"word{i}", "example": f"e{i}"} for i in range(10)], example="example")
    words = {**{f"word{i}": [3.0, 4.0] for i in range(10)}, "odd": [3.0, -4.0]}
    report = wb.run("sweep", wb.load(words), data, corruptions=Shout(" odd"), severities=2)
    second = report.rows[report.rows["severity"] == 2].set_index("example")["similarity"]

    assert [0.6, 0.6, 1.0] == pytest.approx(second[["e0", "e1", "e9"]].tolist())
    assert 1.0 == cell(report, "similarity", "clean", 0)["value"]
    assert (2 * 0.6 + 8) / 10 == pytest.approx(cell(report, "similarity", "shout", 2)["value"])
    assert "vector" not in report.rows
    assert "similarity_by_severity" in report.charts()


def test_a_text_classifier_of_scikit_learn_sweeps() -> None:
    """A fitted pipeline through `wb.load`: typing errors take its words away, and accuracy falls with severity."""
    rng = np.random.default_rng(0)
    words = {
        "good": ["lovely", "splendid", "wonderful", "delightful"],
        "bad": ["horrible", "dreadful", "terrible", "miserable"],
    }
    lines = [
        {"text": " ".join(rng.choice(words[label], 3)), "label": label} for label in ("good", "bad") for _ in range(60)
    ]
    data = wb.Examples.of([{**line, "example": f"r{i}"} for i, line in enumerate(lines)], example="example")
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        [line["text"] for line in lines], [line["label"] for line in lines]
    )
    report = wb.run("sweep", fitted, data, severities=(1, 3, 5), by=(), inner_options=FEW)

    values = [cell(report, "accuracy", "keyboard", severity)["value"] for severity in (1, 3, 5)]
    assert 1.0 == cell(report, "accuracy", "clean", 0)["value"]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.9


def test_tokens_are_not_paired() -> None:
    """Next tokens of two texts do not belong together: metrics of each copy, no change and no flip."""
    data = wb.Examples.of([{"text": "some words in here", "example": "a0"}], example="example")
    report = wb.run("sweep", Speller(), data, corruptions=Shout(), severities=1)

    assert report.rows["flipped"].isna().all()
    assert {"accuracy", "mean_confidence"} <= set(report.metrics["metric"])
    assert not {"accuracy_change", "flip_rate", "confidence_change"} & set(report.metrics["metric"])


@pytest.mark.parametrize(("stop", "copies"), [(0, 0), (25, 1), (N + 4, 3), (N + 6, 3)])
def test_what_was_done_before_a_stop_is_kept(stop: int, copies: int) -> None:
    """Within the clean copy, between two copies and within one: rows of all that was reached, and nothing is asked after."""
    model = Startled(stop=stop)
    report = wb.run("sweep", model, examples(), corruptions=Shout(), inner_options=FEW, detail="pooled")
    asked = {0: N, 25: N, N + 4: N + 4 + 8, N + 6: N + 4 + 8}[stop]

    assert "interrupted" == report.outcome
    assert asked == len(model.asked)
    assert copies == report.rows["variant"].nunique()
    assert any("stopped" in note for note in report.notes)
    if stop == N + 6:
        assert 2 == (report.rows.query("severity == 2")["edit_count"] > 0).sum()
        assert any("Of the copy shout:2 34 of 40 examples are done" in note for note in report.notes)
    assert bool(stop) == bool(len(report.metrics))


@pytest.mark.parametrize("detail", ["copies", "full", "pooled"])
def test_values_alone_and_numbers_of_rows_are_the_metrics(report: wb.Report, detail: str) -> None:
    """`values` has every number of `summarise` but what has a null band; `per_row` the means over all copies."""
    options = {**report.options, "detail": detail}
    some = np.random.default_rng(0).random(len(report.rows)) < 0.7
    for rows in (report.rows, report.rows[some].reset_index(drop=True), report.rows.query("severity == 0")):
        table = report._probe.summarise(rows, options, by=("kind",), seed=0)
        told = report._probe.values(rows, options, by=("kind",))
        known = table[~table["method"].str.startswith("null band")]
        lines = known[["metric", "group", "value"]].itertuples(index=False, name=None)
        expected = {(metric, group): value for metric, group, value in lines}

        assert {key: told[key] for key in expected} == pytest.approx(expected, abs=1e-12, nan_ok=True)
        whole = table[table["group"] == "all"].set_index("metric")["value"]
        numbers = report._probe.per_row(rows, options)
        assert {"accuracy", "flip_rate", "mean_confidence", "nll"} <= set(numbers)
        for name in set(numbers) & set(whole.index):
            assert np.nanmean(numbers[name]) == pytest.approx(whole[name], abs=1e-12, nan_ok=True)


def test_a_saved_sweep_opens_with_the_same_numbers(report: wb.Report, tmp_path: Path) -> None:
    """Rows, record and metrics survive the file; a part of it has metrics of its own."""
    opened = wb.open(report.save(tmp_path / "sweep"))
    fresh = opened.with_options(detail="pooled")

    pd.testing.assert_frame_equal(report.metrics, opened.metrics)
    assert cell(report, "accuracy")["value"] == cell(fresh, "accuracy")["value"]
    assert 0.4 == pytest.approx(cell(opened.where(severity=4), "flip_rate")["value"])
    assert 1.0 == cell(opened.where(kind="k0").where(severity=0), "accuracy")["value"]
    assert "shout:3" in set(opened.rows["variant"])


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"corruptions": "keybord"}, UsageError, "Unknown corruption 'keybord'. Did you mean 'keyboard'?"),
        ({"corruptions": "swap,swap"}, UsageError, "The corruption 'swap' is there twice"),
        ({"corruptions": 3}, UsageError, "corruptions takes names or corruptions"),
        ({"severities": 6}, UsageError, "severities are whole numbers from 0 (clean) to 5; found 6"),
        ({"severities": "3"}, UsageError, "found '3'"),
        ({"severities": ()}, UsageError, "severities is empty"),
        ({"inner": "calibratoin"}, UsageError, "Did you mean 'calibration'?"),
        ({"inner": "sweep"}, UsageError, "A sweep cannot sweep itself"),
        ({"inner_options": {"bin": 3}}, UsageError, "Unknown option of calibration 'bin'. Did you mean 'bins'?"),
        ({"inner_options": 3}, UsageError, "inner_options must map names to values"),
        ({"columns": "label"}, UsageError, "The column 'label' is what an answer is held against"),
        ({"columns": "txet"}, UsageError, "Did you mean 'text'?"),
        ({"columns": "size"}, DataError, "The column 'size' holds 1, which is no text"),
    ],
)
def test_what_cannot_be_swept_is_said(options: dict[str, Any], kind: type[Exception], said: str) -> None:
    """One clear sentence, before the model is asked."""
    model = Startled()
    data = examples().with_column("size", [1] * N)
    with pytest.raises(kind) as caught:
        wb.run("sweep", model, data, **options)

    assert said in str(caught.value)
    assert [] == model.asked


def test_features_and_taken_names_are_refused() -> None:
    """Rows of features are no text, an outcome; a slice with a name of ours is an error."""
    table = wb.Examples.of([{"size": 1.0, "label": "yes"}, {"size": 2.0, "label": "no"}], label="label")
    taken = examples().with_column("severity", ["a", "b"] * (N // 2))

    assert "not applicable" == wb.run("sweep", Startled(), table).outcome
    with pytest.raises(DataError, match="'severity' cannot be a slice"):
        wb.run("sweep", Startled(), taken)


@pytest.fixture(scope="module")
def digits() -> tuple[Any, wb.Examples]:
    """Return a classifier of half of scikit-learn's digits, enlarged to 32 pixels, and 300 of the other half."""
    found = load_digits()
    images = [np.kron(np.rint(image * 255 / 16), np.ones((4, 4))).astype(np.uint8) for image in found.images]
    rows = np.stack([image.reshape(-1) for image in images])
    fitted = RidgeClassifier(alpha=100.0).fit(rows[:900].astype(float), found.target[:900])
    table = {"image": images[900:1200], "label": found.target[900:1200], "id": [f"d{i:03d}" for i in range(300)]}
    return fitted, wb.Examples.of(table, name="digits", label="label", example="id")


def test_accuracy_on_digits_falls_with_noise(digits: tuple[Any, wb.Examples]) -> None:
    """A scikit-learn classifier of pixels under CIFAR-10-C's noise: accuracy falls with each severity, to below 0.6."""
    model, data = digits
    report = wb.run("sweep", model, data, inner_options=FEW)  # gaussian-noise is the default of images
    accuracy = [cell(report, "accuracy", "clean", 0)["value"]]
    accuracy += [cell(report, "accuracy", "gaussian-noise", severity)["value"] for severity in range(1, 6)]

    assert 0.9 < accuracy[0]
    assert accuracy == sorted(accuracy, reverse=True)
    assert 0.6 > accuracy[-1]
    assert cell(report, "accuracy_change", "gaussian-noise", 5)["high"] < 0
    assert {"image 32 × 32"} == set(report.rows["before"])
    assert not len(report.tables["edits"])


def test_rows_of_images_have_small_pictures(
    digits: tuple[Any, wb.Examples], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each row has the PNG of the very array that was asked, and the clean one; no more than there is room for."""
    from PIL import Image

    fitted, data = digits
    some = data.where(data.frame["example"].tolist()[:6])
    report = wb.run("sweep", wb.load(fitted), some, severities=(4,), inner_options=FEW)
    report.save(tmp_path / "a")
    rows = wb.open(tmp_path / "a").rows.set_index(["severity", "example"])
    noisy = some.corrupt("gaussian-noise", severity=4).frame.set_index("example")["image"]
    clean = some.frame.set_index("example")["image"]
    for name in clean.index:
        seen = [np.asarray(Image.open(io.BytesIO(rows.loc[(4, name), at]))) for at in ("picture", "clean_picture")]
        np.testing.assert_array_equal(seen[0], noisy[name].squeeze())
        np.testing.assert_array_equal(seen[1], clean[name].squeeze())
        assert rows.loc[(0, name), "picture"] == rows.loc[(4, name), "clean_picture"]

    assert ["picture", "clean_picture"] == [name for name, _, kind in report.view.columns if kind == "image"]
    monkeypatch.setattr(_sweep_rows, "ROOM", 4 * len(report.rows["picture"][0]) * 2)
    tight = wb.run("sweep", wb.load(fitted), some, severities=(4,), inner_options=FEW)
    held = tight.rows["picture"].dropna()
    assert 0 < len(held) < len(tight.rows)
    assert held.map(len).sum() <= _sweep_rows.ROOM
    assert any("rows have no picture" in note for note in tight.notes)
    assert "PNG" not in report.html()


def test_torch_and_callables_see_the_same_corrupted_images(digits: tuple[Any, wb.Examples]) -> None:
    """A torch module with a transform and a function of a list of arrays give the answers of the classifier they are made of."""
    model, data = digits
    some = data.where(data.frame["example"].tolist()[:20])
    linear = torch.nn.Linear(1024, 10, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(model.coef_))
        linear.bias.copy_(torch.tensor(model.intercept_))
    module = wb.load(
        linear,
        labels=[str(i) for i in range(10)],
        transform=lambda images: torch.tensor(np.stack(images).reshape(len(images), -1).astype(np.float64)),
    )
    function = wb.load(
        lambda images: softmax(model.decision_function(np.stack(images).reshape(len(images), -1)), axis=1),
        labels=[str(i) for i in range(10)],
    )
    given = {"corruptions": "contrast,rotation", "severities": 4}
    first, *others = (wb.run("sweep", one, some, **given).rows for one in (model, module, function))

    for other in others:
        assert first["predicted"].tolist() == other["predicted"].tolist()
        np.testing.assert_allclose(
            first["confidence"], other["confidence"], atol=1e-6
        )  # logits of a module pass through float32
    assert {"", "contrast:4", "rotation:4"} == set(first["variant"])


def test_named_functions_keep_images_apart() -> None:
    """Two large arrays that print alike are two inputs to the cache."""
    one, two = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    two[32, 32] = 255
    model = wb.load(
        lambda images: [[i.max() / 255, 1 - i.max() / 255] for i in images], labels=["a", "b"], name="brightest"
    )

    assert [[0.0, 1.0], [1.0, 0.0]] == model.classify([one, two]).probabilities.tolist()
    assert [[1.0, 0.0]] == model.classify([two]).probabilities.tolist()


def test_texts_and_images_have_corruptions_of_their_own(digits: tuple[Any, wb.Examples]) -> None:
    """A text's corruption of images, columns beside the image, and images of several sizes are said."""
    model, data = digits
    with pytest.raises(UsageError, match="Unknown image corruption 'keyboard'"):
        wb.run("sweep", model, data, corruptions="keyboard")
    with pytest.raises(UsageError, match="The images of the column 'image' are corrupted"):
        wb.run("sweep", model, data, columns="text")
    mixed = wb.Examples.of(
        {"image": [np.zeros((8, 8), np.uint8), np.zeros((9, 9), np.uint8)], "label": ["1", "2"]}, label="label"
    )
    with pytest.raises(DataError, match=r"images of one shape: input 1 has the shape \(9, 9\)"):
        wb.run("sweep", model, mixed)


def test_estimates_without_labels_stand_beside_the_truth() -> None:
    """Half of the examples are the labelled source, the others the target: DoC is right where confidence falls as accuracy does."""
    lines = [{"text": f"text {i}", "label": "yes" if i % 5 else "no", "id": f"e{i:03d}"} for i in range(400)]
    clean = {f"text {i}": (0.55 + 0.4 * ((7 * i) % 400) / 400, bool(i % 5)) for i in range(400)}

    def judge(texts: list[str]) -> list[list[float]]:
        yes = [0.55 + 0.5 * (clean[text.rstrip("!")][0] - 0.55) if "!" in text else clean[text][0] for text in texts]
        return [[1 - one, one] for one in yes]

    data = wb.Examples.of(lines, example="id")
    report = wb.run(
        "sweep", wb.load(judge, labels=["no", "yes"]), data, corruptions=Shout(), severities=5, inner_options=FEW
    )
    table = report.tables["estimates"].set_index(["severity", "estimate"])
    half = np.array(halves(report.rows["cluster"].tolist(), 0.5, 0))
    source = report.rows[(half == "explore") & (report.rows["severity"] == 0)]
    target = report.rows[(half == "confirm") & (report.rows["severity"] == 5)]
    doc = source["correct"].mean() - source["confidence"].mean() + target["confidence"].mean()

    assert {"atc", "doc", "average_confidence", "cbpe"} == set(report.tables["estimates"]["estimate"])
    assert doc == pytest.approx(table.loc[(5, "doc"), "value"])
    assert target["correct"].mean() == table.loc[(5, "doc"), "accuracy"]
    assert (table["low"] <= table["value"]).all()
    assert table["error"].to_numpy() == pytest.approx((table["value"] - table["accuracy"]).to_numpy())
    assert not set(source["example"]) & set(target["example"])
    assert "estimates_shout" in report.charts()
    assert "estimates" not in report.where(example=source["example"].tolist()[:15]).tables
