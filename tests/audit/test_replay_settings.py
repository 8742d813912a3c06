"""The same weights under other settings are another model: a replay names the setting."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny

import workbench as wb
from workbench.audit._changes import in_model


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny model, and the frozen audit of a report on it."""
    home = tmp_path_factory.mktemp("settings")
    tiny.language_model().save_pretrained(home / "model")
    tiny.tokenizer().save_pretrained(home / "model")
    data = wb.Examples.of(
        [{"id": f"q{i}", "text": f"Is {i} even?", "choices": ["yes", "no"], "label": i % 2} for i in range(8)]
    )
    wb.freeze(wb.run("calibration", wb.load(str(home / "model")), data, draws=20), to=home / "audit", pictures=False)
    return home


def edited(home: Path, **changes: Any) -> "wb.replay.Replay":  # type: ignore[name-defined]
    """Return what a replay says while the model's config.json has other values."""
    path = home / "model" / "config.json"
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), **changes}))
    try:
        return wb.replay(home / "audit")
    finally:
        path.write_text(before)


def test_a_changed_setting_of_the_same_weights_is_named(asked: Path) -> None:
    """Rope's base and the epsilon of norms: each with both values, and no weight is said to have changed."""
    made = edited(asked, rms_norm_eps=0.5, rope_parameters={"rope_theta": 20.0, "rope_type": "default"})

    assert 1 == made.code
    assert [
        ("setting", "rms_norm_eps", "1e-06", "0.5"),
        ("setting", "rope_parameters.rope_theta", "10000.0", "20.0"),
    ] == sorted(made.changes[["kind", "name", "frozen", "now"]].itertuples(index=False, name=None))
    assert (made.metrics["verdict"] != "reproduced").any()
    assert "setting   rope_parameters.rope_theta (01-calibration-model): 10000.0 -> 20.0" in repr(made)


def test_what_changes_no_number_is_no_change(asked: Path) -> None:
    """Whether a cache is used, dropout, and who wrote the file."""
    made = edited(
        asked, use_cache=False, attention_dropout=0.3, transformers_version="4.0.0", _name_or_path="elsewhere"
    )

    assert (0, []) == (made.code, made.changes["kind"].tolist()), repr(made)


def test_a_changed_chat_template_is_named(asked: Path) -> None:
    """The tokenizer's ids are as they were; how it writes a chat is not."""
    path = asked / "model" / "chat_template.jinja"
    path.write_text("{% for one in messages %}{{ one.content }}{% endfor %}")
    try:
        made = wb.replay(asked / "audit")
    finally:
        path.unlink()

    assert [("setting", "tokenizer.chat_template", "none")] == list(
        made.changes[["kind", "name", "frozen"]].itertuples(index=False, name=None)
    )


def test_a_record_without_settings_says_that_they_were_not_compared(asked: Path, tmp_path: Path) -> None:
    """A folder that an earlier version froze is replayed as before; that its settings were not compared is a line."""
    audit = Path(shutil.copytree(asked / "audit", tmp_path / "audit"))
    path = next(audit.glob("reports/*/report.json"))
    told = json.loads(path.read_text())
    assert "rms_norm_eps" in told["record"]["model"].pop("config")
    path.write_text(json.dumps(told))
    made = wb.replay(audit, anyway=True)
    found = made.changes.query("kind == 'not compared'")

    assert ["its settings, which this older record lacks"] == found["now"].tolist()
    assert {"reproduced"} == set(made.metrics["verdict"])


def test_a_setting_that_only_another_transformers_has_is_not_held_against_the_model(asked: Path) -> None:
    """After an upgrade a new setting is told apart from a changed one; without one it is a change."""
    model = wb.load(str(asked / "model"))
    frozen = json.loads(next(asked.glob("audit/reports/*/report.json")).read_text())["record"]["model"]
    lacking = {name: value for name, value in frozen["config"].items() if name != "mlp_bias"}
    old = {**frozen, "config": {**lacking, "hidden_act": "gelu"}}

    assert [("setting", "hidden_act"), ("setting", "mlp_bias")] == [
        (c.kind, c.name) for c in in_model("01", old, model, {})
    ]
    assert [
        ("setting", "gelu", "silu"),
        ("not compared", "", "settings that only one version of transformers has: mlp_bias"),
    ] == [(c.kind, c.frozen, c.now) for c in in_model("01", old, model, {}, upgraded=True)]
