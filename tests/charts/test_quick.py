"""Altair is imported without the grammars that jsonschema asks for, and a check that needs them has them."""

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.charts import _quick

ASKED = "import sys, workbench.charts, altair\nprint('jsonschema' in sys.modules, 'lark' in sys.modules)"


def test_altair_is_imported_without_compiling_grammars() -> None:
    """A process that has imported charts and Altair has imported jsonschema, and not the compiler of grammars."""
    pytest.importorskip("rfc3987_syntax", reason="needs jsonschema's format-nongpl, which comes with JupyterLab")

    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]


def test_the_module_is_imported_when_it_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its stand-in answers with the module's own verdict, and gives its place up to it."""
    (tmp_path / "slow_grammar.py").write_text("def is_valid_syntax(term, value): return term == value\nother = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_quick, "SLOW", "slow_grammar")
    for name in [name for name in sys.modules if name == "jsonschema" or name.startswith("jsonschema.")]:
        monkeypatch.delitem(sys.modules, name)
    _quick.defer()
    monkeypatch.setitem(sys.modules, "slow_grammar", sys.modules["slow_grammar"])  # taken out again after the test

    from slow_grammar import is_valid_syntax  # type: ignore[import-not-found]

    assert not hasattr(sys.modules["slow_grammar"], "__file__")
    assert [is_valid_syntax("iri", "iri"), is_valid_syntax("iri", "a")] == [True, False]
    assert sys.modules["slow_grammar"].__file__ == str(tmp_path / "slow_grammar.py")


def test_a_module_that_is_imported_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in the place of what is there."""
    monkeypatch.setattr(_quick, "SLOW", "json")

    _quick.defer()

    assert sys.modules["json"].loads("1") == 1
