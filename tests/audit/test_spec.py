"""Specs: checked whole before anything runs, run without a notebook, judged by exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny

import workbench as wb
from workbench.__main__ import main
from workbench.audit.spec import doubts, read, run_spec
from workbench.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with predictions: 80 of 100 are right, at a confidence of about 0.8."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"{i:03d}" for i in range(100)],
            "p": rng.uniform(0.7, 0.9, 100).round(3),
            "hit": [True] * 80 + [False] * 20,  # the texts True and False in the file
            "language": ["de", "en"] * 50,
        }
    )
    frame.to_csv(tmp_path / "preds.csv", index=False)
    return tmp_path


def spec(folder: Path, text: str, name: str = "gate.yaml") -> Path:
    """Write a spec."""
    (folder / name).write_text(text)
    return folder / name


GATE = """
name: nightly
data:
  predictions: preds.csv
  columns: {confidence: p, correct: hit, example: id}
probes:
  calibration:
    by: language
    options: {draws: 100}
thresholds:
  calibration:
    accuracy:
      - {min: 0.7, at: low}
      - {min: 0.6, group: language=de}
    ece: {max: 0.2}
output: out
"""


def test_a_gate_that_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code 0; the table says value, interval and n; reports, frozen audit, results and a summary are written."""
    code = main(["run", str(spec(folder, GATE)), "--output", str(folder / "out")])
    said = capsys.readouterr().out

    assert 0 == code, said
    assert "All of 3 thresholds held." in said
    assert "accuracy >= 0.7 (low)" in said
    assert "n = 100" in said
    written = {path.name for path in (folder / "out").iterdir()}
    assert {"01-calibration.workbench", "audit", "results.json", "summary.md"} == written
    assert 0 == wb.replay(folder / "out" / "audit").code
    rows = wb.open(folder / "out" / "01-calibration.workbench").rows
    assert "003" == rows["example"].iloc[3]
    results = json.loads((folder / "out" / "results.json").read_text())
    assert (0, ["held"] * 3) == (results["code"], [one["verdict"] for one in results["thresholds"]])


@pytest.mark.parametrize(
    ("bound", "code", "said"),
    [
        ("accuracy: {min: 0.75}", 0, "held"),
        ("accuracy: {min: 0.75, at: low}", 1, "MISSED"),  # 80 of 100: the interval begins at about 0.71
        ("accuracy: {min: 0.75, at: worst}", 1, "MISSED"),
        ("accuracy: {max: 0.85}", 0, "held"),
        ("accuracy: {max: 0.85, at: worst}", 1, "MISSED"),
        ("accuracy: {min: 0.7, max: 0.9, at: worst}", 0, "held"),
        ("ece: {max: 0.5, at: high}", 2, "a null band"),
        ("acuracy: {min: 0.5}", 2, "Did you mean 'accuracy'"),
        ("accuracy: {min: 0.5, group: language=fr}", 2, "Unknown group"),
    ],
)
def test_bounds_are_held_against_value_or_interval(folder: Path, bound: str, code: int, said: str) -> None:
    """A threshold at the interval asks for more; what cannot be judged is code 2, not a pass."""
    text = GATE[: GATE.index("thresholds:")] + f"thresholds:\n  calibration:\n    {bound}\n"
    outcome = run_spec(read(spec(folder, text)))

    assert code == outcome.code
    assert said in repr(outcome)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("probs: [calibration]\n", "line 1, probs: unknown key 'probs' of a spec. Did you mean 'probes'?"),
        (
            "data: facts\nprobes: calibratoin\n",
            "line 2, probes: Unknown probe 'calibratoin'. Did you mean 'calibration'?",
        ),
        (
            "data: fcats\nprobes: calibration\n",
            "line 1, data: Unknown pack or published set 'fcats'. Did you mean 'facts'?",
        ),
        ("data: facts\nprobes: calibration\n", "line 2, probes: the probe 'calibration' needs a model"),
        ("models: m\nprobes: calibration\n", "has no data"),
        (
            "models: m\ndata: facts\nprobes:\n  calibration:\n    options:\n      bin: 10\n",
            "line 6, probes.calibration.options.bin: unknown key 'bin' of options of calibration. Did you mean 'bins'?",
        ),
        (
            "models: m\ndata: facts\nprobes:\n  calibration:\n    options: {bins: 0}\n",
            "line 5, probes.calibration.options.bins: bins must be a whole number from 1",
        ),
        (
            "models: m\ndata: facts\nprobes: calibration\nthresholds:\n  calibration: {ece: {max: 1e-3}}\n",
            "line 5, thresholds.calibration.ece.max: a number is wanted; '1e-3' is a str .YAML 1.1 reads 1e-3 as text",
        ),
        (
            "models: m\ndata: facts\nprobes: calibration\nthresholds:\n  pairs: {x: {max: 1}}\n",
            "line 5, thresholds.pairs: unknown key 'pairs' of thresholds",
        ),
        ("models: m\ndata: facts\nprobes: calibration\nholdout: 1.5\n", "line 4, holdout: a share from 0 to below 1"),
        (
            "models: m\ndata: facts\nprobes: calibration\nseed: yes\n",
            "line 4, seed: a whole number from 0 is wanted; True",
        ),
        ("models: {load: m, devise: cpu}\ndata: facts\nprobes: calibration\n", "Did you mean 'device'"),
        ("models: [m, m]\ndata: facts\nprobes: calibration\n", "two models are called 'm'"),
        (
            "data: {pack: facts, file: a.csv}\nprobes: calibration\n",
            "one of pack, benchmark, file, predictions is wanted",
        ),
        ("data: {file: gone.csv}\nprobes: calibration\n", "there is no file 'gone.csv'"),
        ("data: facts\ndata: mini\n", "line 2: the key 'data' stands here twice"),
        ("a: !!python/name:os.system ''\n", "could not determine a constructor"),
        ("data: [\n", "line 2"),
        (
            "a: !!python/object/apply:os.system ['id']\n",
            "line 1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not plain data",
        ),
        ("- a\n", "a spec is a mapping"),
        ("", "a spec is a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, text: str, problem: str) -> None:
    """File, line, key, and the nearest known name; nothing is run."""
    with pytest.raises(UsageError, match=problem) as error:
        read(spec(folder, text))

    assert str(error.value).startswith("gate.yaml")


def test_aliases_that_multiply_are_stopped(folder: Path) -> None:
    """A small file cannot take all memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]

    with pytest.raises(UsageError, match="too large or too deep"):
        read(spec(folder, "\n".join(lines)))


def test_a_spec_may_be_json(folder: Path) -> None:
    """The same keys; a wrong one is named with its line too."""
    told = {
        "data": {"predictions": "preds.csv", "columns": {"confidence": "p", "correct": "hit"}},
        "probes": ["calibration"],
    }
    plan = read(spec(folder, json.dumps(told, indent="\t"), "gate.json"))

    assert ["calibration"] == [job.probe for job in plan.jobs]
    with pytest.raises(UsageError, match="gate.json, line 3, dta"):
        read(spec(folder, '{\n"probes": "calibration",\n"dta": 1}', "gate.json"))
    with pytest.raises(UsageError, match="is not JSON"):
        read(spec(folder, "{", "gate.json"))


def test_models_are_asked(folder: Path) -> None:
    """Two models, a model's folder beside the spec, a sample, options: each a report with its settings."""
    tiny.language_model().save_pretrained(folder / "tiny")
    tiny.tokenizer().save_pretrained(folder / "tiny")
    text = """
models:
  - {load: tiny, name: one, cache: false}
  - {load: tiny, name: two, cache: false}
data: {pack: mini, sample: 5, sample_seed: 2}
seed: 3
by: []
probes:
  - {probe: calibration, options: {scoring: per_token, draws: 50}, holdout: 0.5}
"""
    outcome = run_spec(read(spec(folder, text)))

    assert 0 == outcome.code, repr(outcome)
    told = [
        (one.model["name"], one.total, one.seed, one.holdout, one.options["scoring"])
        for one in (report.record for report in outcome.reports.values())
    ]
    assert [("one", 5, 3, 0.5, "per_token"), ("two", 5, 3, 0.5, "per_token")] == told


def test_a_part_of_predictions_is_taken(folder: Path) -> None:
    """`where` leaves rows out, as numbers, booleans and texts of a file; what no row has is named, `sample` is refused."""
    data = "data: {predictions: preds.csv, columns: {confidence: p, correct: hit}, where: WHERE}\nprobes: calibration\n"
    counts = []
    for where in ("{language: de}", "{language: [de, en], hit: true}", "{id: '007'}"):
        outcome = run_spec(read(spec(folder, data.replace("WHERE", where))))
        counts.append(len(outcome.reports["01-calibration"].rows))

    assert [50, 80, 1] == counts
    file = pd.read_csv(folder / "preds.csv")
    file.assign(fold=[1.0] * 5 + [None] * (len(file) - 5)).to_csv(folder / "preds.csv", index=False)
    for where in ("{fold: 1}", "{fold: 1.0}"):  # pandas writes 1.0 where a cell is blank
        outcome = run_spec(read(spec(folder, data.replace("WHERE", where))))
        assert 5 == len(outcome.reports["01-calibration"].rows)
    for where, said in (
        ("{language: fr}", "No row of preds.csv has language='fr'. .* de, en"),
        ("{langage: de}", "'language'"),
    ):
        outcome = run_spec(read(spec(folder, data.replace("WHERE", where))))
        assert 2 == outcome.code
        assert re.search(said, outcome.problems["01-calibration"])
    with pytest.raises(UsageError, match="line 1, data.sample: predictions are taken whole"):
        read(spec(folder, data.replace("where: WHERE", "sample: 5")))
    with pytest.raises(UsageError, match=r"data.columns: a pack names its own columns"):
        read(spec(folder, "data: {pack: mini, columns: {text: question}}\nmodels: m\nprobes: calibration\n"))


def test_a_list_may_hold_a_probe_twice(folder: Path) -> None:
    """Each entry has its own data and settings, and takes the spec's where it has none."""
    text = "models: m\ndata: mini\nseed: 3\nprobes:\n  - calibration\n  - {probe: calibration, data: facts, seed: 4}\n"
    jobs = read(spec(folder, text)).jobs

    assert [("mini", 3), ("facts", 4)] == [(job.data.value, job.seed) for job in jobs]


def test_what_fails_does_not_stop_the_rest(folder: Path) -> None:
    """A model that cannot be loaded is a problem of its reports, and code 2; it is told at once, as is a metric not there."""
    (folder / "broken").mkdir()
    text = GATE.replace("probes:\n", "models: broken\nprobes:\n  occupations: {data: occupations}\n").replace(
        "output: out\n", ""
    )
    told: list[str] = []
    plan = read(spec(folder, text.replace("    ece:", "    ecce:")))
    outcome = run_spec(plan, told.append)

    assert 2 == outcome.code
    assert told[0].startswith("01-occupations: could not be done: ")
    assert told[1].startswith("02-calibration: ecce <= 0.2: cannot say. Unknown metric 'ecce'. Did you mean 'ece'?")
    (doubt,) = doubts(plan)
    assert doubt.startswith(
        "gate.yaml, line 17, thresholds.calibration.ecce: 'ecce' is none of the main metrics of calibration"
    )
    assert doubt.endswith("Did you mean 'ece'?")
    assert ["01-occupations"] == list(outcome.problems)
    assert ["02-calibration"] == list(outcome.reports)
    assert "has no config.json" in repr(outcome)


def test_a_dry_run_says_what_it_would_cost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, examples, requests, bounds and folder; nothing is written."""
    text = "models: smollm2-135m-instruct\ndata: mini\nprobes: calibration\n"
    text += "thresholds: {calibration: {accuracy: {min: 0.2}, acuracy: {min: 0.2}}}\noutput: out\n"

    assert 0 == main(["run", str(spec(folder, text)), "--dry-run", "--output", str(folder / "out")])
    said = capsys.readouterr().out
    assert "12 examples" in said
    assert "48 answers to score." in said
    assert "must hold: accuracy >= 0.2" in said
    assert "Did you mean 'accuracy'?" in said
    assert not (folder / "out").exists()


def test_the_process_ends_with_the_code(folder: Path) -> None:
    """What a CI system sees: 1 where a threshold is missed, 2 where the spec is wrong, with the reason on stderr."""
    missed = spec(folder, GATE.replace("min: 0.7, at: low", "min: 0.95").replace("output: out\n", ""), "missed.yaml")
    wrong = spec(folder, GATE.replace("probes:", "prboes:"), "wrong.yaml")
    done = [
        subprocess.run([sys.executable, "-m", "workbench", "run", str(path)], capture_output=True, text=True)
        for path in (missed, wrong)
    ]

    assert [1, 2] == [one.returncode for one in done]
    assert "MISSED" in done[0].stdout
    assert "wrong.yaml, line 6" in done[1].stderr
    assert "Traceback" not in done[1].stderr
