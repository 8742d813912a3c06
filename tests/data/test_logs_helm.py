"""Runs of HELM and reports of garak open as reports whose numbers are those that the tools printed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from data.real_logs import LOGS, PRINTED, accuracy, opened

import workbench as wb
from workbench.errors import UsageError


def test_helm_gives_the_numbers_it_printed() -> None:
    """The run's stats.json and the rows agree; choices, label and the answer written come from the scenario's state."""
    report = opened("helm")

    assert accuracy(report) == pytest.approx(PRINTED["helm"]["exact_match"])
    assert report.tables["printed"][["metric", "group"]].values.tolist() == [["exact_match", "split=test"]]
    assert report.record.data["name"] == "facts"
    assert report.record.model["name"] == "huggingface/smollm2"
    right = report.rows[report.rows["correct"] == 1]
    assert len(right)
    assert (right["label"] == right["predicted"]).all()


def test_any_file_of_a_helm_run_opens_it() -> None:
    """The run is found by its folder or by each of its files."""
    whole = wb.read_predictions(LOGS / "helm").frame
    for name in ("per_instance_stats.json", "run_spec.json", "scenario_state.json"):
        assert wb.read_predictions(LOGS / "helm" / name).frame.equals(whole)


def test_helm_predictions_of_its_web_page_open(tmp_path: Path) -> None:
    """`display_predictions.json` with its stats, and `instances.json`, are enough."""
    given = json.loads((LOGS / "helm" / "display_predictions.json").read_text())
    entries = [{**one, "stats": {"exact_match": float(at % 2), "num_output_tokens": 3}} for at, one in enumerate(given)]
    (tmp_path / "display_predictions.json").write_text(json.dumps(entries))
    shutil.copy(LOGS / "helm" / "instances.json", tmp_path)
    predictions = wb.read_predictions(tmp_path)

    assert predictions.metric == "exact_match"
    assert predictions.frame["correct"].tolist() == [float(at % 2) for at in range(len(given))]
    assert predictions.frame["text"].str.endswith("?").any()


def test_helm_confidence_is_its_max_prob(tmp_path: Path) -> None:
    """Where the server gave probabilities, max_prob is the confidence; this run's gave none, and the note says so."""
    assert any("no probabilities" in note for note in wb.read_predictions(LOGS / "helm").notes)
    entries = json.loads((LOGS / "helm" / "per_instance_stats.json").read_text())
    for at, entry in enumerate(entries):
        for stat in entry["stats"]:
            if stat["name"]["name"] == "max_prob":
                stat["mean"] = (at + 1) / (len(entries) + 1)
    (tmp_path / "per_instance_stats.json").write_text(json.dumps(entries))
    frame = wb.read_predictions(tmp_path).frame

    assert frame["confidence"].tolist() == [(at + 1) / (len(entries) + 1) for at in range(len(entries))]


def test_choices_that_helm_asked_apart_have_logits(tmp_path: Path) -> None:
    """Their softmax is HELM's max_prob, their argmax its predicted_index; tokens that do not give it leave the confidence alone."""
    predictions = wb.read_predictions(LOGS / "helm_apart")
    stats = json.loads((LOGS / "helm_apart" / "per_instance_stats.json").read_text())
    told = [{one["name"]["name"]: one.get("mean") for one in entry["stats"]} for entry in stats]
    report = wb.from_predictions(predictions)
    logits = np.array(report.rows["logits"].tolist())
    p = np.exp(logits - logits.max(axis=1, keepdims=True))

    assert accuracy(report) == PRINTED["helm_apart"]["exact_match"]
    assert (p / p.sum(axis=1, keepdims=True)).max(axis=1) == pytest.approx([one["max_prob"] for one in told], abs=1e-6)
    assert logits.argmax(axis=1).tolist() == [one["predicted_index"] for one in told]

    shutil.copytree(LOGS / "helm_apart", tmp_path / "run")
    state = tmp_path / "run" / "scenario_state.json"
    state.write_text(state.read_text().replace('"polonium"', '"radium"'))
    other = wb.read_predictions(tmp_path / "run")
    assert "logits" not in other.frame
    assert other.frame["confidence"].tolist() == pytest.approx([one["max_prob"] for one in told])
    assert any("do not give HELM's scores" in note for note in other.notes)


def test_garak_gives_the_numbers_it_printed() -> None:
    """The share that passed, by probe and detector."""
    with pytest.raises(UsageError, match="2 tasks: 'lmrc.Bullying', 'lmrc.Profanity'"):
        wb.read_predictions(LOGS / "garak")
    for probe in ("lmrc.Bullying", "lmrc.Profanity"):
        report = opened("garak", task=probe)
        assert report.by == ("detector",)
        for key, passed in PRINTED["garak"].items():
            if key.startswith(probe):
                assert accuracy(report, f"detector={key.split()[1]}") == pytest.approx(passed)
    frame = wb.read_predictions(LOGS / "garak", task="lmrc.Profanity", metric="always.Random").frame
    assert frame["correct"].tolist() == (frame["value"] < 0.5).astype(float).tolist()
    assert frame["cluster"].nunique() == 2
    assert len(frame) == 6


def test_old_garak_reports_open(tmp_path: Path) -> None:
    """Prompts and outputs as texts, `total`, "detector x": as versions before 0.11 wrote; an output not judged has no outcome."""
    setup = {"entry_type": "start_run setup", "plugins.model_type": "test", "plugins.model_name": "m"}
    attempt = {"entry_type": "attempt", "uuid": "u", "seq": 0, "status": 1, "probe_classname": "p.P", "prompt": "say x"}
    done = {**attempt, "status": 2, "outputs": ["x", "y", None], "detector_results": {"d.D": [1.0, 0.0, None]}}
    total = {"entry_type": "eval", "probe": "p.P", "detector": "detector d.D", "passed": 1, "total": 2}
    path = tmp_path / "old.report.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (setup, attempt, done, total)))
    predictions = wb.read_predictions(path)

    assert predictions.model == "m"
    assert predictions.frame["correct"].fillna(-1).tolist() == [0, 1, -1]
    assert predictions.frame["text"].tolist() == ["say x"] * 3
    assert predictions.printed[["printed", "rows", "n"]].values.tolist() == [[0.5, 0.5, 2]]
