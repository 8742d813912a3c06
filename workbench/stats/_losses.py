"""Intervals of mean losses: Brier scores and the NLL."""

import numpy as np

from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import Interval, mean_of

__all__ = ["cut", "loss_of"]


def cut(interval: Interval, top: float) -> Interval:
    """Return the interval cut to what the metric can be."""
    return interval._replace(low=float(np.maximum(interval.low, 0.0)), high=float(np.minimum(interval.high, top)))


def loss_of(name: str, losses: Floats, confidence: Floats, codes: Ints | None, level: float) -> Interval:
    """Return the mean of a loss per row; where too few rows are wrong to see its spread, at least the spread stated.

    A row of confidence c is right with probability c, if the model is calibrated; its loss then takes two values, whose variance
    is c (1 - c) times the square of their difference: 1 - 2c for the Brier score of the event, twice that at most for the sum
    over classes, log c - log(1 - c) for the NLL.
    """
    top = {"brier_event": 1.0, "brier": 2.0, "nll": np.inf}[name]
    found = mean_of(losses, codes, level)
    stated = np.clip(confidence, 1e-6, 1 - 1e-6)
    apart = np.log(stated / (1 - stated)) if name == "nll" else (1 - 2 * stated) * (2.0 if name == "brier" else 1.0)
    expected, seen = float((stated * (1 - stated) * apart * apart).mean()), float(losses.var()) if len(losses) else 0.0
    if np.isnan(found.low) or seen <= 0 or expected <= seen:
        return cut(found, top)
    wider = float(np.sqrt(expected / seen))
    low, high = (found.value + wider * (end - found.value) for end in (found.low, found.high))
    return cut(found._replace(low=low, high=high, method=f"{found.method}, widened to the spread stated"), top)
