"""What-if of every probe: the unchanged text gives the report's row again, another text another one, or a sentence says why not."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import Oracle, normal
from probes import test_bbq, test_dialect, test_stereoset, test_winobias

import workbench as wb
from workbench.errors import NotApplicable
from workbench.probes.find import find, names
from workbench.views.canvas import explore

SENTENCES = [
    {"example": f"s{i}", "text": f"The Muslim {noun} met me.", "kind": "ab"[i % 2]}
    for i, noun in enumerate(["cook", "judge"])
]
QUESTIONS = [
    {"example": f"q{i}", "text": f"Which is larger, {i} or {i + 1}?", "choices": [str(i), str(i + 1)], "label": 1}
    for i in range(4)
]


def model(weights: str = "w") -> Oracle:
    """Return a model that finds every text as likely as chance has it, alike each time."""
    return Oracle(lambda context, continuation: -3.0 + normal(weights, context, continuation))


def jobs() -> pd.DataFrame:
    """Return two sentences about each of three jobs."""
    pack = wb.pack("occupations").frame
    return pack[pack["occupation"].isin(["nurse", "plumber"]) & pack["template"].isin(["late", "coat"])]


CASES: dict[str, tuple[str, Callable[[], Any], dict[str, Any], dict[str, str]]] = {
    "swap": (
        "swap",
        lambda: wb.Examples.of(SENTENCES),
        {"axes": "religion", "most": 3},
        {"text": "The Hindu dog met me."},
    ),
    "swap, answers": (
        "swap",
        lambda: wb.Examples.of(SENTENCES),
        {"axes": "religion", "answers": ["good", "bad"], "most": 3},
        {"text": "The Hindu dog met me."},
    ),
    "occupations": (
        "occupations",
        lambda: wb.Examples(jobs(), name="jobs"),
        {},
        {"text": "The nurse was late because {they} had slept."},
    ),
    "bbq": ("bbq", lambda: test_bbq.questions(2, 2), {}, {"text": "Who was it?"}),
    "stereoset": ("stereoset", lambda: test_stereoset.examples(2, 2), {}, {"stereotype": "stereotype of another kind"}),
    "winobias": ("winobias", lambda: test_winobias.pairs(4), {}, {"text": "The cook met the clerk and left him."}),
    "winobias, pronouns": (
        "winobias",
        lambda: test_winobias.pairs(4),
        {"reading": "pronoun"},
        {"text": "The clerk ran, and her shoes too.", "anti": "The clerk ran, and his shoes too."},
    ),
    "dialect": ("dialect", lambda: test_dialect.pairs(6), {}, {"text": "he be sleeping"}),
    "sweep": (
        "sweep",
        lambda: wb.Examples.of(QUESTIONS),
        {"corruptions": "keyboard", "severities": (5,), "inner_options": {"scoring": "letters"}},
        {"text": "Which is the larger one?"},
    ),
    "sweep of swaps": (
        "sweep",
        lambda: wb.Examples.of(SENTENCES),
        {
            "corruptions": "lowercase",
            "severities": (5,),
            "inner": "swap",
            "inner_options": {"axes": "religion", "most": 2},
        },
        {"text": "the hindu dog met me."},
    ),
}


LONG = {"swap, answers", "winobias, pronouns", "sweep of swaps"}  # ways that the others nearly take


@pytest.mark.parametrize("case", [pytest.param(one, marks=pytest.mark.slow if one in LONG else ()) for one in CASES])
def test_the_unchanged_text_gives_the_reported_numbers_and_another_moves_them(case: str) -> None:
    """Of a row, to 1e-12, of rows that were saved and read again, each asked alone."""
    probe, examples, options, edit = CASES[case]
    asked = model()
    made = wb.run(probe, asked, examples(), **options)
    stored = pd.read_parquet(io.BytesIO(made.rows.to_parquet(index=False)))
    explorer = explore(replace(made, rows=stored), model=asked)
    assert explorer.about["what_if"]["why_not"] == ""
    for at in (0, -1) if probe == "swap" else (-1,):  # an original, and a variant
        row = explorer.selection.iloc[at]
        same = explorer.what_if(row, **{name: row[name] for name in edit}).set_index("measure")
        told = same[same["reported"].map(lambda value: isinstance(value, float) and np.isfinite(value))]
        shared = [
            name
            for name in ("score", "value", "confidence", "difference", "association", "lean", "overstatement")
            if name in row
        ]
        known = [name for name in shared if np.isfinite(row[name]) and name in same.index]
        assert known
        assert told.loc[known, "reported"].tolist() == [row[name] for name in known]
        assert told["old"].tolist() == pytest.approx(told["reported"].tolist(), abs=1e-12)
        assert told["new"].tolist() == pytest.approx(told["reported"].tolist(), abs=1e-12)

    moved = explorer.what_if(row, **edit)
    assert (moved["difference"].abs() > 1e-3).any()
    line = explorer.edits.iloc[-1]
    assert (line["example"], line["variant"]) == (row["example"], row["variant"])
    again = explorer.what_if(line, **{name: line[name] for name in edit})
    pd.testing.assert_frame_equal(again, moved)


def test_a_variant_is_set_against_its_original_as_the_model_has_it_now() -> None:
    """Of another model both scores are its own; the terms are not swapped once more."""
    report = wb.run("swap", model(), wb.Examples.of(SENTENCES), axes="religion", most=3)
    other = model("other")
    explorer = explore(report, model=other)
    row = report.rows[report.rows["variant"] != ""].iloc[0]
    frame = explorer.what_if(row, text="The Sikh cook met me.").set_index("measure")
    likely = [other.logp("", text) for text in ("The Muslim cook met me.", row["text"], "The Sikh cook met me.")]

    assert frame.loc["original_score", ["old", "new"]].tolist() == pytest.approx([likely[0]] * 2)
    assert frame.loc["value", ["old", "new"]].tolist() == pytest.approx([likely[1] - likely[0], likely[2] - likely[0]])
    assert {request.continuation for request in other.asked} == {
        "The Muslim cook met me.",
        row["text"],
        "The Sikh cook met me.",
    }


def test_what_cannot_be_asked_says_why() -> None:
    """A slot that is gone, a pair that is no pair, readings and questions whose rows do not keep enough."""
    explorer = explore(wb.run("occupations", model(), wb.Examples(jobs(), name="jobs")), model=model())
    with pytest.raises(wb.errors.DataError, match="has no slot for a pronoun"):
        explorer.what_if(explorer.ids[0], text="The nurse was late.")
    pairs = explore(wb.run("winobias", model(), test_winobias.pairs(4), reading="pronoun"), model=model())
    notes = pairs.what_if(pairs.ids[0], text="Somebody else entirely.").attrs["notes"]
    assert "1 pair differs in more than the pronouns: not scored." in notes
    for report, reason in (
        (wb.run("winobias", model(), test_winobias.pairs(4), reading="entity"), "put together from slots"),
        (wb.run("swap", model(), wb.Examples.of(QUESTIONS), ask="choice", axes="gender"), "keep no choices"),
        (wb.run("dialect", model(), test_dialect.pairs(6)).where(attribute="lazy"), "one attribute of each pair"),
        (
            wb.run("sweep", model(), test_stereoset.examples(2, 2), inner="stereoset", severities=(1,)),
            "asked by the probe 'stereoset', which has no answer about one text",
        ),
    ):
        shown = explore(report, model=model())
        assert reason in shown.about["what_if"]["why_not"]
        with pytest.raises(NotApplicable, match=reason):
            shown.what_if(shown.ids[0], text="b")


def test_every_probe_can_be_asked_again_or_says_why_not() -> None:
    """In one sentence; the columns that can be changed are named."""
    for name in names():
        probe: Any = find(name)
        reason = getattr(probe, "why_not_again", "")
        assert bool(reason) != hasattr(probe, "again"), name
        assert hasattr(probe, "again") == bool(getattr(probe, "texts", ())), name
        assert not reason or (reason.endswith(".") and reason.count(". ") == 0), name
