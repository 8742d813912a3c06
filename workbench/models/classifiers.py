"""Text classifiers of transformers, and scikit-learn's classifiers of texts or feature rows: class probabilities in float64."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, ModelError, NotApplicable
from workbench.models._adapt import Identity, Store, absent, batches, heard, run_batches, settings_of
from workbench.models._features import as_rows, texts_of
from workbench.models._heads import (
    Floats,
    Head,
    check_labels,
    give_padding,
    max_length,
    refuse_nan,
    softmax,
    two_logits,
)
from workbench.models._weights import tokenizer_hash
from workbench.models.cache import Cache
from workbench.models.load import LoadOptions
from workbench.models.verbs import Classes, ModelInfo, Monitor

if TYPE_CHECKING:
    from workbench.models._open import Opened

__all__ = ["SklearnClassifier", "TextClassifier", "from_sklearn"]

BUDGET = {"cpu": 4096}  # tokens of a batch, with padding
BUDGET_ELSEWHERE = 65536
ROWS = 4096  # inputs of a scikit-learn model between two looks at the monitor
LOOKED_AT = 64  # inputs whose decision values are held against their probabilities


class TextClassifier:
    """A sequence classifier of transformers. `truncated` counts the texts of the last call that were cut to `max_length`."""

    verbs = frozenset({"classify"})

    def __init__(self, opened: "Opened") -> None:
        self.model, self.tokenizer, self.info = opened.model, opened.tokenizer, opened.info
        self.name, self.truncated = opened.info.name, 0
        self._options = opened.options
        self._head = Head(opened)
        self.labels = self._head.labels
        self.max_length = max_length(self.model, self.tokenizer, opened.options.max_length)
        self._identity = Identity(self.model, opened.fingerprint)
        self._cache = Cache.at(opened.options.cache)
        give_padding(self.model, self.tokenizer)

    def __repr__(self) -> str:
        return f"TextClassifier({self.name!r}, {len(self.labels)} classes, {self.info.dtype} on {self.info.device})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Return the class probabilities (n, K) and logits of texts, or of pairs of texts (a tuple, or text and text_pair).

        Rows are not done, and NaN, where the person stopped; texts longer than the model reads are cut at the end and counted.
        """
        firsts, seconds = texts_of(inputs)
        hears, n = heard(monitor), len(firsts)
        logits, done = np.full((n, len(self.labels)), np.nan), np.zeros(n, dtype=bool)
        self.model.eval()
        fingerprint = self._identity.now()
        settings = (
            f"{settings_of(self.model)}{self.info.dtype}{self.model.device.type}{self.max_length}{self._head.positive}"
        )
        store = Store(self._cache, fingerprint, "classify", settings, tokenizer_hash(self.tokenizer))
        names = [repr((a, b)) for a, b in zip(firsts, seconds or [""] * n, strict=True)]
        lengths = self._lengths(firsts, seconds)
        self.truncated = sum(length > (self.max_length or length) for length in lengths)

        def so_far() -> Classes:
            reached, held = done.copy(), logits.copy()
            return Classes(self.labels, softmax(held), held, reached)

        def run(batch: list[int]) -> None:
            made = self._head.read(
                self._forward([firsts[i] for i in batch], [seconds[i] for i in batch] if seconds else None)
            )
            refuse_nan(made, batch, self.name)
            logits[batch], done[batch] = made, True
            store.keep({names[i]: logits[i].tobytes() for i in batch})
            hears.advance(len(batch), answers=so_far)

        try:
            hears.start(n, "texts")
            known = store.find(names)
            for i, value in known.items():
                logits[i], done[i] = np.frombuffer(value), True
            if known:
                hears.advance(len(known), cached=len(known), answers=so_far)
            left = [i for i in range(n) if not done[i]]
            budget = self._options.token_budget or BUDGET.get(self.model.device.type, BUDGET_ELSEWHERE)
            cut = batches([min(lengths[i], self.max_length or lengths[i]) for i in left], budget)
            run_batches([[left[i] for i in batch] for batch in cut], run, hears)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return so_far()

    def _lengths(self, firsts: list[str], seconds: list[str] | None) -> list[int]:
        if not firsts:
            return []
        ids = self.tokenizer(firsts, seconds, truncation=False, verbose=False)["input_ids"]
        return [len(each) for each in ids]

    def _forward(self, firsts: list[str], seconds: list[str] | None) -> Floats:
        import torch

        given = self.tokenizer(
            firsts,
            seconds,
            padding=True,
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_tensors="pt",
        )
        with torch.inference_mode():
            made: Floats = self.model(**given.to(self.model.device)).logits.float().cpu().double().numpy()
        return made


class SklearnClassifier:
    """A fitted scikit-learn classifier or pipeline, of texts or of feature rows.

    Its decision values are its logits where their softmax is its probabilities (a logistic regression, boosted trees), or where it
    has no probabilities. Those of an SVC with Platt's probabilities are not, and it has none.
    """

    verbs = frozenset({"classify"})
    tokenizer = None

    def __init__(self, model: Any, options: LoadOptions) -> None:
        self.model = model
        self._verb = next((verb for verb in ("predict_proba", "decision_function") if hasattr(model, verb)), "")
        kind = type(model).__name__
        self.name = options.name or kind
        if not hasattr(model, "classes_"):
            tags = getattr(model, "__sklearn_tags__", None)
            if tags is not None and tags().estimator_type == "regressor":
                raise NotApplicable(f"{kind} predicts numbers, not classes, so it has no class probabilities.")
            raise ModelError(f"This {kind} has no classes_: it is not fitted, or it is no classifier. Call fit first.")
        if not self._verb:
            raise NotApplicable(
                f"{kind} has neither predict_proba nor decision_function. Wrap it in CalibratedClassifierCV, or fit it with "
                "probability=True."
            )
        if isinstance(model.classes_, list):
            raise NotApplicable(f"This {kind} has several outputs. Pass one classifier per output.")
        given = None if options.labels is None else tuple(map(str, options.labels))
        check_labels(given, len(model.classes_), self.name)
        self.labels = given or tuple(map(str, model.classes_))
        said = (
            ()
            if self._verb == "predict_proba"
            else (f"{kind} has no predict_proba: probabilities are the softmax of its decision_function",)
        )
        self.info = ModelInfo(self.name, "classifier", dtype="float64", notes=said)

    def __repr__(self) -> str:
        return f"SklearnClassifier({self.name!r}, {len(self.labels)} classes, by {self._verb})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Return the class probabilities (n, K) of texts, of mappings from feature to value, or of rows of numbers."""
        hears, n, k = heard(monitor), len(inputs), len(self.labels)
        probabilities, done = np.full((n, k), np.nan), np.zeros(n, dtype=bool)
        self._note_order(inputs)
        logits = np.full((n, k), np.nan) if n and self._decides(inputs[:LOOKED_AT]) else None

        def so_far() -> Classes:
            reached = done.copy()
            return Classes(self.labels, probabilities.copy(), None if logits is None else logits.copy(), reached)

        try:
            hears.start(n, "inputs")
            for start in range(0, n, ROWS):
                if hears.stopped:
                    break
                part = slice(start, min(start + ROWS, n))
                if logits is None:
                    probabilities[part] = self._ask(inputs[part], "predict_proba")
                else:
                    logits[part] = self._logits(inputs[part])
                    probabilities[part] = softmax(logits[part])
                refuse_nan(probabilities[part], range(n)[part], self.name)
                done[part] = True
                hears.advance(part.stop - start, answers=so_far)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return so_far()

    def _note_order(self, inputs: Sequence[Any]) -> None:
        """Note in which order columns are given to a model that was fitted without their names."""
        if not len(inputs) or hasattr(inputs, "columns") or hasattr(self.model, "feature_names_in_"):
            return
        if not isinstance(inputs[0], Mapping):
            return
        names = list(map(str, inputs[0]))
        shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        note = f"{self.name} was fitted without names of columns: it is given {shown}, in this order"
        if len(names) > 1 and note not in self.info.notes:
            self.info = replace(self.info, notes=(*self.info.notes, note))

    def _decides(self, inputs: Sequence[Any]) -> bool:
        """Return whether the decision values of some inputs are the logits of their probabilities."""
        if self._verb == "decision_function":
            return True
        if not hasattr(self.model, "decision_function"):
            return False
        logits, p = self._logits(inputs), self._ask(inputs, "predict_proba")
        return logits.shape == p.shape and bool(np.allclose(softmax(logits), p, rtol=1e-6, atol=1e-9))

    def _logits(self, inputs: Sequence[Any]) -> Floats:
        """Return the decision values (n, K); of two classes those that sum to zero, so that energy favours neither."""
        made = self._ask(inputs, "decision_function")
        return two_logits(made) - made[:, None] / 2 if made.ndim == 1 else made

    def _ask(self, inputs: Sequence[Any], verb: str) -> Floats:
        rows = as_rows(inputs, getattr(self.model, "feature_names_in_", None), self.name)
        try:
            return np.asarray(getattr(self.model, verb)(rows), dtype=np.float64)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            said = " ".join(str(error).split()).rstrip(".")  # scikit-learn's messages run over several lines
            raise DataError(
                f"{self.name} cannot read these inputs ({type(inputs[0]).__name__}s): {said}. Give them as at fit: "
                "texts, mappings of feature columns, or rows of numbers."
            ) from error


def from_sklearn(model: Any, options: LoadOptions) -> SklearnClassifier:
    """Return the adapter of a fitted scikit-learn classifier.

    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted = LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])
    >>> from_sklearn(fitted, LoadOptions()).classify([{"x": 2.0}]).labels
    ('no', 'yes')
    """
    return SklearnClassifier(model, options)
