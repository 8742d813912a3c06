"""Completion of the magics' arguments: probes, packs, options and the notebook's own variables."""

from collections.abc import Iterable
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

import workbench as wb

__all__ = ["complete", "suggestions"]

FLAGS = {
    "model": ("--out", "--device", "--dtype", "--revision"),
    "probe": ("--out", "--by", "--max-examples", "--holdout", "--seed"),
    "examples": ("--format", "--label", "--text", "--choices"),
    "explore": (),
}


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
    given = [word for word in words[1:-1] if word and not word.startswith("-") and "=" not in word]
    if prefix.startswith("-"):
        return _matching(FLAGS[magic], prefix)
    return _matching(_candidates(magic, given, variables), prefix)


def _candidates(magic: str, given: list[str], variables: dict[str, Any]) -> Iterable[str]:
    if magic == "explore":
        return [name for name, value in variables.items() if hasattr(value, "record")]
    if magic == "model":
        return ["smollm2-135m-instruct"]
    if magic != "probe":
        return []
    if not given:
        from workbench.probes.find import names

        return names()
    if len(given) == 1:
        return [*(name for name, value in variables.items() if hasattr(value, "verbs")), "smollm2-135m-instruct"]
    if len(given) == 2:
        tables = [name for name, value in variables.items() if hasattr(value, "slices") or hasattr(value, "columns")]
        return [*tables, *wb.packs()]
    return _option_words(given[0])


def _option_words(probe: str) -> list[str]:
    from workbench.probes.find import find, names

    if probe not in names():
        return []
    words = []
    for name, option in find(probe).options.items():
        words += [f"{name}={value}" for value in option.known] or [f"{name}="]
    return words


def _matching(candidates: Iterable[str], prefix: str) -> list[str]:
    return [one for one in dict.fromkeys(candidates) if one.startswith(prefix)]


def _variables() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    known = shell.user_ns if shell is not None else {}
    return {name: value for name, value in known.items() if not name.startswith("_")}
