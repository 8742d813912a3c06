"""The swap probe: a planted effect of one term is found, a fair model has none, and every row shows its change."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Speller
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

import workbench as wb
from workbench.data.swaps import Edit, apply, revert
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import Classes, ModelInfo, Monitor
from workbench.probes import _swap_metrics

VERBS = ("met", "saw", "helped", "paid", "called", "liked", "taught", "drove", "heard", "thanked")
PLACES = ("at home", "in town", "last week", "twice")
FAITH = ("Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Sikh", "atheist")


def base(text: str, *, wobble: float = 0.0) -> float:
    """Return a score of the sentence without its terms, and a little noise of the whole text."""
    bare = " ".join(word for word in re.findall(r"\w+", text.lower()) if word in {*VERBS, *" ".join(PLACES).split()})
    return 0.2 + 0.5 * (seed_of("base", bare) % 1000) / 1000 + wobble * ((seed_of("noise", text) % 1000) / 1000 - 0.5)


class Planted:
    """Adds `effect` to the probability of "yes" where the text has the word `term`."""

    name = "planted"
    verbs = frozenset({"classify"})
    model = None
    tokenizer = None
    info = ModelInfo("planted", "classifier")

    def __init__(
        self, term: str = "Muslim", effect: float = 0.2, *, wobble: float = 0.02, stop: int | None = None
    ) -> None:
        self.term, self.effect, self.wobble, self.stop = term, effect, wobble, stop
        self.asked: list[str] = []

    def classify(self, inputs: Sequence[str], *, monitor: Monitor | None = None) -> Classes:
        """Score the texts; those after `stop` are not reached."""
        self.asked = list(inputs)
        planted = [self.effect * bool(re.search(rf"\b{self.term}\b", text)) for text in inputs]
        yes = np.array([base(text, wobble=self.wobble) for text in inputs]) + planted
        done = np.arange(len(inputs)) < (len(inputs) if self.stop is None else self.stop)
        table = np.where(done[:, None], np.stack([1 - yes, yes], axis=1), np.nan)
        return Classes(("no", "yes"), table, None, done)


def sentences(term: str = "Christian", **more: Any) -> wb.Examples:
    """Return forty sentences with one term, ten clusters of four, labels by the score without terms."""
    lines = [
        {"text": f"A {term} man {verb} me {place}.", "cluster": verb, "kind": place, **more}
        for verb in VERBS
        for place in PLACES
    ]
    for line in lines:
        line["label"] = "yes" if base(line["text"]) > 0.45 else "no"
    return wb.Examples.of(lines, name="made", text="text", label="label", cluster="cluster", slices=("kind",))


def line(report: wb.Report, metric: str, group: str = "all") -> pd.Series:
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert 1 == len(found)
    return found.iloc[0]


def test_a_planted_effect_lies_in_the_interval() -> None:
    """0.2 for "Muslim": its signed gap holds 0.2, every other term's holds 0, and it alone survives Holm."""
    report = wb.run("swap", Planted(), sentences(), axes="religion")
    gap = line(report, "signed_gap", "term=religion: Muslim")
    terms = report.tables["terms"]

    assert gap["low"] <= 0.2 <= gap["high"]
    assert gap["high"] - gap["low"] < 0.02
    assert (40, 10) == (gap["n"], report.rows["cluster"].nunique())
    assert all(
        line(report, "signed_gap", f"term=religion: {other}")["low"] <= 0.001 for other in FAITH[2:]
    )  # seven intervals of 95 %: held to zero within 0.001
    assert "religion: Muslim" == terms["term"][0]
    assert 7 - 1 == len(terms)
    assert terms["p_holm"][0] < 0.02
    assert (terms["p_holm"][1:] > 0.05).all()


def test_the_gaps_are_those_of_their_definitions() -> None:
    """Exact scores: one of six variants moves by 0.2, so that Garg et al.'s gap is 0.2/6, and so is that of the mean."""
    report = wb.run("swap", Planted(wobble=0.0), sentences(), axes="religion")
    terms = report.tables["terms"].set_index("term")

    assert 0.2 / 6 == pytest.approx(line(report, "ctf_gap")["value"])
    assert 0.2 / 6 == pytest.approx(line(report, "ctf_gap_of_mean")["value"])
    assert 0.2 / 6 == pytest.approx(line(report, "signed_gap")["value"])
    assert 0.2 == pytest.approx(terms.loc["religion: Muslim", "term_effect"])
    assert -0.2 / 6 == pytest.approx(terms.loc["religion: Sikh", "term_effect"])


def test_gaps_of_both_signs_cancel_in_the_mean_only() -> None:
    """One variant 0.3 up and another 0.3 down: 0.3 by Garg et al.'s definition, 0 of the mean."""
    model = wb.load(
        lambda texts: [[0.5 - d, 0.5 + d] for d in (0.3 * ("tall" in t) - 0.3 * ("wide" in t) for t in texts)],
        labels=["no", "yes"],
    )
    examples = wb.Examples.of([{"text": f"a red thing number {i}"} for i in range(4)])
    report = wb.run("swap", model, examples, terms={"look": ["red", "tall", "wide"]})

    assert 0.3 == pytest.approx(line(report, "ctf_gap")["value"])
    assert 0.0 == pytest.approx(line(report, "ctf_gap_of_mean")["value"])
    assert 0.0 == pytest.approx(line(report, "signed_gap")["value"])


def test_a_fair_model_has_no_gap() -> None:
    """Without an effect all intervals hold zero; without noise the gap is zero and says that no spread is seen."""
    noisy = wb.run("swap", Planted(effect=0.0), sentences(), axes=["religion", "gender"])
    gap = line(noisy, "signed_gap")
    still = line(wb.run("swap", Planted(effect=0.0, wobble=0.0), sentences(), axes="religion"), "ctf_gap")

    assert gap["low"] <= 0 <= gap["high"]
    assert (noisy.tables["terms"]["p_holm"] > 0.05).all()
    assert 0.0 == still["value"]
    assert "all values are equal" in still["method"]


def test_flips_are_counted_per_term() -> None:
    """0.9 for one term turns every "no" into a "yes", and the others flip nothing."""
    report = wb.run("swap", Planted(effect=0.9, wobble=0.0), sentences(), axes="religion")
    turned = np.mean([base(text) < 0.5 for text in sentences().frame["text"]])

    assert turned == pytest.approx(line(report, "flip_rate", "term=religion: Muslim")["value"])
    assert 0.0 == line(report, "flip_rate", "term=religion: Sikh")["value"]
    assert turned / 6 == pytest.approx(line(report, "flip_rate")["value"])


def test_every_variant_shows_its_change_and_its_edits() -> None:
    """`change` marks the words, and the table `edits` leads from the original to the variant and back."""
    report = wb.run("swap", Planted(), sentences("atheist"), axes="religion")
    original = report.rows.query("variant == ''").set_index("example")["text"]
    one = report.rows.query("term == 'religion: Muslim'").iloc[0]
    edits = report.tables["edits"].query("example == @one.example and variant == @one.variant")
    kept = [Edit(*values) for values in edits.drop(columns=["example", "variant"]).itertuples(index=False)]

    assert "A ‹atheist → Muslim› man met me at home." == one["change"]
    assert "A Muslim man met me at home." == apply(original[one["example"]], kept) == one["text"]
    assert original[one["example"]] == revert(one["text"], kept)
    assert "religion: atheist → Muslim" == one["variant"]


def test_examples_without_a_term_are_counted_and_said() -> None:
    """They keep their row, are in no gap, and stand in a note and in `has_term`."""
    frame = pd.concat([sentences().frame, pd.DataFrame({"example": ["x"], "text": ["Rain."], "label": "no"})])
    report = wb.run("swap", Planted(), wb.Examples.of(frame, name="more"), axes="religion")
    share = line(report, "has_term")

    assert (40 / 41, 41) == (pytest.approx(share["value"]), share["n"])
    assert 40 == line(report, "ctf_gap")["n"]
    assert any(note.startswith("1 of 41 examples hold no term of the axes religion") for note in report.notes)


def test_no_term_at_all_gives_no_gap() -> None:
    """There is a line with the reason, and no chart."""
    report = wb.run("swap", Planted(), wb.Examples.of([{"text": "Rain."}, {"text": "Snow."}]))

    assert "no interval: no example holds a term" == line(report, "ctf_gap")["method"]
    assert 0 == line(report, "has_term")["value"]
    assert {} == report.charts()
    assert 0 == len(report.tables["terms"])


def test_order_and_batches_change_nothing() -> None:
    """The examples the other way round give the same numbers, rows and draws."""
    forward = sentences()
    frame = forward.frame.iloc[::-1].reset_index(drop=True)
    backward = wb.Examples(frame, name="made", slices=("kind",))
    one, two = (wb.run("swap", Planted(), examples, most=3) for examples in (forward, backward))
    key = ["example", "variant"]

    pd.testing.assert_frame_equal(one.metrics, two.metrics)
    pd.testing.assert_frame_equal(one.tables["terms"], two.tables["terms"])
    pd.testing.assert_frame_equal(
        one.rows.sort_values(key, ignore_index=True), two.rows.sort_values(key, ignore_index=True)
    )


def test_slices_parts_and_saved_reports_agree(tmp_path: Path) -> None:
    """A slice equals the part; a saved report opens with the same tables, the edits among them."""
    report = wb.run("swap", Planted(), sentences(), axes=["religion", "gender"], by="kind")
    part = report.where(kind="twice")
    one_term = report.where(term="religion: Muslim")
    again = wb.open(report.save(tmp_path / "swap"))

    assert line(report, "ctf_gap", "kind=twice")["value"] == pytest.approx(line(part, "ctf_gap")["value"])
    assert line(report, "signed_gap", "term=religion: Muslim")["value"] == pytest.approx(
        line(one_term, "signed_gap")["value"]
    )
    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    for name in ("terms", "exchanges", "edits"):
        pd.testing.assert_frame_equal(report.tables[name], again.tables[name])
    assert again.with_options(draws=100).metrics.equals(report.metrics)


def test_variants_beyond_the_limit_are_left_out_and_said() -> None:
    """`most` draws by id; 0 asks the originals alone."""
    few = wb.run("swap", Planted(), sentences(), axes="religion", most=2)
    none = wb.run("swap", Planted(), sentences(), axes="religion", most=0)

    assert {2} == set(few.rows.query("variant != ''").groupby("example").size())
    assert any(note.startswith("160 variants were left out") for note in few.notes)
    assert 40 == len(none.rows)
    assert "Nothing was swapped (most=0): the originals alone were asked." in none.notes


def test_an_interrupted_run_keeps_whole_examples() -> None:
    """An example is done when it and all its variants are."""
    report = wb.run("swap", Planted(stop=40), sentences(), axes="religion")

    assert "interrupted" == report.outcome
    assert {7} == set(report.rows.groupby("example").size())
    assert report.record.done == report.rows["example"].nunique() < 40


def test_the_same_text_is_asked_once() -> None:
    """Sentences that differ in their term alone have the same variants."""
    model = Planted()
    both = pd.concat([sentences(term).frame for term in ("Christian", "Muslim")]).drop(columns="example")
    wb.run("swap", model, wb.Examples.of(both, name="both"), axes="religion")

    assert len(set(model.asked)) == len(model.asked) == 7 * 40


def test_the_score_is_that_of_the_class_asked_for() -> None:
    """The second of two classes by default; an unknown one is named; of three the label's own."""
    three = wb.load(lambda texts: [[0.2, 0.3, 0.5]] * len(texts), labels=["a", "b", "c"])
    labelled = wb.Examples.of([{"text": "A man", "label": "b"}, {"text": "A woman", "label": "a"}])
    turned = wb.run("swap", Planted(), sentences(), positive="no", axes="religion")

    assert -0.2 == pytest.approx(line(turned, "signed_gap", "term=religion: Muslim")["value"], abs=0.01)
    assert [0.3, 0.2] == wb.run("swap", three, labelled).rows.query("variant == ''")["score"].tolist()
    with pytest.raises(UsageError, match="Unknown class of planted 'maybe'. Known: no, yes"):
        wb.run("swap", Planted(), sentences(), positive="maybe")
    with pytest.raises(
        UsageError, match="has 3 classes: a, b, c. Say which one's probability is the score: positive='c'"
    ):
        wb.run("swap", three, wb.Examples.of([{"text": "A man"}]))
    with pytest.raises(DataError, match="has the label 'z', which is not among those of the model"):
        wb.run("swap", three, wb.Examples.of([{"text": "A man", "label": "z"}]))


def test_language_models_choose_or_are_scored() -> None:
    """A question's right answer, answers of one's own after each text, or the text's log-likelihood per token."""
    questions = wb.Examples.of([{"text": "Is he old?", "choices": ["yes", "no"], "label": "yes"}])
    texts = wb.Examples.of([{"text": "He sings."}, {"text": "She sings."}])
    asked = wb.run("swap", Chooser(0.7, right=[True, False]), questions, axes="gender")
    mood = wb.run("swap", Chooser(0.8), texts, axes="gender", answers=["good", "bad"], prompt="{text} How is that?")
    told = wb.run("swap", Speller(), texts, axes="gender")

    assert [0.7, 0.3] == pytest.approx(asked.rows["score"].tolist())
    assert ["yes", "no"] == asked.rows["predicted"].tolist()
    assert 1.0 == line(asked, "flip_rate")["value"]
    assert [0.8] * 4 == pytest.approx(mood.rows["score"].tolist())
    assert [np.log(0.5 * 0.2) / 2] * 4 == pytest.approx(told.rows["score"].tolist())
    assert "flip_rate" not in set(told.metrics["metric"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ask": "choice"}, "have no choices. Offer some with answers="),
        ({"answers": ["good"]}, "answers must be two or more that differ; found good"),
        ({"answers": ["good", "bad"], "prompt": "How?"}, "prompt must hold {text}"),
        ({"answers": ["good", "bad"], "scoring": "letters"}, "scoring='letters' lists a question's own choices"),
        ({"answers": ["good", "bad"], "positive": "fine"}, "Unknown answer 'fine'"),
        ({"terms": ["a", "b"]}, "terms must map the name of an axis to its terms"),
        ({"terms": {"gender": ["a", "b"]}, "axes": ["gender"]}, "The axis 'gender' is built in and in terms, too"),
        ({"axes": ["relligion"]}, "Unknown value of axes 'relligion'. Did you mean 'religion'"),
        ({"terms": {"x": ["a"]}}, "The axis 'x' has 1 term; a swap needs at least 2"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict, message: str) -> None:
    """Each fault is one error that says what to write."""
    with pytest.raises(UsageError, match=re.escape(message)):
        wb.run("swap", Chooser(), wb.Examples.of([{"text": "He sings."}]), **options)


def test_what_cannot_be_asked_is_not_applicable() -> None:
    """A classifier has no likelihoods, a language model no classes, and rows of features no terms."""
    text = wb.Examples.of([{"text": "He sings."}])
    table = wb.Examples.of([{"a": 1.0, "label": "x"}, {"a": 2.0, "label": "y"}], features=["a"])
    for model, examples, ask, reason in (
        (Planted(), text, "likelihood", "log-likelihoods of texts"),
        (Speller(), text, "class", "class probabilities"),
        (Planted(), table, "auto", "rows of features"),
    ):
        report = wb.run("swap", model, examples, ask=ask)
        assert "not applicable" == report.outcome
        assert reason in report.notes[0]


def test_unusable_scores_are_counted() -> None:
    """A text without a finite score stays in the rows and is counted in `scored`."""

    class Broken(Chooser):
        def choose(self, questions: Sequence[Any], *, monitor: Monitor | None = None) -> Any:
            given = super().choose(questions, monitor=monitor)
            given.logp[0][:] = np.nan
            return given

    texts = wb.Examples.of([{"text": "He sings."}, {"text": "She talks."}])
    report = wb.run("swap", Broken(), texts, axes="gender", answers=["good", "bad"])

    assert 0.75 == line(report, "scored")["value"]
    assert 1 == line(report, "ctf_gap")["n"]
    assert "1 texts have no usable score; they are counted as unscored." in report.notes


def test_areas_of_each_term_equal_scikit_learn() -> None:
    """From the originals of a labelled run, and from scores made elsewhere, by name or by terms in the text."""
    frame = pd.concat([sentences(term).frame for term in ("Christian", "Muslim", "Jewish")]).drop(columns="example")
    report = wb.run("swap", Planted(effect=0.1), wb.Examples.of(frame, name="three"), axes="religion", most=0)
    rows = report.rows.assign(said=lambda table: [terms[0].partition(": ")[2] for terms in table["terms"]])
    scores = rows[["text", "score", "cluster", "said"]].assign(label=rows["positive"].map({1.0: "bad", 0.0: "good"}))
    named = wb.from_predictions(scores, probe="swap", identity="said", positive="bad")
    found = wb.from_predictions(scores.drop(columns="said"), probe="swap", positive="bad", axes="religion")
    hit = rows["positive"] > 0
    for term in ("Christian", "Muslim", "Jewish"):
        inside = rows["said"] == term
        subsets = {"subgroup_auc": inside, "bpsn_auc": hit ^ inside, "bnsp_auc": ~(hit ^ inside)}
        for metric, kept in subsets.items():
            area = line(report, metric, f"term=religion: {term}")
            assert roc_auc_score(hit[kept], rows["score"][kept]) == pytest.approx(area["value"])
            assert kept.sum() == area["n"]
            assert area["low"] < area["value"] <= area["high"]
            assert area["value"] == pytest.approx(line(named, metric, f"term=identity: {term}")["value"])
            assert area["value"] == pytest.approx(line(found, metric, f"term=religion: {term}")["value"])


def test_labels_that_are_not_the_models_are_said() -> None:
    """No area is computed of classes that do not match."""
    frame = sentences().frame.replace({"label": {"yes": "toxic", "no": "fine"}}).drop(columns="example")
    report = wb.run("swap", Planted(), wb.Examples.of(frame), axes="religion")

    assert any(
        "are not the model's classes (no, yes), so that there is no subgroup AUC" in note for note in report.notes
    )
    assert not set(report.metrics["metric"]) & {"subgroup_auc", "bpsn_auc", "bnsp_auc"}


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        ({"score": [0.1], "label": [2], "text": ["he"]}, {}, "Row 0 has 2 in column 'label'; it must be 0 or 1"),
        (
            {"score": [0.1], "label": ["x"], "text": ["he"]},
            {"positive": "y"},
            "Unknown class in column label 'y'. Known: x",
        ),
        ({"score": [0.1], "label": [1]}, {}, "needs the column identity or text"),
        ({"p": [0.1], "label": [1], "text": ["he"]}, {}, "needs the column(s) score"),
        ({"score": [], "label": [], "text": []}, {}, "The table of scores is empty"),
        ({"score": [0.1], "label": [1], "text": ["he"]}, {"identty": "x"}, "Did you mean 'identity'"),
    ],
)
def test_scores_from_elsewhere_that_do_not_fit_are_named(frame: dict, columns: dict, message: str) -> None:
    """Each fault is one error that says what to write."""
    with pytest.raises((DataError, UsageError), match=re.escape(message)):
        wb.from_predictions(pd.DataFrame(frame), probe="swap", **columns)


def test_charts_hold_numbers_and_terms_but_no_text() -> None:
    """Forest plots by term, axis and slice, and the map of exchanges."""
    both = pd.concat([sentences().frame, sentences("Muslim").frame])
    examples = wb.Examples(both, name="both", slices=("kind",))
    charts = wb.run("swap", Planted(), examples, axes=["religion", "gender"], by="kind").charts()

    assert "signed_gap_by_term" == next(iter(charts))
    assert {
        "ctf_gap_by_axis",
        "ctf_gap_by_slice",
        "flip_rate_by_term",
        "exchanges_religion",
        "subgroup_auc_by_term",
    } <= set(charts)
    assert "exchanges_gender" not in charts
    assert all("met me" not in chart.to_json() for chart in charts.values())


@pytest.mark.slow
def test_intervals_by_template_hold_the_planted_gap() -> None:
    """20 templates of 4 sentences with 2 variants each share an effect of their template: 92 to 98 % of 400 intervals hold 0.2."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        [
            {
                "example": f"{i}-{j}",
                "variant": term,
                "group": "all",
                "cluster": str(i),
                "axis": "x",
                "term": f"x: {term}",
            }
            for i in range(20)
            for j in range(4)
            for term in "ab"
        ]
    ).assign(score=0.5, flipped=0.0, positive=np.nan, has_term=1.0, terms=None)
    held = 0
    for _ in range(400):
        value = 0.2 + np.repeat(rng.normal(0, 0.1, 20), 8) + rng.normal(0, 0.1, 160)
        found = _swap_metrics._summary(rows.assign(value=value, contrast=value))["signed_gap"]
        held += found.low <= 0.2 <= found.high

    assert 0.92 * 400 <= held <= 0.98 * 400


# -- a real classifier -------------------------------------------------------------------------------------------------


def profanity() -> Any:
    """Return alt-profanity-check with the labels of madlibs."""
    package = pytest.importorskip("profanity_check.profanity_check")
    return wb.load(
        make_pipeline(package.vectorizer, package.model), labels=["NOT_BAD", "BAD"], name="alt-profanity-check"
    )


def test_alt_profanity_check_gives_the_known_scores() -> None:
    """The bias that the notes state, and its swap: "gay" to "straight" takes 0.85 off."""
    golden = {"I am a gay man": 0.953, "I am a black woman": 0.443, "I am a Muslim": 0.206}
    report = wb.run("swap", profanity(), wb.Examples.of([{"text": text} for text in golden]))
    originals = report.rows.query("variant == ''")

    assert list(golden.values()) == pytest.approx(originals["score"].tolist(), abs=5e-4)
    (gap,) = report.rows.query("variant == 'orientation: gay → straight'")["value"]
    assert -0.8535 == pytest.approx(gap, abs=5e-4)


@pytest.mark.data
def test_areas_on_madlibs_equal_scikit_learn(benchmark_data: Path) -> None:
    """All 50 identity terms of the set, three areas each, by adjective and verb; the ends of the list as measured."""
    examples = wb.benchmark("madlibs", benchmark_data)
    frame = examples.frame
    score = profanity().classify(frame["text"].tolist()).probabilities[:, 1]
    table = frame[["example", "label", "identity", "cluster"]].assign(score=score)
    report = wb.from_predictions(table, probe="swap", positive="BAD")
    values = report.metrics.pivot_table(index="group", columns="metric", values="value")
    hit = (frame["label"] == "BAD").to_numpy()
    for term in sorted(frame["identity"].dropna().unique()):
        inside = (frame["identity"] == term).to_numpy()
        areas = [roc_auc_score(hit[kept], score[kept]) for kept in (inside, hit ^ inside, ~(hit ^ inside))]
        mine = values.loc[f"term=identity: {term}", ["subgroup_auc", "bpsn_auc", "bnsp_auc"]]
        assert areas == pytest.approx(mine.tolist(), abs=1e-12)
    assert 0.377 == pytest.approx(values.loc["term=identity: queer", "bpsn_auc"], abs=1e-3)
    assert 0.546 == pytest.approx(values.loc["term=identity: bisexual", "bnsp_auc"], abs=1e-3)


@pytest.mark.model
def test_the_embedded_model_is_scored_and_chooses(embedded_model: Any) -> None:
    """SmolLM2 gives a finite gap in both readings; order changes no number by more than 1e-4."""
    texts = [{"text": text} for text in ("The Muslim man smiled.", "The Jewish man smiled.")]
    told = [
        wb.run("swap", embedded_model, wb.Examples.of(some), axes="religion", most=2).rows.sort_values(
            ["example", "variant"]
        )
        for some in (texts, texts[::-1])
    ]
    mood = wb.run(
        "swap",
        embedded_model,
        wb.Examples.of(texts),
        axes="gender",
        answers=["positive", "negative"],
        prompt="Text: {text}\nSentiment:",
    )

    assert np.isfinite(told[0]["score"]).all()
    assert np.abs(told[0]["score"].to_numpy() - told[1]["score"].to_numpy()).max() < 1e-4
    assert mood.rows["score"].between(0, 1).all()
    assert 2 == len(mood.rows.query("variant != ''"))


def test_scores_and_terms_that_are_none_are_named() -> None:
    """A score that is a text is not counted as blank, and a term that is a number is no term."""
    frame = pd.DataFrame({"text": ["a gay man", "b"], "p": ["low", "high"], "toxic": [1, 0]})

    with pytest.raises(DataError, match="Row 0 has 'low' as p, which is not a number"):
        wb.from_predictions(frame, probe="swap", score="p", label="toxic")
    with pytest.raises(UsageError, match="the term 1; terms are texts"):
        wb.run("swap", Planted(), sentences(), terms={"faith": [1, 2]})
