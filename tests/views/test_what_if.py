"""What-if: the same path as the run, the edits on record, reasons, and what the page may ask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier, Speller
from pair_probe import pairs, report_of

import workbench as wb
from workbench.errors import NotApplicable, UsageError
from workbench.models.verbs import Choices, ModelInfo, Question
from workbench.views._what_if import changes
from workbench.views.canvas import explore

QUESTIONS = [
    {"example": f"q{i}", "text": f"Is she {word}?", "choices": ["yes", "no"], "label": i % 2}
    for i, word in enumerate(["tall", "old", "right", "late"])
]


class Reader(Chooser):
    """Finds "yes" likelier the longer the prompt is; the others as a chooser does."""

    name = "reader"

    def __init__(self, scale: float = 20.0, weights: str = "") -> None:
        super().__init__()
        self.scale, self.weights, self.asked = scale, weights, list[str]()

    @property
    def info(self) -> ModelInfo:
        """What the record keeps."""
        return ModelInfo(self.name, "language model", weights_hash=self.weights, dtype="float32")

    def choose(self, questions: Sequence[Question], *, monitor: Any = None) -> Choices:
        """Answer by the length of the prompt."""
        self.asked += [one.prompt for one in questions]
        yes = [1 / (1 + np.exp(-len(one.prompt) / self.scale)) for one in questions]
        logp = tuple(np.log([p, 1 - p]) for p in yes)
        return Choices(logp, tuple(np.ones(2, np.int64) for _ in logp), np.ones(len(logp), dtype=bool))


def run(model: Any, **options: Any) -> Any:
    """Return a calibration of four questions."""
    return wb.run("calibration", model, wb.Examples.of(QUESTIONS), **options)


def told(explorer: Any, **message: Any) -> list[dict[str, Any]]:
    """Return what is sent for one message of the page."""
    sent = list[dict[str, Any]]()
    explorer.send = lambda content, buffers=None: sent.append(content)
    explorer._handle_custom_msg({"row": 0, **message}, [])
    explorer._what_if.join(10)
    return sent


@pytest.mark.parametrize("options", [{}, {"scoring": "letters"}, {"answer": "stated"}])
def test_the_unchanged_text_gives_the_reported_numbers(options: dict[str, Any]) -> None:
    """By the same prompt, scoring and verb: reported, old and new are one."""
    model = Reader()
    report = run(model, **options)
    first = list(model.asked)
    frame = explore(report, model=model).what_if("q1", text="Is she old?").set_index("measure")

    assert first[1] == model.asked[-1]
    assert frame.loc["predicted", ["reported", "old", "new"]].tolist() == ["yes"] * 3
    assert frame.loc["confidence", "reported"] == frame.loc["confidence", "new"] == report.rows.confidence[1]
    assert frame.loc["confidence", "difference"] == 0


def test_a_changed_text_moves_the_answer_and_is_kept() -> None:
    """The frame has old, new and difference; the edit is a line that asks the same again."""
    model = Reader()
    explorer = explore(run(model), model=model)
    frame = explorer.what_if("q0", text="Is he or is he not tall?").set_index("measure")
    expected = [
        1 / (1 + np.exp(-len(f"Question: {text}\nAnswer:") / 20))
        for text in ("Is she tall?", "Is he or is he not tall?")
    ]

    assert frame.loc["p(yes)", ["old", "new"]].tolist() == pytest.approx(expected)
    assert frame.loc["confidence", "difference"] == pytest.approx(expected[1] - expected[0])
    assert frame.attrs["notes"] == [
        "reader has no hash of its weights: that it is the report's model is known by name alone."
    ]
    explorer.what_if("q0", text="Is he?")
    line = explorer.edits.iloc[0]
    assert explorer.edits["text"].tolist() == ["Is he or is he not tall?", "Is he?"]
    again = explorer.what_if(line.example, text=line.text).set_index("measure")
    assert again.loc["confidence", "new"] == line.confidence_new
    assert model.asked.count("Question: Is she tall?\nAnswer:") == 2  # in the run, and once for all edits


def test_another_model_is_named_and_compared_with_itself() -> None:
    """Old is the unchanged text asked of the model at hand: the difference is the text's alone, and the report's stays beside."""
    report = run(Reader(weights="a" * 64))
    other = Reader(scale=5.0, weights="b" * 64)
    frame = explore(report, model=other).what_if("q0", text="Is she tall?")
    line = frame.set_index("measure").loc["confidence"]

    assert (line.difference, line.reported) == (0, report.rows.confidence[0])
    assert line.old > line.reported + 0.1
    assert frame.attrs["notes"][0] == "reader has other weights than in the report (hash bbbbbbbb, then aaaaaaaa)."
    assert frame.attrs["notes"][1].startswith(
        "The unchanged text gives another answer now than in the report (confidence 0.99"
    )


def test_a_classifier_and_pairs_are_asked_too() -> None:
    """The way of asking is the probe's own: classes, or two sentences of which one changes."""
    classes = wb.Examples.of([{"text": "0.8", "label": "yes"}, {"text": "0.3", "label": "no"}])
    explorer = explore(wb.run("calibration", Classifier(), classes), model=Classifier())
    example = explorer.selection.example[0]
    frame = explorer.what_if(example, text="0.1").set_index("measure")
    assert frame.loc["predicted", ["old", "new"]].tolist() == ["yes", "no"]
    assert frame.loc["p(yes)", ["old", "new"]].tolist() == pytest.approx([0.8, 0.1])
    assert "tokens" not in frame.index

    two = wb.Examples.of([{"text": "a b", "worse": "c d", "bias_type": "age"}] * 3)
    report = wb.run("pairs", Speller(), two, other="worse")
    asked = explore(report, model=Speller()).what_if(report.rows.example[0], other="c e").set_index("measure")
    assert asked.loc["difference", ["old", "new"]].tolist() == [0, 0]
    assert asked.loc["logp_other", "new"] == pytest.approx(np.log(0.1))


def test_where_nothing_can_be_asked_the_reason_is_said() -> None:
    """No model, predictions, tokens, other probes: a sentence each, for Python and for the page."""
    model = Reader()
    elsewhere = wb.from_predictions(pd.DataFrame({"text": ["a"], "confidence": [0.9], "correct": [1]}))
    tokens = wb.run("calibration", Speller(), wb.Examples.of({"text": ["one two", "three"]}))
    lots = wb.Examples.of([{**one, "sex": "fm"[i % 2]} for i, one in enumerate(QUESTIONS)])
    groups = wb.run("groups", model, lots, by="sex")
    reasons = {
        "no model was given: wb.explore(report, model=model), with a loaded one (this report is of reader).": (
            run(model),
            None,
        ),
        "these predictions were made elsewhere, so that": (elsewhere, model),
        "a row of this report is one token, and no row keeps the whole text.": (tokens, Speller()),
        "its rows keep a decision and a score": (groups, model),
        "the probe 'pair-fake' has no answer about one text alone.": (report_of(pairs(16)), model),
    }
    for reason, (report, given) in reasons.items():
        explorer = explore(report, model=given)
        assert explorer.about["what_if"]["why_not"].startswith(reason)
        assert told(explorer, kind="what_if", ask=1, texts={"text": "b"}) == []
        with pytest.raises(NotApplicable, match="^No what-if: "):
            explorer.what_if(explorer.ids[0], text="b")
        assert list(explorer.edits)[:2] == ["time", "example"]


def test_bad_edits_are_refused_in_words() -> None:
    """Unknown examples and columns, texts that are none, a model that fails."""
    model = Reader()
    explorer = explore(run(model), model=model)
    for example, texts, message in (
        ("q9", {"text": "b"}, "Unknown explored example 'q9'"),
        ("q0", {"prompt": "b"}, "Unknown text of the example 'prompt'.* Known: text"),
        ("q0", {"text": 3}, "takes a text of at most 20,000 characters; found '3'"),
    ):
        with pytest.raises(UsageError, match=message):
            explorer.what_if(example, **texts)
    assert told(explorer, kind="what_if", ask=1, texts={"text": " "})[0]["why"].startswith("Row 0 has no text")
    silent = explore(run(model), model=Speller())
    assert "the model 'speller' can score" in told(silent, kind="what_if", ask=1, texts={"text": "b"})[0]["why"]


def test_the_page_asks_swaps_typos_and_answers() -> None:
    """Each message is answered for its row; one that does not fit is dropped."""
    model = Reader()
    explorer = explore(run(model), model=model)
    swaps = told(explorer, kind="swaps", column="text", text="Is she tall?")[0]["swaps"]
    assert {"words": "gender: female → male", "text": "Is he tall?"} in swaps
    typed = told(explorer, kind="typos", column="text", text="Is she tall?", family="keyboard", severity=5, seed=1)[0]
    assert typed["text"] != "Is she tall?"
    assert typed["n"] > 0
    answer, tokens = told(explorer, kind="what_if", ask=7, texts={"text": "Is he tall?"})
    assert (answer["row"], answer["ask"], answer["changes"]) == (0, 7, {"text": ["Is ", "she", "he", " tall?"]})
    assert next(line for line in answer["lines"] if line["name"] == "predicted")["new"] == "yes"
    assert (tokens["kind"], tokens["lines"], tokens["tokens"]) == ("asked_tokens", [], [])
    for strange in (
        {"kind": "what_if", "ask": 1, "texts": {"label": "x"}},
        {"kind": "what_if", "ask": -1, "texts": {"text": "x"}},
        {"kind": "what_if", "ask": 1, "texts": {"text": "x" * 20_001}},
        {"kind": "typos", "text": "x", "family": "none", "severity": 3, "seed": 0},
        {"kind": "typos", "text": "x", "family": "keyboard", "severity": 6, "seed": 0},
        {"kind": "swaps", "row": 99, "text": "x"},
    ):
        assert told(explorer, **strange) == []


def test_a_model_in_memory_is_found_by_name() -> None:
    """A name that no loaded model has is refused."""
    model = wb.load(lambda texts: [[0.3, 0.7] for _ in texts], labels=["no", "yes"])
    report = wb.run("calibration", model, wb.Examples.of([{"text": "a", "label": "yes"}, {"text": "b", "label": "no"}]))

    assert f"is in memory: wb.explore(report, model={model.name!r})" in explore(report).about["what_if"]["why_not"]
    assert explore(report, model=model.name).about["what_if"]["why_not"] == ""


def test_changes_are_told_word_by_word() -> None:
    """The parts make both texts."""
    parts = changes("the cat sat, then", "a cat sat down, then!")
    assert "".join(part for i, part in enumerate(parts) if i % 3 != 2) == "the cat sat, then"
    assert "".join(part for i, part in enumerate(parts) if i % 3 != 1) == "a cat sat down, then!"


@pytest.mark.model
def test_the_real_models_answer_to_its_own_text_is_the_reported_one(embedded_model: Any) -> None:
    """To 1e-4, though it was one of a batch then and is alone now."""
    report = wb.run("calibration", embedded_model, wb.pack("facts").sample(4))
    example, text = report.rows[["example", "text"]].iloc[2]
    explorer = explore(report, model=embedded_model)
    frame = explorer.what_if(example, text=text).set_index("measure")
    asked = explorer.what_if(example, text=f"{text} ").set_index("measure")

    assert frame.attrs["notes"] == []
    for name in ("confidence", "p_label", "nll"):
        assert frame.loc[name, "new"] == pytest.approx(frame.loc[name, "reported"], abs=1e-4)
    assert frame.loc["logp", "difference"] == 0
    assert asked.loc["tokens", "new"] >= asked.loc["tokens", "old"]


@pytest.mark.model
@pytest.mark.parametrize(
    ("probe", "examples", "options", "column"),
    [
        (
            "swap",
            lambda: wb.Examples.of([{"text": "The Muslim cook met me."}]),
            {"axes": "religion", "most": 2},
            "value",
        ),
        ("occupations", lambda: wb.pack("occupations").sample(3), {}, "overstatement"),
    ],
)
def test_the_real_model_answers_other_probes_alike(
    embedded_model: Any, probe: str, examples: Any, options: dict[str, Any], column: str
) -> None:
    """To 1e-4, of a row that was one of a batch: its text, and of a variant its original."""
    explorer = explore(wb.run(probe, embedded_model, examples(), **options), model=embedded_model)
    row = explorer.selection.iloc[-1]
    line = explorer.what_if(row, text=row["text"]).set_index("measure").loc[column]

    assert line["reported"] == row[column]
    assert [line["old"], line["new"]] == pytest.approx([row[column]] * 2, abs=1e-4)
