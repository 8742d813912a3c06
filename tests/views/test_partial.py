"""Partial results of runs that embed or fill: numbers of what is done where they are honest, a reason where there are none yet."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from tiny import masked_model, masked_tokenizer

import workbench as wb
from workbench.errors import NotApplicable
from workbench.models.load import load
from workbench.models.verbs import Embeddings, ModelInfo, Silent
from workbench.views._sketch import lines
from workbench.views.progress import Progress


class Embedder:
    """Gives each text a vector of two letters' counts, one text after the other."""

    name, verbs, model, tokenizer = "letters", frozenset({"embed"}), None, None
    info = ModelInfo("letters", "embedder")

    def embed(self, texts: Sequence[str], *, monitor: Any = None, **options: Any) -> Embeddings:
        """Tell the vectors so far after each text."""
        vectors, done = np.full((len(texts), 2), np.nan, np.float32), np.zeros(len(texts), dtype=bool)
        for i, text in enumerate(texts):
            vectors[i], done[i] = (text.count("a") + 1, text.count("e") + 1), True
            monitor.advance(1, answers=lambda: Embeddings(vectors.copy(), done.copy()))
        return Embeddings(vectors, done)


class Follower(Silent):
    """Asks for the report so far after each piece: a report, a reason, or None."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.so_far: Callable[[], Any]

    def follow(self, record: Any, so_far: Callable[[], Any]) -> None:
        """Keep what gives it."""
        self.so_far = so_far

    def advance(self, done: int, **facts: Any) -> None:
        """Ask."""
        try:
            self.seen.append(self.so_far())
        except NotApplicable as reason:
            self.seen.append(str(reason))

    def end(self, report: Any) -> None:
        """Ignore."""

    def fail(self, problem: BaseException) -> None:
        """Ignore."""


def follow(probe: str, model: Any, examples: Any, **options: Any) -> list[Any]:
    """Return what was known during a run: the number of examples of a report, else the reason."""
    watch = Follower()
    wb.run(probe, model, examples, monitor=watch, **options)
    return watch.seen


TEXTS = wb.Examples.of([{"text": f"a text about {word}", "label": "x"} for word in ("tea", "cars", "a bee", "an area")])


def test_tests_of_whole_sets_say_that_it_is_too_soon() -> None:
    """A test looked at as texts come in is another test: progress alone, with the reason."""
    seen = follow("shift", Embedder(), TEXTS, reference=TEXTS)
    assert len(seen) == 8
    assert set(seen) == {"a test of the texts that are done would not be the test of all, for they come by length."}
    words = [
        {"text": f"word{i}", "test": "t", "set": name}
        for i, name in enumerate(["targ1", "targ2", "attr1", "attr2"] * 4)
    ]
    told = follow("association", Embedder(), wb.Examples.of(words))
    assert told[-1] == "an effect is of whole sets of words, and some are still to come."
    assert all(one is None or isinstance(one, str) for one in told)

    watch = Progress(shown=True)
    watch._so_far = lambda: None
    watch._not_drawn(None, NotApplicable(seen[0]))
    assert watch.partial["why"].startswith("No numbers yet: a test of the texts")


def test_a_sweep_of_vectors_has_numbers_from_its_first_corrupted_copy() -> None:
    """The clean texts are compared with themselves, which says nothing; then n counts the texts of the copies."""
    seen = follow("sweep", Embedder(), TEXTS, corruptions="capitals", severities=(5,), inner="embedding")
    assert [isinstance(one, str) for one in seen[:3]] == [True] * 3
    assert seen[3] is None  # the copy has not begun
    assert seen[0].startswith("the clean texts come first")
    later = [next(line for line in lines(one) if line["words"].startswith("Similarity")) for one in seen[4:]]
    assert [line["n"] for line in later] == [1, 2, 3, 4]


def test_scores_against_a_reference_come_when_it_is_read() -> None:
    """Nothing while the reference is read, since the fit would be another; then the scores of the examples that are done."""
    seen = follow("ood", Embedder(), TEXTS, reference=TEXTS, scores=("knn",), check=0.0)
    assert seen[:4] == [None] * 4
    assert [one.rows["example"].nunique() for one in seen[4:]] == [1, 2, 3, 4]


def test_a_head_that_is_not_fitted_yet_says_nothing() -> None:
    """Half of the examples that a head is fitted on are no reason for words of a run that was stopped."""
    both = wb.Examples.of(
        [{"text": text, "label": label} for text, label in (("aaa", "x"), ("e", "y"), ("aa", "x"), ("ee", "y"))]
    )
    seen = follow("unlabelled", Embedder(), both, reference=both, train=both, draws=20)
    assert seen[:8] == [None] * 8
    assert [int((one.rows["set"] == "target").sum()) for one in seen[8:]] == [1, 2, 3, 4]


def test_filled_pairs_are_counted_as_they_are_done() -> None:
    """The share of a masked model so far is over the pairs of which both sentences are done."""
    pairs = wb.Examples.of(
        [
            {"text": f"The quick {w} fox", "other": f"The lazy {w} dog", "bias_type": "x"}
            for w in ("brown", "Gold", "Paris")
        ]
    )
    model = load(masked_model(), tokenizer=masked_tokenizer(), cache=False, token_budget=16)
    seen = [one for one in follow("pairs", model, pairs) if one is not None]
    counts = [len(one.rows) for one in seen]
    assert counts == sorted(counts)
    assert counts[-1] == 3
    assert counts[0] < 3
    assert lines(seen[0])[0]["n"] == counts[0]


def test_reasons_do_not_hide_numbers_that_came_before() -> None:
    """A look that fails after others leaves the last numbers."""
    watch = Progress(shown=True)
    watch._so_far = lambda: None
    watch.partial = {"done": 1, "total": 2, "lines": [], "trail": []}
    watch._not_drawn(None, NotApplicable("it is late."))
    assert watch.partial["done"] == 1
    with pytest.raises(KeyError):
        watch.partial["why"]
