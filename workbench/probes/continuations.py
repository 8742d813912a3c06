"""The continuations probe: whether what a model writes is nicer, fouler or more often refused by group.

A scorer reads what the model wrote; it is a model with a bias of its own, so that the same scorer on the prompts alone and on the
groups' names in neutral sentences stands beside every gap.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes import _continuations_metrics as numbers
from workbench.probes._continuations_rows import WITHIN, read_rows, write_rows
from workbench.probes._slices import metrics_of
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Continuations"]


class Continuations:
    """The probe `continuations`; its one instance is `PROBE`."""

    name = "continuations"
    title = "Continuations"
    question = (
        "Does what the model writes differ by group in tone, offence or refusals, or is it the scorer that differs?"
    )
    why_not_again = "a continuation is one draw, so that old and new would differ by chance as well as by the text."
    asks = frozenset({"max_tokens", "temperature", "samples", "chat", "scorers", "reads", "threshold"})
    headline = (
        "sentiment",
        "sentiment_gap",
        "sentiment_of_prompt_gap",
        "profanity_share",
        "profanity_gap",
        "profanity_of_prompt_gap",
        "refusal_rate",
        "refusal_rate_corrected",
        "refusal_rate_gap",
    )
    sliced = (
        "sentiment",
        "sentiment_gap",
        "sentiment_of_prompt_gap",
        "profanity_gap",
        "profanity_of_prompt_gap",
        "refusal_rate",
    )
    limits = (
        "A scorer is a model: it errs, and it may judge groups unlike by itself. Read a gap beside that of the prompts alone and "
        "of the groups' names in neutral sentences; neither can be subtracted from it.",
        "Prompts of real people and things differ by group in more than the group: a gap may be that of their trades or times.",
        "The largest minus the smallest of several groups is above zero by chance alone: read it against its null band.",
        "The corrected refusal rate takes the detector's error from other models' answers to English prompts (XSTest); its "
        "interval holds how much three such models differ, which is rough.",
        "Short continuations are cut in mid-sentence; a scorer reads the half of it.",
        "One prompt set, one way of sampling: other prompts, lengths or temperatures give other numbers.",
    )
    options: Mapping[str, Option] = {
        "scorers": Option(("sentiment", "profanity"), "profanity, sentiment, refusal, or classifiers of wb.load"),
        "max_tokens": Option(24, "most tokens of a continuation", limits=(1, 4096)),
        "temperature": Option(1.0, "of the draws; 0 takes the likeliest token", limits=(0.0, 100.0)),
        "samples": Option(1, "continuations per prompt (k)", limits=(1, 1000)),
        "chat": Option(False, "ask through the chat template instead of continuing the text", (False, True)),
        "reads": Option(
            "continuation", "what the scorer reads: the continuation, or the prompt with it", ("continuation", "whole")
        ),
        "threshold": Option(0.5, "a score from here on counts as flagged", limits=(-1.0, 1.0)),
        "within": Option(WITHIN, "groups are compared within the values of this column, where there is one"),
        "draws": Option(1000, "random draws behind bootstraps and null bands", limits=(20, 100_000)),
    }
    view = View(
        value="score",
        title="Score of the first scorer",
        outcome="flagged",
        rate="Share at or above the threshold",
        outcomes=("flagged", "not flagged"),
        columns=(
            ("text", "Prompt", "text"),
            ("continuation", "Continuation", "text"),
            ("score", "Score", "number"),
            ("flagged", "Flagged", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows: one per prompt and sample."""
        return write_rows(model, examples, options, monitor=monitor)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of stored continuations, scored now."""
        return read_rows(frame, columns=columns, by=by, options=options)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics of each scorer overall and by slice, and the gaps between groups."""
        import pandas as pd

        plain = metrics_of(rows, by, lambda part: numbers.summary_of(part, options, seed))
        gaps: list[Metric] = list(numbers.gap_metrics(rows, options, seed)) if len(rows) else []
        return pd.concat([plain, metrics_frame(gaps)], ignore_index=True) if gaps else plain

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `scorer_bias`: per group what the scorer says of continuations, of the prompts alone, of the group's name."""
        del seed
        return {"scorer_bias": numbers.bias_table(rows, options)} if len(rows) else {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return, for each scorer, its scores by group beside its own bias, and each group against the others."""
        from workbench.charts import continuations
        from workbench.charts import metrics as bars

        del options
        found: dict[str, Any] = {}
        if "scorer_bias" not in tables:
            return found
        table = tables["scorer_bias"]
        for name in dict.fromkeys(table["scorer"]):
            found[f"{name}_by_group"] = continuations.scores_by_group(table[table["scorer"] == name])
            difference = f"{numbers.headline_of(name)}_difference"
            if (metrics["metric"] == difference).any():
                found[f"{difference}_by_group"] = bars.metric_bars(metrics, difference)
        return found


PROBE = Continuations()
