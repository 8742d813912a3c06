"""Partial results: what a model has answered so far, asked for from another thread while it works."""

from typing import Any

import numpy as np
import pytest
from fakes import Classifier
from tiny import language_model, tokenizer

from workbench.errors import NotApplicable
from workbench.models.load import load
from workbench.models.verbs import Question
from workbench.models.watched import NothingYet, Watched


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
