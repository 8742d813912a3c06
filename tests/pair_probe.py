"""A probe of sentence pairs whose rows are known by construction: no model is asked, and no confidence is stated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from workbench.charts import metric_bars
from workbench.frames import metrics_frame
from workbench.models.verbs import ModelInfo, Scores
from workbench.probes._rows import rows_frame
from workbench.probes._slices import clusters_of, metrics_of
from workbench.probes.protocol import Option, Scored, View
from workbench.stats.intervals import mean, proportion

KINDS = {"religion": 0.75, "age": 0.5, "physical appearance": 0.6, "occupation": 0.66}  # share of stereotypes planted


class PairProbe:
    """Reads the difference of each pair from the examples."""

    name = "pair-fake"
    title = "Sentence pairs"
    question = "Which sentence of a pair does the model find more likely?"
    limits = ("A made-up probe shows nothing.",)
    options: Mapping[str, Option] = {"shift": Option(0.0, "added to every difference", limits=(-100.0, 100.0))}
    headline = ("pct_stereotype", "likelihood_difference")
    view = View(
        value="difference",
        title="Log-likelihood difference (nats)",
        outcome="stereotype",
        rate="Prefers the stereotype",
        outcomes=("stereotype", "anti-stereotype"),
        reference=0.5,
        columns=(
            ("text", "Stereotype", "text"),
            ("other", "Anti-stereotype", "text"),
            ("difference", "Difference", "number"),
            ("stereotype", "Prefers", "hit"),
        ),
    )

    def score(self, model: Any, examples: wb.Examples, options: Mapping[str, Any], *, monitor: Any) -> Scored:
        """Return one row per pair; a difference of zero prefers neither."""
        del model, monitor
        frame = examples.frame
        difference = frame["difference"].to_numpy(float) + options["shift"]
        stereotype = np.where(np.isnan(difference) | (difference == 0), np.nan, (difference > 0).astype(float))
        records = frame[["example", "text", "other"]].assign(difference=difference, stereotype=stereotype)
        columns = ["text", "other", "difference", "stereotype"]
        return Scored(rows_frame(records.to_dict("records"), examples, columns), {})

    def summarise(
        self, rows: pd.DataFrame, options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> pd.DataFrame:
        """Return the share that prefers the stereotype, and the mean difference."""
        del options, seed
        return metrics_of(rows, by, _summary) if len(rows) else metrics_frame([])

    def tables(self, rows: pd.DataFrame, options: Mapping[str, Any], *, seed: int = 0) -> dict[str, pd.DataFrame]:
        """Return none."""
        del rows, options, seed
        return {}

    def charts(self, metrics: pd.DataFrame, tables: Any, options: Any) -> dict[str, Any]:
        """Return the share by slice."""
        del tables, options
        return {"pct_stereotype_by_slice": metric_bars(metrics, "pct_stereotype", reference=0.5)}


PROBE = PairProbe()


class Nobody:
    """A model that is never asked."""

    name = "nobody"
    verbs = frozenset[str]()
    info = ModelInfo("nobody", "language model")


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    known = rows[rows["stereotype"].notna()]
    share = proportion(known["stereotype"], clusters=clusters_of(known) if len(known) else None)
    valued = rows[rows["difference"].notna()]
    average = mean(valued["difference"], clusters=clusters_of(valued) if len(valued) else None)
    return {"likelihood_difference": average, "pct_stereotype": share}


def pairs(n: int = 400, *, seed: int = 3, per_template: int = 8) -> pd.DataFrame:
    """Return pairs in templates: rows of one template resemble each other; two have no difference, one prefers neither."""
    rng = np.random.default_rng(seed)
    template = np.arange(n) // per_template
    kinds = np.array(list(KINDS))[rng.integers(0, len(KINDS), template[-1] + 1)][template]
    centre = np.array([KINDS[kind] for kind in kinds]) - 0.5
    difference = 8 * centre + rng.normal(0, 3, template[-1] + 1)[template] + rng.normal(0, 1.5, n)
    difference[[4, 9]], difference[15] = np.nan, 0.0
    who = np.array(["the old man", "the nurse", "my neighbour", "a young engineer"])[rng.integers(0, 4, n)]
    return pd.DataFrame(
        {
            "example": [f"p{i}" for i in range(n)],
            "text": [
                f"Everyone at the table said that {one} had lost the {i}th of the keys again."
                for i, one in enumerate(who)
            ],
            "other": [
                f"Everyone at the table said that {one} had kept the {i}th of the keys again."
                for i, one in enumerate(who)
            ],
            "difference": difference,
            "bias": kinds,
            "cluster": [f"t{one}" for one in template],
        }
    )


def report_of(frame: pd.DataFrame, *, by: tuple[str, ...] = ("bias",), **options: Any) -> wb.Report:
    """Return the report of the probe on such pairs."""
    examples = wb.Examples(frame, name="made-up pairs", slices=by)
    return wb.run(PROBE, Nobody(), examples, by=by, **options)


class Reader:
    """Scores texts by what was planted: an old man or a nurse is likelier to have lost, others to have kept, by 1 to 1.4 nats."""

    name = "reader"
    verbs = frozenset({"score"})
    model = None
    tokenizer = None
    info = ModelInfo("reader", "language model")

    def score(self, requests: Any, *, monitor: Any = None) -> Scores:
        """Give each text two tokens with half of its log-likelihood each."""
        del monitor
        n = len(requests)
        texts = [request.continuation for request in requests]
        planted = [("lost" in text) == ("old man" in text or "nurse" in text) for text in texts]
        half = np.array([yes * (1 + len(text) % 5 / 10) - 40 for yes, text in zip(planted, texts, strict=True)]) / 2
        flat = np.zeros(2 * n)
        return Scores(
            offsets=np.arange(n + 1) * 2,
            token=flat.astype(np.int64),
            logp=np.repeat(half, 2),
            top_logp=flat,
            mean_logp=flat,
            var_logp=flat,
            rank=flat.astype(np.int64),
            done=np.ones(n, dtype=bool),
            boundary_merge=np.zeros(n, dtype=bool),
            truncated=np.zeros(n, dtype=np.int64),
        )


def read_pairs(frame: pd.DataFrame) -> wb.Report:
    """Return the report of the probe `pairs` for that reader on such pairs."""
    examples = wb.Examples(frame.drop(columns=["difference"]), name="made-up pairs", slices=("bias",))
    return wb.run("pairs", Reader(), examples)
