"""Logs of other tools: real ones, of `benchmarks/peer_logs.py`, open as reports whose numbers are those that the tools printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.real_logs import LOGS, PRINTED, accuracy, opened

import workbench as wb
from workbench.errors import DataError, UsageError

SAMPLES = next((LOGS / "lm_eval").glob("samples_wb_facts_2*.jsonl"))
ROUNDED = 6e-5  # lm-eval prints four digits


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
