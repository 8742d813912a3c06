"""The launcher: what it offers, what it writes, what it costs, and that what it runs is what it writes."""

import time
from itertools import groupby
from typing import Any

import pandas as pd
import pytest
import tiny
from fakes import Chooser
from openai_server import Server, serving

import workbench as wb
from workbench.errors import UsageError
from workbench.models.load import load
from workbench.views import _choices
from workbench.views._cell import Choice, cell_of
from workbench.views._cost import cost
from workbench.views.launcher import Launcher

FRAME = pd.DataFrame(
    {"text": [f"{i} apples" for i in range(30)], "label": ["no", "yes"] * 15, "kind": ["a", "b", "c"] * 10}
)


def guess(text: str) -> dict[str, float]:
    """Say "no" to every other text, after a moment."""
    time.sleep(0.04)
    return {"no": 0.7, "yes": 0.3} if int(text.split()[0]) % 2 else {"no": 0.4, "yes": 0.6}


@pytest.fixture
def space() -> dict[str, Any]:
    """Return a notebook with a model, a table, examples and something else."""
    model = load(guess, labels=["no", "yes"], per_item=True)
    return {"clever": model, "table": FRAME, "mine": wb.Examples.of(FRAME), "number": 3, "_hidden": FRAME}


def test_what_the_notebook_holds_comes_first(space: dict[str, Any]) -> None:
    """Models, then tables and examples of the notebook, before packages and packs; other variables are not offered."""
    models, data = _choices.models(space), _choices.data(space)

    assert ["clever", "smollm2-135m-instruct"] == [one["value"] for one in models[:2]]
    assert ["table", "mine"] == [one["value"] for one in data[:2]]
    assert ["30 rows", "30 examples", "1,141 examples"] == [data[0]["detail"], data[1]["detail"], data[3]["detail"]]
    assert {"In this notebook", "Packs"} <= {one["group"] for one in data}


def test_every_option_of_every_probe_has_a_control_and_its_help() -> None:
    """Each option has a kind that the page draws, the probe's own sentence, and a default that can be shown as JSON."""
    for probe in _choices.probes():
        for option in probe["options"]:
            assert option["kind"] in {"flag", "one", "several", "number", "text"}, (probe["name"], option)
            assert option["help"]
            assert isinstance(option["default"], (str, int, float, bool, list))
            if option["kind"] == "one":
                assert option["default"] in option["known"]


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (Choice("clever", "mine", "calibration"), "report = wb.run('calibration', clever, mine)"),
        (
            Choice("clever", "table", "calibration", {"bins": "10", "scheme": "mass"}, by="kind", most="20", seed="3"),
            "report = wb.run('calibration', clever, wb.Examples.of(table).sample(20, seed=3), by=['kind'], seed=3, bins=10, "
            "scheme='mass')",
        ),
        (
            Choice("clever", "mine", "calibration", {"recalibrate": ["isotonic"], "cross_check": True, "alpha": "0.2"}),
            "report = wb.run('calibration', clever, mine, recalibrate=['isotonic'], cross_check=True, alpha=0.2)",
        ),
        (
            Choice("clever", "mine", "shift", {"reference": "table", "on": "softmax"}, holdout="0.5", out="moved"),
            "moved = wb.run('shift', clever, mine, holdout=0.5, reference=table, on='softmax')",
        ),
        (Choice("", "table", "shift", {"split": "kind"}), "report = wb.run('shift', None, table, split='kind')"),
        (
            Choice("clever", "mine", "swap", {"prompt": "{text} [1]"}),
            "report = wb.run('swap', clever, mine, prompt='{text} [1]')",
        ),
    ],
)
def test_a_choice_is_one_line_of_the_api(space: dict[str, Any], choice: Choice, line: str) -> None:
    """Variables go in by name, all else as literals."""
    assert line == cell_of(choice, space).run


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice("", "mine", "calibration"), "Choose a model"),
        (Choice("clever", "", "calibration"), "Choose examples"),
        (Choice("clever", "nothing", "calibration"), "no table of this notebook"),
        (Choice("clever", "mine", "calibratoin"), "Did you mean 'calibration'"),
        (Choice("clever", "mine", "calibration", {"bins": "0"}), "bins must be a whole number from 1 to 1000"),
        (Choice("clever", "mine", "calibration", {"scoring": "x"}), "Unknown value of scoring"),
        (Choice("clever", "mine", "calibration", most="many"), "must be a whole number; it is 'many'"),
        (Choice("clever", "mine", "calibration", holdout="1"), "share from 0 to below 1"),
        (Choice("clever", "mine", "calibration", out="my report"), "cannot be the name of a variable"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(space: dict[str, Any], choice: Choice, message: str) -> None:
    """Each gap and each wrong value is named before anything is run."""
    with pytest.raises(ValueError, match=message):
        cell_of(choice, space)


def test_nothing_of_the_page_is_run_as_code(space: dict[str, Any]) -> None:
    """A name with code in it becomes a text, or is refused."""
    evil = "__import__('os').getcwd()"
    cell = cell_of(Choice(evil, "mine", "calibration"), space)

    assert f"model = wb.load({evil!r})" == cell.load
    assert repr(evil) in cell_of(Choice("clever", evil, "calibration"), space).examples  # a path, it has a dot
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        cell_of(Choice("clever", "mine", "calibration", out=f"x = {evil}"), space)
    assert "by=[\"__import__('os').getcwd()\"]" in cell_of(Choice("clever", "mine", "calibration", by=evil), space).run


def test_what_is_run_is_what_is_written(space: dict[str, Any]) -> None:
    """The report lands in the named variable; the cell, run by hand, gives the same rows and metrics."""
    launcher = Launcher(Choice("clever", "table", "calibration"), space=space)
    launcher.choose(most="20", by="kind")
    source = launcher.source
    launcher.run()
    launcher.join(60)

    report = space["report"]
    exec(source.replace("report", "again"), space)
    assert report.rows.equals(space["again"].rows)
    assert report.metrics.equals(space["again"].metrics)
    assert ("report_2", "report") == (launcher.choice.out, launcher.form.answer["ended"]["out"])
    assert "Reliability" in launcher.children[2].outputs[0]["data"]["text/html"]
    launcher._explore()
    assert len(launcher.children) == 4


def test_a_run_can_be_cancelled_and_not_begun_twice(space: dict[str, Any]) -> None:
    """A second click does nothing while a run goes on; Cancel keeps what is done; the button says what goes on."""
    launcher = Launcher(Choice("clever", "mine", "calibration"), space=space)
    words = [""]
    launcher.form.observe(lambda change: words.append(change["new"]["running"]), "answer")
    launcher.run()
    thread = launcher._thread
    launcher.run()
    assert launcher._thread is thread
    while launcher._run._tally.done < 2:  # type: ignore[union-attr] # it runs
        time.sleep(0.005)
    launcher.cancel()
    launcher.join(60)

    assert space["report"].outcome == "interrupted"
    assert 2 <= len(space["report"].rows) < 30
    assert ["", "Running", "Cancelling", "Drawing the report", ""] == [word for word, _ in groupby(words)]


def test_an_error_is_shown_as_its_sentence(space: dict[str, Any]) -> None:
    """What goes wrong stands beside the progress; the form and its variables are as before."""
    launcher = Launcher(Choice("no/such/model/here", "mine", "calibration"), space=space)
    launcher.run()
    launcher.join(60)

    state = launcher._run.state  # type: ignore[union-attr] # it ran
    assert state["status"] == "failed"
    assert "neither a file or folder here nor a name of the hub" in state["problem"]
    assert "report" not in space
    assert launcher.choice.model == "no/such/model/here"


def test_a_question_that_cannot_be_asked_is_shown_as_an_outcome(space: dict[str, Any]) -> None:
    """A classifier has no answers to choose among: the launcher says so in the report's own words."""
    launcher = Launcher(Choice("clever", "facts", "calibration"), space=space)
    launcher.run()
    launcher.join(60)

    state = launcher._run.state  # type: ignore[union-attr] # it ran
    assert (state["status"], space["report"].outcome) == ("not applicable", "not applicable")
    assert state["problem"].startswith("Not applicable: ")


def test_the_cost_is_counted_and_timed(space: dict[str, Any]) -> None:
    """Requests are counted without the model; a few of them give seconds that hold for the whole."""
    launcher = Launcher(Choice("clever", "mine", "calibration"), space=space)
    choice = launcher.choice
    before = cost(choice, cell_of(choice, space), space)
    launcher._time()
    launcher._estimates.join(10)
    after = launcher.form.answer["estimate"]

    assert "30 examples: 30 inputs to classify." == before.said[0]
    assert "kind" in before.columns
    assert before.said[0] == after[0]
    assert "that were timed" in after[1]


def test_the_price_of_a_model_behind_a_url_is_said_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens as the server counted them in what it answered until now, times the price; requests as it is asked."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(Server(tiny.language_model(), tiny.tokenizer())) as server:
        space = {"far": load(server.url, price=(1000, 3000), cache=False)}
        choice = Choice("far", "mini", "calibration")
        before = cost(choice, cell_of(choice, space), space).said
        wb.run("calibration", space["far"], "mini")
        after = cost(choice, cell_of(choice, space), space).said
        used = space["far"].usage
        first = used.read
        wb.run("calibration", space["far"], "mini")
        server.echo = False
        space["far"] = load(server.url, price=(1000, 3000))
        letters = Choice("far", "mini", "calibration", options={"scoring": "letters"})
        once = cost(letters, cell_of(letters, space), space).said

    assert before[0].startswith("12 examples: 48 answers to score, about ")
    assert "at the price given, tokens as the server counted them in 3 answers" in before[-1]
    told = float(after[-1].split()[1].replace(",", ""))
    assert told == pytest.approx(1000 * (used.read - first) / 1e6, rel=0.1)
    assert once[0].startswith("12 examples: 12 answers to score")


def test_the_cost_of_a_sweep_counts_every_copy() -> None:
    """What is counted before the run is what a model is then asked, in all calls together."""
    asked = []

    class Counting(Chooser):
        """Notes how many choices it is asked about."""

        def choose(self, questions: Any, *, monitor: Any = None) -> Any:
            """Count, then answer."""
            asked.append(sum(len(question.choices) for question in questions))
            return super().choose(questions, monitor=monitor)

    options = {"corruptions": "keyboard, ocr", "severities": ["1", "2", "3"]}
    cell = cell_of(Choice("smollm2-135m-instruct", "mini", "sweep", options), {})
    said = cost(Choice(probe="sweep", model="smollm2-135m-instruct", data="mini", options=options), cell, {}).said[0]
    wb.run("sweep", Counting(), "mini", corruptions=["keyboard", "ocr"], severities=[1, 2, 3])

    assert len(asked) > 1
    assert f"12 examples: {sum(asked)} answers to score." == said


def test_what_is_not_known_is_said(space: dict[str, Any]) -> None:
    """A hub model that is not loaded may be anything, and its pace is not known."""
    choice = Choice("owner/model", "mine", "calibration")

    assert "cannot be known before it is loaded" in cost(choice, cell_of(choice, space), space).said[1]
