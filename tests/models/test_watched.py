"""Partial results: what a model has answered so far, asked for from another thread while it works."""

from typing import Any

import numpy as np
import pytest
from fakes import Classifier
from tiny import language_model, masked_model, masked_tokenizer, tokenizer

from workbench.errors import NotApplicable
from workbench.models.load import load
from workbench.models.verbs import Blanks, Question
from workbench.models.watched import NothingYet, Watched, unanswered


class Looking:
    """A monitor that looks at the answers so far each time it hears of progress."""

    stopped = False

    def __init__(self) -> None:
        self.watched: Any = None
        self.seen: list[Any] = []
        self.ask: Any = None

    def start(self, total: int, unit: str) -> None:
        """Nothing is known yet."""
        with pytest.raises(NothingYet):
            self.ask(self.watched.so_far())

    def advance(self, done: int, **facts: Any) -> None:
        """Ask for what is known, without the model."""
        self.seen.append(self.ask(self.watched.so_far()))

    def finish(self) -> None:
        """Ignore."""


def test_a_callable_tells_what_it_has_answered() -> None:
    """After each input one more row is done, and it is the row that the call returns in the end."""
    watch = Looking()
    texts = ["a", "bb", "ccc"]
    model = Watched(
        load(lambda text: {"no": 1 / len(text), "yes": 1 - 1 / len(text)}, per_item=True, labels=["no", "yes"])
    )
    watch.watched, watch.ask = model, lambda again: again.classify(texts)

    found = model.classify(texts, monitor=watch)

    assert [1, 2, 3] == [int(part.done.sum()) for part in watch.seen]
    np.testing.assert_array_equal(found.probabilities[:2], watch.seen[1].probabilities[:2])
    assert np.isnan(watch.seen[1].probabilities[2]).all()


def test_a_language_model_tells_the_choices_that_are_done() -> None:
    """The engine's answers so far come back as those of `choose`: a question is done when all its choices are."""
    watch = Looking()
    model = Watched(load(language_model(), tokenizer=tokenizer(), cache=False, token_budget=24))
    questions = [Question(f"Is {i} even?", (" yes", " no", " it may be")) for i in range(300)]
    watch.watched, watch.ask = model, lambda again: again.choose(questions)

    found = model.choose(questions, monitor=watch)

    counts = [int(part.done.sum()) for part in watch.seen]
    assert counts == sorted(counts)
    assert 0 < counts[0] < 300
    assert counts[-1] == 300
    half = watch.seen[0]
    for i in np.flatnonzero(half.done):
        np.testing.assert_array_equal(found.logp[i], half.logp[i])


def test_earlier_calls_are_answered_whole() -> None:
    """A probe that asks twice gets its first call's answers, and `NothingYet` where the second has not begun."""
    model = Watched(Classifier())
    model.classify(["0.2"])

    again = model.so_far()

    assert [[0.8, 0.2]] == again.classify(["0.2"]).probabilities.round(1).tolist()
    with pytest.raises(NothingYet):
        again.classify(["0.2"])


def test_a_verb_that_the_model_has_not_is_refused_as_before() -> None:
    """`NotApplicable` comes from the model itself, also from what replays it."""
    model = Watched(load(lambda texts: [[1.0] for _ in texts], labels=["one"]))

    for one in (model, model.so_far()):
        with pytest.raises(NotApplicable, match="cannot write text"):
            one.generate(["a"])


def test_vectors_and_readings_are_told_as_they_come() -> None:
    """`embed` and `read`: the texts that are done have the vectors (and the scores) of the whole call, the others NaN."""
    texts = [f"the number {i} " * (1 + i % 3) for i in range(30)]
    loaded = load(language_model(), tokenizer=tokenizer(), cache=False, token_budget=48)
    for verb in ("embed", "read"):
        watch, model = Looking(), Watched(loaded)
        watch.watched, watch.ask = model, lambda again, verb=verb: getattr(again, verb)(texts)
        found = getattr(model, verb)(texts, monitor=watch)
        whole, parts = (
            (found, watch.seen) if verb == "embed" else (found.embeddings, [one.embeddings for one in watch.seen])
        )

        counts = [int(part.done.sum()) for part in parts]
        assert counts == sorted(counts)
        assert 0 < counts[0] < counts[-1] == 30
        np.testing.assert_array_equal(parts[0].vectors[parts[0].done], whole.vectors[parts[0].done])
        assert np.isnan(parts[0].vectors[~parts[0].done]).all()
        if verb == "read":
            first = watch.seen[0].scores
            np.testing.assert_array_equal(first.total()[first.done], found.scores.total()[first.done])


def test_readings_from_two_passes_wait_for_both() -> None:
    """Static vectors come first, and are no reading by themselves."""
    seen: list[Any] = []
    told = unanswered(Counting(seen))
    told.advance(3, answers=lambda: "vectors", cached=1)
    assert seen == [(3, {"cached": 1})]


class Counting:
    """A monitor that keeps what it hears."""

    stopped = False

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def start(self, total: int, unit: str) -> None:
        """Ignore."""

    def advance(self, done: int, **facts: Any) -> None:
        """Keep it."""
        self.seen.append((done, facts))

    def finish(self) -> None:
        """Ignore."""


def test_a_masked_model_tells_what_it_has_filled() -> None:
    """A sequence is done when all of its masked positions are."""
    watch = Looking()
    model = Watched(load(masked_model(), tokenizer=masked_tokenizer(), cache=False, token_budget=48))
    blanks = [
        Blanks(ids, tuple(range(1, len(ids) - 1))) for ids in model.encode(["Gold", "The quick brown fox", "Paris"] * 2)
    ]
    watch.watched, watch.ask = model, lambda again: again.fill(blanks)
    found = model.fill(blanks, monitor=watch)

    counts = [int(part.done.sum()) for part in watch.seen]
    assert counts == sorted(counts)
    assert 0 <= counts[0] < counts[-1] == 6
    some = next(part for part in watch.seen if part.done.any())
    np.testing.assert_array_equal(some.total()[some.done], found.total()[some.done])
