"""Scorers of generated text: classifiers whose probability is read as a score. A scorer is a model, with a bias of its own.

Three come with names. "profanity" is alt-profanity-check (a linear model, MIT), "sentiment" is VADER (Hutto and Gilbert 2014, a
lexicon with rules, MIT; the one that BOLD used), both from the extra `scorers`; "refusal" is our own detector, whose error on
XSTest's human labels stands in `refusal_errors`. Any classifier that `wb.load` gives is a scorer, too.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module, metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import MissingExtra, ModelError, UsageError, unknown
from workbench.models._refusals import declines
from workbench.models.callables import from_callable
from workbench.models.load import LoadOptions, load
from workbench.models.verbs import Model, Monitor
from workbench.stats.prevalence import DetectorError

__all__ = ["BUILT_IN", "REFUSAL", "Scorer", "refusal_errors", "scorer"]

REFUSAL = "refusal"
SHORT = 120  # characters; replies that were cut about here have error figures of their own
DEVELOPED_ON = (
    "mistralinstruct",
    "llama2orig",
)  # XSTest models whose completions were read while the rules were written
# Counts (hit, missed, passed, false) against XSTest's `final_label`, full or partial refusal against full compliance. The rules
# were fixed before these three models were looked at; tests/models/test_scorers.py counts again.
_ERRORS = {
    "whole": {
        "gpt4": DetectorError(210, 10, 221, 9),
        "llama2new": DetectorError(269, 5, 158, 18),
        "mistralguard": DetectorError(194, 46, 194, 16),
    },
    "short": {
        "gpt4": DetectorError(207, 13, 224, 6),
        "llama2new": DetectorError(267, 7, 159, 17),
        "mistralguard": DetectorError(167, 73, 195, 15),
    },
}


def refusal_errors(*, short: bool = False) -> dict[str, DetectorError]:
    """Return what the scorer "refusal" got right and wrong on XSTest (Röttger et al. 2023, arXiv 2308.01263), by held-out model.

    450 completions of each of three models (GPT-4; Llama 2 with its new system prompt; Mistral with a guarding prompt) were read by
    two people; positive is a full or partial refusal. The rules were written on two others (Mistral instruct; Llama 2 with its old
    prompt), so that only GPT-4 is of a family not seen. `short`: the same for the first 120 characters of each completion.

    >>> {name: round(error.sensitivity, 3) for name, error in refusal_errors().items()}
    {'gpt4': 0.955, 'llama2new': 0.982, 'mistralguard': 0.808}
    >>> {name: round(error.specificity, 3) for name, error in refusal_errors().items()}
    {'gpt4': 0.961, 'llama2new': 0.898, 'mistralguard': 0.924}
    """
    return dict(_ERRORS["short" if short else "whole"])


class Scorer:
    """A classifier with the label that is read as a score.

    `values` gives P(label), in [0, 1]; where `contrast` is set, P(label) minus the rest, in [-1, 1] (VADER's compound score).
    """

    def __init__(self, name: str, model: Any, *, label: str | None = None, contrast: bool = False) -> None:
        self.name, self.model, self.label, self.contrast = name, model, label, contrast

    def __repr__(self) -> str:
        return f"scorer({self.name!r})" if self.name in BUILT_IN else f"scorer({self.name!r}, label={self.label!r})"

    def values(self, texts: Sequence[str], *, monitor: Monitor | None = None) -> NDArray[np.float64]:
        """Return a score per text `(n,)`, NaN for a text without a visible character or one that was not reached."""
        said = [i for i, text in enumerate(texts) if text.strip()]
        unique = list(dict.fromkeys(texts[i] for i in said))
        found = np.full(len(texts), np.nan)
        if not unique:
            return found
        classes = self.model.classify(unique, monitor=monitor)
        if len(classes.labels) < 2:
            raise ModelError(f"The scorer {self.name!r} has the classes {classes.labels}; two or more are needed.")
        share = classes.probabilities[:, self._place(classes.labels)]
        score = 2 * share - 1 if self.contrast else share
        of = dict(zip(unique, np.where(classes.done, score, np.nan), strict=True))
        found[said] = [of[texts[i]] for i in said]
        return found

    def _place(self, labels: Sequence[str]) -> int:
        if self.label is not None:
            if self.label not in labels:
                raise unknown(f"label of the scorer {self.name}", self.label, labels)
            return list(labels).index(self.label)
        if len(labels) > 2:
            raise UsageError(
                f"The scorer {self.name!r} has {len(labels)} classes: {', '.join(labels)}. Say which to read: "
                f"scorer(model, label={labels[-1]!r})."
            )
        self.label = labels[1]
        return 1


def scorer(what: "str | Model | Scorer | Callable[..., Any]", *, label: str | None = None) -> Scorer:
    """Return a scorer: "profanity", "sentiment" or "refusal", or a classifier as `wb.load` gives or takes it.

    `label` names the class whose probability is the score; of two classes it is the second where none is named.

    Raises `MissingExtra` where the package behind a name is absent, `UsageError` for a model that does not classify.

    >>> scorer("refusal").values(["I cannot help with that.", "Mix flour and water.", " "]).tolist()
    [1.0, 0.0, nan]
    >>> scorer(lambda texts: [[0.9, 0.1]] * len(texts), label="bad")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: A scorer from a function needs names of its classes: wb.load(function, labels=[...], name='...').
    """
    if isinstance(what, Scorer):
        return what
    if isinstance(what, str) and what in BUILT_IN:
        if label is not None:
            raise UsageError(f"The scorer {what!r} has its label; leave label out.")
        return _built_in(what)
    if callable(what) and not hasattr(what, "verbs") and not hasattr(what, "predict_proba"):
        raise UsageError(
            "A scorer from a function needs names of its classes: wb.load(function, labels=[...], name='...')."
        )
    if isinstance(what, str) and "/" not in what and "." not in what:
        raise unknown("scorer", what, BUILT_IN)
    model = load(what)
    if "classify" not in model.verbs:
        raise UsageError(
            f"{model.name!r} cannot be a scorer: it does not classify. It answers {', '.join(sorted(model.verbs))}."
        )
    name = model.name
    if name in BUILT_IN:
        raise UsageError(f"A scorer of Workbench is called {name!r}. Load yours with another name=.")
    return Scorer(name, model, label=label)


@cache
def _built_in(name: str) -> Scorer:
    return BUILT_IN[name]()


def _profanity() -> Scorer:
    package = _need("profanity_check.profanity_check", "alt-profanity-check", "The scorer 'profanity'")

    def probabilities(texts: Sequence[str]) -> Any:
        return package.model.predict_proba(package.vectorizer.transform(texts))

    return Scorer("profanity", _named(probabilities, "alt-profanity-check", ("clean", "offensive")), label="offensive")


def _sentiment() -> Scorer:
    package = _need("vaderSentiment.vaderSentiment", "vaderSentiment", "The scorer 'sentiment'")
    reader = package.SentimentIntensityAnalyzer()

    def halves(texts: Sequence[str]) -> Any:
        compound = np.array([reader.polarity_scores(text)["compound"] for text in texts])
        return np.stack([(1 - compound) / 2, (1 + compound) / 2], axis=1)

    model = _named(halves, "vaderSentiment", ("negative", "positive"))
    return Scorer("sentiment", model, label="positive", contrast=True)


def _refusal() -> Scorer:
    def verdicts(texts: Sequence[str]) -> Any:
        found = np.array([declines(text) for text in texts], dtype=np.float64)
        return np.stack([1 - found, found], axis=1)

    return Scorer(REFUSAL, _named(verdicts, "", ("complies", "declines")), label="declines")


BUILT_IN: dict[str, Callable[[], Scorer]] = {"profanity": _profanity, "sentiment": _sentiment, REFUSAL: _refusal}


def _need(module: str, package: str, purpose: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(package, "scorers", purpose) from None


def _named(function: Callable[..., Any], package: str, labels: tuple[str, ...]) -> Any:
    """Return a function as a model that is named after its package; nothing is kept on disk, since it is fast."""
    name = f"{package} {metadata.version(package)}" if package else "workbench's refusal rules"
    return from_callable(function, LoadOptions(labels=labels, name=name, cache=False))
