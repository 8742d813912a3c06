"""The temperature slider's numbers in the kernel: the logits to send, the confidences they give at T, and the best T.

The page computes the same from the same float32 logits, so that a brush means the same rows on both sides.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.views import _fields

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HIGHEST", "LOWEST", "Fit", "Heat", "Logits", "logits_of", "why_not"]

LOWEST, HIGHEST = 0.25, 4.0
MOST_CLASSES = 64
CLOSE = 1e-3  # confidences this near to the softmax of the logits count as given by them
LOOK_AT = 200  # rows that are compared before the slider is offered
STEPS = 60  # of golden-section search: the interval shrinks to 1e-12 of its width
GOLDEN = (5**0.5 - 1) / 2


class Fit(NamedTuple):
    """The temperature with the least negative log-likelihood, `n` rows, and the mean nll (nats) at 1 and at it."""

    temperature: float
    n: int
    nll_before: float
    nll_after: float


@dataclass(frozen=True, eq=False)
class Logits:
    """Logits (n, K) as float32, rows with fewer classes filled up with -inf, rows without any NaN; labels (n,), -1 for none."""

    values: NDArray[np.float32]
    labels: NDArray[np.int16]

    def confidence(self, temperature: float) -> NDArray[np.float64]:
        """Return the largest probability of each row (n,) at T; NaN where a row has no logits.

        >>> Logits(np.log(np.array([[0.8, 0.2]], np.float32)), np.zeros(1, np.int16)).confidence(1.0).round(6)
        array([0.8])
        """
        shifted = self.values.astype(np.float64) - self.values.max(axis=1, keepdims=True).astype(np.float64)
        return np.asarray(1.0 / np.exp(shifted / temperature).sum(axis=1))

    def nll(self, temperature: float) -> NDArray[np.float64]:
        """Return minus log p of the label (nats), of the rows that have a label."""
        rows = self._labelled()
        scaled = self.values[rows].astype(np.float64) / temperature
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return np.asarray(total - scaled[np.arange(len(rows)), self.labels[rows]])

    def fit(self) -> Fit:
        """Return the best temperature between 0.25 and 4, on these rows themselves: it flatters a little."""
        n = len(self._labelled())
        low, high = np.log(LOWEST), np.log(HIGHEST)
        for _ in range(STEPS):  # the loss is convex in 1/T, so it has one valley along log T
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            if self.nll(float(np.exp(left))).mean() <= self.nll(float(np.exp(right))).mean():
                high = right
            else:
                low = left
        best = float(np.exp((low + high) / 2))
        return Fit(best, n, float(self.nll(1.0).mean()), float(self.nll(best).mean()))

    def where(self, mask: NDArray[np.bool_]) -> "Logits":
        """Return those of some rows."""
        return Logits(self.values[mask], self.labels[mask])

    def _labelled(self) -> NDArray[np.intp]:
        return np.flatnonzero((self.labels >= 0) & np.isfinite(self.values.max(axis=1)))


class Heat:
    """The rows' logits, read when they are first used, and the fields and values that they give at a temperature."""

    def __init__(self, rows: "pd.DataFrame", fields: "tuple[_fields.Field, ...]", stated: NDArray[np.float64]) -> None:
        self._rows, self._fields, self._stated = rows, fields, stated
        self._lock = threading.Lock()
        self._logits: Logits | None = None

    @property
    def logits(self) -> Logits:
        """The logits of the rows."""
        with self._lock:
            if self._logits is None:
                self._logits = logits_of(self._rows)
            return self._logits

    def fields(self, temperature: float) -> "tuple[_fields.Field, ...]":
        """Return the fields with the confidences of T; the coverage's parts keep their thresholds' ranks."""
        if temperature == 1.0:
            return self._fields
        return (*_fields.tempered(self._fields[:2], self.logits.confidence(temperature)), *self._fields[2:])

    def answer(self, kind: str, chosen: NDArray[np.bool_]) -> tuple[dict[str, Any], list[bytes]]:
        """Return the message, and its buffers, with all "logits", or with the "fit" of the chosen rows (n,)."""
        logits = self.logits
        if kind == "logits":
            buffers = [logits.values.tobytes(), logits.labels.tobytes()]
            return {"kind": "logits", "classes": logits.values.shape[1]}, buffers
        return {"kind": "fit", **logits.where(chosen).fit()._asdict()}, []

    def values(self, temperature: float) -> NDArray[np.float64]:
        """Return the value of each row (n,) at T, as the page has it: stated ones have been float32."""
        if temperature != 1.0:
            return np.where(np.isfinite(self._stated), self.logits.confidence(temperature), np.nan)
        return self._stated.astype(np.float32).astype(np.float64)


def why_not(rows: "pd.DataFrame") -> str:
    """Return why these rows cannot have a temperature, "" if they can."""
    if "logits" not in rows or rows["logits"].isna().all():
        return "These rows keep no logits (stated confidences, next tokens, or more than 64 classes)."
    some = rows[rows["logits"].notna() & rows["confidence"].notna()].head(LOOK_AT)
    if some.empty:
        return "No row has both logits and a confidence."
    if max(len(row) for row in some["logits"]) > MOST_CLASSES:
        return f"The rows have more than {MOST_CLASSES} classes."
    if not (some["label_index"] >= 0).any():
        return "No row has a label to compare with."
    given = logits_of(some).confidence(1.0)
    if not np.allclose(given, some["confidence"].to_numpy(float), atol=CLOSE, equal_nan=True):
        return "The confidences of these rows are not the softmax of their logits."
    return ""


def logits_of(rows: "pd.DataFrame") -> Logits:
    """Return the logits of rows as one array."""
    ragged: list[Any] = [[] if row is None or isinstance(row, float) else row for row in rows["logits"]]
    counts = np.array([len(row) for row in ragged])
    width = max(1, int(counts.max(initial=1)))
    values = np.full((len(rows), width), -np.inf, dtype=np.float32)
    values[np.arange(width) < counts[:, None]] = np.concatenate([*(np.asarray(row, np.float32) for row in ragged), []])
    values[counts == 0] = np.nan
    labels = rows["label_index"].fillna(-1).to_numpy(np.int16)
    return Logits(values, np.where(labels < counts, labels, -1).astype(np.int16))
