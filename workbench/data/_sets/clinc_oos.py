"""CLINC150 (Larson et al. 2019): requests to an assistant, with 150 intents in ten domains, and requests beyond its scope."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._files import bytes_of, file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["files", "read"]

FILES = ("data_full.json", "domains.json")
SPLITS = ("train", "val", "test")
SCOPES = {"in": "{}", "out": "oos_{}"}  # scope -> the authors' name of a split's part
BEYOND = "out of scope"
CARD = """CLINC150, Larson et al. 2019 (EMNLP, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction"),
the full version: 150 intents, 100 training, 20 validation and 30 test requests each, and 100, 100 and 1,000 requests that
belong to none of them. Crowdworkers wrote the requests by scenario and paraphrase: short, clean, American. Out-of-scope
requests came partly from crowdworkers who aimed at an intent and missed it, so that some lie close to the scope."""


def files() -> tuple[str, ...]:
    """Return both files."""
    return FILES


def read(folder: Path, *, split: str | Iterable[str] = "test", scope: str | Iterable[str] = ("in", "out")) -> Examples:
    """Return the requests of one or more splits ("train", "val", "test"), in scope, out of it, or both, in the file's order.

    Columns: text, label (the intent; "out of scope" where there is none), domain, scope ("in", "out"), split.
    """
    import pandas as pd

    splits, scopes = chosen("split", split, SPLITS), chosen("scope", scope, SCOPES)
    data, domains = (json.loads(bytes_of(file_of(folder, name))) for name in FILES)
    domain_of = {intent: domain for domain, intents in domains.items() for intent in intents}
    records: list[dict[str, Any]] = []
    for one in splits:
        for part, where in [(SCOPES[where].format(one), where) for where in scopes]:
            for number, (text, intent) in enumerate(data[part]):
                if where == "in" and intent not in domain_of:
                    raise DataError(f"The intent {intent!r} of {part} has no domain in {FILES[1]}.")
                label, domain = (intent, domain_of[intent]) if where == "in" else (BEYOND, BEYOND)
                about = {"domain": domain, "scope": where, "split": one}
                records.append({"example": f"clinc-{part}-{number:05d}", "text": text, "label": label, **about})
    several = {"domain": 2, "scope": len(scopes), "split": len(splits)}
    return Examples(
        pd.DataFrame(records),
        name="clinc-oos",
        source="Larson et al. 2019, clinc/oos-eval, data/data_full.json",
        licence="CC BY 3.0",
        card=CARD,
        slices=tuple(name for name, count in several.items() if count > 1),
    )
