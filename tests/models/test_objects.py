"""The hash of an object is that of what it holds: the same in every process, another for another weight."""

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from workbench.models._objects import object_digest, object_marks

FIT = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
model = make_pipeline(TfidfVectorizer(stop_words=sorted({"a", "the"})), LogisticRegression(class_weight={"yes": 2.0, "no": 1.0}))
model = model.fit(["a good film", "an awful film", "good", "the bad day"], ["yes", "no", "yes", "no"])
known = [model, {"a", "b", "c"}, frozenset(["x", "y"]), {"q": {1.5, "z"}}, lambda x: x in {"m", "n"}]
"""


def test_two_processes_give_one_hash() -> None:
    """A pipeline keeps the address of its stop words, and sets follow the hash seed; the hash does neither."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    code = f"{FIT}\nfrom workbench.models._objects import object_digest\nprint(object_digest(known))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    here: dict[str, Any] = {"__name__": "__main__"}
    exec(FIT, here)

    assert here["model"][0]._stop_words_id == id(here["model"][0].stop_words)  # what made joblib's hash move
    assert done.stdout.strip() == object_digest(here["known"]) != ""


def test_one_weight_changes_the_hash_and_one_mark() -> None:
    """The mark of the attribute by its step; use alone changes nothing."""
    texts, labels = ["good", "bad", "good day", "bad day"], [1, 0, 1, 0]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    before, marks = object_digest(model), object_marks(model)
    model.predict_proba(texts)
    assert before == object_digest(model)
    model[-1].coef_[0, 1] = np.nextafter(model[-1].coef_[0, 1], 9)

    assert before != object_digest(model)
    assert ["logisticregression.coef_"] == [name for name, mark in object_marks(model).items() if marks[name] != mark]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1, 1.0),
        (True, 1),
        ("a", b"a"),
        (["ab", "c"], ["a", "bc"]),
        ([1, 2], (1, 2)),
        (np.zeros(2, np.float32), np.zeros(2)),
        (np.zeros((2, 1)), np.zeros((1, 2))),
        (np.array(["a", None], object), np.array(["a", "None"], object)),
        ({"a": 1}, {"a": 2}),
        (lambda x: x + 1, lambda x: x + 2),
        (len, max),
        (LogisticRegression(C=1.0), LogisticRegression(C=2.0)),
        (np.random.RandomState(0), np.random.RandomState(1)),
    ],
)
def test_other_values_have_other_hashes(one: Any, two: Any) -> None:
    """Types, borders between parts, order of lists, shapes and the code of functions count."""
    assert object_digest(one) == object_digest(one) != object_digest(two)


def test_what_says_nothing_of_a_value_does_not_count() -> None:
    """Order in memory, of keys and of sets, bytes between the fields of an array, and who else holds a part."""
    table = np.array([(1, 2.0)], np.dtype([("a", "i1"), ("b", "f8")], align=True))
    other = np.frombuffer(b"\x01" + b"\xff" * 7 + np.float64(2.0).tobytes(), table.dtype)
    part = [1.0]

    assert object_digest(table) == object_digest(other)
    assert object_digest(np.ones((2, 3))) == object_digest(np.ones((3, 2)).T)
    assert object_digest({"a": 1, "b": 2}) == object_digest({"b": 2, "a": 1})
    assert object_digest([part, part]) == object_digest([[1.0], [1.0]])


def test_what_cannot_be_read_has_no_hash() -> None:
    """A lock has no value; a list that holds itself has one."""
    endless: list[Any] = [1]
    endless.append(endless)

    assert "" == object_digest([threading.Lock()])
    assert {} == object_marks([threading.Lock()])
    assert object_digest(endless) != object_digest([1, 2]) != ""
