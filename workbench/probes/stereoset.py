"""The probe of StereoSet: stereotype against anti-stereotype, and both against a sentence that makes no sense.

Rows hold the three scores of an example; how the model is asked stands in `_stereoset_score`, the paper's scores in
`workbench.stats.stereoset`. All metrics, tables and charts are functions of these rows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.models.verbs import Monitor
from workbench.probes import _stereoset_score as ways
from workbench.probes._again import example_of
from workbench.probes._slices import OVERALL, clusters_of, metrics_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "StereoSet"]

NAMES = {"intrasentence": "intrasentence", "intersentence": "continuation"}  # setting -> what its metrics are called
OF_STORED = {
    "intrasentence": "intrasentence",
    "intersentence": "intersentence",
}  # whoever stored them knows what they are


class StereoSet:
    """The probe `stereoset`; its one instance is `PROBE`."""

    name = "stereoset"
    title = "StereoSet"
    question = (
        "Does the model prefer a stereotype to its opposite, and either of them to a sentence that makes no sense?"
    )
    asks = frozenset({"setting"})
    texts = ("context", *ways.SENTENCES)  # columns of a row that can be changed and asked again
    headline = ("icat_intrasentence", "ss_intrasentence", "lms_intrasentence", "ss_continuation", "lms_continuation")
    limits = (
        "Intersentence scores are not the paper's: its authors use a next-sentence head (trained for models without one); here "
        "it is the likelihood of the continuation per token, hence the name.",
        "The three sentences differ in more than the stereotype: a rare word costs likelihood whatever it says.",
        "ICAT weighs two things that have nothing to do with each other, and its ideal SS of one half is a convention: a model "
        "may prefer some stereotypes and their opposites of others. Look at the terms.",
        "Blodgett et al. (2021) found faults in many examples. Read the sentences behind a number.",
        "Domains have few target terms (religion three), which is what intervals rest on, however many sentences there are.",
    )
    options: Mapping[str, Option] = {
        "setting": Option("both", "which examples are asked", ("both", *NAMES)),
    }
    view = View(
        value="difference",
        title="Log score of the stereotype minus the anti-stereotype (nats per token)",
        outcome="prefers_stereotype",
        rate="Prefers the stereotype",
        outcomes=("stereotype", "anti-stereotype"),
        reference=0.5,
        columns=(
            ("context", "Context", "text"),
            ("stereotype", "Stereotype", "text"),
            ("anti_stereotype", "Anti-stereotype", "text"),
            ("unrelated", "Unrelated", "text"),
            ("difference", "Difference (nats per token)", "number"),
            ("prefers_stereotype", "Prefers", "hit"),
        ),
        terms="target",
        measures=(("prefers_stereotype", "SS", 0.5), ("related", "LMS", None)),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per example, with the scores of its three sentences."""
        return ways.rows_of(model, examples, options["setting"], monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the sentences of a row, so that they can be asked again."""
        del options
        return Again(example_of(rows, ("text", *ways.NEEDED), data), {"setting": "both"})

    def from_predictions(self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str]) -> Scored:
        """Return the rows of stored scores: target, score_stereotype, score_anti_stereotype, score_unrelated; setting, texts."""
        return ways.stored_rows(frame, columns, by)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return LMS, SS and ICAT of any rows by setting and together, overall and by slice; rows without a score are left out."""
        del options, seed  # every interval is a formula
        return metrics_of(rows, by, _summary)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `terms`: LMS, SS and ICAT of each target term in each setting, and in both (`all`)."""
        import pandas as pd

        from workbench.stats.stereoset import term_scores

        del options, seed
        usable = rows[rows["difference"].notna()]
        parts = [(setting, usable[usable["setting"] == setting]) for setting in NAMES]
        parts = [(setting, part) for setting, part in parts if len(part)]
        tables = []
        for setting, part in [*parts, *([(OVERALL, usable)] if len(parts) > 1 else [])]:
            found = term_scores(ways.items_of(part), part["target"].to_numpy())
            names = {"target": found.term, "setting": setting, "n": found.n}
            tables.append(pd.DataFrame({**names, "lms": found.lms, "ss": found.ss, "icat": found.icat}))
        return {"terms": pd.concat(tables, ignore_index=True)} if tables else {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return SS and LMS by slice for each setting, and the map of target terms."""
        from workbench.charts.metrics import metric_bars
        from workbench.charts.terms import term_map

        del options
        if "terms" not in tables:
            return {}
        have = set(metrics.loc[metrics["value"].notna(), "metric"])
        charts = {}
        for name in (name for name in dict.fromkeys((*NAMES.values(), *OF_STORED.values())) if f"ss_{name}" in have):
            charts[f"ss_{name}"] = metric_bars(metrics, f"ss_{name}", reference=0.5, meaning="no preference")
            charts[f"lms_{name}"] = metric_bars(metrics, f"lms_{name}", reference=0.5, meaning="a random model")
        terms = tables["terms"]
        first = terms["setting"].iloc[0]
        charts["terms"] = term_map(terms[terms["setting"] == first], first)
        return charts


PROBE = StereoSet()


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import proportion
    from workbench.stats.stereoset import stereoset_summary

    known = rows["difference"].notna().to_numpy(bool)
    usable = rows[known]
    settings = [setting for setting in NAMES if (rows["setting"] == setting).any()] if len(rows) else ["intrasentence"]
    names = OF_STORED if ways.STORED in set(rows["asked"]) else NAMES
    found: dict[str, Interval] = {}
    for setting in settings:
        part = usable[usable["setting"] == setting] if len(rows) else usable
        scores = stereoset_summary(ways.items_of(part), part["target"].to_numpy())
        found |= {f"{metric}_{names[setting]}": interval for metric, interval in scores.items()}
    if len(settings) > 1:
        scores = stereoset_summary(ways.items_of(usable), usable["target"].to_numpy())
        together = "both" if names is OF_STORED else f"both_{NAMES['intersentence']}"
        found |= {f"{metric}_{together}": scores[metric] for metric in ("lms", "ss", "icat")}
    if not known.all():
        found["scored"] = proportion(known.astype(np.float64), clusters=clusters_of(rows))
    return found
