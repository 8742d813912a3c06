"""Altair in a third of its time: the grammars of internationalised addresses are compiled when one is checked, not at import.

Altair imports jsonschema, which imports `rfc3987_syntax` (it comes with JupyterLab) for its check of the format "iri". That
compiles 39 grammars as it is imported, two of Altair's three seconds, and no chart has such a field (jsonschema's issue 1428).
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

SLOW = "rfc3987_syntax"


class _Late(ModuleType):
    """A module that is imported when something of it is used."""

    @staticmethod
    def is_valid_syntax(term: str, value: str) -> bool:
        """Return whether a text follows a rule of the grammar: the module's own verdict."""
        return bool(_real().is_valid_syntax(term, value))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(), name)


def defer() -> None:
    """Let jsonschema find the module without importing it, unless either is imported already or the module is not there."""
    if "jsonschema" not in sys.modules and SLOW not in sys.modules and (spec := find_spec(SLOW)):
        late = _Late(SLOW, spec.name)
        late.__spec__, late.__path__ = spec, spec.submodule_search_locations or []
        sys.modules[SLOW] = late


def _real() -> ModuleType:
    """Return the module itself, which takes its stand-in's place."""
    if isinstance(sys.modules.get(SLOW), _Late):
        del sys.modules[SLOW]
    return importlib.import_module(SLOW)
