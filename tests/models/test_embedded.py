"""The embedded model: converted once, whole or not at all, and loaded fast after that."""

import json
import multiprocessing
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from model_fixtures import embedded_model  # noqa: F401 - a fixture

from workbench.errors import ModelError
from workbench.models import embedded
from workbench.models.load import load
from workbench.models.verbs import Question


def write_tiny(gguf: Path, folder: Path, dtype: str) -> None:
    """Stand in for the slow reading of a GGUF file: what is tested here is the copy's life."""
    with (gguf.parent / "made.txt").open("a") as log:
        log.write("made\n")
    time.sleep(0.3)
    tiny.language_model().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file to convert."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedded, "_write_plain", write_tiny)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF" * 10)
    return path


def times_made(gguf: Path) -> int:
    """Return how often the file was converted."""
    return len((gguf.parent / "made.txt").read_text().splitlines())


def test_a_file_is_converted_once(gguf: Path) -> None:
    """The second call finds the copy, and it loads."""
    first = embedded.convert(gguf)
    second = embedded.convert(gguf)

    assert (first, 1) == (second, times_made(gguf))
    assert load(gguf, device="cpu").verbs == {"score", "choose", "generate", "embed", "read"}
    assert times_made(gguf) == 1


def test_another_file_or_dtype_is_another_copy(gguf: Path) -> None:
    """The folder is keyed by content and dtype."""
    first = embedded.convert(gguf)
    half = embedded.convert(gguf, dtype="bfloat16")
    gguf.write_bytes(b"GGUF" * 11)

    assert len({first, half, embedded.convert(gguf)}) == 3


@pytest.mark.parametrize("harm", ["flip a byte", "cut", "delete", "no record"])
def test_a_damaged_copy_is_made_again(gguf: Path, harm: str) -> None:
    """At its first use in a process a copy is checked byte by byte."""
    folder = embedded.convert(gguf)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    match harm:
        case "flip a byte":
            content[-5] ^= 1
            weights.write_bytes(content)
        case "cut":
            weights.write_bytes(content[:-5])
        case "delete":
            (folder / "tokenizer.json").unlink()
        case "no record":
            (folder / embedded.RECORD).unlink()
    embedded._checked.clear()  # as in a new process

    assert not embedded.intact(folder)
    assert embedded.convert(gguf) == folder
    assert embedded.intact(folder)
    assert times_made(gguf) == 2


def test_verify_checks_every_byte_again(gguf: Path) -> None:
    """Damage after the first use is found when asked."""
    folder = embedded.convert(gguf)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (folder / "model.safetensors").write_bytes(content)

    embedded.convert(gguf, verify=True)
    assert times_made(gguf) == 2


def test_a_conversion_that_fails_leaves_nothing(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half copy stays behind, and the next call makes it."""

    def fail(gguf: Path, folder: Path, dtype: str) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise ModelError("no such architecture")

    monkeypatch.setattr(embedded, "_write_plain", fail)
    with pytest.raises(ModelError, match="no such architecture"):
        embedded.convert(gguf)
    monkeypatch.setattr(embedded, "_write_plain", write_tiny)
    folder = embedded.convert(gguf)

    assert {folder.name, f"{folder.name}.lock"} >= {path.name for path in folder.parent.iterdir()}


def test_a_full_disk_is_said_before_work(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The need and the free room stand in the message."""
    usage = shutil.disk_usage(gguf.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(ModelError, match="WORKBENCH_CACHE to a folder on a larger disk"):
        embedded.convert(gguf)


def _convert_in_process(gguf: str, made: Any) -> None:
    embedded._write_plain = write_tiny
    made.put(str(embedded.convert(Path(gguf))))


@pytest.mark.slow
def test_two_processes_convert_once(gguf: Path) -> None:
    """The second waits for the first and takes its copy."""
    context = multiprocessing.get_context("spawn")
    made = context.Queue()
    both = [context.Process(target=_convert_in_process, args=(str(gguf), made)) for _ in range(2)]
    for process in both:
        process.start()
    folders = {made.get(timeout=120) for _ in both}
    for process in both:
        process.join()

    assert (1, 1) == (len(folders), times_made(gguf))


def test_a_file_that_is_no_gguf_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file gives one error of ours."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"cannot read .*broken\.gguf"):
        load(path)


@pytest.mark.model
@pytest.mark.usefixtures("embedded_model")
def test_the_second_load_takes_seconds() -> None:
    """With the copy there, the model loads in a few seconds on a shared machine; GGUF takes more than 15."""
    start = time.perf_counter()
    load("smollm2-135m-instruct", cache=False)

    assert time.perf_counter() - start < 10


@pytest.mark.model
def test_the_model_knows_capitals(embedded_model: Any) -> None:  # noqa: F811 - the fixture
    """Among four choices the right one is the likeliest, by answer text and after its chat template too."""
    asked = {
        "The capital of France is": (" Paris", " Rome", " Madrid", " London"),
        "The capital of Japan is": (" Beijing", " Tokyo", " Seoul", " Bangkok"),
    }
    made = embedded_model.choose([Question(prompt, choices) for prompt, choices in asked.items()])

    assert [0, 1] == [int(logp.argmax()) for logp in made.logp]
    assert "Paris" in embedded_model.generate(["What is the capital of France?"], chat=True, max_tokens=24).texts[0]


@pytest.mark.model
def test_the_model_says_what_it_is(embedded_model: Any) -> None:  # noqa: F811 - the fixture
    """Size, dtype and the note on its origin stand in the info; the copy is whole."""
    info = embedded_model.info

    assert (134_515_008, "language model") == (info.parameters, info.kind)
    assert any("converted from SmolLM2-135M-Instruct.Q4_1.gguf" in note for note in info.notes)
    assert embedded.intact(embedded.convert(embedded.find()))


@pytest.mark.model
@pytest.mark.slow
def test_the_copy_computes_the_same_bits(embedded_model: Any) -> None:  # noqa: F811 - the fixture
    """Logits and token ids of the copy equal those of the model that transformers reads from GGUF."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gguf = embedded.find()
    assert gguf is not None
    where = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **where)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **where).eval()
    text = "In 1998 naïve café owners paid 12,345 € — 日本語 and 🎉 to <|im_start|>user"

    ids = tokenizer(text, return_tensors="pt")
    assert ids["input_ids"].tolist() == embedded_model.tokenizer(text, return_tensors="pt")["input_ids"].tolist()
    assert tokenizer.chat_template == embedded_model.tokenizer.chat_template
    with torch.inference_mode():
        assert torch.equal(model(**ids).logits, embedded_model.model(**ids).logits)


def test_the_record_names_every_file(gguf: Path) -> None:
    """What is checked is all there is."""
    folder = embedded.convert(gguf)
    record = json.loads((folder / embedded.RECORD).read_text())

    assert {path.name for path in folder.iterdir()} == {embedded.RECORD, *record["files"]}


# VmHWM, not ru_maxrss: Linux gives a new process the peak of the one that started it, here the whole run of tests.
PEAK = """
import re, torch, transformers
from workbench.models import _open, embedded, language
from workbench.models.load import load
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
model = load("smollm2-135m-instruct", cache=False, device="cpu")
print(peak() - before, model.info.bytes // 1024)
"""


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.usefixtures("embedded_model")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_takes_little_more_memory_than_the_weights() -> None:
    """The peak of a load and the engine's self-check is the weights and at most 320 MiB (tokenizer, first forward)."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    grown, weights = map(int, done.stdout.split())

    assert grown < weights + 320 * 1024
