"""The metrics of a selection with intervals, when the hand rests; each selection that rests is a look, which `_findings` logs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.views._findings import Findings
from workbench.views._lens import Lens
from workbench.views._live import Latest
from workbench.views._messages import Brush
from workbench.views._page import line_of, part_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["REST", "Measured", "Resting"]

REST = 0.3  # seconds that a brush must stand before intervals are computed and the selection is logged


class Resting(NamedTuple):
    """A selection at rest: its number, rows (n,), words and brush; one that moved on meanwhile has others."""

    serial: int
    chosen: NDArray[np.bool_]
    words: str
    brush: Brush


class Measured:
    """Answers with the metrics of a selection, on a thread of its own: sends {kind: "metrics", serial, n, metrics, why_not}."""

    def __init__(
        self,
        report: "Report",
        lens: Lens,
        findings: Findings,
        rows_of: "Callable[[NDArray[np.bool_]], pd.DataFrame]",
        send: Callable[[dict[str, Any]], None],
        failed: Callable[[Any, Exception], None],
    ) -> None:
        self._report, self._lens, self._findings, self._rows_of, self._send = report, lens, findings, rows_of, send
        self._latest = Latest(self.answer, failed=failed, pause=REST)

    def put(self, resting: Resting) -> None:
        """Ask for the metrics of a selection."""
        self._latest.put(resting)

    def join(self, seconds: float) -> None:
        """Wait for the answer, at most so many seconds."""
        self._latest.join(seconds)

    def answer(self, job: Resting) -> None:
        """Note a selection as looked at, and send its metrics."""
        n = int(job.chosen.sum())
        why_not = self._findings.looked(job.words, job.brush, job.chosen)
        whole = n == len(job.chosen) and self._lens.view is None  # what the picture shows: computed once for both
        part = self._report if whole else part_of(self._report, self._lens, self._rows_of(job.chosen))
        found = [line_of(said, line) for said, line in self._lens.metrics(part.metrics)] if n else []
        self._send({"kind": "metrics", "serial": job.serial, "n": n, "metrics": found, "why_not": why_not})
