"""What a sweep does: which inner probe is asked, which corruptions at which severities, and of which columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.data._copies import check_column
from workbench.data.corruptions import SEVERITIES, corruption
from workbench.data.images import image_corruption
from workbench.errors import DataError, NotApplicable, UsageError
from workbench.probes import _sweep_embedding
from workbench.probes.find import find, settle
from workbench.probes.protocol import Probe

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["CLEAN", "OURS", "Plan", "inner_of", "plan_of", "settings_of"]

CLEAN = "clean"
OURS = (
    *("corruption", "severity", "inner", "before", "change", "edits", "edit_count"),
    *("clean_predicted", "clean_confidence", "clean_correct", "flipped", "confidence_change"),
    *("picture", "clean_picture"),
)  # columns of the rows that are the sweep's; an inner probe's column of such a name is kept as "inner_..."
DEFAULT, DEFAULT_IMAGE = "keyboard", "gaussian-noise"


@dataclass(frozen=True)
class Plan:
    """What is asked: the inner probe with its options, corruptions by name, severities, and the columns to corrupt."""

    inner: Probe
    options: Mapping[str, Any]
    corruptions: Mapping[str, Any]  # name -> what has `apply(texts or images, ids, severity=, seed=)`
    severities: tuple[int, ...]
    columns: tuple[str, ...]
    seed: int
    images: bool = False


def plan_of(model: Any, examples: "Examples", options: Mapping[str, Any]) -> Plan:
    """Return the plan of a run; raise what a person can mend, or `NotApplicable`, before a model is asked."""
    inner = _inner(options["inner"] or _fitting(model, examples))
    for name in examples.slices:
        if name in OURS:
            raise DataError(f"The column {name!r} cannot be a slice: the report has a column of that name. Rename it.")
    return Plan(
        inner,
        settle(inner, _mapping(options["inner_options"])),
        _corruptions(options["corruptions"], images=bool(examples.image)),
        _severities(options["severities"]),
        _columns(examples, options["columns"]),
        int(options["corruption_seed"]),
        images=bool(examples.image),
    )


def inner_of(columns: Iterable[str], options: Mapping[str, Any]) -> Probe:
    """Return the inner probe of rows that have these columns.

    >>> inner_of(["example", "confidence"], {"inner": ""}).name
    'calibration'
    """
    own = _sweep_embedding.VALUE in set(columns)
    return _inner(options["inner"] or (_sweep_embedding.NAME if own else "calibration"))


def settings_of(inner: Probe, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inner probe's options, with its defaults."""
    return settle(inner, _mapping(options["inner_options"]))


def _fitting(model: Any, examples: "Examples") -> str:
    """Return the inner probe that fits a model and examples: embedding where vectors are all that there is to compare."""
    answers = {"choose", "classify"} if examples.kind != "text" else {"score"}
    return _sweep_embedding.NAME if "embed" in model.verbs and not answers & set(model.verbs) else "calibration"


def _inner(named: "str | Probe") -> Probe:
    if named == _sweep_embedding.NAME:
        return _sweep_embedding.EMBEDDING
    inner = find(named)
    if inner.name == "sweep":
        raise UsageError("A sweep cannot sweep itself. Name another probe in inner=, such as 'calibration'.")
    return inner


def _mapping(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(f"inner_options must map names to values, as {{'bins': 10}}; it is {given!r}.")
    return given


def _corruptions(given: Any, *, images: bool) -> dict[str, Any]:
    """Return corruptions by name: of names (several with commas), of objects with a name, or of both."""
    listed = _listed(given) or [DEFAULT_IMAGE if images else DEFAULT]
    by_name = image_corruption if images else corruption
    found: dict[str, Any] = {}
    for one in listed:
        made = by_name(one.strip()) if isinstance(one, str) else one
        if not callable(getattr(made, "apply", None)) or not isinstance(getattr(made, "name", None), str):
            raise UsageError(
                f"corruptions takes names or corruptions (with a name and apply()); found {type(one).__name__}."
            )
        if made.name in (CLEAN, *found):
            raise UsageError(
                f"The corruption {made.name!r} is there twice, or bears the name of the clean copy. Rename it."
            )
        found[made.name] = made
    return found


def _severities(given: Any) -> tuple[int, ...]:
    """Return the severities above 0, ascending: the clean copy is always asked."""
    listed = _listed(given)
    for one in listed:
        if isinstance(one, bool) or not isinstance(one, int) or one not in (0, *SEVERITIES):
            raise UsageError(f"severities are whole numbers from 0 (clean) to 5; found {one!r}.")
    if not listed:
        raise UsageError("severities is empty. Give some of 1 to 5, such as severities=(1, 3, 5).")
    return tuple(sorted({int(one) for one in listed} - {0}))


def _columns(examples: "Examples", given: Any) -> tuple[str, ...]:
    """Return the columns to corrupt, each checked to hold texts."""
    frame = examples.frame
    named = tuple(_listed(given))
    if examples.image:
        if named not in ((), (examples.image,)):
            raise UsageError(f"The images of the column {examples.image!r} are corrupted; columns= is for texts.")
        return (examples.image,)
    if not named and examples.features:
        raise NotApplicable("corruptions change texts; these examples are rows of features.")
    for name in named:
        check_column(frame, name)
    return named or ("text",)


def _listed(given: Any) -> list[Any]:
    """Return one value, several, or a text of several with commas, as a list."""
    if isinstance(given, str):
        return [part for part in given.split(",") if part.strip()]
    return list(given) if isinstance(given, Iterable) else [given]
