"""The scores of examples: from class logits, from vectors against those of a reference, and from a language model's likelihood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, NotApplicable
from workbench.models.verbs import Monitor, Request
from workbench.stats import ood
from workbench.stats._checks import Floats
from workbench.stats.logistic import Logistic, fit_logistic

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["OF_CLASSES", "OF_LOGITS", "OF_VECTORS", "SCORES", "Asked", "Fitted", "ask", "perplexity_of", "read"]

OF_LOGITS = ("msp", "negative_entropy", "max_logit", "energy")
OF_VECTORS = ("knn", "marginal_mahalanobis")  # need no classes
OF_CLASSES = ("mahalanobis", "relative_mahalanobis", "cosine", "vim", "residual")
OF_HEAD = frozenset({*OF_LOGITS, "vim", "residual"})
SCORES = (*OF_LOGITS, "mahalanobis", "relative_mahalanobis", "marginal_mahalanobis", "knn", "cosine", "vim", "residual",
          "perplexity")  # fmt: skip
SMALL = 200_000_000  # vectors times classes up to which the head is fitted in float64: rounding then moves no score
LEAST = 1e-12  # probabilities are clipped here before the logarithm
EMBED = "embed"


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted on the reference: its vectors (n, d), its labels (n,) or None, and the head where there are classes."""

    vectors: NDArray[np.float32]
    labels: NDArray[Any] | None
    head: Logistic | None

    @classmethod
    def of(cls, vectors: NDArray[np.float32], labels: NDArray[Any] | None, wanted: tuple[str, ...]) -> "Fitted":
        """Return the fit of vectors (n, d), with a head where a wanted score needs one; labels of one class are none."""
        if labels is None or len(set(labels.tolist())) < 2:
            return cls(vectors, None, None)
        if not set(wanted) & OF_HEAD:
            return cls(vectors, labels, None)
        small = vectors.size * len(set(labels.tolist())) <= SMALL
        return cls(vectors, labels, fit_logistic(vectors.astype(np.float64) if small else vectors, labels))

    def scores(
        self, vectors: NDArray[np.float32], wanted: tuple[str, ...], options: Mapping[str, Any]
    ) -> dict[str, Floats]:
        """Return each wanted score (m,) of new vectors (m, d), of those that this fit allows."""
        found: dict[str, Floats] = {}
        logits = None if self.head is None else self.head.logits(vectors)
        if logits is not None:
            found.update(of_logits(logits, wanted))
        normal = [name for name in wanted if name.endswith("mahalanobis")]
        if normal:
            fitted = ood.fit_gaussians(self.vectors, self.labels)
            ways = {"mahalanobis": fitted.mahalanobis, "relative_mahalanobis": fitted.relative}
            ways = ways if self.labels is not None else {}
            ways["marginal_mahalanobis"] = fitted.marginal
            found.update({name: ways[name](vectors) for name in normal if name in ways})
        if "knn" in wanted:
            k = min(options["k"], len(self.vectors))
            found["knn"] = ood.fit_neighbours(self.vectors).distance(vectors, k=k)
        if "cosine" in wanted and self.labels is not None:
            found["cosine"] = ood.fit_directions(self.vectors, self.labels).cosine(vectors)
        if self.head is None or logits is None:
            return found
        if {"vim", "residual"} & set(wanted) and vectors.shape[1] > 1:
            most = vectors.shape[1]
            principal = options["principal"] if options["principal"] < most else max(1, most // 3)
            space = ood.fit_residual(self.vectors, self.head.weight, self.head.bias, principal=principal)
            found.update({"vim": space.vim(vectors, logits)} if "vim" in wanted else {})
            found.update({"residual": space.residual(vectors)} if "residual" in wanted else {})
        return found


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model said of n examples: scores by name (n,), which are done, and the predicted class, None without classes."""

    scores: dict[str, Floats]
    done: NDArray[np.bool_]
    predicted: NDArray[Any] | None = None
    classes: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def of_logits(logits: Floats, wanted: tuple[str, ...]) -> dict[str, Floats]:
    """Return the wanted scores of logits (n, K)."""
    return {name: getattr(ood, name)(logits) for name in OF_LOGITS if name in wanted}


def ask(model: Any, examples: "Examples", wanted: tuple[str, ...], *, monitor: Monitor) -> Asked:
    """Return what a classifier says: scores of its logits; of probabilities alone, those that need no more."""
    given = model.classify(examples.inputs, monitor=monitor)
    p = np.asarray(given.probabilities, dtype=np.float64)
    done = np.asarray(given.done, dtype=bool)
    notes: tuple[str, ...] = ()
    if given.logits is None:
        useless = [name for name in ("max_logit", "energy") if name in wanted]
        wanted = tuple(name for name in wanted if name not in useless)
        notes = (f"{model.name} gives probabilities, no logits: {' and '.join(useless)} left out.",) if useless else ()
    scores: dict[str, Floats] = {}
    if done.any():
        source = np.log(np.maximum(p, LEAST)) if given.logits is None else np.asarray(given.logits, np.float64)
        known = of_logits(source[done], wanted)
        scores = {name: _spread(values, done) for name, values in known.items()}
    names = np.array([str(label) for label in given.labels], dtype=object)
    best = names[np.where(done[:, None], p, -1).argmax(axis=1)] if len(p) else names[:0]
    return Asked(scores, done, best, frozenset(names.tolist()), notes)


class Read(NamedTuple):
    """What a model gives of n texts: vectors (n, d), and the mean log p of each one's tokens (n,), None where not asked for."""

    vectors: NDArray[np.float32]
    done: NDArray[np.bool_]
    fluency: Floats | None


def read(model: Any, texts: list[str], options: Mapping[str, Any], *, likelihood: bool, monitor: Monitor) -> Read:
    """Return the model's vectors of texts, by the options `layer` and `pooling`; with likelihoods from one pass, where it can."""
    how = {"layer": options["layer"], "pooling": options["pooling"], "monitor": monitor}
    if not likelihood or "read" not in model.verbs:
        made = model.embed(texts, **how)
        return Read(made.vectors, np.asarray(made.done, dtype=bool), None)
    scores, made = model.read(texts, **how)
    return Read(made.vectors, np.asarray(made.done & scores.done, dtype=bool), _fluency(scores))


def perplexity_of(model: Any, texts: list[str], *, monitor: Monitor) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the mean log p of each text's tokens (n,), nats: minus the log of its perplexity; NaN without tokens."""
    given = model.score([Request("", text) for text in texts], monitor=monitor)
    return _fluency(given), np.asarray(given.done, dtype=bool)


def _fluency(scores: Any) -> Floats:
    tokens = np.diff(scores.offsets)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = scores.total() / np.where(tokens > 0, tokens, np.nan)
    return mean


def need_scores(model: Any, wanted: tuple[str, ...], referenced: bool) -> tuple[str, ...]:
    """Return the wanted scores that this model can have; raise where it can have none, and say what would help."""
    able: set[str] = set()
    if "classify" in model.verbs:
        able |= set(OF_LOGITS)
    elif EMBED in model.verbs and referenced:
        able |= {*OF_LOGITS, *OF_VECTORS, *OF_CLASSES}
    if "score" in model.verbs:
        able.add("perplexity")
    left = tuple(name for name in wanted if name in able)
    if left:
        return left
    if EMBED in model.verbs and not referenced:
        raise DataError(
            f"{model.name!r} gives vectors: name in-distribution examples with reference=, labelled ones for scores of classes."
        )
    can = ", ".join(sorted(model.verbs)) or "nothing"
    raise NotApplicable(
        f"none of the scores {', '.join(wanted)} can be had of {model.name!r}, which can {can}: scores need class probabilities "
        "(classify), vectors (embed) or likelihoods of text (score)."
    )


def _spread(values: Floats, done: NDArray[np.bool_]) -> Floats:
    """Return values of the rows that are done (k,) at their places (n,), NaN elsewhere."""
    whole = np.full(len(done), np.nan)
    whole[done] = values
    return whole
