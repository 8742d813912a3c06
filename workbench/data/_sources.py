"""Where the files of published sets lie: addresses at pinned commits, with their checksums (`sources.csv`).

`checked` says what a checksum rests on. "two sources": at least two records of the file's sha256 agree that do not depend on one
another. "length and end": taken from a copy of the file that has the length and the last characters of one stored elsewhere.
"copy": taken from a copy of the file, with nothing to compare it with. A wrong one can only make a download fail.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["BY_HAND", "File", "files_of", "version_of"]

GITHUB = "https://raw.githubusercontent.com/"
BY_HAND = {  # sets whose authors' bytes could not be verified when this was written, or that must be converted: where they are
    "bbq": "Get data/<category>.jsonl from https://github.com/nyu-mll/BBQ (commit bea11bd97d79217245b5871acd247b9d6eb24598).",
    "checklist": "The authors' release (https://github.com/marcotcr/checklist) is pickles, which are never opened; "
    "docs/benchmarks.md says what the JSON lines hold that are read instead.",
    "arc": "Get it from https://allenai.org/data/arc, or read Examples.of('hf:allenai/ai2_arc:ARC-Challenge:test').",
    "mmlu": "Get it from https://github.com/hendrycks/test and write JSON lines of subject, question, choices and answer, or read "
    "Examples.of('hf:cais/mmlu:all:test').",
}


@dataclass(frozen=True)
class File:
    """A file of a set: its name in the set's folder, its address, its length (None where not known) and sha256."""

    name: str
    url: str
    bytes: int | None
    sha256: str
    checked: str

    @property
    def repository(self) -> str:
        """Where it comes from, without the path: "owner/name" on GitHub, else the host.

        >>> File("a", "https://raw.githubusercontent.com/owner/name/c0ffee/data/a", None, "", "copy").repository
        'owner/name'
        """
        if self.url.startswith(GITHUB):
            return "/".join(self.url.removeprefix(GITHUB).split("/")[:2])
        return self.url.split("/")[2]

    @property
    def commit(self) -> str:
        """The commit, empty where it is not on GitHub."""
        return self.url.removeprefix(GITHUB).split("/")[2] if self.url.startswith(GITHUB) else ""


@cache
def _all() -> dict[str, tuple[File, ...]]:
    text = resources.files("workbench.data").joinpath("sources.csv").read_text(encoding="utf-8")
    found: dict[str, tuple[File, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        size = int(row["bytes"]) if row["bytes"] else None
        one = File(row["file"], row["url"], size, row["sha256"], row["checked"])
        found[row["set"]] = (*found.get(row["set"], ()), one)
    return found


def files_of(name: str) -> tuple[File, ...]:
    """Return the files of a set that can be downloaded, none where it has to be got by hand.

    >>> files_of("crows-pairs")[0].repository
    'nyu-mll/crows-pairs'
    """
    return _all().get(name, ())


def version_of(files: Sequence[File]) -> str:
    """Return what names the folder of these files in the cache: their commit, else the start of a checksum."""
    return files[0].commit or files[0].sha256[:12]
