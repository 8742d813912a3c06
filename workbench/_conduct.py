"""The conductor behind `wb.run` and `wb.from_predictions`: finds the parts, lets the probe score, and keeps the record."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from workbench._record import RunRecord
from workbench.data.logs import Predictions
from workbench.errors import DataError, NotApplicable, UsageError, unknown
from workbench.frames import ROW_COLUMNS, halves
from workbench.models.origin import recorded
from workbench.models.verbs import ModelInfo, Monitor, NoModel, Silent
from workbench.models.watched import NothingYet, Watched
from workbench.probes.find import find, names, settle
from workbench.probes.protocol import Probe, Scored
from workbench.reports import Report

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["Follows", "from_predictions", "run"]

UNNAMED = "predictions"
MANY, FEW = 100, 5  # slices of one column, and rows in each on average, from which and below which a note is due
OF_A_REPORT = "The rows are those of a report of the probe "  # begins the note of what was made of another report
NEVER_CARRIED = ("example", "text", "choices", "label")  # columns of examples that are no slice; rows have their own

monitor_of_views: Callable[[], Monitor] = Silent  # `workbench.__init__` puts the views' progress display here


@runtime_checkable
class Follows(Protocol):
    """What a monitor may have beside the rest: it hears of whole runs, and may ask for the report of what is done so far."""

    def follow(self, record: RunRecord, so_far: Callable[[], Report | None]) -> None:
        """Hear that a run begins; `so_far` may be called from any thread while it goes on."""

    def end(self, report: Report) -> None:
        """Hear how the run ended."""

    def fail(self, problem: BaseException) -> None:
        """Hear that the run ended in an error."""


def run(
    probe: "str | Probe",
    model: Any,
    examples: Any = None,
    *,
    by: Sequence[str] | str | None = None,
    holdout: float = 0.0,
    seed: int = 0,
    monitor: Monitor | None = None,
    **options: Any,
) -> Report:
    """Return the report of a probe on a model and examples.

    `probe` is a name or a Probe; `model` what `wb.load` gives or takes; `examples` what `wb.Examples.of` takes, or the name of a
    pack. `by` names the columns to slice by (default: the examples' own slices), `holdout` the share of clusters that views and
    metrics leave out, to confirm findings on. All else are options of the probe. Interrupting keeps the examples that are
    done; running the same call again computes only the rest, from the cache. A model that cannot be asked gives a report
    whose outcome is "not applicable", with the reason in its notes. Probes of predictions (`groups`, `slices`) take a report alone:
    `run("slices", report)` asks no model, and a half that the report holds out stays out.

    Raises `UsageError` for unknown names and options, `DataError` for examples that do not fit.
    """
    from workbench.data.named import examples_of, said

    chosen = find(probe)
    settled = settle(chosen, options)
    _check_run(chosen, holdout, seed)
    if isinstance(model, Report):
        return _of_report(chosen, model, examples, {"by": by, "holdout": holdout, "seed": seed}, options)
    if examples is None:
        raise UsageError(
            "wb.run needs examples: a table, a file, the name of a pack. Only a report can be probed without them."
        )
    data = examples_of(examples)
    slices = _checked_by(data, by)
    carried = [name for name in slices if name not in (*data.slices, *NEVER_CARRIED)]
    data = replace(data, slices=(*data.slices, *carried)) if carried else data  # rows bring what they are sliced by
    subject = loaded = _model(model, chosen)
    watch = monitor or monitor_of_views()
    given = None if isinstance(probe, str) else chosen
    general = {"by": by, "holdout": holdout, "seed": seed}
    record = RunRecord(
        probe=chosen.name,
        options=settled,
        model=recorded(loaded),
        data=data.about(),
        by=slices,
        seed=seed,
        holdout=holdout,
        total=len(data),
        command=_command(chosen.name, subject.info.name or None, said(data), general, options),
    )
    clock = time.perf_counter()

    def made(scored: Scored, outcome: str) -> Report:
        """Return the report of these rows, complete or not."""
        rows = scored.rows.assign(half=halves(scored.rows["cluster"].tolist(), holdout, seed))
        seconds = round(time.perf_counter() - clock, 3)
        told = replace(
            record,
            outcome=outcome,
            model={**record.model, "notes": loaded.info.notes},  # the engine's own notes come while it works
            done=len(data) - scored.missing,
            seconds=seconds,
        )
        notes = _told(scored.notes, rows, told, subject.info)
        return Report(rows, told, notes=notes, stored=dict(scored.tables), _given=given, _examples=data)

    with _followed(watch) as run:
        if run is not None:
            subject = watched = Watched(subject)
            run.follow(record, lambda: _so_far(chosen, watched, data, settled, made))
        try:
            scored = chosen.score(subject, data, settled, monitor=watch)
            report = made(scored, "interrupted" if scored.missing else "complete")
        except NotApplicable as reason:
            scored = Scored(_no_rows(), {}, (f"Not applicable: {reason}",), missing=len(data))
            report = made(scored, "not applicable")
        if run is not None:
            run.end(report)
    return report


def _so_far(
    chosen: Probe,
    watched: Watched,
    data: "Examples",
    options: Mapping[str, Any],
    made: Callable[[Scored, str], Report],
) -> Report | None:
    """Return the report of the examples that are done while the run goes on, None where there is nothing to say yet."""
    try:
        scored = chosen.score(watched.so_far(), data, options, monitor=Silent())
    except (NothingYet, NotApplicable):  # the second where a probe needs one of its first calls whole
        return None
    if not len(scored.rows):
        return None
    not_yet = getattr(chosen, "not_yet", None)
    if not_yet is not None and (reason := not_yet(scored.rows)):
        raise NotApplicable(reason)
    return made(scored, "interrupted")


@contextmanager
def _followed(monitor: Monitor) -> Iterator[Follows | None]:
    """Give the monitor if it follows whole runs, and tell it of a run that failed."""
    if not isinstance(monitor, Follows):
        yield None
        return
    try:
        yield monitor
    except BaseException as problem:
        monitor.fail(problem)
        raise


def _told(said: tuple[str, ...], rows: "pd.DataFrame", record: RunRecord, info: ModelInfo) -> tuple[str, ...]:
    """Return the notes of a report: what the probe said, and what the conductor knows."""
    notes = (*_held_out(rows), *said, *_crowded(rows, record.by))
    if info.kind in (
        "classifier",
        "callable",
        "remote language model",
    ):  # what its probabilities are, and what was kept of them
        notes += info.notes
    if record.outcome == "interrupted":
        again = "The same call finishes the rest"
        again += "." if info.weights_hash else ", if the answers of this model are cached."
        notes = (f"Interrupted: {record.done} of {record.total} examples are done. {again}", *notes)
    return notes


def from_predictions(
    frame: Any,
    *,
    probe: str = "calibration",
    name: str = UNNAMED,
    by: Sequence[str] | str | None = None,
    holdout: float = 0.0,
    seed: int = 0,
    **columns: Any,
) -> Report:
    """Return the report of predictions that were made elsewhere: a table, no model.

    For the probe `calibration` the table holds, per row, either `confidence` (in [0, 1]) and `correct` (0 or 1), or
    `probabilities` or `logits` (a list per row, or several columns named in a list) and `label` (an index, or a class name
    together with `classes=[...]`). For `groups` it holds `predicted` and `label` (names of classes), perhaps `score` (the
    probability of the positive class), or `correct`; the rows of another report are such a table. Further columns: `example` (an
    id), `text`, `cluster` (what was drawn independently), and any columns named in `by`. `columns` maps these words to the
    table's own column names, as in `from_predictions(frame, confidence="p", correct="hit")`, and may hold options of the probe.
    Questions with choices of their own have them in `choices`, a list per row, beside logits or probabilities. `correct` alone
    gives accuracy. What `wb.read_predictions` gives is such a table, and its report keeps what the tool printed (`printed`).

    Raises `DataError` that names the column or the row that does not fit.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"confidence": [0.9, 0.8, 0.6], "correct": [1, 1, 0]})
    >>> report = from_predictions(frame)
    >>> report.metrics.query("metric == 'accuracy'").value.round(3).item()
    0.667
    """
    chosen = find(probe)
    reader = getattr(chosen, "from_predictions", None)
    if reader is None:
        able = [name for name in names() if hasattr(find(name), "from_predictions")]
        raise UsageError(f"The probe {chosen.name!r} cannot read predictions; {', '.join(map(repr, able))} can.")
    _check_run(chosen, holdout, seed)
    logged = frame if isinstance(frame, Predictions) else None
    if logged is not None:
        frame, by = logged.frame, logged.slices if by is None else by
    wanted = (by,) if isinstance(by, str) else tuple(by or ())
    known = {key: value for key, value in columns.items() if key not in chosen.options}
    options = settle(chosen, {key: value for key, value in columns.items() if key in chosen.options})
    told = {"options": options} if "options" in signature(reader).parameters else {}
    scored: Scored = reader(frame, columns=known, by=wanted, **told)
    rows = scored.rows.assign(half=halves(scored.rows["cluster"].tolist(), holdout, seed))
    n = len(rows)
    record = RunRecord(
        probe=chosen.name,
        options=options,
        model={"name": name if logged is None or name != UNNAMED else logged.model, "kind": "predictions"},
        data={"name": name, "n": n} if logged is None else logged.about(),
        by=wanted,
        seed=seed,
        holdout=holdout,
        done=n,
        total=n,
        command=f"wb.from_predictions({name if logged is None else logged.command}{_arguments({'by': by, **columns})})",
    )
    notes, tables = (*_held_out(rows), *scored.notes, *_crowded(rows, wanted)), dict(scored.tables)
    if logged is not None:
        notes, tables = (*notes, *logged.said(), *logged.notes), {**tables, "printed": logged.printed}
    return Report(rows, record, notes=notes, stored=tables)


def _crowded(rows: "pd.DataFrame", by: Sequence[str]) -> tuple[str, ...]:
    """Return a note of each column of slices that hold few rows each: a date, a number, an id."""
    notes = []
    for name in (name for name in by if name in rows):
        known = rows[name].dropna().astype(str)
        if (n := known.nunique()) > MANY and n * FEW > len(known):
            notes.append(
                f"The column {name} cuts {len(known):,} rows into {n:,} slices, which say little and take long. Cut it into ranges "
                "first, as pandas.cut does, or by month."
            )
    return tuple(notes)


def _of_report(
    chosen: Probe, report: Report, examples: Any, general: Mapping[str, Any], options: Mapping[str, Any]
) -> Report:
    """Return the report of another report's explored rows."""
    if examples is not None:
        raise UsageError(f"A report has its own rows: write wb.run({chosen.name!r}, report), without examples.")
    usual = getattr(chosen, "default_by", lambda _, by: by)
    by = usual(report.explored, report.by) if general["by"] is None else general["by"]
    made = from_predictions(report.explored, probe=chosen.name, **{**general, "by": by}, **options)
    record = replace(
        made.record,
        model=report.record.model,
        data=report.record.data,
        command=f"wb.run({chosen.name!r}, report{_arguments({**general, **options})})",
    )
    if "search" in made.stored:
        _log_search(report, made)
    held = len(report.rows) - len(report.explored)
    told = [f"{OF_A_REPORT}{report.probe}."]
    told += [f"Its {held:,} held-out rows stay out."] if held else []
    return replace(made, record=record, notes=(*told, *made.notes))


def _log_search(report: Report, made: Report) -> None:
    """Log with a report the slices that a search of its rows looked at: those it named with their rules, the others by number."""
    from workbench._rules import Condition, Range, Rule
    from workbench.probes._slice_rows import looked_at

    search = made.stored["search"]
    named = looked_at(made.rows, report.explored, search)
    for name, n, given in named:
        conditions = [
            Condition(column, values, tuple(Range(*one) for one in ranges)) for column, values, ranges in given
        ]
        report.log_selection("slices", name, n, rule=Rule(tuple(sorted(conditions))) if given else None)
    others = int(search.attrs.get("tried", len(named))) - len(named)
    if others > 0:
        by = ", ".join(made.by) or "their columns"
        report.log_selection("slices", f"{others:,} other slices of a search by {by}", len(made.rows), tried=others)


def _check_run(chosen: Probe, holdout: Any, seed: Any) -> None:
    """Raise before anything runs if the hold-out or the seed cannot be used."""
    if holdout and getattr(chosen, "searches", False):
        raise UsageError(f"The probe {chosen.name} holds out rows of its own. Use split=... in place of holdout=.")
    if not isinstance(holdout, (int, float)) or not 0 <= holdout < 1:
        raise DataError(f"holdout must be at least 0 and below 1; it is {holdout!r}. Use 0.5 to hold out a half.")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed must be a whole number from 0; it is {seed!r}.")


def _held_out(rows: "pd.DataFrame") -> tuple[str, ...]:
    """Return the note that says how many rows are held out, none where none are."""
    held = int((rows["half"] == "confirm").sum())
    return (
        (f"{held:,} of {len(rows):,} rows are held out: they are in .rows, and in no number shown here.",)
        if held
        else ()
    )


def _model(model: Any, probe: Probe) -> Any:
    """Return the model: loaded already, by whatever `wb.load` takes, or none where the probe can do without."""
    if model is None:
        if not getattr(probe, "without_model", False):
            raise UsageError(f"The probe {probe.name!r} needs a model. Give what wb.load gives or takes.")
        return NoModel()
    if hasattr(model, "verbs") and hasattr(model, "info"):
        return model
    from workbench.models.load import load

    return load(model)


def _checked_by(data: "Examples", by: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the slice columns, each checked to stand in the examples."""
    if by is None:
        return tuple(data.slices)
    wanted = (by,) if isinstance(by, str) else tuple(by)
    for name in wanted:
        if name not in data.frame.columns:
            raise unknown("column of the examples", name, data.frame.columns)
    return wanted


def _no_rows() -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({column: pd.Series(dtype=str) for column in ROW_COLUMNS})


def _arguments(options: Mapping[str, Any]) -> str:
    return "".join(f", {name}={_named(value)}" for name, value in options.items() if _given(value))


def _given(value: Any) -> bool:
    return not (value is None or (isinstance(value, (int, float)) and value == 0))


def _named(value: Any) -> str:
    """Return a value as an argument: examples and models by their names, a table by what it is."""
    if hasattr(value, "about"):
        from workbench.data.named import said

        return said(value)
    if hasattr(value, "verbs"):
        return repr(value.name)
    return type(value).__name__ if hasattr(value, "columns") else repr(value)


def _command(probe: str, model: str | None, data: str, general: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Return the call that makes this report, as far as names can say it."""
    return f"wb.run({probe!r}, {model!r}, {data}{_arguments({**general, **options})})"
