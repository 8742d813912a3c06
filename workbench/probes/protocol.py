"""What a probe is: a question that turns (model, examples) into rows, and rows into metrics and charts.

A probe is one file with a `PROBE`. It is found by name through the entry points `workbench.probes`, ours and a third party's
alike. `score` may touch the model; `summarise` and `charts` are pure functions of rows, so that a brush, a slice, a saved
report and predictions made elsewhere all give the same numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from workbench.models.verbs import Monitor

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["Again", "Option", "Probe", "Scored", "View"]


@dataclass(frozen=True)
class Option:
    """An option of a probe: its default and one sentence of help.

    `known` lists the allowed values, empty for any, `suggests` some that are offered beside others; `limits` are those of a
    number; a default that is a tuple takes several; where `variable` is true, the value that a magic is given may be the name of a
    variable.
    """

    default: Any
    help: str
    known: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None
    variable: bool = False
    suggests: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Scored:
    """What `score` gives: rows, named further tables, notes for the reader, and how many examples were not reached."""

    rows: "pd.DataFrame"
    tables: Mapping[str, "pd.DataFrame"]
    notes: tuple[str, ...] = ()
    missing: int = 0


def _first(rows: "pd.DataFrame") -> "pd.Series[Any]":
    return rows.iloc[0]


@dataclass(frozen=True)
class Again:
    """How one row is asked again: by `score` of these examples, under the run's options but for `options`.

    `answer` picks or makes the row that answers to it from the rows that come back: by default the first.
    """

    examples: "Examples"
    options: Mapping[str, Any] = field(default_factory=dict)
    answer: "Callable[[pd.DataFrame], pd.Series[Any]]" = _first


@dataclass(frozen=True)
class View:
    """How the explorer shows the rows of a probe without a confidence: a number to brush, a yes or no, and what to read.

    A probe that has one says so with an attribute `view`; without it the explorer looks for a confidence and an outcome.
    """

    value: str  # numeric column behind the histogram, NaN where a row has none
    title: str  # its axis title, with the unit
    outcome: str  # column of 1, 0 or NaN behind the rates of the forest plot
    rate: str  # what the mean of the outcome is called: "Prefers the stereotype"
    outcomes: tuple[str, str]  # words for 1 and 0: ("stereotype", "anti-stereotype")
    reference: float | None = None  # the rate of a model without bias, drawn as a line; None where there is none
    slices: tuple[str, ...] = ()  # columns of the rows that can be brushed beside those of the report
    blank: str = "(blank)"  # what rows without a value in one of these `slices` are called
    columns: tuple[
        tuple[str, str, str], ...
    ] = ()  # the table: column, title, kind ("text", "number", "hit", "change" or "image")
    terms: str = ""  # column whose values are the lines of a heat map: "target"; "" for none
    measures: tuple[tuple[str, str, float | None], ...] = ()  # its cells, means of: column, title, reference or None
    curve: tuple[
        str, ...
    ] = ()  # columns of a linked curve: whole numbers along it ("severity"), and its lines ("corruption")
    mean: bool = False  # whether the curve is that of the value's mean, not of the outcome's rate
    truth: str = (
        ""  # column of 1, 0 or NaN that a threshold on `value` is to find: the label of two classes; "" for none
    )
    brief: tuple[tuple[str, Any], ...] = ()  # options of the probe under which the metrics of a brush are computed

    def words(self, column: str) -> tuple[str, str]:
        """Return the words for 1 and 0 in a column of the kind "hit".

        >>> view = View("gap", "Gap (nats)", "prefers", "Prefers it", ("this", "that"))
        >>> view.words("prefers"), view.words("correct"), view.words("refused")
        (('this', 'that'), ('right', 'wrong'), ('yes', 'no'))
        """
        if column == self.outcome:
            return self.outcomes
        return ("right", "wrong") if column == "correct" else ("yes", "no")


class Probe(Protocol):
    """The contract of a probe.

    Beside what stands here a probe may have `asks` (names of the options that change what the model is asked, so that
    `Report.with_options` refuses them), `view` (a `View` for the explorer, or what gives one for rows and options), `headline`
    (names of the metrics to show first), `sliced` (names of those to show for each slice, at most six; by default the
    headline's), `named` (groups whose metrics are shown side by side from the start, with their words), `without_model` (True
    where the model may be None), `says` (sentences about a table of metrics, shown above the numbers) and `from_predictions`
    (rows of predictions that were made elsewhere; it is given `options` where it takes them),
    `again(rows, options, data)` with `texts`: how the first of these rows, which are all of one example, is asked again
    (an `Again`; `data` is what the run record says of the examples; `NotApplicable` where it cannot be done), so that a text in
    the columns `texts` can be changed, or `why_not_again`, a sentence that says why no row can be asked alone,
    `not_yet(rows)`: why rows that are part of a run show nothing yet, "" where their metrics may be looked at while it goes on,
    and `per_row(rows, options)`: for metrics that are means over rows the numbers (n,) whose mean they are, NaN where a row is
    not in it, by which `workbench.compare` pairs two reports row by row. A chart is explained by its Vega-Lite `description`,
    or by `workbench.charts.how_to_read`.
    """

    name: str
    title: str
    question: str  # one sentence, the question that it answers
    limits: tuple[str, ...]  # what it cannot show
    options: Mapping[str, Option]

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows; raise NotApplicable, with the reason, if the model cannot be asked."""

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics of any subset of rows, overall and for each value of each column in `by`."""

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return the named tables behind the charts (bins, curves), of any subset of rows."""

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return named Altair charts of aggregated numbers; never of text."""
