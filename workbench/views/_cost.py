"""The cost of what a launcher's form says: counted by `_estimate`, timed on a few examples, said in sentences."""

from typing import Any, NamedTuple

from workbench.errors import UsageError, counted
from workbench.models.verbs import Silent
from workbench.views import _choices, _estimate, runs
from workbench.views._cell import Cell, Choice
from workbench.views._tally import Tally

__all__ = ["TIMED", "Cost", "cost", "timed"]

TIMED = 12  # examples that the pace is measured on
GENERAL = ("by", "seed", "holdout")  # arguments of a run that are no options of the probe


class Cost(NamedTuple):
    """What is known of the cost, in sentences, and the columns that one may slice by."""

    said: list[str]
    columns: list[str]


def cost(choice: Choice, cell: Cell, space: dict[str, Any], *, timed: str = "") -> Cost:
    """Return the cost of a choice; `timed` is what an earlier timing said.

    >>> from workbench.views._cell import cell_of
    >>> choice = Choice("smollm2-135m-instruct", "mini", "calibration")
    >>> cost(choice, cell_of(choice, {}), {}).said
    ['12 examples: 48 answers to score.', 'How long cannot be known before it is tried: time it on 12 examples.']
    """
    if not cell.examples:
        return Cost(
            [f"No model is asked: the rows are those of {cell.model}."], _choices.columns_of(space.get(cell.model))
        )
    data = _examples(cell, space)
    columns = _choices.columns_of(data)
    model = space.get(cell.model) if not cell.load else None
    if model is None and cell.model != "None" and not _choices.is_language_model(cell.name):
        unknown = f"What they ask of {cell.name} cannot be known before it is loaded: time it on {TIMED} examples."
        return Cost([f"{counted(len(data), 'example')}.", unknown], columns)
    counts = _count(choice, cell, data, model, space)
    said = [counts.problem] if counts.problem else [f"{counted(len(data), 'example')}: {counts.said}"]
    if counts.total:
        said.append(timed or _from_last(choice, cell, model, counts.total))
        price = getattr(model, "cost_said", None)  # of a model behind a URL whose price was given
        said += [price(counts.tokens, counts.written or counts.total)] if price and counts.tokens else []
    return Cost([each for each in said if each], columns)


def timed(choice: Choice, cell: Cell, space: dict[str, Any]) -> str:
    """Return how long a run will take, from the pace of a few of its examples; the model is loaded already."""
    import workbench as wb

    if not cell.examples:
        raise UsageError("No model is asked, so there is nothing to time.")
    data = _examples(cell, space)
    few = data.sample(min(TIMED, len(data)), seed=1)
    timer = _Timer()
    model = None if cell.model == "None" else space[cell.model]
    report = wb.run(choice.probe, model, few, monitor=timer, **_arguments(cell, space))
    if report.outcome == "not applicable":
        return report.notes[0]
    pace = timer.tally.pace()
    if pace is None:
        return "Too quick to time, or answered from what is kept on disk: expect it to be short."
    whole = _count(choice, cell, data, model, space).total
    return _estimate.seconds_said(whole, pace, f"at the pace of {counted(len(few), 'example')} that were timed")


class _Timer(Silent):
    """Measures the pace of a run, and says nothing."""

    def __init__(self) -> None:
        self.tally = Tally()

    def start(self, total: int, unit: str) -> None:
        """Begin a call."""
        self.tally.start(total, unit)

    def advance(self, done: int, **facts: Any) -> None:
        """Count."""
        self.tally.advance(done, facts)


def _from_last(choice: Choice, cell: Cell, model: Any, requests: int) -> str:
    """Return the seconds at the pace of the last run of this probe on this model, or that they are not known."""
    last = runs.last_pace(choice.probe, model.info.name if model is not None else cell.name)
    if last is None:
        return f"How long cannot be known before it is tried: time it on {TIMED} examples."
    return _estimate.seconds_said(requests, last[1], f"at the pace of run {last[0]}")


def _count(choice: Choice, cell: Cell, data: Any, model: Any, space: dict[str, Any]) -> _estimate.Count:
    from workbench.probes.find import find, settle

    probe = find(choice.probe)
    options = {name: value for name, value in _arguments(cell, space).items() if name not in GENERAL}
    return _estimate.count(probe, model, cell.name, data, settle(probe, options))


def _arguments(cell: Cell, space: dict[str, Any]) -> dict[str, Any]:
    return dict(_evaluated(f"dict({cell.arguments})", space))


def _examples(cell: Cell, space: dict[str, Any]) -> Any:
    from workbench.data.examples import Examples

    return Examples.of(_evaluated(cell.examples, space))


def _evaluated(expression: str, space: dict[str, Any]) -> Any:
    """Return the value of an expression that `_cell` wrote."""
    import workbench as wb

    return eval(expression, {"wb": wb}, space)  # noqa: S307 — written by `_cell`: literals and variables
