"""The rows of a sweep: the inner probe's rows of the clean examples and of every corrupted copy, each beside its clean answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data._thumbnails import ROOM
from workbench.models.verbs import Monitor
from workbench.probes import _sweep_embedding
from workbench.probes._sweep_copies import Copy, copy_of, edits_of, pictures_of, shown, size_of
from workbench.probes._sweep_plan import CLEAN, OURS, Plan, plan_of
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["edit_table", "inner_rows", "score"]

KEYS = ["example", "inner", "group"]
EDITS = (
    *("example", "variant", "corruption", "severity", "column"),
    *("start", "end", "new_start", "new_end", "old", "new", "kind"),
)
PIECE = "token "  # rows of next tokens: those of two texts do not belong together


def score(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return the rows of all copies; where the person stops, those of the copies and examples that are done."""
    import pandas as pd

    plan = plan_of(model, examples, options)
    first = plan.inner.score(model, examples, plan.options, monitor=monitor)
    clean = _kept(first.rows)
    before = dict(zip(examples.frame["example"], map(shown, examples.frame[plan.columns[0]]), strict=True))
    seen = pictures_of(examples, room=ROOM // 4)
    room = ROOM - size_of(seen)
    parts = [_labelled(clean, clean, None, before, seen)]
    notes, emptied, reached, asked = list(first.notes), 0, _done(clean), len(examples)
    stopped, at = first.missing > 0, CLEAN
    for name in plan.corruptions:
        for severity in plan.severities:
            if stopped:
                reached = set()
                break
            copy, at = copy_of(examples, plan, name, severity, room=room), f"{name}:{severity}"
            room -= size_of(copy.pictures)
            rows, missing, said = _ask(model, copy, clean, plan, monitor)
            stopped = missing > 0
            notes += said
            emptied += copy.emptied
            parts.append(_labelled(rows, clean, copy, before, seen))
            reached &= _done(rows)
    rows = pd.concat(parts, ignore_index=True)
    told = _said(rows, plan, emptied)
    if stopped:
        last = len(_done(parts[-1]))
        part = (
            ""
            if last == asked
            else f" Of the copy {at} {last} of {asked} examples are done, not a random part of them."
        )
        told = (f"The run was stopped: what was done of each copy is kept, later copies are missing.{part}", *told)
    return Scored(
        rows.drop(columns=_sweep_embedding.VECTOR, errors="ignore"),
        {},
        (*told, *dict.fromkeys(notes)),
        missing=asked - len(reached),
    )


def _ask(
    model: Any, copy: Copy, clean: "pd.DataFrame", plan: Plan, monitor: Monitor
) -> tuple["pd.DataFrame", int, tuple[str, ...]]:
    """Return the inner rows of a copy; an example that did not change keeps its clean rows and is not asked again."""
    import pandas as pd

    if copy.changed is None:
        return clean, 0, ()
    touched = set(copy.changed.frame["example"])
    given = plan.inner.score(model, copy.changed, plan.options, monitor=monitor)
    same = clean[~clean["example"].isin(touched)]
    asked = _kept(given.rows)
    rows = pd.concat([same, asked], ignore_index=True) if len(same) and len(asked) else same if len(same) else asked
    place = {example: at for at, example in enumerate(dict.fromkeys(clean["example"]))}
    order = np.argsort([place[example] for example in rows["example"]], kind="stable")
    return rows.iloc[order].reset_index(drop=True), given.missing, given.notes


def _kept(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the inner probe's rows, with its variants under `inner` and its columns of our names under "inner_..."."""
    renamed = {name: f"inner_{name}" for name in OURS if name in rows}
    return rows.rename(columns={**renamed, "variant": "inner"})


def inner_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return rows of a sweep as the inner probe made them."""
    back = {f"inner_{name}": name for name in OURS if f"inner_{name}" in rows}
    kept = rows.drop(columns=["variant", *(name for name in OURS if name in rows and name != "inner")])
    return kept.rename(columns={**back, "inner": "variant"})


def _done(rows: "pd.DataFrame") -> set[str]:
    return set(rows["example"])


def _labelled(
    rows: "pd.DataFrame",
    clean: "pd.DataFrame",
    copy: Copy | None,
    before: Mapping[str, str],
    seen: Mapping[str, bytes | None],
) -> "pd.DataFrame":
    """Return the rows of a copy (None: the clean one) with our columns: what was done, and the clean answer."""
    name, severity = (CLEAN, 0) if copy is None else (copy.corruption, copy.severity)
    ids = rows["example"].tolist()
    label = "" if copy is None else f"{name}:{severity}"
    variants = [f"{label} {inner}".strip() if label else inner for inner in rows["inner"]]
    changes = {} if copy is None else copy.changes
    ours: dict[str, Any] = {
        "variant": variants,
        "corruption": name,
        "severity": severity,
        "before": [before[example] for example in ids],
        "change": [changes[example].change if copy else before[example] for example in ids],
        "edits": [changes[example].edits if copy else "[]" for example in ids],
        "edit_count": [changes[example].count if copy else 0 for example in ids],
    }
    if seen:
        ours["clean_picture"] = [seen[example] for example in ids]
        ours["picture"] = [(copy.pictures if copy else seen)[example] for example in ids]
    found = rows.assign(**ours)
    pairs = found[KEYS].merge(clean, on=KEYS, how="left", validate="1:1")
    apart = np.array([str(inner).startswith(PIECE) for inner in rows["inner"]], dtype=bool)
    for column in ("predicted", "confidence", "correct"):
        if column in rows:
            found[f"clean_{column}"] = pairs[column].where(~apart).to_numpy()
    found["flipped"] = np.nan
    if "predicted" in rows:
        new, old = found["predicted"], found["clean_predicted"]
        both = new.notna() & old.notna() & new.ne("") & old.ne("")
        found["flipped"] = new.ne(old).astype(float).where(both & (severity > 0))
    found["confidence_change"] = np.nan
    if "confidence" in rows and severity:
        found["confidence_change"] = found["confidence"].astype(float) - found["clean_confidence"].astype(float)
    if _sweep_embedding.VECTOR in rows:
        found[_sweep_embedding.VALUE] = _sweep_embedding.similarities(
            rows[_sweep_embedding.VECTOR], pairs[_sweep_embedding.VECTOR]
        )
    first = ["example", "variant", "group", "cluster", "corruption", "severity"]
    return found[[*first, *(column for column in found.columns if column not in first)]]


def edit_table(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the edits of any rows of a sweep, one line each, with the column and positions in code points."""
    import pandas as pd

    changed = rows[rows["edits"].ne("[]")].drop_duplicates(["example", "corruption", "severity"])
    where = ["example", "variant", "corruption", "severity", "edits"]
    lines = [
        (*line[:4], column, *edit)
        for line in changed[where].itertuples(index=False, name=None)
        for column, edit in edits_of(line[4])
    ]
    return pd.DataFrame(lines, columns=list(EDITS))


def _said(rows: "pd.DataFrame", plan: Plan, emptied: int) -> tuple[str, ...]:
    """Return what a reader has to know of the copies."""
    which = ", ".join(plan.corruptions)
    levels = ", ".join(map(str, plan.severities)) or "none"
    notes = [
        f"Corruptions: {which}; severities: {levels}; each copy is asked by the probe {plan.inner.name}. Numbers that name no "
        "corruption are over all corrupted copies together."
    ]
    copies = rows[rows["severity"] > 0].drop_duplicates(["example", "corruption", "severity"])
    same = int((copies["edit_count"] == 0).sum())
    if same:
        what = "images" if plan.images else "texts"
        notes.append(
            f"{same:,} of {len(copies):,} corrupted {what} are unchanged: they keep their clean answer, and count."
        )
    blind = int(rows["picture"].isna().sum()) if plan.images else 0
    if blind:
        notes.append(
            f"{blind:,} of {len(rows):,} rows have no picture: those of a report take {ROOM / 1e6:g} MB at most."
        )
    if emptied:
        notes.append(f"{emptied} texts would have been empty: they stay as they are.")
    return tuple(notes)
