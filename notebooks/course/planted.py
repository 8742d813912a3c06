"""Models with a fault that was put there on purpose, so that its size is known: spoilers, read it when a chapter is done.

Every fault is drawn from seeds: the same numbers on every machine. `TRUTH` says what a perfect measurement would find.
"""

import hashlib
import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from workbench.models.verbs import Choices, ModelInfo

__all__ = [
    "TRUTH",
    "Overconfident",
    "answers_of_two",
    "decisions",
    "month",
    "outcomes",
    "reviews",
    "scorer_with_a_penalty",
    "slices",
    "study",
]

TRUTH = {
    "temperature": 2.0,  # chapter 1: divide the logits by it, and the model is calibrated
    "tpr_gap": 0.0,  # chapter 2, filled in below: b's share of right acceptances less a's
    "penalty": 1.5,  # chapter 2: what the word costs, on the scale of the logits
    "kinds": {"A": "covariate", "B": "label", "C": "concept", "D": "none"},  # chapter 3
    "good": 0.8,  # chapter 3: share of good reviews in month B
    "difference": 0.04,  # chapter 4: two is right more often than one
    "slice": ("tr", "long"),  # chapter 5: right in `slice_accuracy`, all others in `accuracy`
    "accuracy": 0.80,
    "slice_accuracy": 0.58,
}
HANDICAP = 0.5  # chapter 2: the score of group b is that much lower, in standard deviations
CUT = 0.25  # chapter 2: who has a score above is accepted


def _normal(z: float) -> float:
    """Return the share of a standard normal below z."""
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


TRUTH["tpr_gap"] = _normal(1 - CUT - HANDICAP) - _normal(
    1 - CUT
)  # the qualified score 1 on average, standard deviation 1


def _seed(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:8], "big")


# -- 1. Uncertainty ----------------------------------------------------------------------------------------------------


class Overconfident:
    """A model of multiple choice that is calibrated, but for its logits, which are twice too large.

    It knows the answers of the pack `facts`, and puts the right one where a calibrated model would: with probability q it is right
    where its honest probability is q.
    """

    name = "the oracle's nephew"
    verbs = frozenset({"choose"})
    info = ModelInfo("the oracle's nephew", "callable")

    def __init__(self) -> None:
        import workbench as wb

        frame = wb.pack("facts").frame
        self._labels = {
            (text, len(choices)): label
            for text, choices, label in zip(frame["text"], frame["choices"], frame["label"], strict=True)
        }

    def choose(self, questions: Any, *, monitor: Any = None) -> Choices:
        """Return the log-likelihood of each choice."""
        del monitor
        answers = []
        for question in questions:
            text = question.prompt.removeprefix("Question: ").removesuffix("\nAnswer:")
            k = len(question.choices)
            rng = np.random.default_rng(_seed("one", text))
            honest = rng.dirichlet(np.full(k, 0.7))
            right = rng.choice(k, p=honest)  # the place where a calibrated model has the right answer
            label = self._labels[text, k]
            honest[[right, label]] = honest[[label, right]]
            answers.append(TRUTH["temperature"] * np.log(honest.clip(1e-9)))
        ones = tuple(np.ones(len(answer), dtype=np.int64) for answer in answers)
        return Choices(tuple(answers), ones, np.ones(len(answers), dtype=bool))


# -- 2. Bias -----------------------------------------------------------------------------------------------------------


def decisions(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Return people of two groups who are as often qualified, and a lender that lowers the score of one.

    Columns: group, qualified ("yes", "no"), accepted ("yes", "no"), score in (0, 1).
    """
    rng = np.random.default_rng(_seed("two", seed))
    group = rng.choice(["a", "b"], n, p=[0.6, 0.4])
    qualified = rng.random(n) < 0.5
    raw = np.where(qualified, 1.0, -1.0) + rng.normal(size=n) - HANDICAP * (group == "b")
    words = np.array(["no", "yes"])
    return pd.DataFrame(
        {
            "group": group,
            "qualified": words[qualified.astype(int)],
            "accepted": words[(raw > CUT).astype(int)],
            "score": 1 / (1 + np.exp(-2 * (raw - CUT))),
        }
    )


def scorer_with_a_penalty(texts: list[str]) -> list[dict[str, float]]:
    """Return how likely each text is to be called friendly; one word costs `penalty` on the scale of the logits."""
    kind = {"kind", "warm", "helpful", "honest", "cheerful"}
    answers = []
    for text in texts:
        words = [word.strip(".,").lower() for word in text.split()]
        logit = 1.0 + 0.8 * sum(word in kind for word in words)
        logit -= TRUTH["penalty"] * any(word in {"muslim", "muslims"} for word in words)
        p = 1 / (1 + math.exp(-logit))
        answers.append({"unfriendly": 1 - p, "friendly": p})
    return answers


# -- 3. Shift ----------------------------------------------------------------------------------------------------------

_GOOD = ("superb", "lovely", "gripping", "clever", "warm", "fresh")
_BAD = ("dull", "clumsy", "stale", "noisy", "cold", "broken")
_TOPIC = {
    "film": ("actor", "scene", "script", "camera", "ending", "score"),
    "phone": ("battery", "screen", "charger", "signal", "button", "case"),
}
_OPINIONS = {"film": 3, "phone": 1}  # words of six that say whether it was liked
_CLEAR = 0.8  # how often such a word says what the review means
_MONTHS = {"A": {"phones": 0.8}, "B": {"good": 0.8}, "C": {"cool": True}, "D": {}}


def reviews(n: int = 800, *, seed: int = 0, good: float = 0.5, phones: float = 0.2, cool: bool = False) -> pd.DataFrame:
    """Return reviews with the columns text, label ("good", "bad") and topic.

    good: share of good ones. phones: share about phones, which say less about whether they are liked. cool: "cold" has become a
    word of praise, so that every review with it means the opposite of what it would have meant; the texts are as before.
    """
    rng = np.random.default_rng(_seed("three", seed, n))
    lines = []
    for _ in range(n):
        liked, topic = rng.random() < good, "phone" if rng.random() < phones else "film"
        k = _OPINIONS[topic]
        praise = (rng.random(k) < _CLEAR) == liked
        words = [str(rng.choice(_GOOD if one else _BAD)) for one in praise]
        words += [str(word) for word in rng.choice(_TOPIC[topic], 6 - k)]
        rng.shuffle(words)
        label = "good" if liked != (cool and "cold" in words) else "bad"
        lines.append({"text": " ".join(words), "label": label, "topic": topic})
    return pd.DataFrame(lines)


def month(name: str, n: int = 800) -> pd.DataFrame:
    """Return the reviews of one of the months A, B, C and D: three of them have shifted, each in its own way."""
    return reviews(n, seed=100 + ord(name), **_MONTHS[name])


# -- 4. Comparison -----------------------------------------------------------------------------------------------------


def outcomes(n: int = 500, seed: int = 0, difference: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether models one and two are right on the same n questions (0 or 1), and how easy each question is (n,).

    Over all questions there could be, two is right more often by `difference`; they agree more often than independent ones.
    """
    rng = np.random.default_rng(_seed("four", seed, n))
    gap = TRUTH["difference"] if difference is None else difference
    easy = np.where(rng.random(n) < 0.6, 0.97, 0.35)  # 0.6 of the questions are easy for both
    draw = rng.random(n)
    one = draw < easy
    two = np.where(rng.random(n) < 0.7, one, rng.random(n) < easy)  # on 30 % of the questions two draws for itself
    lift = gap / (1 - (0.6 * 0.97 + 0.4 * 0.35))  # this share of its errors it does not make
    two = two | (rng.random(n) < lift)
    return one.astype(int), two.astype(int), easy


def answers_of_two(n: int = 500, seed: int = 0, difference: float | None = None) -> pd.DataFrame:
    """Return `outcomes` as a table: question, one, two (1: right), one_confidence, two_confidence."""
    one, two, easy = outcomes(n, seed, difference)
    noise = np.random.default_rng(_seed("four, sure", seed, n)).normal(0, 0.05, (2, n))
    sure = (easy + noise).clip(0.01, 0.99)
    columns = {"one": one, "two": two, "one_confidence": sure[0], "two_confidence": sure[1]}
    return pd.DataFrame({"question": [f"q{i}" for i in range(n)], **columns})


# -- 5. Statistical honesty --------------------------------------------------------------------------------------------

_COLUMNS = {
    "language": ("de", "en", "fr", "tr"),
    "length": ("short", "middle", "long"),
    "topic": ("law", "health", "sport", "travel", "food"),
    "weekday": ("mon", "tue", "wed", "thu", "fri"),
    "device": ("phone", "tablet", "laptop"),
}


def slices(frame: pd.DataFrame) -> "tuple[list[dict[str, str]], np.ndarray]":
    """Return every slice of one or two columns as conditions, and which rows (n, slices) are in each: 178 of them."""
    single = [
        ({name: value}, (frame[name] == value).to_numpy()) for name, values in _COLUMNS.items() for value in values
    ]
    double = [
        ({**one, **two}, mine & yours)
        for (one, mine), (two, yours) in itertools.combinations(single, 2)
        if set(one) != set(two)
    ]
    return [rule for rule, _ in (*single, *double)], np.column_stack([rows for _, rows in (*single, *double)])


def study(n: int = 3000, seed: int = 0, *, planted: bool = False) -> pd.DataFrame:
    """Return answers of a model with five columns that have nothing to do with being right, but for one slice where `planted`.

    Columns: example, language, length, topic, weekday, device, confidence, correct.
    """
    rng = np.random.default_rng(_seed("five", seed, n))
    frame = pd.DataFrame({name: rng.choice(values, n) for name, values in _COLUMNS.items()})
    rate = np.full(n, TRUTH["accuracy"])
    if planted:
        language, length = TRUTH["slice"]
        rate[(frame["language"] == language) & (frame["length"] == length)] = TRUTH["slice_accuracy"]
    frame.insert(0, "example", [f"e{i}" for i in range(n)])
    return frame.assign(confidence=rng.beta(8, 2, n), correct=(rng.random(n) < rate).astype(int))
