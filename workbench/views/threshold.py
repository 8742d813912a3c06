"""A threshold to drag over a score of the probe `ood`: how many inside examples it keeps, how many outside ones it lets through.

The page gets the values of every score once and counts there while the line moves; the kernel hears the latest threshold, answers
with intervals when the hand rests, and `wb.selection` is what the threshold flags: the rows of that score below it.
"""

import threading
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from workbench._rules import Condition, Range, Rule
from workbench.errors import UsageError, unknown
from workbench.views import _assets, _messages, selection
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._page import static_html

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Threshold", "threshold"]

REST = 0.3  # seconds that a threshold must stand before intervals are computed and it is logged
NEEDED = ("example", "score", "value", "outside")
KERNEL = "kernel"
WORDS = {"kept": "Inside, kept", "let_through": "Outside, let through", "flagged": "Flagged, of all"}


def threshold(report: "Report", score: str | None = None) -> "Threshold":
    """Return a threshold to drag over a report of the probe `ood`: show it as the last line of a cell, drag, read `wb.selection`.

    `score` names the one to begin with; it starts where 95 % of the inside examples are kept.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"example": ["a", "b"], "score": "msp", "value": [0.9, 0.4], "outside": [0.0, 1.0]})
    >>> from types import SimpleNamespace
    >>> line = Threshold(SimpleNamespace(explored=rows, probe="ood"))
    >>> line.move(0.5)
    >>> line.selection["example"].tolist()
    ['b']
    """
    if not hasattr(report, "explored"):
        raise UsageError(
            f"threshold() takes a report; found {type(report).__name__}. Make one with wb.run('ood', ...)."
        )
    return Threshold(report, score)


class Threshold(anywidget.AnyWidget):
    """A histogram of a score with a line to drag; `threshold`, `score`, `rates` and `selection` follow it."""

    _esm = _assets.module(*_assets.THRESHOLD)
    _css = _assets.css("threshold.css")

    about = traitlets.Dict().tag(sync=True)  # scores: name, title, count
    values = traitlets.Bytes().tag(sync=True)  # float32, one score after another, finite ones only
    kinds = traitlets.Bytes().tag(sync=True)  # uint8: 0 inside, 1 outside, 2 not known
    state = traitlets.Dict().tag(sync=True)  # score (its place), threshold, by: who put it there

    def __init__(self, report: "Report", score: str | None = None) -> None:
        rows = report.explored
        missing = [name for name in NEEDED if name not in rows]
        if missing or not len(rows):
            raise UsageError(
                f"A threshold is for reports of the probe 'ood', with rows; this one is of {report.probe!r}. Make one by wb.run."
            )
        usable = rows[np.isfinite(rows["value"].to_numpy(float))]
        self._report = report
        self._parts = {str(name): part for name, part in usable.groupby("score", sort=False)}
        if not self._parts:
            raise UsageError("No row of this report has a score.")
        if score is not None and score not in self._parts:
            raise unknown("score", score, self._parts)
        self._values = {name: part["value"].to_numpy(np.float32) for name, part in self._parts.items()}
        self._kinds = {name: _kinds(part["outside"].to_numpy(float)) for name, part in self._parts.items()}
        self._lock = threading.RLock()
        self._logged = ""  # the last threshold that was noted; where it begins is nobody's choice
        self._slow = Latest(self._answer, failed=self._failed, pause=REST)
        from workbench.charts.metrics import metric_title

        listed = [
            {"name": name, "title": metric_title(name), "count": len(part), "start": self._start(name)}
            for name, part in self._parts.items()
        ]
        self._names = list(self._parts)
        first = self._names.index(score) if score is not None else 0
        super().__init__(
            about={"scores": listed},
            values=np.concatenate(list(self._values.values())).tobytes(),
            kinds=np.concatenate(list(self._kinds.values())).tobytes(),
            state={"score": first, "threshold": listed[first]["start"], "by": KERNEL},
        )
        self._logged = self._words(first, self._start(self._names[first]))
        answer_beside_cells(self)
        self.on_msg(self._hear)
        selection.remember(self)

    def _words(self, place: int, limit: float) -> str:
        return f"{self._names[place]} below {limit:.6g}"

    @property
    def score(self) -> str:
        """The score that the line stands in."""
        return self._names[self.state["score"]]

    @property
    def threshold(self) -> float:
        """Where the line stands: examples at or above it are kept."""
        return float(self.state["threshold"])

    @property
    def selection(self) -> "pd.DataFrame":
        """The rows of the score that are flagged, below the threshold; the least usual first."""
        with self._lock:
            name, limit = self.score, self.threshold
        below = self._parts[name][self._values[name] < np.float32(limit)]
        return below.sort_values("value", kind="stable").reset_index(drop=True)

    @property
    def rates(self) -> "pd.DataFrame":
        """The shares at this threshold with Wilson's interval: kept of inside, let through of outside, flagged of all."""
        import pandas as pd

        from workbench.stats.intervals import proportion

        with self._lock:
            name, limit = self.score, self.threshold
        kept, part = self._values[name] >= np.float32(limit), self._parts[name]
        several = "cluster" in part and part["cluster"].nunique() < len(part)
        clusters = part["cluster"].to_numpy() if several else None
        kinds = self._kinds[name]
        lines = []
        for rate, rows, hits in (
            ("kept", kinds == 0, kept),
            ("let_through", kinds == 1, kept),
            ("flagged", kinds >= 0, ~kept),
        ):
            if rows.any():
                own = None if clusters is None else clusters[rows]
                lines.append({"rate": rate, **proportion(hits[rows].astype(float), clusters=own)._asdict()})
        return pd.DataFrame(lines)

    def move(self, threshold: float, score: str | None = None) -> None:
        """Put the line elsewhere, in another score where one is named."""
        if score is not None and score not in self._parts:
            raise unknown("score", score, self._parts)
        if not np.isfinite(threshold):
            raise UsageError(f"threshold must be a finite number; it is {threshold!r}.")
        self._take(self._names.index(score) if score is not None else self.state["score"], float(threshold), KERNEL)

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Take a threshold from the page, or tell the rates of the one there is; what does not fit is dropped."""
        if not isinstance(content, dict):
            return
        if content.get("kind") == "rates":
            self._slow.put((self.state["score"], self.threshold))
        if content.get("kind") != "move":
            return
        place, limit = _messages.integer(content.get("score"), 0, len(self._names) - 1), content.get("threshold")
        if place is not None and isinstance(limit, (int, float)) and np.isfinite(limit):
            self._take(place, float(limit), "page")

    def _take(self, place: int, limit: float, by: str) -> None:
        """Put the line there; the page follows what Python says, not the echo of its own, which may be late."""
        with self._lock:
            self.state = {"score": place, "threshold": limit, "by": by}
        selection.remember(self)
        self._slow.put((place, limit))

    def _answer(self, job: tuple[int, float]) -> None:
        """Send the rates with their intervals, and log the threshold: moving it is a search."""
        found = self.rates
        words = self._words(*job)
        if words != self._logged and hasattr(self._report, "log_selection"):
            self._logged = words
            below = Condition("value", (), (Range(None, float(np.float32(job[1])), "left"),))
            rule = Rule((Condition("score", (self._names[job[0]],)), below))
            self._report.log_selection("threshold", words, len(self.selection), rule=rule)
        said = [
            {
                "words": WORDS[line["rate"]],
                **{key: float(line[key]) for key in ("value", "low", "high")},
                "n": int(line["n"]),
            }
            for line in found.to_dict("records")
        ]
        self.send({"kind": "rates", "score": job[0], "threshold": job[1], "rates": said})

    def _start(self, name: str) -> float:
        """Return the threshold that keeps 95 % of the inside values, of all where none is known to be inside."""
        from workbench.stats.ood_metrics import keeping

        inside = self._values[name][self._kinds[name] == 0]
        return keeping(inside if len(inside) else self._values[name])

    def _failed(self, job: Any, error: Exception) -> None:
        del job
        self.send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

    def __repr__(self) -> str:
        n = len(self._parts[self.score])
        return f"Threshold of {self.score} at {self.threshold:.4g}: {len(self.selection):,} of {n:,} flagged"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, meta = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": repr(self), "text/html": static_html(self._report)}, meta


def _kinds(outside: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.where(np.isnan(outside), 2, np.where(outside > 0, 1, 0)).astype(np.uint8)
