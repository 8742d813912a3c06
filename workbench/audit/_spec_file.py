"""A file of a spec as plain values, each with the line where it stands: YAML by its safe loader, or JSON."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import UsageError

__all__ = ["Spec", "read_spec"]

MOST_NODES, DEEPEST = 20_000, 40  # an alias that names itself, or many that multiply, must not take all memory
PLAIN = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Spec:
    """The values of a file, and the line of each by the keys that lead to it."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)

    def wrong(self, place: Place, problem: object) -> UsageError:
        """Return the error for a place: its file, line and keys before the problem."""
        at = place
        while at and at not in self.lines:
            at = at[:-1]
        line = f", line {self.lines[at]}" if at in self.lines else ""
        keys = ".".join(str(part) for part in place)
        return UsageError(f"{self.path.name}{line}{f', {keys}' if keys else ''}: {problem}")

    def mapping(self, place: Place, value: Any, known: Iterable[str], what: str) -> dict[str, Any]:
        """Return a mapping whose keys are all known; name the first that is not, and the nearest."""
        names = list(known)
        if not isinstance(value, dict):
            raise self.wrong(place, f"{what} must be a mapping with the keys {', '.join(names)}; it is {value!r}.")
        for key in value:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise self.wrong(
                    (*place, key), f"unknown key {key!r} of {what}.{hint} Known: {', '.join(sorted(names))}."
                )
        return value

    def kind(self, place: Place, value: Any, kinds: type | tuple[type, ...], words: str) -> Any:
        """Return a value of one of the kinds; a number that YAML reads as text is named."""
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        if (isinstance(value, bool) and bool not in wanted) or not isinstance(value, wanted):
            said = f"{value!r} is a {type(value).__name__}"
            if isinstance(value, str) and (int in wanted or float in wanted):
                said += " (YAML 1.1 reads 1e-3 as text: write 0.001)"
            raise self.wrong(place, f"{words} is wanted; {said}.")
        return value


def read_spec(path: Path) -> Spec:
    """Return the spec in a YAML or JSON file.

    Raises `UsageError` with the line where it cannot be read, a key stands twice, or it is no mapping.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} cannot be read ({problem}).") from None
    if path.suffix == ".json":
        try:
            json.loads(text)
        except ValueError as problem:
            raise UsageError(f"{path.name} is not JSON ({problem}).") from None
        text = text.replace("\t", " ")  # which YAML does not take for space
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        walk = _Walk(loader, path)
        values = walk.value(node, ()) if node is not None else None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path.name}{line}: {getattr(problem, 'problem', None) or problem}.") from None
    finally:
        loader.dispose()
    spec = Spec(path, values if isinstance(values, dict) else {}, walk.lines)
    if not isinstance(values, dict):
        raise spec.wrong((), "a spec is a mapping with the keys models, data, probes and so on; docs/spec.md has one.")
    return spec


class _Walk:
    """Makes values of YAML's nodes, and notes their lines."""

    def __init__(self, loader: Any, path: Path) -> None:
        self.loader, self.path = loader, path
        self.lines: dict[Place, int] = {}
        self.nodes = 0

    def value(self, node: Any, place: Place) -> Any:
        """Return the value of a node."""
        import yaml

        self.nodes += 1
        if self.nodes > MOST_NODES or len(place) > DEEPEST:
            raise UsageError(
                f"{self.path.name}: the spec is too large or too deep ({MOST_NODES:,} values, {DEEPEST} levels)."
            )
        self.lines.setdefault(place, node.start_mark.line + 1)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in PLAIN:
            raise UsageError(
                f"{self.path.name}, line {node.start_mark.line + 1}: the tag {node.tag!r} is not plain data."
            )
        if isinstance(node, yaml.MappingNode):
            found: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = self.loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
                line = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    said = f"the key {getattr(key_node, 'value', '?')!r} must be text: put it in quotes"
                    raise UsageError(f"{self.path.name}, line {line}: {said}.")
                if key in found:
                    raise UsageError(f"{self.path.name}, line {line}: the key {key!r} stands here twice.")
                self.lines[(*place, key)] = line
                found[key] = self.value(value_node, (*place, key))
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.value(part, (*place, at)) for at, part in enumerate(node.value)]
        return self.loader.construct_object(node)
