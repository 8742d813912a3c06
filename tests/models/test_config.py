"""Settings that change a model's numbers while its weights stay the same."""

import copy
import os
from pathlib import Path

import tiny

import workbench as wb
from workbench.models._config import settings_by_name
from workbench.models._weights import known_hash


def test_settings_are_told_by_name(tmp_path: Path) -> None:
    """Nested ones with a dot; names, versions and dropout are left out; a long value is a hash; a callable has none."""
    model = tiny.language_model()
    tokenizer = copy.deepcopy(tiny.tokenizer())  # the other tests' has no template
    tokenizer.chat_template = "x" * 100
    model.config.id2label = {i: f"label {i}" for i in range(1000)}
    model.config.text_config = {"depth": {"scale": 0.5}, "transformers_version": "5", "attn_pdrop": 0.1}
    found = settings_by_name(wb.load(model, tokenizer=tokenizer, cache=False))

    assert ("1e-06", "10000.0") == (found["rms_norm_eps"], found["rope_parameters.rope_theta"])
    assert "0.5" == found["text_config.depth.scale"]
    assert all(found[name].startswith("sha256 ") for name in ("id2label", "tokenizer.chat_template"))
    assert not [name for name in found if "version" in name or "drop" in name or "_name" in name or name == "dtype"]
    assert {} == settings_by_name(wb.load(lambda texts: [[1.0] for _ in texts], labels=["one"]))


def test_a_file_that_is_changed_behind_the_clock_is_hashed_again(tmp_path: Path) -> None:
    """The time of the last write is set back, as cp -p does; the hash is the new content's all the same."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"one")
    stat, before = path.stat(), known_hash(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert before != known_hash(path)
    assert stat.st_mtime_ns == path.stat().st_mtime_ns
