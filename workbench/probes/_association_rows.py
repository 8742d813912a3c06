"""The rows of the probe `association`: a vector for each text, and how near the targets stand to the attributes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, UsageError, counted
from workbench.frames import require
from workbench.models.verbs import Embeddings, Monitor
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["SETS", "TARGETS", "rows_of"]

TARGETS, ATTRIBUTES = ("targ1", "targ2"), ("attr1", "attr2")
SETS = (*TARGETS, *ATTRIBUTES)
LISTS = ("similar_1", "similar_2", "texts_1", "texts_2")  # cosines with each attribute word, and its number of texts
COLUMNS = ("text", "test", "set", "category", "association", "expected", *LISTS)
REMEDY = "See wb.pack('associations'): test, set (targ1, targ2, attr1 or attr2), category."


def rows_of(model: Any, examples: "Examples", options: Mapping[str, Any], monitor: Monitor) -> Scored:
    """Return one row per text whose vector was made, in the order of the examples."""
    need_verb(model, "embed", "vectors of texts")
    if options["vectors"] == "static" and (options["layer"], options["pooling"]) != (-1, "auto"):
        raise UsageError("Static vectors have neither layer nor pooling. Leave both out, or ask vectors='hidden'.")
    frame = _checked(examples)
    texts = list(
        dict.fromkeys(frame.sort_values("set", kind="stable")["text"])
    )  # attributes first: all else needs them
    made = model.embed(
        texts, layer=options["layer"], pooling=options["pooling"], vectors=options["vectors"], monitor=monitor
    )
    place = {text: i for i, text in enumerate(texts)}
    at = np.array([place[text] for text in frame["text"]], dtype=np.intp)
    vectors, done = np.asarray(made.vectors, dtype=np.float64)[at], made.done[at]
    records: list[dict[str, Any]] = []
    for test in dict.fromkeys(frame["test"]):
        mine = (frame["test"] == test).to_numpy()
        if done[mine & frame["set"].isin(ATTRIBUTES).to_numpy()].all():
            records += _records(frame[mine & done], vectors[mine & done])
    order = {example: i for i, example in enumerate(frame["example"])}
    records.sort(key=lambda record: order[record["example"]])
    own = [name for name in COLUMNS if name not in examples.slices or name not in ("test", "set", "category")]
    rows = rows_frame(records, examples, own)
    return Scored(rows, {}, _notes(model, frame[done], vectors[done], made, options), len(frame) - len(rows))


def _checked(examples: "Examples") -> "pd.DataFrame":
    """Return the examples with test, set, category and word; each test has all four sets."""
    frame = examples.frame
    require(frame, ["set"], what="The probe 'association'", remedy=REMEDY)
    strange = sorted(set(map(str, frame["set"])) - set(SETS))
    if strange:
        raise DataError(f"The column set holds {strange[0]!r}; it must be one of {', '.join(SETS)}.")
    frame["test"] = frame["test"].astype(str) if "test" in frame.columns else "test"
    frame["category"] = (frame["category"] if "category" in frame.columns else frame["set"]).astype(str)
    frame["word"] = (frame["cluster"] if "cluster" in frame.columns else frame["example"]).astype(str)
    for test, sets in frame.groupby("test")["set"].unique().items():
        missing = [name for name in SETS if name not in set(sets)]
        if missing:
            raise DataError(f"The test {test!r} has no {missing[0]}. A test of association needs {', '.join(SETS)}.")
    return frame


def _records(frame: "pd.DataFrame", vectors: np.ndarray) -> list[dict[str, Any]]:
    """Return the rows of one test."""
    from workbench.stats.association import Similarities

    sets = frame["set"].to_numpy()
    known = _known(vectors)
    target = np.isin(sets, TARGETS)
    parts = [frame["word"].to_numpy(str)[(sets == name) & known] for name in ATTRIBUTES]
    near = [
        _near(vectors[target], vectors[(sets == name) & known], words)
        for name, words in zip(ATTRIBUTES, parts, strict=True)
    ]
    texts = [np.unique(words, return_counts=True)[1].astype(float) for words in parts]
    usable = known[target] & all(map(len, texts))
    inside = sets[target] == TARGETS[0]
    s = np.full(len(inside), np.nan)
    if usable.any():
        s[usable] = Similarities(near[0][usable], near[1][usable], inside[usable], texts[0], texts[1]).associations()
    expected = _expected(s, inside)
    blank: dict[str, Any] = {"association": np.nan, "expected": np.nan, **{name: [] for name in LISTS}}
    more = [dict(blank) for _ in sets]
    places = np.flatnonzero(target)
    for k in np.flatnonzero(usable):
        more[places[k]] = {
            "association": s[k],
            "expected": expected[k],
            "similar_1": near[0][k].tolist(),
            "similar_2": near[1][k].tolist(),
            "texts_1": texts[0].tolist(),
            "texts_2": texts[1].tolist(),
        }
    kept = frame[["example", "text", "test", "set", "category"]].to_dict("records")
    return [{**own, **{str(name): value for name, value in row.items()}} for row, own in zip(kept, more, strict=True)]


def _near(targets: np.ndarray, attributes: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return the mean cosine of each target with the texts of each attribute word, words in the order of `np.unique`."""
    from workbench.stats.association import cosines

    if not len(targets) or not len(attributes):
        return np.zeros((len(targets), len(attributes)))
    _, member = np.unique(words, return_inverse=True)
    cosine = cosines(targets, attributes)
    return np.stack([cosine[:, member == i].mean(axis=1) for i in range(member.max() + 1)], axis=1)


def _expected(s: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return 1 where a target lies on its own set's side of the middle of the two sets' means, 0 on the other, else NaN."""
    sides = [s[side & ~np.isnan(s)] for side in (inside, ~inside)]
    if not all(map(len, sides)):
        return np.full(len(s), np.nan)
    middle = (sides[0].mean() + sides[1].mean()) / 2
    return np.where(np.isnan(s) | (s == middle), np.nan, (inside == (s > middle)).astype(float))


def _known(vectors: np.ndarray) -> np.ndarray:
    """Return which vectors have a direction, (n,) bool."""
    known: np.ndarray = np.isfinite(vectors).all(axis=1) & (np.linalg.norm(vectors, axis=1) > 0)
    return known


def _notes(
    model: Any, frame: "pd.DataFrame", vectors: np.ndarray, made: Embeddings, options: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what was read, cut and left out."""
    if model.info.kind == "word vectors":
        read = "the table's own"
    elif options["vectors"] == "static":
        read = "static, the input embeddings averaged over a text's tokens"
    else:
        read = f"hidden states of layer {options['layer']}, pooling {options['pooling']}"
    notes = [f"Vectors: {read}."]
    cut = 0 if made.truncated is None else int((made.truncated > 0).sum())
    if cut:
        notes.append(f"{counted(cut, 'text is', 'different texts are')} longer than the model reads: cut at the end.")
    lost = ~_known(vectors)
    if lost.any():
        different = [repr(text) for text in dict.fromkeys(frame["text"][lost])]
        first = ", ".join([*different[:3], *(["..."] if len(different) > 3 else [])])
        targets = int((lost & frame["set"].isin(TARGETS).to_numpy()).sum())
        notes.append(
            f"{int(lost.sum())} of {len(frame)} texts have no vector ({first}): {targets} are targets and have no "
            f"association, {int(lost.sum()) - targets} are attributes and were left out of the means."
        )
    sizes = (
        frame[~lost].groupby(["test", "set"]).size().unstack(fill_value=0).reindex(columns=list(TARGETS), fill_value=0)
    )
    uneven = sizes.index[sizes["targ1"] != sizes["targ2"]].tolist()
    if uneven:
        notes.append(
            f"The two target sets of {', '.join(map(str, uneven[:3]))}{' and others' if len(uneven) > 3 else ''} differ in size: "
            "splits keep the sizes and compare means, where the published test takes equal sets."
        )
    return tuple(notes)
