"""How the explorer shows a sweep: a curve over severities, texts with their edits, answers before and after."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.probes._sweep_plan import inner_of
from workbench.probes.protocol import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["view_of"]

CURVE: dict[str, Any] = {
    "slices": ("corruption",),
    "curve": ("severity", "corruption"),
    "brief": (("detail", "pooled"),),
}
CHANGE = ("change", "Example, with its edits", "change")
PICTURES = (("picture", "Image", "image"), ("clean_picture", "Clean image", "image"))
WHERE = (("corruption", "corruption", "text"), ("severity", "severity", "text"))
ANSWERS = View(
    value="confidence_change",
    title="Confidence after corruption minus that of the clean example",
    outcome="correct",
    rate="Accuracy",
    outcomes=("right", "wrong"),
    columns=(
        CHANGE,
        ("clean_predicted", "Clean answer", "text"),
        ("predicted", "Answer", "text"),
        ("correct", "Correct", "hit"),
        ("flipped", "Flips", "hit"),
        ("clean_confidence", "Clean confidence", "number"),
        ("confidence", "Confidence", "number"),
        ("confidence_change", "Confidence change", "number"),
        *WHERE,
    ),
    **CURVE,
)
VECTORS = View(
    value="similarity",
    title="Cosine to the vector of the clean text",
    outcome="flipped",
    rate="Answer flips",
    outcomes=("flipped", "same"),
    columns=(CHANGE, ("similarity", "Cosine", "number"), *WHERE),
    mean=True,
    **CURVE,
)


def view_of(rows: "pd.DataFrame", options: Mapping[str, Any]) -> View | None:
    """Return the view of answers, of vectors, or the inner probe's own with the curve; None where it has none."""
    view = _view(rows, options)
    if view is None or "picture" not in rows:
        return view
    columns = [line for line in view.columns if line != CHANGE]
    return replace(view, columns=(*PICTURES, *columns))


def _view(rows: "pd.DataFrame", options: Mapping[str, Any]) -> View | None:
    inner = inner_of(rows.columns, options)
    if VECTORS.value in rows:
        return VECTORS
    if inner.name == "calibration":
        return ANSWERS
    own = getattr(inner, "view", None)
    if not isinstance(own, View):
        return None
    names = {name: f"inner_{name}" if f"inner_{name}" in rows else name for name in (own.value, own.outcome)}
    columns = tuple(
        (f"inner_{name}" if f"inner_{name}" in rows else name, said, kind) for name, said, kind in own.columns
    )
    shown = (CHANGE, *(one for one in columns if one[0] != "inner_change"), *WHERE)
    slices = (*CURVE["slices"], *own.slices)
    return replace(
        own, value=names[own.value], outcome=names[own.outcome], columns=shown, **{**CURVE, "slices": slices}
    )
