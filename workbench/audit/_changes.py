"""What is not as it was when an audit was frozen: files, rows and examples in them, versions, weights, tokenizer, device."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workbench._record import PACKAGES, versions
from workbench._report_files import read
from workbench.audit import _folder
from workbench.audit._folder import Files
from workbench.audit.freeze import ROW_KEYS
from workbench.data import kept
from workbench.errors import DataError
from workbench.models.origin import recorded, tensor_marks

__all__ = ["Change", "in_files", "in_model", "in_packages", "in_source", "in_versions", "marks_at", "once"]

MOST = 20  # rows or examples of one file that are named


class Change(NamedTuple):
    """One thing that is not as it was; `report` is "" where it concerns the whole audit."""

    report: str
    kind: str
    name: str
    frozen: str
    now: str


def in_files(home: Path, about: Mapping[str, Any], files: Files) -> list[Change]:
    """Return the files that are not as their checksums say, and the rows and examples whose marks are not those that were kept."""
    found = [Change("", "file", name, "as its checksum", "changed") for name in files.changed]
    found += [Change("", "file", name, "there", "gone") for name in files.missing]
    found += [Change("", "file", name, "not there", "added") for name in files.added]
    for told in about["reports"]:
        place = home / "reports" / told["key"]
        try:
            marks = kept.marks_of(read(place).frames["rows"], ROW_KEYS)
        except DataError as problem:
            found.append(Change(told["key"], "file", f"reports/{told['key']}", "readable", str(problem)))
            continue
        found += _marked(told["key"], "row", marks_at(place / "marks.csv"), marks)
    for key, one in about["data"].items():
        if one["kept"] == "value":
            try:
                content = (home / f"data/{key}.jsonl").read_bytes()
                examples = kept.from_lines(content, json.loads((home / f"data/{key}.json").read_bytes()))
            except (DataError, OSError, ValueError, KeyError) as problem:
                found.append(Change("", "file", f"data/{key}.jsonl", "readable", str(problem)))
                continue
            found += _marked("", "example", marks_at(home / f"data/{key}.marks.csv"), kept.marks_of(examples.frame))
    return found


def marks_at(path: Path) -> dict[tuple[str, ...], str]:
    """Return the marks in a file, none where it cannot be read; its own checksum says that it was changed."""
    try:
        return kept.marks_read(path.read_bytes())
    except (OSError, ValueError, IndexError):
        return {}


def _marked(
    report: str, kind: str, frozen: Mapping[tuple[str, ...], str], now: Mapping[tuple[str, ...], str]
) -> list[Change]:
    """Return the rows whose marks differ, are gone or new; at most so many are named."""
    wrong = [key for key in (*frozen, *(key for key in now if key not in frozen)) if frozen.get(key) != now.get(key)]
    found = [
        Change(report, kind, _named(key), "" if key not in frozen else "there", _became(key, frozen, now))
        for key in wrong[:MOST]
    ]
    more = len(wrong) - len(found)
    return [*found, Change(report, kind, f"and {more:,} more", "", "")] if more > 0 else found


def _named(key: tuple[str, ...]) -> str:
    return " / ".join(part for part in key if part not in ("", "all"))


def _became(key: tuple[str, ...], frozen: Mapping[Any, str], now: Mapping[Any, str]) -> str:
    return "gone" if key not in now else "changed" if key in frozen else "added"


def in_source(home: Path) -> list[Change]:
    """Return whether the code of Workbench is another, though its version may be the same."""
    try:
        frozen = json.loads((home / "environment.json").read_bytes())["source"]
    except (OSError, ValueError, KeyError):
        return []
    now = _folder.source_hash()
    return [] if frozen == now else [Change("", "code", "workbench", frozen[:12], now[:12])]


def in_packages(home: Path) -> list[Change]:
    """Return the versions in environment.json that are others now: a line each for what numbers depend on, one for all the rest.

    Of the rest only what is installed then and now is held against each other.
    """
    try:
        told = json.loads((home / "environment.json").read_bytes())
        frozen = {"python": str(told["python"]), **{str(name): str(one) for name, one in told["packages"].items()}}
    except (OSError, ValueError, KeyError, AttributeError):
        return []
    now = {"python": platform.python_version(), **_folder.packages()}
    names = {name: "not installed" for name in ("python", *PACKAGES) if name in frozen or name in now}
    found = [
        Change("", "version", name, frozen.get(name, none), now.get(name, none))
        for name, none in names.items()
        if frozen.get(name) != now.get(name)
    ]
    rest = [
        f"{name} {one} -> {now[name]}"
        for name, one in frozen.items()
        if name not in names and now.get(name, one) != one
    ]
    if rest:
        said = ", ".join(rest[:MOST]) + (f" and {len(rest) - MOST} more" if len(rest) > MOST else "")
        found.append(Change("", "version", "other packages", "", said))
    return found


def once(changes: list[Change]) -> list[Change]:
    """Return the changes with one line for each package, where the records and the environment that was frozen have others."""
    found: dict[object, Change] = {}
    for at, change in enumerate(changes):
        key = change.name if change.kind == "version" else at
        first = found.setdefault(key, change)
        if first is not change:
            found[key] = first._replace(frozen=_joined(first.frozen, change.frozen), now=_joined(first.now, change.now))
    return list(found.values())


def _joined(one: str, two: str) -> str:
    return one if two in one.split(" and ") else f"{one} and {two}"


def in_versions(record: Mapping[str, Any]) -> list[Change]:
    """Return the versions that a record has and this environment has not, of what numbers depend on."""
    frozen, now = record.get("versions") or {}, versions()
    names = dict.fromkeys((*frozen, *now))
    found = [(name, frozen.get(name, "not installed"), now.get(name, "not installed")) for name in names]
    return [Change("", "version", name, one, two) for name, one, two in found if one != two]


def in_model(
    report: str, frozen: Mapping[str, Any], model: Any, tensors: Mapping[str, str], *, upgraded: bool = False
) -> list[Change]:
    """Return what tells a model from the one of a record: weights (and which tensors), settings, tokenizer, dtype, device.

    Of the kind "identity" where hashes cannot be held against each other: it may be the same model, and the numbers must tell.
    Of the kind "not compared" where the record is of before settings were kept, and, if transformers was `upgraded`, for settings
    that only one of its versions has.
    """
    now, name = recorded(model), str(frozen.get("name"))
    found = _in_weights(report, frozen, now, model, tensors)
    found += _in_settings(report, name, frozen, now, upgraded=upgraded)
    for kind, key in (("tokenizer", "tokenizer_hash"), ("revision", "revision")):
        one, two = str(frozen.get(key) or ""), str(now.get(key) or "")
        if one and one != two:
            found.append(Change(report, kind, name, _brief(one), _brief(two)))
    for kind in ("dtype", "device"):
        if frozen.get(kind) != now.get(kind):
            found.append(Change(report, kind, name, str(frozen.get(kind)), str(now.get(kind))))
    return found


def _in_weights(
    report: str, frozen: Mapping[str, Any], now: Mapping[str, Any], model: Any, tensors: Mapping[str, str]
) -> list[Change]:
    """Return whether the weights are others, and which tensors; or that it cannot be told."""
    name, one, two = str(frozen.get("name")), str(frozen.get("weights_hash") or ""), str(now.get("weights_hash") or "")
    if not (one and two) or _made(one) != _made(two):
        why = "its hash was made in another way" if one and two else "only one of the two has a hash"
        why = why if one or two else "an object without a hash"
        return [Change(report, "identity", name, "", f"{why}: whether it is the same model cannot be compared")]
    if one == two:
        return []
    marks = tensor_marks(model) if tensors else {}
    wrong = [
        tensor
        for tensor in (*tensors, *(tensor for tensor in marks if tensor not in tensors))
        if tensors.get(tensor) != marks.get(tensor)
    ]
    if tensors and not wrong and not _made(one):  # the same tensors, once hashed as files and once in memory
        return []
    found = [Change(report, "weights", name, _brief(one), _brief(two))]
    found += [
        Change(report, "tensor", part, tensors.get(part, "none"), marks.get(part, "none")) for part in wrong[:MOST]
    ]
    if len(wrong) > MOST:
        found.append(Change(report, "tensor", f"and {len(wrong) - MOST:,} more of {len(tensors):,}", "", ""))
    return found


def _in_settings(
    report: str, name: str, frozen: Mapping[str, Any], now: Mapping[str, Any], *, upgraded: bool
) -> list[Change]:
    """Return the settings (of config.json, of a sentence encoder's folder, the chat template) that are others."""
    one, two = frozen.get("config"), now.get("config")
    if not one or not two:
        old = bool(two) and "config" not in frozen and bool(frozen.get("weights_hash"))
        return [Change(report, "not compared", name, "", "its settings, which this older record lacks")] if old else []
    names = [key for key in dict.fromkeys((*one, *two)) if one.get(key) != two.get(key)]
    alone = [key for key in names if upgraded and not (key in one and key in two)]
    found = [
        Change(report, "setting", key, one.get(key, "none"), two.get(key, "none")) for key in names if key not in alone
    ]
    if alone:
        which = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        said = f"settings that only one version of transformers has: {which}"
        found.append(Change(report, "not compared", name, "", said))
    return found


def _made(digest: str) -> str:
    """Return how a hash was made: "object", "joblib" (before there was "object"), "" of files and tensors."""
    return digest.partition(" ")[0] if " " in digest else ""


def _brief(digest: str) -> str:
    return digest[:19] or "not known"
