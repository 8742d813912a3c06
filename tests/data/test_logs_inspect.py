"""Inspect's logs open as reports whose numbers are those that it printed."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data.real_logs import LOGS, PRINTED, accuracy, opened

import workbench as wb
from workbench.errors import DataError

SHORTER = 6e-4  # Inspect prints three digits


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
    path.write_text(json.dumps({**header, "version": 9, "samples": [scored]}))
    newer = wb.read_predictions(path)

    assert newer.notes[1].startswith("The log has version 9 of Inspect's format and is read as version 2")
    assert predictions.frame["correct"].isna().tolist() == [False, True]
    assert "status 'error': out of money" in predictions.notes[0]
    assert "1 sample has no score, the first 'b'" in predictions.notes[1]
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
    with pytest.raises(DataError, match=r"damaged.eval is not a whole zip file.*Copy the log again"):
        wb.read_predictions(damaged)
    damaged.write_bytes(b"")
    with pytest.raises(DataError, match=r"damaged.eval is empty"):
        wb.read_predictions(damaged)
    monkeypatch.setattr("workbench.data._logs._files.MOST_MEMBER", 1000)
    with pytest.raises(DataError, match="too large for a log's sample|cannot be unpacked"):
        wb.read_predictions(real)
