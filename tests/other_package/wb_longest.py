"""The probe `longest`: whether a model takes the longest answer, whatever it says."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.models.verbs import Monitor, Question
from workbench.probes.building import Option, Scored, View, clusters_of, metrics_of, need_verb, rows_frame

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

COLUMNS = ("text", "predicted", "longest", "takes_longest", "above_chance", "right_is_longest")


class Longest:
    """Asks multiple-choice questions and compares the answer's length with that of the others."""

    name = "longest"
    title = "The longest answer"
    question = "Does the model take the longest answer more often than chance would?"
    limits = (
        "The right answer is often the longest: read takes_longest beside right_is_longest, which is the key's own habit.",
        "Total log-likelihood favours short answers; per_token=True takes that away, and may favour long ones.",
    )
    options: Mapping[str, Option] = {
        "per_token": Option(False, "divide each answer's log-likelihood by its number of tokens", (False, True)),
    }
    asks = frozenset({"per_token"})  # changes the rows, so that report.with_options(per_token=...) is refused
    headline = ("above_chance", "takes_longest", "right_is_longest")
    view = View(  # what the explorer shows: a histogram of `value`, rates of `outcome` by slice, a table
        value="above_chance",
        title="Takes the longest, less chance",
        outcome="takes_longest",
        rate="Takes the longest",
        outcomes=("longest", "another"),
        columns=(
            ("text", "Question", "text"),
            ("predicted", "Answer", "text"),
            ("longest", "Longest", "text"),
            ("takes_longest", "Takes", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per question; those with two longest answers have no outcome."""
        need_verb(model, "choose", "the likelihood of each answer")
        lines = examples.frame.to_dict("records")
        questions = [Question(f"Question: {x['text']}\nAnswer:", tuple(f" {c}" for c in x["choices"])) for x in lines]
        answers = model.choose(questions, monitor=monitor)
        records = []
        for line, logp, tokens, done in zip(lines, answers.logp, answers.tokens, answers.done, strict=True):
            if done:
                picked = int(np.argmax(logp / tokens if options["per_token"] else logp))
                records.append({"example": line["example"], "text": line["text"], **_compared(line, picked)})
        return Scored(rows_frame(records, examples, COLUMNS), {}, missing=len(lines) - len(records))

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return shares and the mean above chance, each with its interval, overall and by slice."""
        del options, seed  # every interval is a formula
        return metrics_of(rows, by, _summary)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return none: the charts need no more than the metrics."""
        del rows, options, seed
        return {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the mean above chance by slice."""
        from workbench.charts import metric_bars

        del tables, options
        return {"above_chance": metric_bars(metrics, "above_chance", reference=0.0, meaning="chance")}


def _compared(line: Mapping[str, Any], picked: int) -> dict[str, Any]:
    """Return what a row says of an answer: whether it is the longest, and by how much that is above chance."""
    choices = list(line["choices"])
    lengths = np.array([len(choice) for choice in choices])
    single = bool((lengths == lengths.max()).sum() == 1)
    longest = choices[int(lengths.argmax())]
    takes = float(choices[picked] == longest) if single else np.nan
    right = float(line["label"] == int(lengths.argmax())) if single else np.nan  # labels are indices of the choices
    known = {"takes_longest": takes, "above_chance": takes - 1 / len(choices), "right_is_longest": right}
    return {"predicted": choices[picked], "longest": longest, **known}


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import mean, proportion

    known = rows[rows["takes_longest"].notna()]
    clusters = clusters_of(known) if len(known) else None
    return {
        "above_chance": mean(known["above_chance"], clusters=clusters),
        "takes_longest": proportion(known["takes_longest"], clusters=clusters),
        "right_is_longest": proportion(known["right_is_longest"], clusters=clusters),
    }


PROBE = Longest()
