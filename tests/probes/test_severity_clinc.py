"""The severity curve of the notes on shift (5.2): CLINC150 with MiniLM under keyboard typos, by their generator and by ours."""

from dataclasses import replace

import minilm
import numpy as np
import pytest
from keyboard_reference import keyboard_reference
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from workbench.data.corruptions import corruption
from workbench.stats.calibration import ece
from workbench.stats.logistic import Logistic, fit_logistic
from workbench.stats.mmd import Settings, mmd
from workbench.stats.unlabelled import Answers, Draws, estimates

pytestmark = [pytest.mark.model, pytest.mark.data, pytest.mark.slow]
RATES = (0.01, 0.02, 0.05, 0.10, 0.20)
NAMES = ("acc", "conf", "ece", "atc", "doc", "mmd", "p", "c2st", "edits")
CURVE = {  # rate -> accuracy, mean confidence, ECE of 10 bins, ATC, DoC, MMD^2_u, p, C2ST accuracy, edits per text
    0.00: (0.950, 0.854, 0.097, 0.960, 0.958, -0.00114, 1.000, 0.532, 0.00),
    0.01: (0.937, 0.800, 0.141, 0.927, 0.903, -0.00062, 0.985, 0.577, 0.33),
    0.02: (0.873, 0.744, 0.130, 0.863, 0.847, 0.00120, 0.004, 0.645, 0.73),
    0.05: (0.760, 0.601, 0.159, 0.713, 0.705, 0.00820, 0.001, 0.810, 1.72),
    0.10: (0.630, 0.465, 0.165, 0.537, 0.569, 0.02233, 0.001, 0.888, 3.34),
    0.20: (0.270, 0.304, 0.062, 0.310, 0.407, 0.05491, 0.001, 0.973, 6.53),
}


@pytest.fixture(scope="module")
def head() -> Logistic:
    """Return the head that is fitted on the training set."""
    train = minilm.clinc()["train"]
    return fit_logistic(minilm.vectors(train.texts), train.intents, steps=100)


def answers(head: Logistic, vectors: np.ndarray, intents: list[str]) -> Answers:
    """Return confidence and correctness of vectors (n, d)."""
    logits = head.logits(vectors)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return Answers(p.max(axis=1), (np.array(head.classes)[p.argmax(axis=1)] == np.array(intents)).astype(float))


def line(head: Logistic, texts: list[str], intents: list[str], original: list[str]) -> tuple[float, ...]:
    """Return one line of the curve."""
    val = minilm.clinc()["val"]
    known, new = minilm.vectors(val.texts), minilm.vectors(texts)
    here = answers(head, new, intents)
    found = estimates(answers(head, known, val.intents), here, draws=Draws(200))
    test = mmd(known[::10], new, settings=Settings(draws=999, method="permutation", width=1.2))
    both, side = np.concatenate([known[::10], new]), np.repeat([0, 1], [300, len(new)])
    told = cross_val_predict(LogisticRegression(C=1, max_iter=300), both, side, cv=5)
    edits = sum(a != b for one, two in zip(original, texts, strict=True) for a, b in zip(one, two, strict=True))
    numbers = (np.mean(here.correct), np.mean(here.confidence), ece(here.confidence, here.correct, bins=10))
    numbers += (found["atc"].accuracy.value, found["doc"].accuracy.value, test.value, test.p, np.mean(told == side))
    return (*map(float, numbers), edits / len(texts))


def show(curve: dict[float, tuple[float, ...]]) -> None:
    """Print the curve, one rate a line."""
    for rate, numbers in curve.items():
        print(f"{rate:<5}", " ".join(f"{name} {x:.5f}" for name, x in zip(NAMES, numbers, strict=True)))


def test_the_notes_curve_comes_back(head: Logistic) -> None:
    """Shares within .01, MMD^2_u within 2 % of its range, p within its Monte-Carlo error, edits exactly."""
    test = minilm.clinc()["test"]
    texts, intents = test.texts[::15], test.intents[::15]
    found = {rate: line(head, keyboard_reference(texts, rate, 1234), intents, texts) for rate in CURVE}
    show(found)

    for rate, expected in CURVE.items():
        line_ = dict(zip(NAMES, found[rate], strict=True))
        known = dict(zip(NAMES, expected, strict=True))
        for name in ("acc", "conf", "ece", "atc", "doc", "c2st"):
            assert known[name] == pytest.approx(line_[name], abs=0.0101), (rate, name)
        assert known["mmd"] == pytest.approx(line_["mmd"], abs=2e-5), rate
        assert known["p"] == pytest.approx(line_["p"], abs=0.01), rate
        assert known["edits"] == pytest.approx(line_["edits"], abs=0.005), rate


def test_accuracy_falls_with_our_keyboard(head: Logistic) -> None:
    """The product's generator at the same rates, its edits nested: accuracy and confidence never rise, and ATC follows."""
    test = minilm.clinc()["test"]
    texts, intents = test.texts[::15], test.intents[::15]
    ours = replace(corruption("keyboard"), rates=RATES)
    made = [
        texts,
        *(ours.apply(texts, [f"test-{i}" for i in range(300)], severity=level).texts for level in range(1, 6)),
    ]
    curve = np.array([line(head, each, intents, texts) for each in made])
    show(dict(zip((0.0, *RATES), curve.tolist(), strict=True)))

    for column in (0, 1, 3, 4):  # accuracy, confidence, ATC, DoC
        assert np.all(np.diff(curve[:, column]) <= 1e-9), NAMES[column]
    assert np.all(np.diff(curve[:, 5]) > 0)  # MMD rises
    assert curve[:, 6][3:].max() == 0.001
    assert np.abs(curve[:3, 3] - curve[:3, 0]).max() < 0.04
