"""Models that come as packages: found without running them, put together once, and only if they are what is known."""

import hashlib
import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.errors import ModelError
from workbench.models import _packaged
from workbench.models._packaged import EMBEDDED, GEMMA, PACKAGED, Packaged, gguf_of
from workbench.models.load import NAMED, load
from workbench.models.verbs import Request


@pytest.fixture
def in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """Return a model in three parts, each in a package whose code would raise if it were run."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for at, content in enumerate((b"GGUF", b"weights", b"end")):
        data = tmp_path / "site" / f"tiny_part{at}" / "data"
        data.mkdir(parents=True)
        (data / f"tiny.gguf.part0{at}").write_bytes(content)
        (data.parent / "__init__.py").write_text("raise RuntimeError('this code must not run')")
    digest = hashlib.sha256(b"GGUFweightsend").hexdigest()
    return replace(GEMMA, name="tiny", modules=("tiny_part0", "tiny_part1", "tiny_part2"), file="t.gguf", sha256=digest)


def test_parts_are_put_together_once_and_in_order(in_parts: Packaged) -> None:
    """The file holds the parts in the order of the modules; the second call writes nothing; nothing else stays behind."""
    path = gguf_of(in_parts)
    assert path is not None
    first = path.stat().st_mtime_ns

    assert path.read_bytes() == b"GGUFweightsend"
    assert gguf_of(in_parts) == path
    assert path.stat().st_mtime_ns == first
    assert {each.name for each in path.parent.iterdir()} <= {"t.gguf", "t.gguf.lock"}


def test_a_damaged_file_is_made_again(in_parts: Packaged) -> None:
    """A file of another size or content is not taken for the model."""
    path = gguf_of(in_parts)
    assert path is not None
    for content in (b"GGUF", b"GGUFweightsEND"):
        path.write_bytes(content)

        assert gguf_of(in_parts) == path
        assert path.read_bytes() == b"GGUFweightsend"


def test_parts_that_are_not_what_is_known_are_refused(in_parts: Packaged) -> None:
    """Whatever a package says of itself, the checksum is ours; nothing stays in the cache."""
    with pytest.raises(ModelError, match=r"do not make the file that is known .*--force-reinstall"):
        gguf_of(replace(in_parts, sha256="0" * 64))
    assert not list((_packaged.cache_folder() / "models").glob("*.gguf"))


def test_a_missing_part_is_named(in_parts: Packaged) -> None:
    """Three of four parts are no model, and none is no error: the package is not installed."""
    with pytest.raises(ModelError, match="lacks the part 'tiny_part9'"):
        gguf_of(replace(in_parts, modules=(*in_parts.modules, "tiny_part9")))
    assert gguf_of(replace(in_parts, modules=("tiny_part8", "tiny_part9"))) is None


def test_the_short_names_are_those_of_the_packages() -> None:
    """`load` knows the names without reading the module, which would import torch."""
    assert tuple(PACKAGED) == NAMED
    assert all(name == model.name for name, model in PACKAGED.items())
    assert EMBEDDED.file == ""


TEXT = (
    "The river rises in the hills north of the town and flows south through farmland before it reaches the sea. In spring, when "
    "the snow melts, its water can rise by two metres in a single day, and the lower fields are often flooded for weeks."
)


@pytest.mark.slow
def test_gemma_reads_texts_after_its_first_token() -> None:
    """Gemma by its short name: plain English read after BOS has less than half the perplexity of that without."""
    if importlib.util.find_spec(GEMMA.modules[0]) is None:
        pytest.skip(f"Gemma is not installed: {GEMMA.pip_line}")
    model = load("gemma-3-270m", cache=False, device="cpu", dtype="float32")
    scores = model.score([Request("", TEXT)])
    ids = model.tokenizer(TEXT, add_special_tokens=False, return_tensors="pt")["input_ids"]

    with torch.inference_mode():
        logits = model.model(torch.cat([torch.tensor([[2]]), ids], dim=1)).logits[0, :-1]
        bare = model.model(ids).logits[0, :-1]
    direct = torch.log_softmax(logits.double(), -1).gather(1, ids[0][:, None]).sum().item()
    without = torch.log_softmax(bare.double(), -1).gather(1, ids[0][1:, None]).mean().item()

    assert any("Gemma Terms of Use" in note for note in model.info.notes)
    assert math.isclose(float(scores.total()[0]), direct, abs_tol=0.01)
    assert math.exp(-float(np.mean(scores.logp))) < 0.5 * math.exp(-without)
