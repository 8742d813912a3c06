"""The report: rows, and everything that follows from them.

A `Report` keeps rows and a run record; metrics, tables and charts are pure functions of the rows, computed when asked for and
once. So a report can be sliced, saved, opened elsewhere and shown again without the model. Rows that were held out (`half` is
"confirm") are kept, but metrics, tables and charts show the explored half only, and every brush in the explorer is
logged with the report: exploring is a search.
"""

import io
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench._edited import Edited, edited_of
from workbench._looks import Look, by_look, look_of, note, part_look, within
from workbench._record import RunRecord, now
from workbench._report_files import EDITS, contents, read, write
from workbench._rules import Rule, rule_of
from workbench._selections import Log, Selection, frame_of, log_of
from workbench.errors import DataError, UsageError, unknown
from workbench.frames import check_metrics, check_rows, metrics_frame
from workbench.probes.find import find, settle
from workbench.probes.protocol import Probe, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench._confirm_show import Confirmation
    from workbench.data.examples import Examples

__all__ = ["Report", "open_report"]

SUFFIX = ".workbench"
NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a probe found: `rows`, and `metrics`, `tables` and charts computed from them.

    `metrics` has the columns metric, group, value, low, high, n, method. `outcome` is "complete", "interrupted" or
    "not applicable"; `notes` say what happened, `limits` what this probe cannot show.
    """

    rows: "pd.DataFrame"
    record: RunRecord
    notes: tuple[str, ...] = ()
    stored: Mapping[str, "pd.DataFrame"] = field(default_factory=dict)  # tables that come from `score`, not from rows
    _log: list[Selection] = field(default_factory=Log)
    _look: Look | None = None  # what a part, or the same rows by other slices, shows when its numbers are asked for
    _edited: Edited = field(default_factory=Edited)
    _given: Probe | None = None  # a probe that was given as an object and may have no name to be found by
    _examples: "Examples | None" = None  # what was asked, which `workbench.freeze` keeps

    def __post_init__(self) -> None:
        check_rows(self.rows)

    # -- what it is ----------------------------------------------------------------------------------------------------

    @cached_property
    def _probe(self) -> Probe:
        return self._given or find(self.record.probe)

    @property
    def probe(self) -> str:
        """Name of the probe."""
        return self.record.probe

    @property
    def title(self) -> str:
        """The probe's title and the model's name, in one line; of a part, what it is as well."""
        name = self.record.model.get("name", "")
        whole = f"{self._probe.title} of {name}" if name else self._probe.title
        return whole if self._look is None else f"{whole}{self._look.beside}"

    @property
    def question(self) -> str:
        """The question that the probe answers."""
        return self._probe.question

    @property
    def findings(self) -> tuple[str, ...]:
        """What the probe says of its metrics in whole sentences; none where it leaves that to the numbers."""
        says = getattr(self._probe, "says", None)
        return tuple(says(self.metrics)) if says is not None and len(self.explored) else ()

    @property
    def limits(self) -> tuple[str, ...]:
        """What this report cannot show."""
        return self._probe.limits

    @property
    def headline(self) -> tuple[str, ...]:
        """Names of the metrics to show first; none where the probe does not say."""
        return tuple(getattr(self._probe, "headline", ()))

    @property
    def sliced(self) -> tuple[str, ...]:
        """Names of the metrics to show for each slice: those of the headline, where the probe does not say others."""
        return tuple(getattr(self._probe, "sliced", self.headline))

    @property
    def parts(self) -> tuple[str, ...]:
        """Columns that split all of a probe's metrics, so that no line is over all rows: `score`, where each score has its own."""
        return tuple(getattr(self._probe, "parts", ()))

    @property
    def named(self) -> Mapping[str, str]:
        """Groups whose metrics are shown beside the overall ones, in this order, with their words; none where all rows are one lot.

        A sweep names the clean copy and, under "all", the corrupted ones together.
        """
        words: Mapping[str, str] = getattr(self._probe, "named", {})
        return words if set(words) <= set(self.metrics["group"]) else {}

    @property
    def view(self) -> View | None:
        """What the explorer brushes and the example table shows, None where that is a confidence and an outcome."""
        given = getattr(self._probe, "view", None)
        view: View | None = given(self.rows, self.options) if callable(given) else given
        return view if view is not None and {view.value, view.outcome} <= set(self.rows.columns) else None

    @property
    def options(self) -> Mapping[str, Any]:
        """The probe's options of this run."""
        return self.record.options

    @property
    def by(self) -> tuple[str, ...]:
        """Columns of the rows that slice the metrics."""
        return self.record.by

    @property
    def outcome(self) -> str:
        """How the run ended: "complete", "interrupted" or "not applicable"."""
        return self.record.outcome

    @cached_property
    def explored(self) -> "pd.DataFrame":
        """The rows that may be looked at: all but the half that is held out."""
        return self.rows[self.rows["half"] == "explore"].reset_index(drop=True)

    # -- what follows from the rows ------------------------------------------------------------------------------------

    @cached_property
    def metrics(self) -> "pd.DataFrame":
        """Metrics of the explored rows, overall and by slice: metric, group, value, low, high, n, method."""
        if self.outcome == NOT_APPLICABLE:  # nothing was asked: the rows lack the probe's own columns and the slices
            return metrics_frame([])
        seed = self.record.seed
        found = check_metrics(self._probe.summarise(self.explored, self.options, by=self.by, seed=seed))
        note(self, found)
        return found

    @cached_property
    def _derived(self) -> dict[str, "pd.DataFrame"]:
        if self.outcome == NOT_APPLICABLE:
            return {}
        note(self)
        return dict(self._probe.tables(self.explored, self.options, seed=self.record.seed))

    @property
    def tables(self) -> dict[str, "pd.DataFrame"]:
        """Named tables behind the charts (bins, curves), and `selections`, the log of what was looked at."""
        return {**self.stored, **self._derived, "selections": self.selections}

    def charts(self) -> dict[str, Any]:
        """Return every chart by name: Altair charts of aggregated numbers, which show as pictures and need no network.

        `list(report.charts())` are the names that `chart(name)` takes.
        """
        from workbench.charts.offline import offline

        charts = self._probe.charts(self.metrics, self.tables, self.options) if len(self.explored) else {}
        return {name: offline(chart) for name, chart in charts.items()}

    def chart(self, name: str | None = None) -> Any:
        """Return one Altair chart: the named one, or the probe's first."""
        charts = self.charts()
        if not charts:
            raise UsageError(f"This report has no rows to draw; its outcome is {self.outcome!r}.")
        if name is None:
            return next(iter(charts.values()))
        if name not in charts:
            raise unknown("chart", name, charts)
        return charts[name]

    # -- parts ---------------------------------------------------------------------------------------------------------

    def where(self, ids: "Iterable[str] | pd.DataFrame | pd.Series[Any] | None" = None, **columns: Any) -> "Report":
        """Return the report of some of its examples: by id, by a table with a column `example`, or by column values.

        `report.where(wb.selection)`, `report.where(["facts-1"])`, `report.where(domain="biology")`, and by the name of a selection
        that was saved, `report.where("hard questions")`. A value may be a list of allowed values. Nothing is computed again but the
        metrics.

        The first time that metrics, tables or charts of a part are asked for, the part and the slices that they list are noted in
        `selections`, and count in `confirm`: each rule once, whatever looked at it. Reading its rows alone is not noticed.
        """
        rows, given = self.rows, ids
        if ids is not None:
            if isinstance(ids, str):
                ids = set(self.selected(ids)) & set(rows["example"])
            table: Any = ids
            if str(getattr(table, "dtype", "")) in {"bool", "boolean"}:
                raise UsageError("where() takes ids, not a mask. Write where(report.rows[mask]).")
            wanted = set(table["example"]) if hasattr(ids, "columns") else set(ids)
            given = given if isinstance(given, str) else wanted
            strangers = wanted - set(rows["example"])
            if strangers:
                raise unknown("example", sorted(map(str, strangers))[0], list(rows["example"].unique()[:20]))
            rows = rows[rows["example"].isin(wanted)]
        for column, value in columns.items():
            if column not in rows.columns:
                raise unknown("column", column, rows.columns)
            allowed = list(value) if isinstance(value, (list, tuple, set)) else [value]
            if not rows[column].isin(allowed).any():
                raise unknown(f"value of {column}", value, sorted(map(str, rows[column].dropna().unique()))[:20])
            rows = rows[rows[column].isin(allowed)]
        told = ", ".join(f"{name}={value!r}" for name, value in columns.items()) or "chosen by id"
        said = f"A part: {len(rows):,} of {len(self.rows):,} rows ({told})."
        rows, look = rows.reset_index(drop=True), part_look(self, rows, given, columns)
        part = replace(self, rows=rows, notes=(said, *self.notes), stored={}, _log=self._log, _look=look)
        return replace(part, _edited=replace(self._edited))  # edits are shared, a part's line is its own

    def with_options(self, *, by: Sequence[str] | None = None, **options: Any) -> "Report":
        """Return the same rows under other options of `summarise` (bins, recalibrate, by, ...): no model is asked.

        Options that change what is asked of the model cannot be changed here, and say so.
        """
        settle(self._probe, options)
        frozen = [name for name in options if name in getattr(self._probe, "asks", ())]
        if frozen:
            raise UsageError(f"Option {frozen[0]!r} changes what the model is asked. Run the probe again with it.")
        slices = self.by if by is None else _slices(self.rows, by)
        record = replace(self.record, options={**self.options, **options}, by=slices)
        return replace(self, record=record, _log=self._log, _look=by_look(self))

    # -- the log of the search -----------------------------------------------------------------------------------------

    def log_selection(
        self,
        source: str,
        description: str,
        n: int,
        *,
        name: str = "",
        examples: Iterable[str] = (),
        rule: Rule | Mapping[str, Any] | None = None,
        tried: int = 1,
    ) -> None:
        """Note that a selection was looked at: exploring is a search, and its size belongs to the finding.

        With a name it is kept: `selected(name)` are its examples. With a rule, {column: value, list or (low, high)}, `confirm`
        can carry it to the held-out rows. `tried` is how many slices were looked at together.
        """
        given = rule_of(rule) if isinstance(rule, Mapping) else rule
        whole = None if given is None else within(self, given)  # of a part: its own rule, too
        said = description if whole == given or whole is None else whole.words
        text = "" if whole is None else whole.text
        self._log.append(Selection(now(), source, said, int(n), name, tuple(examples), text, int(tried)))

    @property
    def selections(self) -> "pd.DataFrame":
        """The log: time, source, description, n, name and examples of those with a name, rule, tried; metric, status, result.

        `status` is "explored"; lines that `confirm` wrote have the source "confirm", what became of the finding, and how it was
        tested: correction, family, direction, level, and how many tests were counted.
        """
        return frame_of(self._log)

    @property
    def edits(self) -> "pd.DataFrame":
        """Every what-if that was asked of its examples, oldest first: time, example, its texts, answers old and new, model."""
        return self._edited.frame(self.rows, tuple(getattr(self._probe, "texts", ())))

    def confirm(
        self,
        slices: "str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None" = None,
        *,
        metric: str | None = None,
        correction: str = "holm",
        family: str = "tried",
        direction: str = "either",
        level: float = 0.05,
    ) -> "Confirmation":
        """Test slices on the half that was held out: whether a metric differs there from that of all other rows.

        `slices` is {"domain": "law", "confidence": (0.6, 0.8)} (both ends belong), the name or the words of a logged selection,
        words such as "domain: law; confidence 0.6 to 0.8", several of these, or None for all that was tried. `metric` is one
        of the probe's or a numeric column, by default the first of the headline that is a mean over rows.

        p is corrected by Holm ("holm": in 95 % of studies all that is confirmed is so) or Benjamini and Hochberg ("bh": 95 % of
        what is confirmed, on average) over all that was looked at: selections and parts in the log, slices that the metrics list,
        slices of a search, each rule once, for each metric asked so far. family="asked" counts what was ever asked of the held-out
        half. direction="explored" tests one-sided, the way that the explored half points.

        Raises `UsageError` where nothing is held out, and for a selection of ids, which is no rule.

        >>> import pandas as pd, workbench as wb
        >>> frame = pd.DataFrame({"example": range(90), "confidence": 0.8, "correct": [1, 1, 0] * 30, "topic": list("aab") * 30})
        >>> wb.from_predictions(frame, by="topic", holdout=0.5).confirm({"topic": "b"}).findings["status"].tolist()
        ['confirmed']
        """
        from workbench._confirm import Asked, confirm

        return confirm(self, slices, Asked(metric, correction, family, direction, level))

    def selected(self, name: str) -> tuple[str, ...]:
        """Return the ids of the examples of a selection that was named, the latest of that name."""
        kept = {line.name: line.examples for line in self._log if line.name}
        if name not in kept:
            known = f"Known: {', '.join(map(repr, kept))}." if kept else "None was named yet."
            raise UsageError(f"There is no selection named {name!r}. {known} An id stands in a list: [{name!r}].")
        return kept[name]

    # -- showing and keeping -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        from workbench._report_html import text

        return text(self)

    def _repr_html_(self) -> str:
        from workbench._report_html import notebook_html

        return notebook_html(self)

    def html(self, *, rows: int = 200) -> str:
        """Return one self-contained HTML document: static charts, escaped tables of at most `rows` rows, no script."""
        from workbench._report_html import to_html

        return to_html(self, rows=rows)

    def to_html(self, path: str | os.PathLike[str], *, rows: int = 200) -> Path:
        """Write `html()` to a file and return its path."""
        target = Path(path)
        write(target, self.html(rows=rows).encode())
        return target

    def to_markdown(self, *, level: int = 2) -> str:
        """Return the report as Markdown: numbers with interval and n, limits, run record; all text of data and models is escaped.

        `level` is that of its heading: 2 gives "## ...".
        """
        from workbench._report_markdown import to_markdown

        return to_markdown(self, level=level)

    def save(self, path: str | os.PathLike[str], *, pictures: bool = False) -> Path:
        """Write rows, metrics, tables and record to one file (a zip of Parquet and JSON) and return its path.

        The suffix `.workbench` is added where there is none. The file appears whole or not at all. It also holds one HTML page,
        which JupyterLab shows where the file is opened: numbers, slices and examples, and the charts where `pictures` is True
        (to draw them takes seconds).
        """
        target = Path(path)
        target = target if target.suffix else target.with_suffix(SUFFIX)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in contents(self, pictures=pictures).items():
                archive.writestr(name, content)
        write(target, buffer.getvalue())
        return target


def open_report(path: str | os.PathLike[str]) -> Report:
    """Return the report that `Report.save` wrote, or that stands in a folder of a frozen audit.

    It has the stored metrics, and rows from which all else is computed again.
    """
    source = Path(path)
    source = source if source.exists() else source.with_suffix(SUFFIX)
    if not source.exists():
        raise DataError(f"There is no report at {os.fspath(path)!r}. Write one with report.save(...).")
    about, frames = read(source)
    report = Report(
        frames["rows"],
        RunRecord.from_dict(about["record"]),
        notes=tuple(about["notes"]),
        stored={name: frames[f"tables/{name}"] for name in about["stored"] if name != "selections"},
        _log=log_of(frames["tables/selections"]),
        _look=look_of(about.get("part")),
        _edited=edited_of(about, frames.get(EDITS)),
    )
    report.__dict__["metrics"] = check_metrics(frames["metrics"])  # what was shown then; the rows would give the same
    return report


def _slices(rows: "pd.DataFrame", by: Sequence[str]) -> tuple[str, ...]:
    """Return the slice columns as a tuple, each checked to stand in the rows."""
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in rows.columns:
            raise unknown("column", name, rows.columns)
    return names
