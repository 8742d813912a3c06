"""Two processes share the tests: the longest files first, the browser tests together, the rest in random order."""

from types import SimpleNamespace
from typing import Any

import order
import pytest


def items(*names: str) -> list[Any]:
    """Return collected tests by their names."""
    return [SimpleNamespace(nodeid=name) for name in names]


def test_the_longest_come_first_and_the_rest_stays() -> None:
    """Files that are named come in the order of the list; tests of one file, and other files, keep their order."""
    first, second = order.LONGEST[1:3]
    found = items("tests/b.py::x", f"{second}::b", f"{first}::a", "tests/a.py::x", f"{second}::a")

    order.pytest_collection_modifyitems(found)

    names = [one.nodeid for one in found]
    assert names == [f"{first}::a", f"{second}::b", f"{second}::a", "tests/b.py::x", "tests/a.py::x"]


def test_the_names_are_those_of_files() -> None:
    """A file that was moved or deleted leaves the list."""
    assert order.missing() == []


def test_the_check_of_names_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without a file is found."""
    monkeypatch.setattr(order, "LONGEST", (*order.LONGEST, "tests/gone.py"))

    assert order.missing() == ["tests/gone.py"]


def test_the_browser_tests_are_one_part(request: pytest.FixtureRequest) -> None:
    """The scheduler asked for is ours, which has them together, other files each by itself, and the order of the tests."""
    hooks = request.config.hook.pytest_xdist_make_scheduler.get_hookimpls()
    option = SimpleNamespace(loadscopereorder=True)
    values = {"dist": "loadfile", "tx": ["2*popen"], "maxfail": 0}
    config = SimpleNamespace(getoption=values.get, getvalue=values.get, option=option)
    made = order.pytest_xdist_make_scheduler(config, None)  # type: ignore[arg-type]

    assert order.pytest_xdist_make_scheduler in [hook.function for hook in hooks]
    assert {made._split_scope(f"tests/browser/test_{x}.py::test_it") for x in "ab"} == {order.BROWSER}
    assert made._split_scope("tests/test_c.py::test_it") == "tests/test_c.py"
    assert not option.loadscopereorder
    assert order.pytest_xdist_make_scheduler(SimpleNamespace(getoption=lambda name: "load"), None) is None  # type: ignore[arg-type]
