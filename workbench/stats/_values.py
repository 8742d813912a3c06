"""The values alone of what `workbench.stats.summary` gives an interval by more than a mean over rows.

A bootstrap asks for a number some hundred times and for its interval never: this is `summary` without the intervals, in about a
fifth of its time.
"""

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._binned import gap_noise, own_noise, signed_square
from workbench.stats._bins import cells_of, limits_of
from workbench.stats._brier import parts_of
from workbench.stats._checks import Floats, Ints, check_bins, check_clusters, check_pairs, check_probabilities
from workbench.stats._classwise import classwise_null
from workbench.stats._cumulative import spiegelhalter, walk_of
from workbench.stats._draws import Draws, Rows
from workbench.stats._ranking import aurc_influence, rank
from workbench.stats._smooth import fit
from workbench.stats.summary import Settings

__all__ = ["values_of"]


def values_of(
    confidence: Floats,
    correct: Floats,
    clusters: ArrayLike | None,
    settings: Settings,
    classes: tuple[ArrayLike, ArrayLike] | None = None,
) -> dict[str, float]:
    """Return l2_debiased, smooth_ece, the Brier score and its parts, AUROC, AURC and the tests without bins, as `summary` does.

    NaN where `summary` has NaN. Confidences in [0, 1] and outcomes 0 or 1, both (n,); a cluster for each row, or None. Of clustered
    rows also classwise_ece, which has a null band elsewhere, if `classes` are probabilities (n, K) and labels (n,).

    >>> found = values_of(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1.0, 1, 0, 1]), None, Settings())
    >>> found["auroc"].__round__(3), found["brier_uncertainty"]
    (0.667, 0.1875)
    """
    check_bins(settings.bins, settings.scheme)
    stated, hit = check_pairs(confidence, correct, empty=True)
    codes = check_clusters(clusters, len(hit))
    n = len(hit)
    if not n:
        return {}
    found = _binned(stated, hit, codes, settings)
    if classes is not None and codes is not None:
        how = (settings.bins, settings.scheme, 0, settings.seed)
        found["classwise_ece"] = classwise_null(*check_probabilities(*classes), how, settings.level).value
    steps, _ = walk_of(stated, hit)
    z = float(spiegelhalter(stated, hit).statistic)
    ranked = rank(stated, hit)
    area, risk = aurc_influence(ranked).value if n > 1 else float(1 - hit[0]), float(1 - hit.mean())
    both = 0 < risk < 1
    best = risk + (1 - risk) * np.log(1 - risk) if both else 0.0
    return found | {
        "smooth_ece": fit(stated, hit).value,
        "ks": float(np.abs(steps).max()),
        "kuiper": float(np.ptp(steps)),
        "spiegelhalter": z if np.isfinite(z) or codes is not None else float("nan"),
        "brier_event": float(((stated - hit) ** 2).mean()),
        "auroc": _auroc(stated, hit) if both else float("nan"),
        "aurc": area if both else risk,
        "e_aurc": float(area - best) if both else 0.0,
    }


def _binned(stated: Floats, hit: Floats, codes: Ints | None, settings: Settings) -> dict[str, float]:
    limits = limits_of(stated, settings.bins, settings.scheme)
    sums = cells_of(stated, hit, limits, settings.scheme)
    parts = parts_of(sums)
    found = {
        "brier_reliability": parts.reliability,
        "brier_resolution": parts.resolution,
        "brier_uncertainty": parts.uncertainty,
        "brier_within": parts.within_variance - parts.within_covariance,
        "l2_debiased": float("nan"),
    }
    if len(hit) > 1 and sums.n.max() > 1 and not (codes is not None and codes.max() < 1):
        rows = Rows(stated, hit, limits, settings.scheme, codes)
        excess = 0.0 if codes is None else gap_noise(sums, rows) - own_noise(sums)
        signed = float(signed_square(Draws(sums.n[None], sums.hits[None], sums.confidence[None]))[0]) - excess
        found["l2_debiased"] = float(np.sqrt(max(0.0, signed)))
    return found


def _auroc(stated: Floats, hit: Floats) -> float:
    """Return the share of pairs of a hit and an error in which the hit is the surer one; ties count half."""
    high, low = stated[hit > 0], np.sort(stated[~(hit > 0)])
    wins = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float((wins / (2 * len(low))).mean())
