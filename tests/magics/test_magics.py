"""The magics call the API and turn errors into one line."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tiny
from fakes import Chooser, Classifier
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from openai_server import Server, serving
from workbench_ipython.completion import FLAGS, suggestions

import workbench as wb

CELL = (
    '{"q": "Question 1?", "options": ["a", "b"], "answer": 0}\n{"q": "Question 2?", "options": ["a", "b"], "answer": 0}'
)


def test_examples_then_probe(shell: Any) -> None:
    """A cell of examples, a probe with options, and a report in its variable."""
    shell.user_ns["model"] = Chooser(0.8, right=[True, False])
    shell.run_cell_magic("examples", "mine --text q --choices options --label answer", CELL)
    report = shell.run_line_magic("probe", "calibration model mine bins=5 -o found")

    assert isinstance(shell.user_ns["mine"], wb.Examples)
    assert shell.user_ns["found"] is report
    assert report.options["bins"] == 5


def test_a_probe_may_need_no_model_and_take_its_reference_from_a_variable(shell: Any) -> None:
    """None stands for no model; the option names a variable of the notebook."""
    shell.user_ns["old"], shell.user_ns["new"] = (
        wb.Examples.of(pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}) + moved, features=["x"]) for moved in (0, 10)
    )
    report = shell.run_line_magic("probe", "shift None new reference=old on=columns")

    assert report.metrics["value"].iloc[0] < 0.1
    assert report.record.options["reference"] is shell.user_ns["old"]


def test_csv_cells_work_too(shell: Any) -> None:
    """Without a brace at its start a cell is CSV."""
    found = shell.run_cell_magic("examples", "mine", "text,label\ngood,1\nbad,0\n")

    assert found.kind == "class"


def test_an_option_takes_examples_from_a_variable(shell: Any) -> None:
    """`reference=known` is the variable of that name, a list in double quotes the scores; the record has its hash."""
    shell.user_ns["model"] = Classifier()
    shell.user_ns["known"] = wb.Examples.of({"text": ["0.9", "0.8", "0.1"] * 20, "label": ["yes", "yes", "no"] * 20})
    shell.user_ns["new"] = wb.Examples.of({"text": ["0.7", "0.5"] * 10})
    found = shell.run_line_magic("probe", "unlabelled model new reference=known draws=20")
    strange = shell.run_line_magic("probe", "ood model new reference=known scores=\"('msp', 'energy')\"")

    assert shell.user_ns["known"].hash == found.record.as_dict()["options"]["reference"]["hash"]
    assert ["msp"] == list(strange.rows["score"].unique())
    assert 20 == strange.rows["rank"].notna().sum()  # among the reference's


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("calibratoin model mini", "Did you mean 'calibration'"),
        ("calibration model mini bins", "Write options as name=value"),
        ("calibration model mini bin=3", "Did you mean 'bins'"),
        ("calibration model minni", "Unknown variable, pack or published set 'minni'. Did you mean 'mini'"),
        ("calibration model myown", "Did you mean 'my_own'"),
        ("calibration modle mini", "There is no variable 'modle', so that it was taken for a model's name"),
        (
            "calibration model mini recalibrate=vector,isotonc",
            "Unknown value of recalibrate 'isotonc'. Did you mean 'isotonic'",
        ),
    ],
)
def test_errors_are_one_line(shell: Any, line: str, message: str) -> None:
    """Our errors arrive as IPython's own UsageError, which prints no traceback."""
    shell.user_ns.update(model=Chooser(), my_own=pd.DataFrame({"text": ["a"]}), DataFrame=pd.DataFrame)
    shell.user_ns["_7"] = shell.user_ns["my_own"]  # as IPython keeps what a cell shows
    with pytest.raises(UsageError, match=message) as caught:
        shell.run_line_magic("probe", line)

    assert type(caught.value) is UsageError
    assert not {"_7", "DataFrame"} & set(str(caught.value).replace(",", " ").split())


def test_config_sets_the_default_number_of_examples(shell: Any) -> None:
    """`%config WorkbenchMagics.max_examples` holds for the next probe."""
    shell.user_ns["model"] = Chooser()
    shell.run_line_magic("config", "WorkbenchMagics.max_examples = 5")
    report = shell.run_line_magic("probe", "calibration model mini")

    assert len(report.rows) == 5


def test_help_shows_the_arguments(shell: Any) -> None:
    """`%probe?` shows the parser's help."""
    assert "--holdout" in shell.find_line_magic("probe").__doc__


def test_a_sweep_takes_names_and_severities_with_commas(shell: Any) -> None:
    """`%probe sweep` needs no quotes for several corruptions and severities."""
    shell.user_ns["model"] = Chooser()
    report = shell.run_line_magic("probe", "sweep model mini corruptions=keyboard,swap severities=1,5")

    assert {"", "keyboard:1", "keyboard:5", "swap:1", "swap:5"} == set(report.rows["variant"])


def test_an_option_of_several_words_takes_them_with_commas(shell: Any) -> None:
    """What completion offers after a comma is taken."""
    shell.user_ns["model"] = Chooser()
    report = shell.run_line_magic("probe", "calibration model mini recalibrate=histogram,isotonic bins=5")

    assert ["histogram", "isotonic"] == report.options["recalibrate"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%probe cal", ["calibration"]),
        ("%probe calibration mo", ["model"]),
        ("%probe calibration model fa", ["facts"]),
        ("%probe calibration model facts scoring=l", ["scoring=letters"]),
        ("%probe calibration model facts --h", ["--holdout"]),
        ("%model smol", ["smollm2-135m-instruct"]),
        ("%probe calibration model facts bins=", ["bins=15"]),
        ("%probe calibration model facts scheme=", ["scheme=width", "scheme=mass"]),
        ("%probe calibration model facts --by d", ["domain", "difficulty"]),
        ("%probe calibration model mine --by ", ["city", "year"]),
        ("%probe --by city calibration model mine --by y", ["year"]),
        ("%probe -o found --seed 3 calibration mo", ["model"]),
        ("%probe calibration model --by d", []),
        ("%probe pairs model crows", ["crows-pairs"]),
        ("%probe sweep model facts corruptions=keyb", ["corruptions=keyboard"]),
        ("%probe sweep model facts corruptions=keyboard,sw", ["corruptions=keyboard,swap"]),
        ("%probe sweep model facts severities=1,3,5", ["severities=1,3,5"]),
        ("%explore rep", ["report"]),
        ("%explore report --m", ["--model"]),
        ("%compare rep", ["report"]),
        ("%compare report --b", ["--by"]),
        ("%draw report r", ["reliability", "risk_coverage"]),
        ("%freeze --no-pictures rep", ["report"]),
        ("%freeze report --data a", ["auto", "all"]),
        ("%replay --f", ["--from-rows"]),
        ("%robustness --inside rep", ["report"]),
    ],
)
def test_completion(line: str, expected: list[str]) -> None:
    """Each argument completes with what may stand there."""
    mine = pd.DataFrame({"text": ["a"], "label": [0], "city": ["x"], "year": [1]})
    known = {"model": Chooser(), "mine": mine, "report": SimpleNamespace(record=None)}

    assert expected == suggestions(line, known)


def test_a_report_is_probed_without_examples(shell: Any) -> None:
    """`%probe slices report` asks no model; options, columns with commas and completion as with examples."""
    frame = pd.DataFrame(
        {"text": ["a b"] * 80, "city": ["x", "y"] * 40, "correct": [1, 0, 1, 1] * 20, "confidence": 0.5}
    )
    shell.user_ns["mine"] = wb.from_predictions(frame, by="city")
    found = shell.run_line_magic("probe", "slices mine top=3 --by city,length draws=50 -o found")

    assert ("city", "length") == found.by
    assert (3, 50) == (found.options["top"], found.options["draws"])
    assert ["mine"] == suggestions("%probe slices mi", shell.user_ns)
    assert ["method=exhaustive", "method=sliceline"] == suggestions("%probe slices mine meth", shell.user_ns)
    assert ["city"] == suggestions("%probe slices mine --by ci", shell.user_ns)


def test_saved_reports_complete_and_open(shell: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%explore` offers the reports saved beside the notebook, and opens one by its file."""
    monkeypatch.chdir(tmp_path)
    wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.4], "correct": [1, 0]})).save("kept")

    assert suggestions("%explore k", {}) == ["kept.workbench"]
    assert len(shell.run_line_magic("explore", "kept.workbench").selection) == 2
    shell.user_ns["one"] = wb.open("kept")
    assert [len(one.selection) for one in shell.run_line_magic("explore", "one kept.workbench").explorers] == [2, 2]
    with pytest.raises(UsageError, match="takes a loaded model; found str"):
        shell.run_line_magic("explore", "one --model nothing")


def test_confirm_takes_the_words_of_a_slice_or_none(shell: Any) -> None:
    """`%confirm` tests a slice of the variable `report`, or all that was tried, and stores what it shows."""
    frame = pd.DataFrame(
        {"example": range(60), "confidence": 0.8, "correct": [1, 1, 0] * 20, "topic": list("aab") * 20}
    )
    shell.user_ns["mine"] = wb.from_predictions(frame, by="topic", holdout=0.5, draws=20)
    found = shell.run_line_magic("confirm", "topic: b --report mine --correction bh --family asked")

    assert shell.user_ns["confirmation"] is found
    assert (found.correction, found.tried, found.findings["status"].tolist()) == ("bh", 1, ["confirmed"])
    shell.run_line_magic("confirm", "mine -o every")  # the report may stand first
    assert shell.user_ns["every"].findings["slice"].tolist() == ["topic: a", "topic: b"]
    with pytest.raises(UsageError, match="Did you mean 'topic'"):
        shell.run_line_magic("confirm", "topik: b --report mine")


def test_compare_takes_variables_and_saved_reports(shell: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%compare one kept.workbench` sets a variable and a file side by side, and stores what it shows."""
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"example": ["a", "b"], "text": ["s", "t"], "other": ["u", "v"], "logp_other": [-2.0, -2.0]})
    shell.user_ns["one"] = wb.from_predictions(frame.assign(logp=[-1.0, -3.0]), probe="pairs")
    wb.from_predictions(frame.assign(logp=[-3.0, -3.0]), probe="pairs", name="two").save("kept")
    shell.user_ns["two"] = shell.user_ns["one"].where(["a"])

    found = shell.run_line_magic("compare", "one kept.workbench -o differs")
    assert shell.user_ns["differs"] is found
    assert found.metrics.query("metric == 'prefers_more'")["difference"].tolist() == [0.5]
    with pytest.raises(UsageError, match="1 examples are in a and not in b"):
        shell.run_line_magic("compare", "one two")


def test_completion_reaches_the_shell(shell: Any) -> None:
    """The matcher is registered and suppresses IPython's own suggestions."""
    with provisionalcompleter():
        found = {match.text for match in shell.Completer.completions("%probe cal", len("%probe cal"))}

    assert {"calibration"} == found


def test_unloading_removes_the_magics(shell: Any) -> None:
    """After %unload_ext the names are gone."""
    shell.run_line_magic("unload_ext", "workbench")

    assert {None} == {shell.find_line_magic(name) for name in FLAGS}
    shell.run_line_magic("load_ext", "workbench")


@pytest.mark.parametrize(
    "line", ["calibration model mine --by group bins=5", "calibration model mine bins=5 --by 'group'"]
)
def test_options_and_flags_come_in_any_order(shell: Any, line: str) -> None:
    """Options may stand before and after flags, and quotes are those of a shell."""
    shell.user_ns["model"] = Chooser(right=[True, False])
    frame = pd.DataFrame({"text": ["a?", "b?"], "choices": [["x", "y"]] * 2, "label": [0, 0], "group": ["g", "h"]})
    shell.user_ns["mine"] = wb.Examples.of(frame, label_as="index")
    report = shell.run_line_magic("probe", line)

    assert (report.options["bins"], report.by) == (5, ("group",))


def test_a_cell_is_read_as_a_file_is(shell: Any) -> None:
    """Labels with leading zeros and the text NA stay as they were written."""
    found = shell.run_cell_magic(
        "examples", "mine", '{"text": "one", "label": "001"}\n{"text": "NA", "label": "010"}\n'
    )

    assert (found.classes, found.source) == (("001", "010"), "a cell of the notebook")
    assert found.frame["text"].tolist() == ["one", "NA"]


@pytest.mark.parametrize(
    ("magic", "line", "message"),
    [
        (
            "probe",
            "calibration model mini seed=3",
            "--seed 3, or for all that follows by %config WorkbenchMagics.seed = 3",
        ),
        ("probe", "calibration model mini by=domain", "with a flag: --by domain.$"),
        ("probe", "groups one -n 5", "-n draws from examples, and a report has its own rows"),
        ("compare", "one none", "Unknown variable of a report, and no file has that name: 'none'. Did you mean 'one'"),
        ("probe", 'calibration model mini bins="5', "quotation"),
        ("probe", "swap model mini axes=('age','race')", r"axes=\(age,race\) has lost its quotation marks"),
        ("probe", "swap model mini terms={'city':['Rome','Oslo']}", "lost its quotation marks"),
        ("probe", "pairs model crows-pair", r"Unknown pack or published set 'crows-pair'\. Did you mean 'crows-pairs'"),
        ("probe", "pairs", "arguments are required: model$"),
        ("probe", "pairs model", "wb.run needs examples: .* Only a report"),
        ("probe", "calibration model mini bins=0", "whole number from 1"),
        ("probe", "calibration model mini -o 'not a name'", "name of a variable"),
        ("explore", "wb", "takes a report"),
    ],
)
def test_ordinary_mistakes_are_one_line(shell: Any, magic: str, line: str, message: str) -> None:
    """None of them prints a traceback of ours."""
    one = wb.from_predictions({"confidence": [0.5], "correct": [1]})
    shell.user_ns.update(model=Chooser(), wb=wb, one=one)
    with pytest.raises(UsageError, match=message):
        shell.run_line_magic(magic, line)


def test_a_text_in_brackets_is_no_list(shell: Any) -> None:
    """A prompt may begin and end with a bracket."""
    shell.user_ns["model"] = Chooser(0.8)
    line = "swap model facts answers=\"['a', 'b']\" prompt=[{text}] -n 2"

    assert "[{text}]" == shell.run_line_magic("probe", line).options["prompt"]


def test_a_model_behind_a_url_is_loaded_and_probed(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's name stands after #; a device set for other models is not meant for it; errors are one line."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shell.run_line_magic("config", "WorkbenchMagics.device = 'cpu'")
    with serving(Server(tiny.language_model(), tiny.tokenizer())) as server:
        shell.run_line_magic("model", f"{server.url} --revision May -o far")
        shell.run_line_magic("probe", "calibration far mini scoring=letters")
        assert ("complete", "May") == (
            shell.user_ns["report"].record.outcome,
            shell.user_ns["report"].record.model["revision"],
        )
        with pytest.raises(UsageError, match="NOT_SET_HERE is not set"):
            shell.run_line_magic("model", f"{server.url} --key-env NOT_SET_HERE")
