"""The explorer's kernel side: traits, messages, selection, and what it leaves in a saved notebook."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.views import _messages
from workbench.views.canvas import explore
from workbench.views.explorer import Explorer
from workbench.views.selection import current

Sent = list[dict[str, Any]]


def made_up(n: int = 200, *, logits: bool = False, **options: Any) -> Any:
    """Return a report of predictions with two slice columns."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 2, (n, 3))
    label = rng.integers(0, 3, n)
    p = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    frame = pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(n)],
            "text": [f"text {i}" for i in range(n)],
            "domain": rng.choice(["law", "history"], n),
            "length": rng.integers(1, 500, n),
        }
    )
    given = (
        {"logits": list(values), "label": label}
        if logits
        else {"confidence": p.max(1), "correct": p.argmax(1) == label}
    )
    return wb.from_predictions(frame.assign(**given), by=["domain", "length"], **options)


@pytest.fixture
def watched() -> Callable[[Any], tuple[Explorer, Sent]]:
    """Return a maker of explorers whose answers to the page are kept in a list."""

    def make(report: Any) -> tuple[Explorer, Sent]:
        explorer, sent = explore(report), []
        explorer.send = lambda content, buffers=None: sent.append({**content, "buffers": buffers})
        return explorer, sent

    return make


def brush(explorer: Explorer, **changes: Any) -> dict[str, Any]:
    """Return the page's message for brushes by field name."""
    names = [field.name for field in explorer._fields]
    ranges: list[Any] = [None] * len(names)
    for name, codes in changes.pop("ranges", {}).items():
        ranges[names.index(name)] = codes
    message = {"kind": "brush", "serial": 1, "ranges": ranges, "mask": False, "temperature": 1.0, "origin": "page"}
    return {**message, **changes}


def hear(explorer: Explorer, message: Any) -> None:
    """Let the page say something, by the way that messages come in."""
    explorer._handle_custom_msg(message, [])


def kinds(sent: Sent, kind: str) -> Sent:
    """Return the answers of one kind."""
    return [message for message in sent if message["kind"] == kind]


def test_a_brush_selects_the_rows_of_its_bins(watched: Any) -> None:
    """The selection is the rows whose confidence lies in the brushed bins, and the table's first window comes with it."""
    report = made_up()
    explorer, sent = watched(report)
    hear(explorer, brush(explorer, ranges={"confidence": [9, 10, 11]}))
    rows = report.explored
    expected = rows[(rows["confidence"] >= 9 / 15) & (rows["confidence"] < 12 / 15)]

    assert explorer.selection["example"].tolist() == expected["example"].tolist()
    assert explorer.ids == expected["example"].tolist()
    assert current().equals(explorer.selection)
    view = kinds(sent, "view")[-1]
    assert (view["serial"], view["n"]) == (1, len(expected))
    assert view["cells"][0][0] == expected["text"].iloc[0]


def test_brushes_on_several_fields_must_all_hold(watched: Any) -> None:
    """A slice and the outcome narrow each other."""
    report = made_up()
    explorer, _ = watched(report)
    domain = next(field for field in explorer._fields if field.name == "domain")
    hear(explorer, brush(explorer, ranges={"domain": [domain.labels.index("law")], "outcome": [1]}))
    rows = report.explored

    assert explorer.ids == rows[(rows["domain"] == "law") & (rows["correct"] == 0)]["example"].tolist()


def test_the_metrics_of_a_brush_are_those_of_the_report_where(watched: Any) -> None:
    """The kernel's numbers equal `report.where(selection)` and the selection is logged once."""
    report = made_up()
    explorer, sent = watched(report)
    hear(explorer, brush(explorer, ranges={"domain": [0]}))
    hear(explorer, brush(explorer, serial=2, ranges={"domain": [0]}))
    explorer._metrics.join(20)
    answer = kinds(sent, "metrics")[-1]
    expected = report.where(explorer.selection).with_options(by=()).metrics

    assert (answer["serial"], answer["n"]) == (2, len(explorer.selection))
    assert {line["metric"]: line["value"] for line in answer["metrics"]} == pytest.approx(
        {row.metric: row.value for row in expected.itertuples()}, nan_ok=True
    )
    assert report.selections["n"].tolist() == [len(explorer.selection)]
    assert report.selections["description"].str.startswith("domain: ").all()


def test_a_selection_is_logged_with_the_words_it_had(watched: Any) -> None:
    """A brush that moves on while the numbers of the last are counted takes neither its words nor its place in the log."""
    report = made_up()
    explorer, _ = watched(report)
    domain = next(field for field in explorer._fields if field.name == "domain")
    jobs = []
    explorer._metrics.put = jobs.append
    for serial, code in ((1, 0), (2, 1)):
        hear(explorer, brush(explorer, serial=serial, ranges={"domain": [code]}))
    for job in jobs:
        explorer._metrics.answer(job)

    rows = report.explored["domain"].value_counts()
    assert report.selections["description"].tolist() == [f"domain: {name}" for name in domain.labels]
    assert report.selections["n"].tolist() == rows[list(domain.labels)].tolist()


def test_a_brush_that_comes_again_does_not_undo_an_undo(watched: Any) -> None:
    """A page that waits sends its brush again; what it took back meanwhile, or Python selected, stays, and it is answered."""
    explorer, sent = watched(made_up())
    for serial, code in ((1, 0), (2, 1)):
        hear(explorer, brush(explorer, serial=serial, ranges={"domain": [code]}))
    again = brush(explorer, serial=2, ranges={"domain": [1]})
    hear(explorer, again)
    both = explorer.ids
    hear(explorer, {"kind": "undo"})
    first = explorer.ids
    hear(explorer, again)

    assert first != both
    assert explorer.ids == first
    assert (kinds(sent, "view")[-1]["serial"], explorer.state["serial"]) == (3, 3)
    explorer.select(both[:1])
    hear(explorer, again)
    assert explorer.ids == both[:1]


def test_only_the_explored_half_is_shown(watched: Any) -> None:
    """Rows that are held out neither reach the page nor a selection."""
    report = made_up(holdout=0.5)
    explorer, _ = watched(report)

    assert len(explorer.selection) == (report.rows["half"] == "explore").sum() < len(report.rows)
    assert len(explorer.outcome) == len(explorer.selection)
    held = report.rows[report.rows["half"] == "confirm"]["example"].iloc[0]
    with pytest.raises(UsageError, match="Unknown explored example"):
        explorer.select([held])


def test_select_and_clear_work_from_python(watched: Any) -> None:
    """`select` takes ids or a table and sets the mask's bits; `clear` brings everything back; an unknown id is named."""
    report = made_up()
    explorer, _ = watched(report)
    explorer.select(["e3", "e9"])
    bits = np.unpackbits(np.frombuffer(explorer.mask, np.uint8), bitorder="little")

    assert np.flatnonzero(bits).tolist() == [3, 9]
    assert explorer.ids == ["e3", "e9"]
    assert explorer.state["mask"] is True
    explorer.select(report.rows.iloc[:4])
    assert len(explorer.selection) == 4
    explorer.clear()
    assert len(explorer.selection) == 200
    assert explorer.state["mask"] is False
    with pytest.raises(UsageError, match="Unknown explored example 'nobody'"):
        explorer.select(["nobody"])
    with pytest.raises(UsageError, match="no selection named 'e3'. None was named yet. An id stands in a list"):
        explorer.select("e3")


@pytest.mark.parametrize(
    "wrong",
    [
        {"serial": -1},
        {"serial": "1"},
        {"serial": True},
        {"ranges": None},
        {"ranges": [[0]]},
        {"ranges": [[99], None, None, None, None]},
        {"ranges": [[-1], None, None, None, None]},
        {"ranges": [["0"], None, None, None, None]},
        {"ranges": [[], None, None, None, None]},
        {"ranges": [[0] * 99, None, None, None, None]},
        {"mask": "yes"},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"temperature": "1"},
        {"origin": 3},
        {"origin": "x" * 99},
    ],
)
def test_a_brush_that_does_not_fit_is_dropped(watched: Any, wrong: dict[str, Any]) -> None:
    """A message of the page with a wrong kind, range or type changes nothing and is not answered."""
    explorer, sent = watched(made_up())
    assert _messages.brush(brush(explorer), explorer._fields) is not None
    hear(explorer, {**brush(explorer), **wrong})

    assert sent == []
    assert len(explorer.selection) == 200


@pytest.mark.parametrize(
    "message",
    [
        None,
        "rows",
        {},
        {"kind": ["brush"]},
        {"kind": "rows", "start": -1, "end": 5},
        {"kind": "rows", "start": 5, "end": 1},
        {"kind": "rows", "start": 0, "end": 10**9},
        {"kind": "sort", "column": "__class__", "descending": False},
        {"kind": "sort", "column": "text", "descending": 1},
        {"kind": "detail", "row": 200},
        {"kind": "detail", "row": "0"},
        {"kind": "logits"},
        {"kind": "fit"},
    ],
)
def test_other_messages_that_do_not_fit_are_dropped(watched: Any, message: Any) -> None:
    """Nothing that the page can say raises or is answered unless it fits (this report has no logits)."""
    explorer, sent = watched(made_up())
    hear(explorer, message)
    explorer._slow.join(5)

    assert sent == []


def test_the_table_comes_in_windows_and_sorted(watched: Any) -> None:
    """A window is at most 400 rows from where it was asked; sorting reorders all rows, not the window."""
    report = made_up(1000)
    explorer, sent = watched(report)
    hear(explorer, {"kind": "rows", "start": 100, "end": 900})
    assert (sent[-1]["start"], len(sent[-1]["cells"])) == (100, 400)
    hear(explorer, {"kind": "sort", "column": "confidence", "descending": True})
    ranked = report.explored.sort_values("confidence", ascending=False, kind="stable")
    assert sent[-1]["rows"][:10] == ranked.index[:10].tolist()
    hear(explorer, {"kind": "detail", "row": 7})
    assert ["Example", "text 7"] in kinds(sent, "detail")[-1]["pairs"]


def test_logits_go_to_the_page_only_when_asked_for(watched: Any) -> None:
    """The slider's float32 logits are sent on request; the fit is the kernel's, over the selected rows."""
    report = made_up(300, logits=True)
    explorer, sent = watched(report)
    assert explorer.about["temperature"]["why_not"] == ""
    hear(explorer, {"kind": "logits"})
    explorer._slow.join(10)
    answer = kinds(sent, "logits")[0]
    values = np.frombuffer(answer["buffers"][0], np.float32).reshape(-1, answer["classes"])

    assert values == pytest.approx(np.array(report.rows["logits"].tolist()), abs=1e-6)
    hear(explorer, {"kind": "fit"})
    explorer._slow.join(10)
    fit = kinds(sent, "fit")[0]
    assert fit["n"] == 300
    assert fit["nll_after"] <= fit["nll_before"]


def test_a_brush_at_a_temperature_selects_by_the_confidence_at_it(watched: Any) -> None:
    """At T = 2 a bin holds the rows whose softened confidence lies in it."""
    report = made_up(300, logits=True)
    explorer, _ = watched(report)
    hear(explorer, brush(explorer, ranges={"confidence": [6, 7]}, temperature=2.0))
    softened = explorer._chosen.heat.logits.confidence(2.0)

    assert len(explorer.selection) == ((softened >= 6 / 15) & (softened < 8 / 15)).sum() > 0


def test_rows_that_cannot_be_explored_are_refused_with_the_reason() -> None:
    """No rows left, or more bins than bytes can tell apart: the error says what to do."""
    report = made_up()
    with pytest.raises(UsageError, match="no explored rows"):
        explore(report.where([]))
    with pytest.raises(Exception, match=re.escape("Use report.with_options(bins=15)")):
        explore(report.with_options(bins=201))


def test_a_failure_in_the_background_reaches_the_page(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong while metrics are computed is told, not lost in a thread."""
    explorer, sent = watched(made_up())
    monkeypatch.setattr("workbench.views._measured.part_of", lambda *parts: 1 / 0)
    hear(explorer, brush(explorer, ranges={"domain": [0]}))
    explorer._metrics.join(10)

    assert kinds(sent, "problem")[0]["text"] == "ZeroDivisionError: division by zero"


def test_the_output_holds_a_picture_that_needs_no_kernel() -> None:
    """The bundle has the view, plain text, and escaped HTML without script."""
    frame = pd.DataFrame({"confidence": [0.9, 0.6], "correct": [1, 0], "domain": ["<script>x</script>", "b"]})
    explorer = explore(wb.from_predictions(frame, by=["domain"], name="<script>y</script>"))
    data, _ = explorer._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<svg" in data["text/html"] or "data:image/svg+xml" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert data["text/plain"].endswith("2 of 2 rows selected")


def test_one_bundle_of_vega_serves_all_explorers() -> None:
    """Two explorers share the carrier; after `Widget.close_all()` a new one is made."""
    import ipywidgets

    report = made_up(20)
    first, second = explore(report), explore(report)
    assert first.bundle is second.bundle
    assert len(first.bundle.source) > 500_000
    ipywidgets.Widget.close_all()
    assert explore(report).bundle is not first.bundle


def test_a_message_is_small_however_many_rows_are_brushed(watched: Any) -> None:
    """The page's brush and the kernel's state hold bins, not rows."""
    explorer, _ = watched(made_up(1000))
    hear(explorer, brush(explorer, ranges={"confidence": list(range(12))}))

    assert len(str(explorer.state)) < 400
