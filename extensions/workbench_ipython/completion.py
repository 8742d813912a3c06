"""Completion of the magics' arguments: probes, packs, published sets, options, columns and the notebook's own variables."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

import workbench as wb
from workbench.models.load import NAMED

__all__ = ["complete", "suggestions"]

FLAGS = {
    "model": ("--out", "--device", "--dtype", "--revision", "--key-env"),
    "probe": ("--out", "--by", "--max-examples", "--holdout", "--seed"),
    "examples": ("--format", "--label", "--text", "--choices"),
    "explore": ("--model",),
    "launch": (),
    "compare": ("--out", "--by"),
    "confirm": ("--report", "--metric", "--correction", "--family", "--out"),
    "draw": ("--out",),
    "fragility": ("--metric", "--null", "--model", "--out"),
    "robustness": ("--inside", "--outside", "--baseline", "--draws", "--seed", "--out"),
    "freeze": ("--to", "--name", "--notes", "--data", "--no-pictures", "--overwrite", "--out"),
    "replay": ("--from-rows", "--model", "--tolerance", "--anyway", "--trust", "--out"),
}
BARE = frozenset({"--no-pictures", "--overwrite", "--from-rows", "--anyway", "--trust"})  # take no word
VALUED = (
    frozenset({"-o", "-n", *(flag for flags in FLAGS.values() for flag in flags)}) - BARE
)  # each takes the next word
KNOWN = {"--data": ("auto", "all", "none"), "--correction": ("holm", "bh"), "--family": ("tried", "asked")}
OWN = frozenset({"example", "text", "choices", "label", "context"})  # columns that no one slices by


@context_matcher(identifier="WorkbenchMagics.arguments", priority=200)
def complete(context: CompletionContext) -> SimpleMatcherResult:
    """Complete a line that begins with one of our magics; stays silent on all others."""
    line = context.line_with_cursor[: context.cursor_position]
    found = suggestions(line, _variables())
    if found is None:
        return {"completions": [], "suppress": False}
    matches = [SimpleCompletion(text=text, type="magic") for text in found]
    return {"completions": matches, "suppress": bool(matches), "ordered": True}


def suggestions(line: str, variables: dict[str, Any]) -> list[str] | None:
    """Return what may stand at the end of the line, None where the line is not ours.

    >>> suggestions("%probe cal", {})
    ['calibration']
    >>> suggestions("print(", {}) is None
    True
    """
    words = line.lstrip().split(" ")
    magic = words[0].lstrip("%")
    if not words[0].startswith("%") or magic not in FLAGS or len(words) < 2:
        return None
    prefix = words[-1]
    before = [word for word in words[1:-1] if word]
    given = [word for word, flag in zip(before, ["", *before], strict=False) if _names(word) and flag not in VALUED]
    if magic == "probe" and before[-1:] == ["--by"]:
        return _matching(_columns(given[2] if len(given) > 2 else given[-1], variables) if given else (), prefix)
    if prefix.startswith("-"):
        return _matching(FLAGS[magic], prefix)
    if before[-1:] and before[-1] in KNOWN:
        return _matching(KNOWN[before[-1]], prefix)
    return _matching(_candidates(magic, given, variables, prefix), prefix)


def _names(word: str) -> bool:
    """Return whether a word is neither a flag nor an option."""
    return not word.startswith("-") and "=" not in word


def _columns(examples: str, variables: dict[str, Any]) -> list[str]:
    """Return the columns that one may slice by, of a variable or a pack."""
    value = variables.get(examples)
    if value is None and examples in wb.packs():
        value = wb.pack(examples)
    frame = getattr(value, "frame", getattr(value, "explored", value))
    return [str(name) for name in getattr(frame, "columns", ()) if name not in OWN]


def _candidates(magic: str, given: list[str], variables: dict[str, Any], prefix: str) -> Iterable[str]:
    if magic == "launch":
        return []
    if magic == "draw" and given:
        return ["reliability", "risk_coverage"]
    if magic == "fragility" and given:
        probe = str(getattr(variables.get(given[0]), "probe", ""))
        return [*_reports(variables), *_option_words(probe, prefix)]
    if magic in ("explore", "compare", "draw", "fragility", "robustness", "freeze"):
        return _reports(variables)
    if magic == "replay":
        return sorted(path.parent.name for path in Path().glob("*/audit.json"))
    if magic == "model":
        return list(NAMED)
    if magic != "probe":
        return []
    if not given:
        from workbench.probes.find import names

        return names()
    if len(given) == 1:
        models = (name for name, value in variables.items() if hasattr(value, "verbs") or hasattr(value, "explored"))
        return [*models, *NAMED]
    if len(given) == 2 and hasattr(variables.get(given[1]), "explored"):  # a report has its own rows
        return _option_words(given[0], prefix)
    if len(given) == 2:
        tables = [name for name, value in variables.items() if hasattr(value, "slices") or hasattr(value, "columns")]
        return [*tables, *wb.packs(), *wb.benchmarks()]
    return _option_words(given[0], prefix)


def _reports(variables: dict[str, Any]) -> list[str]:
    """Return the variables that hold a report, and the reports saved in this folder."""
    saved = sorted(path.name for path in Path().glob("*.workbench"))
    return [*(name for name, value in variables.items() if hasattr(value, "record")), *saved]


def _option_words(probe: str, prefix: str) -> list[str]:
    """Return the options of a probe with values to choose from; after a comma the next of an option that takes several."""
    from workbench.probes.find import find, names

    if probe not in names():
        return []
    words = []
    for name, option in find(probe).options.items():
        values = (*option.known, *option.suggests)
        default = "" if option.default in (None, "", (), {}) or isinstance(option.default, tuple) else option.default
        words += [f"{name}={value}" for value in values] or [f"{name}={default}"]
        before, comma, _ = prefix.rpartition(",")
        if comma and isinstance(option.default, tuple) and prefix.startswith(f"{name}="):
            taken = before.partition("=")[2].split(",")
            words += [f"{before},{value}" for value in values if str(value) not in taken]
    return words


def _matching(candidates: Iterable[str], prefix: str) -> list[str]:
    return [one for one in dict.fromkeys(candidates) if one.startswith(prefix)]


def _variables() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    known = shell.user_ns if shell is not None else {}
    return {name: value for name, value in known.items() if not name.startswith("_")}
