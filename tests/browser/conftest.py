"""JupyterLab in Chromium: one server and one browser for all tests here, and one notebook that they fill in turn.

A kernel that has imported everything and a page that has loaded JupyterLab are most of a test's time. So a test's cells take
the place of the last test's in the same notebook, whose names, widgets and selection are forgotten; a notebook whose test
failed is not used again, and a test that ends its kernel, loads a model or runs a script asks for one of its own (`alone`).

Nothing outside this machine is asked: a page that asks another host fails its test.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_page import WAIT, Notebook, Server, lab, new_notebook

FAILED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(str(item.fspath)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a test that failed: its notebook may be in any state."""
    del call
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one JupyterLab for all tests."""
    with lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def blank(browser: Any) -> Iterator[Any]:
    """Open an empty page, for the JavaScript that needs no notebook."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="session")
def context(browser: Any) -> Iterator[Any]:
    """Keep what pages load: JupyterLab's own scripts are read once."""
    made = browser.new_context()
    made.set_default_timeout(WAIT)
    yield made
    made.close()


@pytest.fixture(scope="session")
def spare(server: Server, context: Any) -> Iterator[list[Notebook]]:
    """Keep the notebooks that a test has done with."""
    del server, context  # they end after the notebooks
    kept: list[Notebook] = []
    yield kept
    for one in kept:
        one.close()


@pytest.fixture
def notebook(
    server: Server, context: Any, spare: list[Notebook], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Show lists of cells in notebooks; at the end, check that no page asked another host or failed."""
    shown: list[tuple[Notebook, bool]] = []

    def make(
        *cells: str, width: int = 1600, height: int = 1400, alone: bool = False, kernel: str = "python3"
    ) -> Notebook:
        if spare and not alone:
            one = spare.pop()
            shown.append((one, False))
            one.page.set_viewport_size({"width": width, "height": height})
            one.refill(cells)
        else:
            one = new_notebook(server, context, cells, {"width": width, "height": height}, kernel)
            shown.append((one, alone))
            one.open()
        return one

    yield make
    failed = request.node.stash.get(FAILED, False)
    for one, alone in shown:
        if alone or failed or one.errors or one.strangers:
            one.close()
        else:
            spare.append(one)
    for one, _ in shown:
        one.check()
