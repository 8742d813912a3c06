"""The static picture beside a view: at once for few rows, after the cell for many."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

import workbench as wb
from workbench.views import _page


@pytest.fixture
def shown() -> Iterator[list[dict[str, Any]]]:
    """Return the list of what is displayed."""
    shell = InteractiveShell.instance()
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def report() -> wb.Report:
    """Return a report of forty predictions, with a name that is markup."""
    frame = pd.DataFrame({"confidence": np.linspace(0.2, 0.9, 40), "correct": np.arange(40) % 2})
    return wb.from_predictions(frame, name="<b>small</b>")


def test_the_picture_of_few_rows_is_there_with_the_view(shown: list[dict[str, Any]]) -> None:
    """Two outputs: the picture with the numbers, then the view."""
    wb.explore(report())._ipython_display_()

    picture, view = shown
    assert "Accuracy" in picture["data"]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in view["data"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_picture_of_many_rows_follows_the_view(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """First a line that says so, then the view; the picture, or what went wrong, takes the line's place."""
    monkeypatch.setattr(_page, "MANY", 39)
    made = report()
    if fails:
        monkeypatch.setattr(wb.Report, "_repr_html_", lambda self: 1 / 0)
    wb.explore(made)._ipython_display_()
    for thread in [one for one in threading.enumerate() if one.name == "workbench-picture"]:
        thread.join(60)

    line, picture = (one for one in shown if one.get("transient"))
    assert "follow here" in line["data"]["text/html"]
    assert picture["transient"] == line["transient"]
    assert ("ZeroDivisionError" if fails else "Accuracy") in picture["data"]["text/html"]
    assert not any("<b>small" in one["data"].get("text/html", "") for one in shown)
    assert sum("application/vnd.jupyter.widget-view+json" in one["data"] for one in shown) == 1
