"""The probe `ood`: planted outsiders are found, scores equal the statistics on the same vectors, and what is not known is said."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Speller
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import Classes, Embeddings, ModelInfo
from workbench.probes.ood import PROBE
from workbench.stats import ood, ood_metrics
from workbench.stats.logistic import fit_logistic

TOPICS = ("law", "food", "art")
ALL = PROBE.options["scores"].known


class Encoder:
    """Gives a text a vector: 2.5 along its topic (others share one that is not in the reference), and noise of the text's own."""

    name = "encoder"
    verbs = frozenset({"embed"})
    model = None
    tokenizer = None
    info = ModelInfo("encoder", "embedder")

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.stop_after = stop_after

    def vector(self, text: str) -> np.ndarray:
        """Return the vector of a text (8,)."""
        topic = text.split()[0]
        at = TOPICS.index(topic) if topic in TOPICS else 5
        return 2.5 * np.eye(8)[at] + np.random.default_rng(seed_of(text)).normal(size=8)

    def embed(self, texts: Sequence[str], **options: Any) -> Embeddings:
        """Return the vectors; those after `stop_after` are not reached."""
        done = np.arange(len(texts)) < (len(texts) if self.stop_after is None else self.stop_after)
        made = np.stack([self.vector(text) for text in texts]).astype(np.float32)
        made[~done] = np.nan
        return Embeddings(made, done)


def examples(topics: Sequence[str], n: int, seed: str, **columns: Any) -> wb.Examples:
    """Return n examples of each topic."""
    records = [{"text": f"{topic} {seed} {i}", "label": topic, "half_of": i % 2} for topic in topics for i in range(n)]
    return wb.Examples.of(pd.DataFrame(records).assign(**columns), text="text", label="label", name=seed)


REFERENCE = examples(TOPICS, 60, "train")
MIXED = examples((*TOPICS, "sport"), 40, "new")


def value(report: wb.Report, metric: str, group: str) -> pd.Series:
    """Return one line of a report's metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert 1 == len(found), (metric, group)
    return found.iloc[0]


def test_scores_are_the_statistics_of_the_vectors() -> None:
    """Every score of the probe equals the function of stats on the same vectors, and its AUROC scikit-learn's."""
    report = wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores=ALL, principal=3)
    ordered = REFERENCE.frame.sort_values("example")
    train, new = (Encoder().embed(list(frame["text"])).vectors for frame in (ordered, MIXED.frame))
    labels = ordered["label"].to_numpy()
    head = fit_logistic(train.astype(float), labels)
    logits, normal = head.logits(new), ood.fit_gaussians(train, labels)
    space = ood.fit_residual(train, head.weight, head.bias, principal=3)
    expected = {
        "msp": ood.msp(logits),
        "negative_entropy": ood.negative_entropy(logits),
        "max_logit": ood.max_logit(logits),
        "energy": ood.energy(logits),
        "mahalanobis": normal.mahalanobis(new),
        "relative_mahalanobis": normal.relative(new),
        "marginal_mahalanobis": normal.marginal(new),
        "knn": ood.fit_neighbours(train).distance(new, k=5),
        "cosine": ood.fit_directions(train, labels).cosine(new),
        "vim": space.vim(new, logits),
        "residual": space.residual(new),
    }
    outside = (MIXED.frame["label"] == "sport").to_numpy(float)

    assert list(expected) == list(report.rows["score"].unique())
    for name, values in expected.items():
        rows = report.rows[report.rows["score"] == name]
        np.testing.assert_allclose(rows["value"], values, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(rows["outside"], outside)
        line = value(report, "auroc", f"score={name}")
        assert roc_auc_score(1 - outside, values) == pytest.approx(line["value"], abs=1e-12)
        assert line["low"] < line["value"] < line["high"]
        assert ood_metrics.detection(values, outside).fpr95[:3] == tuple(
            value(report, "fpr95", f"score={name}")[["value", "low", "high"]]
        )
    assert value(report, "auroc", "score=relative_mahalanobis")["value"] > 0.8  # the planted topic is found
    assert value(report, "accuracy", "all")["value"] > 0.9
    assert any("label that the reference 'train' lacks" in note for note in report.notes)


def test_the_threshold_keeps_what_it_says() -> None:
    """At least 95 % of the inside rows are kept, each rank is a share of inside rows, and slices use the same threshold."""
    report = wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores="knn", by="half_of")
    rows = report.rows
    inside = rows[rows["outside"] == 0]

    assert 0.95 <= inside["kept"].mean() < 0.97
    assert (rows["rank"] - rows["value"].map(lambda one: (inside["value"] <= one).mean())).abs().max() < 1e-12
    assert value(report, "let_through", "score=knn")["value"] == value(report, "fpr95", "score=knn")["value"]
    parts = [value(report, "kept", f"score=knn & half_of={half}") for half in (0, 1)]
    assert inside["kept"].mean() == pytest.approx(
        np.average([p["value"] for p in parts], weights=[p["n"] for p in parts])
    )


def test_a_column_says_what_is_outside_and_may_be_blank() -> None:
    """The column is used before labels; blank rows are flagged or not, and count in no rate."""
    flags = (["in", "out", None, 1, False] * 32)[: len(MIXED)]
    report = wb.run(
        "ood", Encoder(), MIXED.with_column("strange", flags), reference=REFERENCE, outside="strange", scores="knn"
    )

    assert 64 + 0 == report.rows["outside"].sum()
    assert 32 == value(report, "flagged", "score=knn")["n"] == report.rows["outside"].isna().sum()
    assert 128 == value(report, "auroc", "score=knn")["n"]


def test_without_a_truth_ranks_come_from_a_part_of_the_reference() -> None:
    """No example is known to be inside: a fifth of the reference is held out of the fit, and no AUROC is claimed."""
    plain = wb.Examples.of(MIXED.frame[["text"]], text="text")
    report = wb.run("ood", Encoder(), plain, reference=REFERENCE, scores="knn")
    strange = report.rows["text"].str.startswith("sport").to_numpy()

    assert {"flagged"} == set(report.metrics["metric"])
    assert report.rows["outside"].isna().all()
    assert report.rows["rank"][strange].mean() < 0.2 < 0.4 < report.rows["rank"][~strange].mean()
    assert any("the 36 examples of train that nothing was fitted on" in note for note in report.notes)
    assert report.chart("flagged") is not None


def test_order_and_company_change_no_score() -> None:
    """The same examples in another order, and half of them, have the same values."""
    whole = wb.run("ood", Encoder(), MIXED, reference=REFERENCE).rows.set_index(["example", "score"])["value"]
    frame = REFERENCE.frame.sample(frac=1, random_state=0)
    other = wb.run("ood", Encoder(), MIXED.sample(50), reference=wb.Examples.of(frame, text="text", label="label"))
    again = other.rows.set_index(["example", "score"])["value"]

    np.testing.assert_allclose(again, whole[again.index], rtol=1e-4, atol=1e-4)


def test_a_logistic_regression_has_all_scores_of_logits() -> None:
    """scikit-learn's decision values are logits: energy and the largest logit are given, and are those of the decision values."""
    from scipy.special import logsumexp
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        REFERENCE.frame["text"], REFERENCE.frame["label"]
    )
    report = wb.run("ood", wb.load(fitted), MIXED, scores=("energy", "max_logit"))
    z = fitted.decision_function(MIXED.frame["text"])
    rows = report.rows.set_index(["score", "example"])["value"]

    np.testing.assert_allclose(rows["energy"][MIXED.frame["example"]], logsumexp(z, axis=1), rtol=1e-9)
    np.testing.assert_allclose(rows["max_logit"][MIXED.frame["example"]], z.max(axis=1), rtol=1e-9)
    assert not any("no logits" in note for note in report.notes)


class Sure(Encoder):
    """A classifier with logits by topic; what it does not know is spread evenly."""

    verbs = frozenset({"classify"})
    info = ModelInfo("sure", "classifier")

    def __init__(self, *, logits: bool = True) -> None:
        super().__init__()
        self.logits = logits

    def classify(self, inputs: Sequence[str], **options: Any) -> Classes:
        """Return probabilities of the three topics, and the logits behind them if asked."""
        z = np.stack([self.vector(text)[:3] for text in inputs])
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return Classes(TOPICS, p, z if self.logits else None, np.ones(len(inputs), dtype=bool))


def test_a_classifier_needs_no_reference() -> None:
    """What has a label that it does not know is outside; without logits energy and the largest logit are left out."""
    report = wb.run("ood", Sure(), MIXED, scores=("msp", "energy", "max_logit"))
    bare = wb.run("ood", Sure(logits=False), MIXED, scores=("msp", "energy", "max_logit"))

    assert ["msp", "max_logit", "energy"] == list(report.rows["score"].unique())
    assert ["msp"] == list(bare.rows["score"].unique())
    assert any("gives probabilities, no logits: max_logit and energy left out" in note for note in bare.notes)
    assert value(report, "auroc", "score=msp")["value"] == pytest.approx(value(bare, "auroc", "score=msp")["value"])
    assert value(report, "auroc", "score=energy")["value"] > 0.8
    known = wb.Examples.of(MIXED.frame[report.rows.query("score == 'msp'")["outside"].to_numpy() == 0], label="label")
    assert any(
        "None of the examples known to be in or out are outside" in one for one in wb.run("ood", Sure(), known).notes
    )


def test_a_language_model_is_asked_for_its_perplexity() -> None:
    """The score is the mean log p of a text's tokens."""
    report = wb.run("ood", Speller(), examples(TOPICS, 2, "some"), outside="half_of")

    assert ["perplexity"] == list(report.rows["score"].unique())
    np.testing.assert_allclose(report.rows["value"], np.log([0.5, 0.2]).mean())


def test_an_interrupted_run_keeps_what_is_done() -> None:
    """Examples that were not reached have no row and are counted; so are all where the reference was not reached."""
    report = wb.run("ood", Encoder(stop_after=200), examples(TOPICS, 80, "new"), reference=REFERENCE, scores="knn")
    none = wb.run("ood", Encoder(stop_after=100), MIXED, reference=REFERENCE, scores="knn")

    assert ("interrupted", 200, 240) == (report.outcome, report.record.done, report.record.total)
    assert 200 == len(report.rows)
    assert ("interrupted", 0, 0) == (none.outcome, none.record.done, len(none.rows))


def test_a_saved_report_shows_the_same(tmp_path: Any) -> None:
    """Metrics, tables and charts come back; the record keeps what the reference was by its hash."""
    report = wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores=("knn", "msp"))
    again = wb.open(report.save(tmp_path / "ood"))

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    assert REFERENCE.hash == again.record.options["reference"]["hash"]
    assert "reference=train" in report.record.command
    assert {"auroc", "fpr95", "roc", "histogram_msp", "histogram_knn"} == set(again.charts())
    assert "FPR95" in report.html()


def test_the_explorer_brushes_scores_and_ranks() -> None:
    """The score is a field beside the rank; selecting examples selects their rows of every score."""
    report = wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores=("knn", "msp"))
    explorer = wb.explore(report)

    assert ["rank", "score"] == [field["name"] for field in explorer.about["fields"][:2]]
    explorer.select(report.rows["example"].head(3))
    assert 6 == len(explorer.selection)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wb.run("ood", Encoder(), MIXED), "gives vectors: name in-distribution examples with reference="),
        (lambda: wb.run("ood", Encoder(), MIXED, reference="fact"), "Did you mean 'facts'"),
        (lambda: wb.run("ood", Encoder(), MIXED, reference=REFERENCE, outside="lable"), "Did you mean 'label'"),
        (
            lambda: wb.run("ood", Encoder(), MIXED, reference=REFERENCE, outside="label"),
            "Row 0 has 'law' in the column 'label'",
        ),
        (lambda: wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores="enrgy"), "Did you mean 'energy'"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    """Each fault is one error that says what to do."""
    with pytest.raises((DataError, UsageError), match=message):
        call()


def test_a_model_that_cannot_be_asked_says_so() -> None:
    """A model that only writes has no score."""
    report = wb.run("ood", type("Writer", (Chooser,), {"verbs": frozenset({"generate"})})(), MIXED)

    assert "not applicable" == report.outcome
    assert "none of the scores" in report.notes[0]


def test_the_first_numbers_are_those_of_each_score() -> None:
    """Every score's AUROC and FPR95 stand above, before any slice, beside the accuracy that has no score."""
    report = wb.run("ood", Encoder(), MIXED, reference=REFERENCE, scores=("msp", "knn"), by=("half_of",))

    said = repr(report)

    assert [line.split("  ")[1] for line in said.splitlines() if line.startswith("  ")] == [
        *("AUROC, score=msp", "AUROC, score=knn", "FPR95, score=msp", "FPR95, score=knn"),
        *("AUPR in, score=msp", "AUPR in, score=knn", "AUPR out, score=msp", "AUPR out, score=knn", "Accuracy"),
    ]


def test_texts_of_the_reference_among_the_examples_are_noted() -> None:
    """A text that the scores were fitted on has itself as its nearest neighbour; the report counts such texts."""
    seen = wb.Examples.of(REFERENCE.frame[["text"]].head(30), text="text")
    report = wb.run("ood", Encoder(), seen, reference=REFERENCE, scores="knn")
    different = len(set(seen.frame["text"]))

    assert any(f"{different} texts stand both in the reference and in the examples" in note for note in report.notes)
