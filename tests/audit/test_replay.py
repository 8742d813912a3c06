"""A frozen audit: written whole, checked by sha256sum, made again; whatever changed is named."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

import workbench as wb
from workbench.__main__ import main
from workbench.audit import _folder
from workbench.errors import DataError, UsageError

ATTACK = "<script>window.__xss=1</script> | [x](http://y)"


def predictions(n: int = 60) -> wb.Report:
    """Return a report of predictions in two languages."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "example": [f"e{i:02d}" for i in range(n)],
            "confidence": rng.beta(4, 1.2, n),
            "correct": rng.integers(0, 2, n),
            "language": np.where(np.arange(n) % 3 == 0, "de", "en"),
            "text": [f"{ATTACK} {i}" for i in range(n)],
        }
    )
    return wb.from_predictions(frame, by="language", name="trial", draws=50)


def signed_again(folder: Path) -> None:
    """Make the checksums anew, as one who covers a change would."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def kinds(made: "wb.replay.Replay") -> set[str]:  # type: ignore[name-defined]
    """Return the kinds of what changed."""
    return set(made.changes["kind"])


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the frozen audit of predictions; tests that change it copy it."""
    return wb.freeze(predictions(), to=tmp_path_factory.mktemp("frozen") / "audit", notes=ATTACK, pictures=False)


@pytest.fixture
def audit(frozen: Path, tmp_path: Path) -> Path:
    """Return a copy of the frozen audit, to be changed."""
    return Path(shutil.copytree(frozen, tmp_path / "audit"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny model, and the frozen audit of two reports on it: one sliced and held out, one a part."""
    home = tmp_path_factory.mktemp("asked")
    tiny.language_model().save_pretrained(home / "model")
    tiny.tokenizer().save_pretrained(home / "model")
    data = wb.Examples.of(
        [
            {"id": f"q{i}", "text": f"Is {i} even?", "choices": ["yes", "no"], "label": i % 2, "size": "ab"[i > 6]}
            for i in range(14)
        ]
    )
    model = wb.load(str(home / "model"))  # held until it is frozen, so that its tensors can be marked
    report = wb.run("calibration", model, data, by="size", holdout=0.3, draws=50, seed=4)
    report.log_selection("brush", "confidence 0.8-1.0", 4, name="sure", examples=["q1"])
    part = report.with_options(bins=5, by=["predicted"]).where(size="a")
    wb.freeze(report, part, to=home / "audit", pictures=False)
    return home


def test_sha256sum_checks_the_folder(frozen: Path) -> None:
    """Plain `sha256sum -c` agrees with every file, and every file is listed."""
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=frozen, capture_output=True, text=True, check=True)
    files = {path.relative_to(frozen).as_posix() for path in frozen.rglob("*") if path.is_file()} - {"SHA256SUMS"}

    assert files == {line.split(":")[0] for line in done.stdout.splitlines()}


def test_the_readme_shows_numbers_and_escapes_text(frozen: Path) -> None:
    """Intervals, n and limits stand in the README; text of data is no HTML and no link there."""
    page = (frozen / "README.md").read_text()

    assert "| Accuracy | 0.4" in page
    assert "What this cannot show:" in page
    assert "<script" not in page
    assert "[x](" not in page
    assert "python -m workbench replay ." in page


def test_a_folder_that_is_there_is_not_overwritten(audit: Path, tmp_path: Path) -> None:
    """A frozen audit is replaced only where that is asked, anything else never."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")

    with pytest.raises(UsageError, match="overwrite=True"):
        wb.freeze(predictions(), to=audit)
    with pytest.raises(UsageError, match="no frozen audit"):
        wb.freeze(predictions(), to=tmp_path / "mine", overwrite=True)
    wb.freeze(predictions(30), to=audit, overwrite=True, pictures=False)
    assert 30 == json.loads((audit / "audit.json").read_text())["reports"][0]["rows"]
    assert {"audit", "mine"} == {path.name for path in tmp_path.iterdir()}


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What fails half way leaves nothing behind."""
    files = {"a.txt": b"a", "b.txt": None}

    with pytest.raises(TypeError):
        _folder.write_folder(tmp_path / "audit", files, overwrite=False)  # type: ignore[arg-type]
    assert [] == list(tmp_path.iterdir())


def test_imported_predictions_are_computed_again_from_rows(frozen: Path) -> None:
    """Every number comes back to 1e-9, without any model."""
    made = wb.replay(frozen)

    assert 0 == made.code
    assert {"reproduced"} == set(made.metrics["verdict"])
    assert 1e-9 == made.metrics["tolerance"].max()
    assert len(made.metrics) > 20
    assert not len(made.rows)
    assert made.verdict in repr(made)
    assert "The predictions were made elsewhere" in repr(made)


def test_one_changed_byte_is_named(audit: Path) -> None:
    """A file that is not as its checksum says is named, and nothing is run unless that is asked."""
    path = next(audit.glob("reports/*/rows.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    made = wb.replay(audit)

    assert 2 == made.code
    assert str(path.relative_to(audit)) in set(made.changes["name"])
    assert () == made.told
    assert "--anyway" in repr(made)


def test_a_changed_row_is_named_even_where_checksums_were_made_anew(audit: Path) -> None:
    """The mark of the row gives it away; and if that is covered too, the numbers do."""
    path = next(audit.glob("reports/*/rows.parquet"))
    rows = pd.read_parquet(path)
    rows.loc[7, "confidence"] = 0.123
    rows.to_parquet(path, index=False)
    signed_again(audit)
    made, anyway = wb.replay(audit), wb.replay(audit, anyway=True)

    assert [("row", "e07", "changed")] == list(made.changes[["kind", "name", "now"]].itertuples(index=False, name=None))
    assert 2 == made.code == anyway.code
    assert "differs" in set(anyway.metrics["verdict"].str[:7])

    from workbench.audit.freeze import ROW_KEYS
    from workbench.data import kept

    marks = kept.marks_text(kept.marks_of(pd.read_parquet(path), ROW_KEYS), ROW_KEYS)
    path.with_name("marks.csv").write_bytes(marks)
    signed_again(audit)
    covered = wb.replay(audit)
    assert 1 == covered.code
    assert not covered.damaged
    assert "mean_confidence" in set(covered.metrics.query("verdict != 'reproduced'")["metric"])


def test_a_version_is_named_and_harmless_where_numbers_are_the_same(audit: Path) -> None:
    """Another numpy is said, once, though the record has an older one than the environment; the exit code speaks of the numbers."""
    for path, frozen in ((next(audit.glob("reports/*/report.json")), "1.0.0"), (audit / "environment.json", "1.1.0")):
        path.write_text(path.read_text().replace(f'"numpy": "{np.__version__}"', f'"numpy": "{frozen}"'))
    signed_again(audit)
    made = wb.replay(audit)

    assert [("version", "numpy", "1.1.0 and 1.0.0", np.__version__)] == [
        tuple(line)[1:] for line in made.changes.values
    ]
    assert 0 == made.code


def test_a_version_in_the_environment_is_named(audit: Path) -> None:
    """What numbers depend on has a line of its own, other packages one together; what is not installed now has none."""
    path = audit / "environment.json"
    told = json.loads(path.read_text())
    now = dict(told["packages"])
    told["packages"] |= {"scipy": "1.0.0", "tokenizers": "0.1", "not-here": "3"}
    path.write_text(json.dumps(told))
    signed_again(audit)
    made = wb.replay(audit)

    assert [
        ("version", "scipy", "1.0.0", now["scipy"]),
        ("version", "other packages", "", f"tokenizers 0.1 -> {now['tokenizers']}"),
    ] == list(made.changes[["kind", "name", "frozen", "now"]].itertuples(index=False, name=None))
    assert 0 == made.code


def test_a_run_is_made_again(asked: Path) -> None:
    """Model, data, options, slices, hold-out, seed, and the part that was taken: every number and row comes back."""
    made = wb.replay(asked / "audit")

    assert 0 == made.code, repr(made)
    assert all("run again on cpu" in told for told in made.told)
    assert 1e-4 == made.metrics["tolerance"].max()
    assert {"reproduced"} == set(made.metrics["verdict"])
    assert {"01-calibration-model", "02-calibration-model"} == set(made.metrics["report"])
    again = wb.open(asked / "audit" / "reports" / "01-calibration-model")
    assert ("q1",) == again.selected("sure")


def test_one_changed_weight_is_named(asked: Path, tmp_path: Path) -> None:
    """The model is not the one that was asked: its tensor is named, and the numbers that moved are shown."""
    model, kept = asked / "model", tmp_path / "kept"
    shutil.copytree(model, kept)
    changed = tiny.language_model()
    with torch.no_grad():
        changed.lm_head.weight[5] += 1.0
        changed.model.layers[0].mlp.down_proj.weight[1, 2] += 0.5
    changed.save_pretrained(model)
    try:
        made = wb.replay(asked / "audit")
    finally:
        shutil.rmtree(model)
        shutil.copytree(kept, model)

    assert 1 == made.code
    assert {"weights", "tensor"} <= kinds(made)
    named = set(made.changes.query("kind == 'tensor'")["name"])
    assert {"lm_head.weight", "model.layers.0.mlp.down_proj.weight"} == named
    assert (made.metrics["verdict"] != "reproduced").any()
    assert (made.rows["table"] == "rows").any()


def test_a_model_that_is_gone_leaves_the_rows(asked: Path, tmp_path: Path) -> None:
    """What cannot be run is said and gives code 2; the numbers are still computed from the rows."""
    (asked / "model").rename(tmp_path / "away")
    try:
        made, rows = wb.replay(asked / "audit"), wb.replay(asked / "audit", from_rows=True)
    finally:
        (tmp_path / "away").rename(asked / "model")

    assert 2 == made.code
    assert {"cannot run"} == kinds(made)
    assert {"reproduced"} == set(made.metrics["verdict"])
    assert 0 == rows.code


def test_a_changed_example_is_named(asked: Path, tmp_path: Path) -> None:
    """One text of the examples that are kept by value."""
    audit = Path(shutil.copytree(asked / "audit", tmp_path / "audit"))
    path = next(audit.glob("data/*.jsonl"))
    path.write_text(path.read_text().replace("Is 3 even?", "Is three even?"))
    signed_again(audit)
    made = wb.replay(audit)

    assert [("example", "q3", "changed")] == list(
        made.changes[["kind", "name", "now"]].itertuples(index=False, name=None)
    )
    assert 2 == made.code


def test_a_pack_that_changed_is_named(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack of this version holds another text under the same id: the example is named, and the run goes on."""
    pack = wb.pack("mini")
    report = wb.run("calibration", wb.load(str(asked / "model")), pack.sample(6), by=[], draws=50)
    audit = wb.freeze(report, to=tmp_path / "audit", pictures=False)
    assert not list(audit.glob("data/*.jsonl"))
    assert 0 == wb.replay(audit).code
    first = report.rows["example"].iloc[0]
    frame = pack.frame
    frame.loc[frame["example"] == first, "text"] += " Please?"
    monkeypatch.setattr("workbench.data.packs.pack", lambda _: wb.Examples(frame, name="mini", origin={"pack": "mini"}))
    made = wb.replay(audit)

    assert first in set(made.changes.query("kind == 'example'")["name"])
    assert 1 == made.code


def test_options_that_are_examples_are_kept(tmp_path: Path) -> None:
    """The reference of a shift report is data of the audit, and the run is made again with it."""
    rng = np.random.default_rng(1)
    new, old = (
        wb.Examples.of(
            [{"id": f"{name}{i}", "text": "t", "size": float(v)} for i, v in enumerate(rng.normal(mean, 1, 30))],
            name=name,
        )
        for name, mean in (("new", 0.5), ("old", 0.0))
    )
    report = wb.run("shift", None, new, reference=old, on="columns", columns=("size",), draws=50)
    audit = wb.freeze(report, to=tmp_path / "audit", pictures=False)
    made = wb.replay(audit)

    assert 2 == len(list(audit.glob("data/*.jsonl")))
    assert 0 == made.code, repr(made)
    assert "run again" in made.told[0]


def test_what_is_no_audit_is_refused(tmp_path: Path, audit: Path) -> None:
    """An empty folder, a path that leads out of it, a newer schema."""
    with pytest.raises(DataError, match="no frozen audit"):
        wb.replay(tmp_path)
    sums = audit / "SHA256SUMS"
    whole = sums.read_text()
    sums.write_text(f"{whole}{'0' * 64}  ../../etc/passwd\n")
    with pytest.raises(DataError, match="is not a checksum and a file"):
        wb.replay(audit)
    index = audit / "audit.json"
    sums.write_text(whole)
    told = index.read_text()
    index.write_text(told.replace('"key": "01-', '"key": "../01-'))
    signed_again(audit)
    with pytest.raises(DataError, match="which wb.freeze does not write"):
        wb.replay(audit)
    index.write_text(told)
    index.write_text(index.read_text().replace('"schema": 1', '"schema": 99', 1))
    signed_again(audit)
    with pytest.raises(DataError, match="Upgrade fm-workbench"):
        wb.replay(audit)


def test_the_command_line_gives_exit_codes(
    frozen: Path, audit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where all came back, with everything in a file; 2 where it is damaged, or is no audit."""
    (audit / "README.md").write_text("mine")

    assert 0 == main(["replay", str(frozen), "--json", str(tmp_path / "all.json")])
    told = json.loads((tmp_path / "all.json").read_text())
    assert ("Every number was reproduced.", 0) == (told["verdict"], told["code"])
    assert len(told["metrics"]) > 20
    assert 2 == main(["replay", str(audit)])
    assert 2 == main(["replay", str(tmp_path)])
    assert "no frozen audit" in capsys.readouterr().err
    assert 0 == main(["show", str(next(frozen.glob("reports/*"))), "--markdown"])
    assert "What this cannot show" in capsys.readouterr().out


def test_help_is_quick_and_needs_nothing_heavy() -> None:
    """`python -m workbench --help` loads neither torch nor pandas, and a missing command is code 2."""
    code = "import sys; from workbench.__main__ import main; print(main([]), {'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "2 set()" == done.stdout.splitlines()[-1]
    assert "replay" in done.stdout
    piped = subprocess.run(
        f"{sys.executable} -m workbench probes | true", shell=True, capture_output=True, check=True, text=True
    )
    assert "" == piped.stderr  # whoever reads may stop before the end


def test_what_was_confirmed_is_tested_again(tmp_path: Path) -> None:
    """A confirmed finding survives on the same rows, whichever way it was tested; on others it need not."""
    rng = np.random.default_rng(3)
    topic = np.tile(["a", "b"], 150)
    frame = pd.DataFrame(
        {"confidence": 0.8, "topic": topic, "correct": (rng.random(300) < np.where(topic == "a", 0.9, 0.4))}
    )
    report = wb.from_predictions(frame.astype({"correct": int}), by="topic", holdout=0.5, draws=50)
    report.log_selection("brush", "topic: b", 75, rule={"topic": "b"})
    report.confirm({"topic": "b"}, correction="bh", family="asked", direction="explored")
    report.confirm({"topic": "a"})
    report.confirm("topic: b", metric="correct", level=1e-30)
    audit = wb.freeze(report, to=tmp_path / "audit", pictures=False)

    def verdicts() -> list[str]:
        found = wb.replay(audit).findings
        return found["verdict"][found["finding"].str.match("confirmed|not confirmed")].tolist()

    assert ["survived"] * 3 == verdicts()
    log = next(audit.glob("reports/*/tables/selections.parquet"))
    older = pd.read_parquet(log).drop(columns=["correction", "family", "direction", "level", "counted"])
    older[older["status"] != "not confirmed"].to_parquet(log, index=False)
    signed_again(audit)
    assert ["survived"] * 2 == verdicts()

    path = next(audit.glob("reports/*/rows.parquet"))
    rows = pd.read_parquet(path)
    rows["correct"] = rows["correct"].to_numpy()[::-1].copy()
    rows["topic"] = np.where(np.arange(300) % 7 < 3, "a", "b")
    rows.to_parquet(path, index=False)
    signed_again(audit)
    assert 2 == wb.replay(audit, anyway=True).code
