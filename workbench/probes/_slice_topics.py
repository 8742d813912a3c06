"""Topics as a column: texts that lie near each other, named by the words that set them apart."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import UsageError
from workbench.models.verbs import Monitor
from workbench.probes._rows import need_verb

__all__ = ["topics_of"]

NAMED = 2  # words in a name


def topics_of(texts: Sequence[str], options: Mapping[str, Any], *, monitor: Monitor | None) -> Any:
    """Return the topic of each text (n,): k-means over the vectors of the distinct texts, so that their order changes nothing."""
    from sklearn.cluster import KMeans

    model = options["embedder"]
    if model is None:
        raise UsageError(
            "topics needs a model that embeds texts. Name one with embedder=..., such as a loaded encoder."
        )
    if not hasattr(model, "verbs"):
        from workbench.models.load import load

        model = load(model)
    need_verb(model, "embed", "vectors of texts")
    kinds = sorted(set(texts))
    wanted = int(options["topics"])
    if len(kinds) < wanted:
        raise UsageError(f"topics={wanted} needs as many different texts; there are {len(kinds)}.")
    vectors = np.asarray(model.embed(kinds, monitor=monitor).vectors, dtype=np.float64)
    kept = np.isfinite(vectors).all(axis=1)
    found = np.full(len(kinds), -1)
    found[kept] = KMeans(n_clusters=wanted, n_init=4, random_state=0).fit_predict(vectors[kept])
    names = {-1: "", **_names(kinds, found)}
    place = {text: names[int(at)] for text, at in zip(kinds, found, strict=True)}
    return np.array([place[text] for text in texts], dtype=object)


def _names(texts: Sequence[str], topic: Any) -> dict[int, str]:
    """Return the name of each topic: the words that the largest share of its texts has beyond that of the others."""
    words = [set(re.findall(r"[^\W\d_]{3,}", text.lower())) for text in texts]
    everywhere = Counter(word for few in words for word in few)
    names: dict[int, str] = {}
    for at in sorted({int(one) for one in topic} - {-1}):
        mine = [few for few, one in zip(words, topic, strict=True) if one == at]
        inside = Counter(word for few in mine for word in few)
        others = max(1, len(texts) - len(mine))
        score = {word: n / len(mine) - (everywhere[word] - n) / others for word, n in inside.items()}
        best = sorted(score, key=lambda word: (-score[word], word))[:NAMED]
        name = "/".join(best) or f"topic {at + 1}"
        names[at] = name if name not in names.values() else f"{name} ({at + 1})"
    return names
