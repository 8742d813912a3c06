"""What is public is said to be."""

import importlib
import inspect
import pkgutil

import pytest

import workbench

MODULES = [
    module.name
    for module in pkgutil.walk_packages(workbench.__path__, "workbench.")
    if not any(part.startswith("_") for part in module.name.split("."))
]


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_every_public_name(name: str) -> None:
    """Every public function and class that a module defines stands in its `__all__`, and all that stands there exists."""
    module = importlib.import_module(name)
    defined = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and getattr(value, "__module__", None) == name
    }
    listed = set(getattr(module, "__all__", []))

    assert defined - listed == set()
    assert {key for key in listed if not hasattr(module, key)} == set()


@pytest.mark.parametrize("name", [name for name in workbench.__all__ if name != "selection"])
def test_every_public_name_resolves(name: str) -> None:
    """Each lazily exported name is there when it is asked for."""
    assert getattr(workbench, name) is not None


def test_no_public_name_is_a_submodule() -> None:
    """A lazily exported name that equals a submodule's would change its meaning after an unrelated import (PEP 562)."""
    submodules = {module.name for module in pkgutil.iter_modules(workbench.__path__)}

    assert set(workbench.__all__) & submodules == set()


def test_completion_offers_the_public_names_once() -> None:
    """`dir` lists the public names and the loaded parts, no imports and nothing private."""
    names = [name for name in dir(workbench) if not name.startswith("__")]

    assert len(names) == len(set(names))
    assert set(workbench.__all__) <= {*dir(workbench)}
    assert not {"Any", "sys", "import_module", "_conduct"} & set(names)


def test_an_unknown_name_says_what_there_is() -> None:
    """A misspelt name raises AttributeError with the public names."""
    with pytest.raises(AttributeError, match="explore"):
        _ = workbench.exlpore
