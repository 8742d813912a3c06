"""The inner probe `embedding` of a sweep: the vector of each text, to be held against that of the clean text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._slices import clusters_of, metrics_of
from workbench.probes.protocol import Option, Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["EMBEDDING", "NAME", "VALUE", "VECTOR", "similarities"]

NAME = "embedding"
VECTOR, VALUE = "vector", "similarity"


class Embedding:
    """The inner probe; its one instance is `EMBEDDING`. It asks nothing that makes sense without a second copy."""

    name = NAME
    title = "Embeddings"
    question = "How far does the vector of a text move?"
    headline: tuple[str, ...] = (VALUE,)
    limits: tuple[str, ...] = ("A cosine has no unit: compare it between corruptions and severities of one model.",)
    options: Mapping[str, Option] = {
        "layer": Option(-1, "hidden state, from 0 (embeddings) to -1 (last)", limits=(-1000, 1000)),
        "pooling": Option("auto", "how tokens become one vector", ("auto", "mean", "last", "first")),
    }

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return a row per text with its vector, a list of floats."""
        need_verb(model, "embed", "vectors of texts")
        frame = examples.frame
        texts = frame["text"].tolist()
        given = model.embed(texts, layer=options["layer"], pooling=options["pooling"], monitor=monitor)
        records = [
            {"example": example, "text": text, VECTOR: vector}
            for example, text, vector, done in zip(frame["example"], texts, given.vectors, given.done, strict=True)
            if done
        ]
        return Scored(rows_frame(records, examples, ("text", VECTOR)), {}, (), missing=int((~given.done).sum()))

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the mean similarity of any rows and slices."""
        del options, seed
        return metrics_of(rows, by, _mean) if len(rows) else metrics_frame(list[Metric]())

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return none."""
        del rows, options, seed
        return {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return none: the sweep draws the curves."""
        del metrics, tables, options
        return {}


EMBEDDING = Embedding()


def similarities(vectors: "pd.Series[Any]", clean: "pd.Series[Any]") -> np.ndarray:
    """Return the cosine (n,) of pairs of vectors, NaN where one of them is missing or has no length.

    >>> import pandas as pd
    >>> similarities(pd.Series([[1.0, 0.0], [3.0, 4.0]]), pd.Series([[2.0, 0.0], [4.0, 3.0]])).round(2).tolist()
    [1.0, 0.96]
    """
    if not len(vectors):
        return np.empty(0)
    ours, theirs = (np.asarray(list(column), dtype=np.float64) for column in (vectors, clean))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (ours * theirs).sum(axis=1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    return np.asarray(np.clip(cosine, -1.0, 1.0))


def _mean(rows: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import mean

    known = rows[rows[VALUE].notna()] if VALUE in rows else rows.iloc[:0]
    if not len(known):
        return {}
    found = mean(known[VALUE], clusters=clusters_of(known))
    return {VALUE: found._replace(high=min(found.high, 1.0))}
