"""A function is a classifier when it gives probabilities, and its faults name the input."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from workbench.errors import DataError, ModelError, UsageError
from workbench.models.load import load
from workbench.models.verbs import Silent


def length(texts: Sequence[str]) -> np.ndarray:
    """Return a probability that grows with the text."""
    yes = np.array([len(text) / 100 for text in texts])
    return np.stack([1 - yes, yes], axis=1)


def test_arrays_lists_and_mappings_agree() -> None:
    """All forms of an answer give the same probabilities in the order of the inputs."""
    texts = ["a" * n for n in range(70)]
    expected = length(texts)
    forms: list[tuple[Any, dict[str, Any]]] = [
        (length, {"labels": ["no", "yes"]}),
        (lambda texts: length(texts).tolist(), {"labels": ["no", "yes"]}),
        (lambda texts: [{"yes": yes, "no": no} for no, yes in length(texts)], {"labels": ["no", "yes"]}),
        (lambda text: {"no": 1 - len(text) / 100, "yes": len(text) / 100}, {"per_item": True}),
    ]
    for function, options in forms:
        made = load(function, **options).classify(texts)
        np.testing.assert_allclose(made.probabilities, expected, atol=1e-12)
        assert ("no", "yes") == made.labels
        assert made.done.all()


def test_a_fault_names_its_input() -> None:
    """The input on which the function fails is found within its batch."""

    def picky(texts: Sequence[str]) -> np.ndarray:
        if "bad" in texts:
            raise KeyError("no such word")
        return length(texts)

    texts = ["a"] * 40 + ["bad"] + ["a"] * 5
    with pytest.raises(ModelError, match="picky failed on input 40: KeyError: 'no such word'"):
        load(picky, labels=["no", "yes"]).classify(texts)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([0.5, 0.9], r"input 1, which are not probabilities"),
        ([-0.5, 1.5], r"input 1, which are not probabilities"),
        ([float("nan"), 1.0], r"input 1, which are not probabilities"),
        ([1.0], r"shape \(1,\) for input 1; there are 2 labels"),
        ("yes", "'yes' for input 1; probabilities are wanted"),
        ({"maybe": 1.0}, "the label 'maybe' for input 1"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answer: Any, said: str) -> None:
    """Each fault is named with the input and what was given."""
    with pytest.raises(DataError, match=said):
        load(lambda texts: [[0.5, 0.5], answer], labels=["no", "yes"]).classify(["a", "b"])


def test_what_is_missing_is_asked_for() -> None:
    """Numbers without names, and one answer for many inputs."""
    with pytest.raises(UsageError, match=r"Pass labels="):
        load(length).classify(["a"])
    with pytest.raises(DataError, match=r"gave 1 answers for 2 inputs.*per_item=True"):
        load(lambda texts: [[1.0, 0.0]], labels=["no", "yes"]).classify(["a", "b"])
    for of_one, given in ((lambda text: 0.7, "float"), (lambda text: {"no": 1.0, "yes": 0.0}, "dict")):
        with pytest.raises(DataError, match=rf"gave one {given} for a list of 2 inputs.*per_item=True"):
            load(of_one, labels=["no", "yes"]).classify(["a", "b"])
    with pytest.raises(
        ModelError, match=r"failed on input 0: AttributeError: .*'lower'. It was given a list .*per_item=True"
    ):
        load(lambda text: {"no": float(text.lower() == "b"), "yes": 0.0}).classify(["a", "b"])


def test_only_a_named_function_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name each call asks again; with one, the second call asks nothing."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    calls: list[int] = []

    def counted(texts: Sequence[str]) -> np.ndarray:
        calls.append(len(texts))
        return length(texts)

    for options, expected in (({}, 2), ({"name": "counted 1"}, 1)):
        calls.clear()
        results = [load(counted, labels=["no", "yes"], **options).classify(["a", "bb"]) for _ in range(2)]
        assert expected == len(calls)
        np.testing.assert_array_equal(results[0].probabilities, results[1].probabilities)


def test_an_interrupt_keeps_what_is_done() -> None:
    """Ctrl-C in the function returns the batches before it."""

    def slow(texts: Sequence[str]) -> np.ndarray:
        if "now" in texts:
            raise KeyboardInterrupt
        return length(texts)

    made = load(slow, labels=["no", "yes"]).classify(["a"] * 32 + ["now"], monitor=Silent())
    assert [True] * 32 + [False] == made.done.tolist()
    assert np.isnan(made.probabilities[32]).all()


def test_an_edited_function_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under one name, other code has other answers; the same code in another place has the same."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    source = (
        "calls = []\ndef f(texts):\n    calls.append(len(texts))\n"
        "    return [[{no}, 1 - {no}] for text in texts if text in {words}]"
    )

    def answers(no: float, words: str, lines: str = "") -> tuple[float, int]:
        space: dict[str, Any] = {}
        exec(lines + source.format(no=no, words=words), space)  # as a person edits a cell
        given = load(space["f"], labels=["no", "yes"], name="mine").classify(["a"])
        return float(given.probabilities[0, 0]), len(space["calls"])

    words = "{'a', 'b', 'c'}"
    assert (0.25, 1) == answers(0.25, words)
    assert (0.25, 0) == answers(0.25, words, lines="\n\n")
    assert (0.75, 1) == answers(0.75, words)
    assert (0.75, 1) == answers(0.75, "{'a', 'b'}")


def test_an_object_that_is_called_is_known_by_its_class() -> None:
    """The code of a bound method, of a callable object and of a C function is found, or is empty."""
    from workbench.models.callables import _code_hash

    class Scorer:
        def __call__(self, texts: Sequence[str]) -> np.ndarray:
            return length(texts)

        def score(self, texts: Sequence[str]) -> np.ndarray:
            return length(texts) / 1

    one, other = Scorer(), Scorer()
    assert _code_hash(one) == _code_hash(other) != ""
    assert _code_hash(one.score) == _code_hash(other.score) != _code_hash(one)
    assert "" == _code_hash(len)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (length, {"transform": len}, "transform is for a torch module; this one is a callable.*inside the function"),
        (length, {"positive": "yes"}, "positive is for a head of one logit.*positive='yes'"),
        (LogisticRegression(), {"transform": len}, "a scikit-learn model, which would not heed it. Put the step"),
        (LogisticRegression(), {"per_item": True}, "per_item is for a callable"),
        ({"word": [1.0]}, {"outputs": "logits"}, "outputs is for a torch module; .*Leave outputs out"),
    ],
)  # fmt: skip
def test_an_option_that_would_not_be_heeded_is_refused(model: Any, options: dict[str, Any], said: str) -> None:
    """What changes how a model is asked is never left out in silence."""
    with pytest.raises(UsageError, match=said):
        load(model, labels=["no", "yes"], **options)


def test_answers_are_kept_in_the_folder_that_is_named(tmp_path: Path) -> None:
    """Another model of the same name and code finds them there, and nowhere else; what is no folder is refused."""
    asked: list[str] = []

    def judge(texts: list[str]) -> list[list[float]]:
        asked.extend(texts)
        return [[0.2, 0.8] for _ in texts]

    for where, seen in ((tmp_path / "a", 1), (str(tmp_path / "a"), 1), (tmp_path / "b", 2), (False, 3)):
        load(judge, labels=["no", "yes"], name="judge", cache=where).classify(["one"])
        assert len(asked) == seen
    assert (tmp_path / "a").is_dir()
    with pytest.raises(UsageError, match="cache must be True, False or a folder; it is 3"):
        load(judge, labels=["no", "yes"], cache=3)
