"""`Examples.corrupt`: copies under the same ids, with the edits that made them."""

import numpy as np
import pytest

import workbench as wb
from workbench.data.corruptions import corruption
from workbench.data.edits import apply, revert
from workbench.data.images import image_corruption
from workbench.errors import DataError, UsageError


def three() -> wb.Examples:
    """Return three questions, one of them without a letter to change."""
    texts = ["How do I change my PIN?", "Where is the <b>nearest</b> bank?", "42?"]
    return wb.Examples.of(
        {"id": ["a", "b", "c"], "text": texts, "kind": ["x", "y", "x"], "hint": texts}, slices=("kind",)
    )


def test_a_copy_keeps_ids_and_says_its_edits() -> None:
    """Texts are those of the corruption itself; the edits lead from `before` to `text` and back; steps and notes tell of it."""
    clean = three()
    worse = clean.corrupt("keyboard", severity=5, seed=1)
    frame = worse.frame
    made = corruption("keyboard").apply(clean.frame["text"], ["a", "b", "c"], severity=5, seed=1)

    assert made.texts == frame["text"].tolist() != clean.frame["text"].tolist()
    assert (["a", "b", "c"], clean.frame["text"].tolist()) == (frame["example"].tolist(), frame["before"].tolist())
    for line in frame.itertuples():
        assert apply(line.before, line.edits) == line.text
        assert revert(line.text, line.edits) == line.before
    assert (("kind",), (".corrupt('keyboard', severity=5, seed=1)",)) == (worse.slices, worse.steps)
    assert "Corrupted by keyboard, severity 5, seed 1. 1 of 3 texts unchanged." == worse.notes[-1]
    assert worse.hash == clean.where(["a", "b", "c"]).corrupt("keyboard", severity=5, seed=1).hash != clean.hash


def test_other_columns_compositions_and_what_is_kept() -> None:
    """A column is named, a corruption may be an object, `keep` leaves what it finds, severity 0 leaves all."""
    clean = three()
    other = clean.corrupt(corruption("keyboard") | corruption("swap"), column="hint", severity=5)
    kept = clean.corrupt("capitals", severity=5, keep=r"PIN|bank|How")

    assert other.frame["text"].tolist() == clean.frame["text"].tolist() != other.frame["hint"].tolist()
    assert ".corrupt('keyboard|swap', column='hint', severity=5, seed=0)" == other.steps[-1]
    assert "How DO I CHANGE MY PIN?" == kept.frame["text"][0]
    assert clean.corrupt("keyboard", severity=0) is clean


def test_a_text_of_which_nothing_would_be_left_stays() -> None:
    """It keeps its text, has no edits, and is counted."""
    marks = wb.Examples.of([{"text": "?!"}, {"text": "So?"}]).corrupt("drop-punctuation", severity=5)

    assert ["?!", "So"] == marks.frame["text"].tolist()
    assert [0, 1] == [len(edits) for edits in marks.frame["edits"]]
    assert "1 text would have been empty: kept as before." in marks.notes[-1]


def test_images_are_corrupted_without_edits() -> None:
    """An array for each image, those of the corruption itself."""
    images = [np.full((8, 8), 40 * i, np.uint8) for i in range(3)]
    clean = wb.Examples.of([{"image": image, "label": "a"} for image in images], label="label")
    worse = clean.corrupt("gaussian-noise", severity=2)
    made = image_corruption("gaussian-noise").apply(images, clean.frame["example"].tolist(), severity=2)

    np.testing.assert_array_equal(np.stack(made), np.stack(worse.frame["image"].tolist()))
    assert "edits" not in worse.frame.columns


def test_what_cannot_be_corrupted_says_why() -> None:
    """Twice, an unknown name, what an answer is held against, numbers, features alone, a severity that is none."""
    clean = three()
    with pytest.raises(
        UsageError, match=r"already\. For one corruption after another compose them: corrupt\('keyboard\|swap'\)"
    ):
        clean.corrupt("swap").corrupt("swap")
    with pytest.raises(UsageError, match="Did you mean 'keyboard'"):
        clean.corrupt("keybord")
    with pytest.raises(UsageError, match="The column 'example' is what an answer is held against"):
        clean.corrupt("swap", column="example")
    with pytest.raises(DataError, match="The column 'size' holds 1, which is no text"):
        clean.with_column("size", [1, 2, 3]).corrupt("swap", column="size")
    with pytest.raises(UsageError, match="these examples are rows of features"):
        wb.Examples.of([{"x": 1.0}, {"x": 2.0}], features=["x"]).corrupt("swap")
    with pytest.raises(UsageError, match="severity must be 1, 2, 3, 4 or 5; it is 6"):
        clean.corrupt("swap", severity=6)
    with pytest.raises(UsageError, match="takes the name of a corruption, or one; found int"):
        clean.corrupt(3)
