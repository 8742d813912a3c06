"""Corruptions of text against nlpaug, which tells no edits: 2,000 utterances of CLINC150, ours with the map of edits.

The map is kept as columns and an `Edit` made when it is looked at; a column has the ratio with all of them made. CPU time of both,
warm (of ours the ids are hashed: 1 ms once for 2,000).
Ours runs at the lowest severity at which it changes as many characters (Levenshtein distance, spaces aside) as the peer does.
"""

import gzip
import json
import os
import statistics
import tempfile
from functools import partial
from pathlib import Path

from peers import Peer, python
from timing import cpu

from workbench.data.corruptions import SEVERITIES, corruption
from workbench.data.edits import apply

FAMILIES = ("keyboard", "ocr", "swap", "delete", "insert")
SETTINGS = {"few": "one letter in a fifth of the words", "defaults": "its defaults"}  # of the peer
REPEATS = 5
DATA = Path(os.environ.get("WORKBENCH_DATA", Path(__file__).parents[2] / "shared/data"))


def utterances(n: int = 2000) -> list[str]:
    """Return every other test utterance."""
    with gzip.open(DATA / "clinc_oos/data_full.json.gz") as file:
        return [text for text, _ in json.load(file)["test"]][::2][:n]


def distance(old: str, new: str) -> int:
    """Return the Levenshtein distance of two texts without their spaces, which nlpaug's tokenizer moves."""
    old, new = old.replace(" ", ""), new.replace(" ", "")
    line = list(range(len(new) + 1))
    for row, left in enumerate(old, 1):
        before, line[0] = line[0], row
        for column, right in enumerate(new, 1):
            before, line[column] = line[column], min(before + (left != right), line[column] + 1, line[column - 1] + 1)
    return line[-1]


def changed(olds: list[str], news: list[str]) -> float:
    """Return the mean distance, over every tenth text."""
    return statistics.mean(map(distance, olds[::10], news[::10]))


def rows() -> list[dict[str, str]]:
    """Return the table, one line for each family that both have."""
    texts = utterances()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.json"
        file.write_text(json.dumps(texts))
        peer = Peer(python("nlpaug", "nlpaug==1.1.11"), "peer_nlpaug.py", str(file))
        table = [row(name, how, texts, peer) for how in SETTINGS for name in FAMILIES]
        peer.close()
    return table


def row(name: str, how: str, texts: list[str], peer: Peer) -> dict[str, str]:
    """Return the line of one family."""
    ids, size = [str(place) for place in range(len(texts))], sum(map(len, texts))
    far = changed(texts, peer.ask([how, name])["texts"])  # warm, too
    for severity in SEVERITIES:
        result = corruption(name).apply(texts, ids, severity=severity)
        ours = changed(texts, result.texts)
        if ours >= far:
            break
    assert all(map(str.__eq__, map(apply, texts, result.edits), result.texts))

    work = partial(corruption(name).apply, texts, ids, severity=severity)
    runs = [
        (cpu(work, 9), cpu(lambda: list(work().edits), 9), peer.ask([how, name])["seconds"]) for _ in range(REPEATS)
    ]
    least, median = (pick([theirs / mine for mine, _, theirs in runs]) for pick in (min, statistics.median))
    return {
        "family": f"`{name}`, severity {severity}; nlpaug: {SETTINGS[how]}",
        "ratio, least": f"{least:.0f}x",
        "ratio, median": f"{median:.0f}x",
        "median with all `Edit`s made": f"{statistics.median(theirs / mine for _, mine, theirs in runs):.0f}x",
        "ours, characters/s": f"{size / min(run[0] for run in runs):.1e}",
        "nlpaug, characters/s": f"{size / min(run[2] for run in runs):.1e}",
        "checked": f"edits rebuild the texts; characters changed in a text: {ours:.1f}, nlpaug {far:.1f}",
    }
