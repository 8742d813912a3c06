"""One conclusion under every reasonable way to come to it: a multiverse, drawn as a specification curve.

A number rests on choices that could as well have been others: bins, a definition of confidence, a variant of the metric, a
template of the prompt, a seed. `fragility` makes the number again under each combination of them, from the rows that there are
where the choice is one of counting, and by asking the model again (its cache answers what it knows) where it is one of asking.

It varies the analysis of one conclusion; `workbench.audit.robustness` compares several models on shifted data.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench._conduct import run
from workbench.charts.metrics import NULL_BAND, metric_title
from workbench.errors import DataError, UsageError, counted, unknown
from workbench.probes._slices import OVERALL
from workbench.probes.find import settle
from workbench.reports import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fragility", "fragility"]

REPORT, METRIC, SEED = "report", "metric", "seed"  # choices that are no options of a probe
MOST = 500  # specifications
ABOVE, BELOW, UNSURE, NONE = "above", "below", "cannot say", "undefined"
LIMITS = (
    "The specifications are the ones that were named: others might differ, and a choice that nobody would defend only adds noise.",
    "They rest on the same examples, so that they agree more than new data would; the share that agrees is no probability.",
    "Metrics of several names on one curve need one meaning and one unit.",
    "What a choice matters is its own share of the variance over these specifications; what it does together with others is left.",
)


@dataclass(frozen=True, eq=False, repr=False)
class Fragility:
    """A number under each combination of choices.

    `specifications` has a line for each: the choices, value, low, high (95 %; none for a value with a null band), n, verdict
    ("above", "below", "cannot say" against `null`; "undefined"), method, and base (whether it is the report's own). `matters` says
    of each choice which share of the variance of the values is its own, and the mean value under each of its settings.
    """

    title: str
    specifications: "pd.DataFrame"
    matters: "pd.DataFrame"
    choices: tuple[str, ...]
    null: float
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS

    @property
    def agreement(self) -> float:
        """Share of the specifications with the most frequent verdict."""
        return float((self.specifications["verdict"] == self.verdict).mean())

    @property
    def verdict(self) -> str:
        """The most frequent verdict."""
        counts = self.specifications["verdict"].value_counts()
        return str(sorted(counts[counts == counts.max()].index)[0])

    @property
    def same_side(self) -> float:
        """Share of the specifications with a value on the side of `null` on which most are."""
        sides = np.sign(self.specifications["value"].dropna() - self.null)
        return float(max((sides > 0).mean(), (sides < 0).mean())) if len(sides) else float("nan")

    def chart(self) -> Any:
        """Return the specification curve."""
        from workbench.charts.offline import offline
        from workbench.charts.specification import specification_curve

        return offline(specification_curve(self.specifications, self.choices, title=self.title, null=self.null))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in whole sentences."""
        values = self.specifications["value"].dropna()
        said = [
            f"{counted(len(self.specifications), 'specification')}: {self.agreement:.0%} say {self._words}, "
            f"{self.same_side:.0%} of the values lie on one side of {self.null:g}, "
            f"from {values.min():.3g} to {values.max():.3g} (median {values.median():.3g})."
        ]
        known = self.matters[self.matters["share"] > 0]
        if len(known):
            most = known.iloc[0]
            said.append(
                f"What matters most is {most['choice']}: {most['share']:.0%} of the variance ({most['means']})."
            )
        return tuple(said)

    @property
    def _words(self) -> str:
        return {UNSURE: f"neither above nor below {self.null:g}", NONE: "nothing"}.get(
            self.verdict, f"{self.verdict} {self.null:g}"
        )

    def __repr__(self) -> str:
        said = [self.title, *(f"! {note}" for note in self.notes), *self.sentences]
        for choice, share, means in self.matters.itertuples(index=False, name=None):
            said.append(f"  {choice}: {share:.0%} of the variance; {means}")
        lines = "\n".join([*said, ".specifications, .matters, .chart(), .limits"])
        return "".join(char if char.isprintable() or char == "\n" else " " for char in lines)

    def _repr_html_(self) -> str:
        from workbench.audit._show import fragility_html

        return fragility_html(self)


class _Spec(NamedTuple):
    """One combination of choices, and the report that they make."""

    choices: dict[str, Any]
    report: Report


def fragility(
    report: "Report | Mapping[str, Report] | Callable[..., Report]",
    vary: Mapping[str, Sequence[Any]] | None = None,
    *,
    metric: str | None = None,
    null: float = 0.0,
    model: Any = None,
) -> Fragility:
    """Return a report's number under every combination of the choices in `vary`: {option: its settings}.

    An option of the probe that only counts (bins, scheme) reuses the rows; one that changes what is asked (scoring) runs the probe
    again on the same examples with `model`, once for each setting. `metric` may be a choice, too (variants with one
    meaning), and so may `seed` (of draws). Several reports by name, {"plain": one, "polite": two}, are a choice "report":
    templates, models, data. A function makes a report of the settings: for choices that no option has.

    `metric` is the number (default: the first of the headline) and `null` what it is set against.

    Raises `UsageError` for options that the probe has not, and where asking again needs a model.

    >>> import numpy as np, pandas as pd, workbench as wb
    >>> frame = pd.DataFrame({"confidence": np.linspace(0.5, 1, 200), "correct": np.arange(200) % 3 > 0})
    >>> found = fragility(wb.from_predictions(frame), {"bins": [5, 15], "metric": ["smooth_ece", "l2_debiased"]})
    >>> len(found.specifications), found.matters["choice"].tolist()
    (4, ['metric', 'bins'])
    """
    import pandas as pd

    settings = {str(name): list(values) for name, values in dict(vary or {}).items()}
    size = int(np.prod([len(values) for values in settings.values()])) if settings else 1
    if any(not values for values in settings.values()) or size > MOST:
        raise UsageError(f"vary must name settings, {MOST} combinations at most; it makes {size:,}. Name fewer.")
    if isinstance(report, Mapping):
        if not report or REPORT in settings:
            raise UsageError("Several reports must be {name: report}, and are the choice 'report' themselves.")
        settings = {REPORT: list(report), **settings}
    if not settings or all(len(values) < 2 for values in settings.values()):
        raise UsageError(
            "There is nothing to vary. Name settings, such as {'bins': [5, 10, 15], 'scheme': ['width', 'mass']}."
        )
    asked = {name: values for name, values in settings.items() if name != METRIC}
    lines, lost, first = list[dict[str, Any]](), dict[str, int](), None
    make = _maker(report, asked, model)
    for combination in itertools.product(*asked.values()):
        chosen = dict(zip(asked, combination, strict=True))
        try:
            made = make(chosen)
            table = made.with_options(by=()).metrics
        except (UsageError, DataError) as problem:
            if lines or len(lost) > MOST:
                lost[str(problem)] = lost.get(str(problem), 0) + 1
                continue
            raise
        first = first or made
        wanted = settings.get(METRIC) or [metric or next(iter(made.headline), str(table["metric"].iloc[0]))]
        lines += [{**chosen, METRIC: name, **_measured(table, str(name), null)} for name in wanted]
    if first is None:
        raise UsageError("No combination gave a report.")
    choices = tuple(name for name in (*asked, METRIC) if len(settings.get(name, ())) > 1)
    found = pd.DataFrame(lines)
    own = _own(report, found, choices)
    found = found.assign(base=own)
    notes = tuple(f"{counted(n, 'combination')} left out: {why}" for why, n in lost.items())
    undefined = int((found["verdict"] == NONE).sum())
    notes += (f"{counted(undefined, 'value is', 'values are')} undefined.",) if undefined else ()
    shown = metric_title(str(found[METRIC].iloc[0])) if METRIC not in choices else "Metrics"
    named = first._probe.title if REPORT in choices else first.record.model.get("name") or first.title
    title = f"{shown} of {named}: how far it hangs on choices"
    return Fragility(title, found, _matters(found, choices), choices, float(null), notes)


def _maker(
    report: "Report | Mapping[str, Report] | Callable[..., Report]", asked: Mapping[str, list[Any]], model: Any
) -> Callable[[dict[str, Any]], Report]:
    """Return what makes the report of some settings; each that asks a model is made once."""
    reports = dict(report) if isinstance(report, Mapping) else {"": report} if isinstance(report, Report) else {}
    for name, one in reports.items():
        if not isinstance(one, Report):
            raise UsageError(f"fragility takes reports; {name!r} is a {type(one).__name__}.")
    if reports:
        probe = next(iter(reports.values()))._probe
        for name in asked:
            if name not in (REPORT, SEED) and name not in probe.options:
                raise unknown(f"option of {probe.name}", name, [*probe.options, METRIC, SEED])
        asking = [name for name in asked if name in getattr(probe, "asks", ())]
        if asking and model is None:
            raise UsageError(
                f"{asking[0]!r} changes what the model is asked. Pass model=..., or make the reports yourself and pass them by "
                "name."
            )
        for base in reports.values() if asking else ():
            if base._examples is None and any(
                str(base.options.get(name)) != str(v) for name in asking for v in asked[name]
            ):
                raise UsageError(
                    "This report does not hold the examples that it was made of, so that nothing can be asked again. Run it anew "
                    "with wb.run, or make the reports yourself and pass them by name."
                )
        for name, values in asked.items():
            if name in probe.options:
                for value in values:
                    settle(probe, {name: value})
    elif not callable(report):
        raise UsageError(f"fragility takes a report, several by name, or a function; found {type(report).__name__}.")
    done: dict[str, Report] = {}

    def make(chosen: dict[str, Any]) -> Report:
        if not reports:
            given: Any = report
            made = given(**chosen)
            if not isinstance(made, Report):
                raise UsageError(f"The function must return a report; it gave a {type(made).__name__}.")
            return made
        base = reports[chosen.get(REPORT, next(iter(reports)))]
        options = {name: value for name, value in chosen.items() if name not in (REPORT, SEED)}
        asks = {name: value for name, value in options.items() if name in getattr(base._probe, "asks", ())}
        changed = {name: value for name, value in asks.items() if str(base.options.get(name)) != str(value)}
        if changed:
            key = repr((chosen.get(REPORT), sorted(asks.items(), key=str)))
            if key not in done:
                done[key] = _again(base, asks, model)
            base = done[key]
        seen = base.with_options(**{name: value for name, value in options.items() if name not in asks})
        return seen if SEED not in chosen else replace(seen, record=replace(seen.record, seed=int(chosen[SEED])))

    return make


def _again(base: Report, asks: Mapping[str, Any], model: Any) -> Report:
    """Return the probe's report with other options, on the same examples."""
    record, probe = base.record, base._given or base.record.probe
    options = {**base.options, **asks}
    return run(probe, model, base._examples, by=record.by, holdout=record.holdout, seed=record.seed, **options)


def _measured(table: "pd.DataFrame", metric: str, null: float) -> dict[str, Any]:
    """Return the number of a metrics table, and what it says against null."""
    mine = table[(table["metric"] == metric) & (table["group"] == OVERALL)]
    if not len(mine):
        raise unknown("metric", metric, dict.fromkeys(table["metric"]))
    value, low, high, n, method = mine[["value", "low", "high", "n", "method"]].iloc[0]
    if str(method).startswith(NULL_BAND):
        verdict = NONE if value != value else ABOVE if value > high and null <= high else UNSURE
        low = high = float("nan")
    elif low != low:
        verdict = NONE if value != value else UNSURE
    else:
        verdict = ABOVE if low > null else BELOW if high < null else UNSURE
    return {
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "n": int(n),
        "verdict": verdict,
        "method": method,
    }


def _own(report: Any, found: "pd.DataFrame", choices: tuple[str, ...]) -> "np.ndarray[Any, Any]":
    """Return which specification is the report's own: its options where these are among the settings."""
    if not isinstance(report, Report):
        return np.asarray(np.arange(len(found)) == 0)
    same = np.ones(len(found), dtype=bool)
    for name in choices:
        if name == METRIC:
            same &= (found[METRIC] == found[METRIC].iloc[0]).to_numpy(bool)
        else:
            own = report.record.seed if name == SEED else report.options.get(name)
            same &= (found[name].map(str) == str(own)).to_numpy(bool)
    return np.asarray(same)


def _matters(found: "pd.DataFrame", choices: tuple[str, ...]) -> "pd.DataFrame":
    """Return each choice's own share of the variance (eta squared of a full grid), the largest first."""
    import pandas as pd

    known = found[found["value"].notna()]
    total = float(((known["value"] - known["value"].mean()) ** 2).sum())
    lines = []
    for name in choices:
        parts = known.groupby(known[name].map(str), sort=False)["value"].agg(["mean", "size"])
        between = float((parts["size"] * (parts["mean"] - known["value"].mean()) ** 2).sum())
        means = ", ".join(f"{setting} {mean:.3g}" for setting, mean in parts["mean"].items())
        lines.append((name, between / total if total > 1e-24 else 0.0, means))
    table = pd.DataFrame(lines, columns=["choice", "share", "means"])
    return table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
