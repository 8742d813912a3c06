"""What was looked at, what became of it, and the test that the page asks for."""

from typing import Any

import pandas as pd
import pytest

import workbench as wb
from workbench._report_html import _limits
from workbench.views import _findings
from workbench.views.canvas import explore
from workbench.views.explorer import Explorer

SECONDS = 20.0


def made(holdout: float = 0.5) -> wb.Report:
    """Return a report in which law is worse."""
    domain = ["law", "art", "bio", "art"] * 60
    right = [int(name != "law" or at % 3 == 0) for at, name in enumerate(domain)]
    frame = pd.DataFrame(
        {"example": [f"e{i}" for i in range(240)], "confidence": 0.8, "correct": right, "domain": domain}
    )
    frame["length"] = range(240)
    return wb.from_predictions(frame, by=["domain", "length"], holdout=holdout, draws=20)


def shown(report: wb.Report) -> tuple[Explorer, list[dict[str, Any]]]:
    """Return an explorer whose answers to the page are kept in a list."""
    explorer, sent = explore(report), []
    explorer.send = lambda content, buffers=None: sent.append(content)
    return explorer, sent


def brush(explorer: Explorer, serial: int = 1, **named: list[int]) -> None:
    """Let the page brush fields by name, and wait until the hand rests."""
    names = [field.name for field in explorer._fields]
    ranges = [named.get(name) for name in names]
    message = {"kind": "brush", "serial": serial, "ranges": ranges, "mask": False, "temperature": 1.0, "origin": "p"}
    explorer._handle_custom_msg(message, [])
    explorer._metrics.join(SECONDS)


def confirm(explorer: Explorer, sent: list[dict[str, Any]]) -> dict[str, Any]:
    """Let the page ask for the test, and return the answer."""
    explorer._handle_custom_msg({"kind": "confirm"}, [])
    explorer._findings.join(SECONDS)
    return next(one for one in reversed(sent) if one["kind"] == "confirmed")


def code(explorer: Explorer, label: str) -> int:
    """Return the code of a domain."""
    return next(field for field in explorer._fields if field.name == "domain").labels.index(label)


def test_the_page_tests_what_a_cell_tests() -> None:
    """The answer is that of `report.confirm` with the same rule: status, effect with interval, corrected p, n."""
    report = made()
    explorer, sent = shown(report)
    brush(explorer, domain=[code(explorer, "law")])
    told = confirm(explorer, sent)
    twin = made()
    twin.log_selection("explorer", "domain: law", 1, rule={"domain": "law"})
    line = twin.confirm({"domain": "law"}).findings.iloc[0]

    assert (told["status"], told["words"], told["serial"]) == ("confirmed", "domain: law", 1)
    assert told["numbers"]["effect"].startswith(f"{line['difference']:.2f}")
    assert told["numbers"]["n"] == f"n = {line['n']}"
    assert report.selections["result"].iloc[-1] == twin.selections["result"].iloc[-1]


def test_marks_follow_the_log_from_any_cell() -> None:
    """A test in a cell marks the slice, the saved selection and the line; other metrics may disagree."""
    report = made()
    explorer, _ = shown(report)
    law = code(explorer, "law")
    brush(explorer, domain=[law])
    explorer.name("hard")
    report.log_selection("mine", "ids", 3)
    explorer._findings.join(SECONDS)
    at = [field.name for field in explorer._fields].index("domain")

    assert explorer.findings["marks"] == [[at, law, "explored"]]
    assert explorer.findings["names"] == {"hard": "explored"}
    assert [line["words"] for line in explorer.findings["lines"]] == ["ids", "domain: law"]
    report.confirm("hard")
    explorer._findings.join(SECONDS)
    assert explorer.findings["marks"] == [[at, law, "confirmed"]]
    assert explorer.findings["names"] == {"hard": "confirmed"}
    assert explorer.findings["counts"] == {"explored": 1, "confirmed": 1}
    assert explorer.findings["lines"][0]["results"][0].startswith("Accuracy: held out -0.")
    report.confirm("hard", metric="mean_confidence")
    explorer._findings.join(SECONDS)
    assert explorer.findings["names"] == {"hard": _findings.IN_PART}


def test_the_count_is_of_looks() -> None:
    """A test of a slice that every view shows is of a look, one of a slice that was only named is none; nor is a test a second."""
    report = made()
    explorer, _ = shown(report)
    report.confirm([{"domain": "art"}, {"domain": "law", "length": (0, 99)}, {"length": (100, None), "domain": "bio"}])
    report.log_selection("explorer", "law", 3, rule={"domain": "law"})
    report.confirm({"domain": "law"})
    explorer._findings.join(SECONDS)

    assert explorer.findings["counts"] == {"confirmed": 2}
    assert explorer.findings["unseen"] == 2
    assert len(explorer.findings["lines"]) == 4
    assert "1 selection of these examples was looked at before this was written." in report.to_markdown()
    assert "1 selection of these examples was looked at before this was written." in _limits(report)


def test_what_cannot_be_tested_says_why() -> None:
    """Nothing held out, ids, and columns that other rows lack; the button's reason and the answer are the same."""
    explorer, sent = shown(made(holdout=0.0))
    brush(explorer, domain=[0])
    assert explorer.findings["why_not"] == _findings.NOTHING_HELD
    assert confirm(explorer, sent)["why_not"] == _findings.NOTHING_HELD
    assert (explorer.findings["marks"], explorer.findings["lines"]) == ([], [])

    explorer, sent = shown(made())
    brush(explorer, domain=[0])
    assert sent[-1]["why_not"] == ""
    explorer.select(explorer.ids[:3])
    explorer._metrics.join(SECONDS)
    assert sent[-1]["why_not"] == _findings.IDS
    assert confirm(explorer, sent)["why_not"] == _findings.IDS
    explorer._report.where(explorer.selection).tables  # noqa: B018 — looked at already
    explorer.select(explorer._rows["example"][-2:])
    explorer._metrics.join(SECONDS)
    log = explorer._report.selections
    assert log["source"].tolist() == ["explorer"] * 3
    assert log["description"].str.startswith("ids (").tolist() == [False, True, True]
    assert log["description"].nunique() == 3
    assert "confirm" not in set(explorer._report.selections["source"])


def test_brushes_of_other_reports_are_no_rule_of_this_one() -> None:
    """On a canvas the report that is limited by another says so; the other can be tested."""
    report = made()
    canvas = explore(report, made())
    first, second = canvas.explorers
    sent: list[dict[str, Any]] = []
    second.send = lambda content, buffers=None: sent.append(content)
    brush(first, domain=[code(first, "law")])
    second._metrics.join(SECONDS)

    assert confirm(second, sent)["why_not"] == _findings.OTHERS


def test_a_log_of_a_closed_view_is_watched_no_more() -> None:
    """An explorer that is gone is not kept alive by its report, and a copy of a report is watched by nobody."""
    import copy
    import gc
    import weakref

    report = made()
    findings = explore(report)._findings
    assert len(report._log._watchers) == 1  # type: ignore[attr-defined]
    assert copy.deepcopy(report)._log._watchers == []  # type: ignore[attr-defined]
    gone = weakref.ref(findings)
    del findings
    import ipywidgets

    ipywidgets.Widget.close_all()
    wb.explore(made())  # `wb.selection` keeps the last one
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("column", ["domain", "length"])
def test_a_mark_is_of_one_value_alone(column: str) -> None:
    """A rule of two values, or of part of a fifth, marks no slice."""
    report = made()
    explorer, _ = shown(report)
    two = {"domain": ["law", "art"]} if column == "domain" else {"length": (3, 9)}
    report.log_selection("mine", "two", 1, rule=two)
    explorer._findings.join(SECONDS)
    assert explorer.findings["marks"] == []
    brush(explorer, **{column: [1]})
    explorer._findings.join(SECONDS)
    at = [field.name for field in explorer._fields].index(column)
    assert explorer.findings["marks"] == [[at, 1, "explored"]]
