"""A Python callable as a classifier: whatever can be wrapped in a function can be probed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from workbench.errors import DataError, ModelError, UsageError, counted
from workbench.models._adapt import Store, absent, heard
from workbench.models.cache import Cache
from workbench.models.load import LoadOptions
from workbench.models.verbs import Classes, ModelInfo, Monitor

__all__ = ["CallableClassifier", "from_callable"]

BATCH = 32
SLACK = 1e-3  # how far from one a row may sum; rows are divided by their sum


class CallableClassifier:
    """A function from a list of inputs (from one input, with per_item) to class probabilities.

    It returns an array or lists (n, K), in the order of `labels`, or one mapping from label to probability per input. Its
    answers are kept on disk only if it was given a name, under that name and its code. What the code calls or reads (a model in a
    global variable, a file) is not seen: change the name with it.
    """

    verbs = frozenset({"classify"})
    model = None
    tokenizer = None

    def __init__(self, function: Callable[..., Any], options: LoadOptions) -> None:
        self._function, self._options = function, options
        self.name = options.name or str(getattr(function, "__name__", type(function).__name__))
        self.labels = tuple(map(str, options.labels or ()))
        kept = bool(options.name) and bool(options.cache)
        self._cache = Cache.at(options.cache) if kept else None
        note = (
            f"answers are kept on disk under the name {self.name!r} and the function's own code: give a new name when what it "
            "calls or reads changes"
        )
        self.info = ModelInfo(self.name, "callable", notes=(note,) if kept else ())

    def __repr__(self) -> str:
        return f"CallableClassifier({self.name!r}, classes: {', '.join(self.labels) or 'not known yet'})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Return the class probabilities (n, K) that the function gives.

        Raises `ModelError` with the input's number where the function fails, `DataError` where it gives no probabilities.
        """
        if isinstance(inputs, str):
            raise DataError("The inputs are one text; a list is wanted. Put it in a list.")
        hears, n = heard(monitor), len(inputs)
        rows: list[Any] = [None] * n
        names = list(map(_name, inputs))

        def so_far() -> Classes:
            held = list(rows)
            blank = np.full(len(self.labels), np.nan)
            table = np.array([blank if row is None else row for row in held], dtype=np.float64)
            reached = np.array([row is not None for row in held], dtype=bool)
            return Classes(self.labels, table.reshape(n, len(self.labels)), None, reached)

        store = Store(self._cache, self._options.name or "", "callable", repr(self.labels), _code_hash(self._function))
        try:
            hears.start(n, "inputs")
            if self.labels:
                for i, value in store.find(names).items():
                    rows[i] = np.frombuffer(value)
            left = [i for i in range(n) if rows[i] is None]
            if n - len(left):
                hears.advance(n - len(left), cached=n - len(left), answers=so_far)
            size = 1 if self._options.per_item else BATCH
            for start in range(0, len(left), size):
                if hears.stopped:
                    break
                batch = left[start : start + size]
                answers = self._ask([inputs[i] for i in batch], batch)
                for i, answer in zip(batch, answers, strict=True):
                    rows[i] = self._row(answer, i)
                store.keep({names[i]: rows[i].tobytes() for i in batch})
                hears.advance(len(batch), answers=so_far)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return so_far()

    def _ask(self, inputs: list[Any], places: list[int]) -> list[Any]:
        """Return one answer per input."""
        if self._options.per_item:
            return [self._call(inputs[0], f"input {places[0]}")]
        try:
            given = self._function(inputs)
            answers = None if isinstance(given, (Mapping, str)) or not hasattr(given, "__iter__") else list(given)
        except Exception as error:  # a foreign function may raise anything
            raise self._blame(inputs, places, error) from error
        if answers is None:
            raise DataError(
                f"{self.name} gave one {type(given).__name__} for a list of {counted(len(inputs), 'input')}. It must give a "
                "row of class probabilities, or a mapping, for each; if it takes one input at a time, load it with per_item=True."
            )
        if len(answers) != len(inputs):
            raise DataError(
                f"{self.name} gave {len(answers)} answers for {len(inputs)} inputs. It must give one per input; if it takes "
                "one input at a time, pass per_item=True."
            )
        return answers

    def _call(self, argument: Any, where: str) -> Any:
        try:
            return self._function(argument)
        except Exception as error:  # a foreign function may raise anything
            raise ModelError(f"{self.name} failed on {where}: {type(error).__name__}: {error}") from error

    def _blame(self, inputs: list[Any], places: list[int], error: Exception) -> ModelError:
        """Return the error that names the first input on which the function fails alone."""
        said = f"{type(error).__name__}: {error}"
        for each, i in zip(inputs, places, strict=True):
            try:
                self._function([each])
            except Exception as alone:  # as above
                failed = f"{self.name} failed on input {i}: {type(alone).__name__}: {alone}"
                return ModelError(f"{failed}{self._mend(each)}")
        return ModelError(
            f"{self.name} failed on inputs {places[0]} to {places[-1]} together, though on none of them alone: {said}"
        )

    def _mend(self, one: Any) -> str:
        """Return what helps where the function takes one input, not a list of them."""
        try:
            self._function(one)
        except Exception:  # as above
            return ""
        return ". It was given a list of inputs, and answers one alone: load it with per_item=True."

    def _row(self, answer: Any, i: int) -> Any:
        """Return the probabilities of one input, checked."""
        if isinstance(answer, Mapping):
            if not self.labels:
                self.labels = tuple(map(str, answer))
            values = {str(label): value for label, value in answer.items()}
            strange = [label for label in values if label not in self.labels]
            if strange:
                raise DataError(
                    f"{self.name} gave the label {strange[0]!r} for input {i}; the labels are "
                    f"{', '.join(self.labels)}. Pass labels=[...] with all of them."
                )
            answer = [values.get(label, 0.0) for label in self.labels]
        if not self.labels:
            raise UsageError(
                f"{self.name} gives numbers without names. Pass labels=[...], in the order of its outputs."
            )
        try:
            row = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.name} gave {answer!r} for input {i}; probabilities are wanted.") from error
        if row.shape != (len(self.labels),):
            raise DataError(
                f"{self.name} gave an answer of shape {row.shape} for input {i}; there are {len(self.labels)} labels "
                f"({', '.join(self.labels)}), so ({len(self.labels)},) is wanted."
            )
        if not np.isfinite(row).all() or (row < -SLACK).any() or abs(row.sum() - 1) > SLACK:
            raise DataError(
                f"{self.name} gave {np.round(row, 4).tolist()} for input {i}, which are not probabilities: they must be in "
                "[0, 1] and sum to 1. Put a softmax into the function."
            )
        row = row.clip(0)
        return row / row.sum()


def _name(value: Any) -> str:
    """Return an input as a key of the cache: an array by all its numbers, which its repr leaves out."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    return repr(value)


def _code_hash(function: Callable[..., Any]) -> str:
    """Return a hash of a function's own code, whatever file and line it stands in; "" where it has none (a C function)."""
    bound = getattr(function, "__func__", function)
    called = type(bound).__call__ if not hasattr(bound, "__code__") else bound
    code = getattr(called, "__code__", None)
    return hashlib.sha256(repr(_told(code)).encode()).hexdigest() if code is not None else ""


def _told(code: CodeType) -> tuple[Any, ...]:
    """Return what makes up a code object: instructions, constants (inner functions too) and names."""
    return code.co_code, tuple(map(_constant, code.co_consts)), code.co_names, code.co_varnames


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _told(value)
    if isinstance(value, frozenset):  # `x in {"a", "b"}`: the order of its repr differs from process to process
        return sorted(map(repr, value))
    return repr(value)


def from_callable(function: Callable[..., Any], options: LoadOptions) -> CallableClassifier:
    """Return the adapter of a function.

    >>> model = from_callable(lambda text: {"no": 0.25, "yes": 0.75}, LoadOptions(per_item=True))
    >>> model.classify(["a"]).probabilities.tolist()
    [[0.25, 0.75]]
    """
    return CallableClassifier(function, options)
