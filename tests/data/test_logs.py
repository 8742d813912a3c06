"""Logs of other tools: real ones, of `benchmarks/peer_logs.py`, open as reports whose numbers are those that the tools printed."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import DataError, UsageError

LOGS = Path(__file__).parent / "logs"
PRINTED = {tool.name: json.loads((tool / "printed.json").read_text()) for tool in sorted(LOGS.iterdir())}
SAMPLES = next((LOGS / "lm_eval").glob("samples_wb_facts_2*.jsonl"))
ROUNDED = 6e-5  # lm-eval prints four digits ...
SHORTER = 6e-4  # ... and Inspect three


def accuracy(report: wb.Report, group: str = "all") -> float:
    """Return the accuracy of all rows, of those without a confidence too."""
    lines = report.metrics.query("group == @group").set_index("metric")["value"]
    return float(lines.get("accuracy_of_all", lines["accuracy"]))


def opened(folder: str, **options: Any) -> wb.Report:
    """Return the report of a log."""
    return wb.from_predictions(wb.read_predictions(LOGS / folder, **options))


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    """Give what copies a log's lines, each through a function, into a folder of its own."""

    def copied(source: Path, change: Callable[[dict[str, Any]], Any], name: str = "") -> Path:
        target = tmp_path / (name or source.name)
        lines = [change(json.loads(line)) for line in source.read_text().splitlines()]
        target.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return target

    return copied


# -- lm-evaluation-harness ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "metric", "key"),
    [
        ("wb_facts", None, "acc,none"),
        ("wb_facts", "acc_norm", "acc_norm,none"),
        ("wb_facts_written", "exact_match,first-word", "exact_match,first-word"),
        ("wb_facts_written", "exact_match,strict", "exact_match,strict"),
    ],
)
def test_lm_eval_gives_the_numbers_it_printed(task: str, metric: str | None, key: str) -> None:
    """Accuracy by argmax, by length, and of written answers under each filter."""
    report = opened("lm_eval", task=task, metric=metric)

    assert accuracy(report) == pytest.approx(PRINTED["lm_eval"][key], abs=ROUNDED)
    printed = report.tables["printed"].set_index("metric")
    assert printed.loc[key, "printed"] == pytest.approx(printed.loc[key, "rows"], abs=1e-12)
    assert len(report.rows) == 24
    assert report.record.model["name"] == "smollm2"


def test_lm_eval_log_likelihoods_become_logits() -> None:
    """The logits are the logged numbers, per character for acc_norm, and the confidence is their softmax."""
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    raw = np.array([[float(one[0]) for one in row["filtered_resps"]] for row in rows])
    lengths = np.array([[len(choice) for choice in row["doc"]["choices"]] for row in rows])
    plain, normed = (opened("lm_eval", task="wb_facts", metric=name) for name in ("acc", "acc_norm"))

    assert np.array(plain.rows["logits"].tolist()) == pytest.approx(raw)
    assert np.array(normed.rows["logits"].tolist()) == pytest.approx(raw / lengths)
    p = np.exp(raw - raw.max(axis=1, keepdims=True))
    assert plain.rows["confidence"].tolist() == pytest.approx((p / p.sum(axis=1, keepdims=True)).max(axis=1))
    assert plain.rows["choices"].iloc[0] == rows[0]["doc"]["choices"]
    assert {"ece", "nll", "auroc"} <= set(plain.metrics["metric"])


def test_two_metrics_of_a_log_are_compared_and_sliced() -> None:
    """A report of a log can be sliced by what the log says of its documents, and compared with another."""
    predictions = wb.read_predictions(LOGS / "lm_eval", task="wb_facts")
    report = wb.from_predictions(predictions, by=["domain"])
    domain = predictions.frame["domain"].iloc[0]
    mine = predictions.frame[predictions.frame["domain"] == domain]
    assert accuracy(report, f"domain={domain}") == mine["correct"].mean()

    found = wb.compare(opened("lm_eval", task="wb_facts", metric="acc_norm"), report, draws=0).metrics
    line = found[(found["metric"] == "accuracy") & (found["group"] == "all")].iloc[0]
    assert line["difference"] == pytest.approx(
        PRINTED["lm_eval"]["acc_norm,none"] - PRINTED["lm_eval"]["acc,none"], abs=2 * ROUNDED
    )


def test_tasks_are_chosen_or_taken_together() -> None:
    """A folder of several tasks names them; a pattern takes them together, with the task as slice."""
    with pytest.raises(UsageError, match="2 tasks: 'wb_facts', 'wb_facts_written'. Choose with task="):
        wb.read_predictions(LOGS / "lm_eval")
    with pytest.raises(UsageError, match="Did you mean 'wb_facts'"):
        wb.read_predictions(LOGS / "lm_eval", task="wb_fact")
    report = opened("lm_eval", task="wb_*")

    assert len(report.rows) == 48
    assert report.by == ("task",)
    assert accuracy(report, "task=wb_facts") == pytest.approx(PRINTED["lm_eval"]["acc,none"], abs=ROUNDED)


def test_older_samples_give_the_same_frame(copy: Callable[..., Path]) -> None:
    """Arguments as lists, numbers as numbers, no list of metrics, no filter, one JSON list: as versions before 0.4.3 wrote."""

    def older(row: dict[str, Any]) -> dict[str, Any]:
        pairs = [list(one.values()) for one in row["arguments"].values()]
        answers = [[float(one[0]), one[1] == "True"] for one in row["filtered_resps"]]
        kept = {name: row[name] for name in ("doc_id", "doc", "target", "acc", "acc_norm")}
        return {
            **kept,
            "target": int(row["target"]),
            "arguments": pairs,
            "resps": [[a] for a in answers],
            "filtered_resps": answers,
        }

    path = copy(SAMPLES, older, "pretrained__smollm2_wb_facts.jsonl")
    listed = path.with_name("listed.jsonl")
    listed.write_text(json.dumps([json.loads(line) for line in path.read_text().splitlines()], indent=2))
    new = wb.read_predictions(SAMPLES).frame
    for one in (path, listed):
        old = wb.read_predictions(one)
        assert old.frame["logits"].tolist() == new["logits"].tolist()
        assert old.frame["correct"].tolist() == new["correct"].tolist()
        assert "There is no results file beside this log" in old.notes[0]


def test_a_verdict_that_the_numbers_do_not_give_is_kept_and_said(copy: Callable[..., Path]) -> None:
    """Where the tool's value is not the argmax of its log-likelihoods, the tool's value counts, and the first row is named."""
    first = {"doc_id": 0}
    path = copy(SAMPLES, lambda row: {**row, "acc": 1 - row["acc"]} if row["doc_id"] == first["doc_id"] else row)
    report = wb.from_predictions(wb.read_predictions(path))
    truth = [json.loads(line)["acc"] for line in path.read_text().splitlines()]

    assert accuracy(report) == np.mean(truth)
    assert any("In 1 rows, the first" in note and "line 1" in note for note in report.notes)
    assert report.rows["confidence"].notna().all()


def test_a_row_that_fails_is_named(copy: Callable[..., Path]) -> None:
    """A broken line, a missing field, an answer without a number: file and line, in one error."""
    broken = copy(SAMPLES, lambda row: row)
    lines = broken.read_text().splitlines()
    lines[2] = lines[2][:200]
    broken.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"samples_wb_facts_.*\.jsonl, line 3: not JSON"):
        wb.read_predictions(broken)
    path = copy(SAMPLES, lambda row: {k: v for k, v in row.items() if k != "arguments"})
    with pytest.raises(DataError, match="line 1: there is no arguments"):
        wb.read_predictions(path)
    path = copy(SAMPLES, lambda row: {**row, "filtered_resps": row["filtered_resps"][:2]})
    with pytest.raises(DataError, match="line 1: 2 answers for 4 requests"):
        wb.read_predictions(path)


def test_a_graded_metric_needs_to_know_what_is_right(copy: Callable[..., Path]) -> None:
    """A score between 0 and 1 is neither right nor wrong until `right` says so."""
    source = next((LOGS / "lm_eval").glob("samples_wb_facts_written*.jsonl"))
    path = copy(source, lambda row: {**row, "exact_match": row["doc_id"] / 24})
    with pytest.raises(UsageError, match=r"line 2 has exact_match = 0.04.*right=0.5"):
        wb.read_predictions(path)
    frame = wb.read_predictions(path, right=0.5).frame

    assert frame["correct"].tolist() == [float(k >= 12) for k in range(24)]
    assert frame["value"].tolist() == [k / 24 for k in range(24)]


def test_a_document_that_repeats_is_a_variant(tmp_path: Path) -> None:
    """Two lines of one document are two rows of one example, none dropped."""
    path = tmp_path / SAMPLES.name
    path.write_text(SAMPLES.read_text() * 2)
    report = wb.from_predictions(wb.read_predictions(path))

    assert len(report.rows) == 48
    assert report.rows["example"].nunique() == 24
    assert set(report.rows["variant"]) == {"", "again 2"}


# -- Inspect -----------------------------------------------------------------------------------------------------------


def test_inspect_gives_the_numbers_it_printed() -> None:
    """A zip with letters and their probabilities, a zip with two epochs and two scorers, and a JSON log."""
    said = PRINTED["inspect"]
    letters = opened("inspect", task="facts")
    assert accuracy(letters) == pytest.approx(said["facts 0"], abs=SHORTER)
    assert letters.rows["confidence"].between(0, 1).any()
    assert "ece" in set(letters.metrics["metric"])

    for at, scorer in enumerate(("includes", "match")):
        written = opened("inspect", task="facts_written", metric=scorer)
        assert accuracy(written) == pytest.approx(said[f"facts_written {at}"], abs=SHORTER)
        assert len(written.rows) == 12
        assert set(written.rows["variant"]) == {"", "epoch 2"}
        assert set(written.metrics["metric"]) == {"accuracy"}
    assert accuracy(opened("inspect", task="facts_short")) == pytest.approx(said["facts_short 0"], abs=SHORTER)
    for report in (letters, written):
        lines = report.tables["printed"].query("metric.str.endswith('accuracy')")
        assert lines["printed"].tolist() == pytest.approx(lines["rows"].tolist(), abs=1e-12)


def test_a_letter_has_the_probability_of_its_token() -> None:
    """The confidence in a letter is the exponential of the log-probability that the log gives its token."""
    from workbench.data._logs._files import Archive

    path = next((LOGS / "inspect").glob("*_facts_*.eval"))
    archive = Archive(path)
    frame = wb.read_predictions(path).frame.set_index("example")
    seen = 0
    for name in archive.members:
        if not name.startswith("samples/"):
            continue
        sample = archive.json(name)
        for token in sample["output"]["choices"][0]["logprobs"]["content"]:
            letter = token["token"].replace("Ġ", "").strip()
            row = frame.loc[sample["id"]]
            if letter and letter == str(row["predicted"]).strip()[:1] and row["confidence"] == row["confidence"]:
                assert row["confidence"] == pytest.approx(np.exp(token["logprob"]))
                seen += 1
    assert seen >= 5


def test_old_inspect_logs_open(tmp_path: Path) -> None:
    """One scorer for the whole log, deflated members, `score` in place of `scores`: as the first versions wrote."""
    sample = {
        "id": 1,
        "epoch": 1,
        "input": [{"role": "user", "content": "2 + 2?"}],
        "target": "4",
        "output": {"completion": "4"},
    }
    samples = [{**sample, "id": k, "score": {"value": value}} for k, value in enumerate(["C", "I", "N", "C"])]
    results = {"scorer": {"name": "match"}, "metrics": {"accuracy": {"name": "accuracy", "value": 0.5}}}
    header = {"version": 1, "status": "success", "eval": {"task": "sums", "model": "openai/x"}, "results": results}
    whole = tmp_path / "old.json"
    whole.write_text(json.dumps({**header, "samples": samples}))
    packed = tmp_path / "old.eval"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_1.json", json.dumps(one))
    for path in (whole, packed):
        predictions = wb.read_predictions(path)
        assert predictions.frame["correct"].tolist() == [1, 0, 0, 1]
        assert predictions.frame["text"].tolist() == ["2 + 2?"] * 4
        assert predictions.printed[["metric", "printed", "rows"]].values.tolist() == [["match/accuracy", 0.5, 0.5]]
        assert not [note for note in predictions.notes if "printed" in note]


def test_a_sample_without_a_score_is_counted(tmp_path: Path) -> None:
    """A run that failed keeps its samples; those without a score have no outcome, and the note names the first and the reason."""
    header = {
        "version": 2,
        "status": "error",
        "error": {"message": "out of money"},
        "eval": {"task": "t", "model": "m"},
    }
    scored = {"id": "a", "epoch": 1, "input": "x", "target": "y", "output": {}, "scores": {"match": {"value": 1}}}
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({**header, "samples": [scored, {**scored, "id": "b", "scores": {}}]}))
    predictions = wb.read_predictions(path)

    assert predictions.frame["correct"].isna().tolist() == [False, True]
    assert "status 'error': out of money" in predictions.notes[0]
    assert "1 samples have no score, the first 'b'" in predictions.notes[1]
    assert accuracy(wb.from_predictions(predictions)) == 1.0


def test_zips_that_are_no_logs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip of something else, a damaged one, a member that is too large: one error each, nothing unpacked beyond the limit."""
    other = tmp_path / "other.eval"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("data.pkl", b"x")
    with pytest.raises(DataError, match=r"zip without header.json"):
        wb.read_predictions(other)
    real = next((LOGS / "inspect").glob("*_facts_*.eval"))
    damaged = tmp_path / "damaged.eval"
    damaged.write_bytes(real.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"damaged.eval is not a whole zip file"):
        wb.read_predictions(damaged)
    monkeypatch.setattr("workbench.data._logs._files.MOST_MEMBER", 1000)
    with pytest.raises(DataError, match="too large for a log's sample|cannot be unpacked"):
        wb.read_predictions(real)


# -- HELM and garak ----------------------------------------------------------------------------------------------------


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


# -- which log it is ---------------------------------------------------------------------------------------------------


def test_what_is_no_log_is_said(tmp_path: Path) -> None:
    """A table, an empty folder, a file that is not there, a wrong format: each says what is known."""
    table = tmp_path / "table.jsonl"
    table.write_text('{"text": "a"}\n')
    with pytest.raises(
        DataError, match=r"table.jsonl is no log that is known. Known are lm-evaluation-harness .*garak"
    ):
        wb.read_predictions(table)
    with pytest.raises(DataError, match="holds no log of a tool that is known"):
        wb.read_predictions(tmp_path)
    with pytest.raises(DataError, match=r"There is no .*nowhere"):
        wb.read_predictions(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="Unknown format of a log 'lm_eval'. Did you mean 'lm-eval'"):
        wb.read_predictions(SAMPLES, format="lm_eval")
    with pytest.raises(UsageError, match="There are logs of"):
        wb.read_predictions(LOGS)
    assert len(wb.read_predictions(SAMPLES, format="lm-eval")) == 24


def test_a_report_of_a_log_is_kept_and_opened(tmp_path: Path) -> None:
    """Saved and opened again, the report still holds what the tool printed, and says how it was read."""
    report = opened("garak", task="lmrc.Bullying")
    again = wb.open(report.save(tmp_path / "log"))

    assert again.tables["printed"].equals(report.tables["printed"])
    assert "wb.read_predictions(" in again.record.command
    assert again.record.data["tool"] == "garak"
