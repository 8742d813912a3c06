"""Device, dtype and memory are settled before anything is loaded."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from workbench.errors import ModelError, OutOfMemory, UsageError
from workbench.models import fit

CPU = torch.device("cpu")


def test_a_cpu_computes_in_float32() -> None:
    """bfloat16 is slow on CPUs without it, so it is taken only when asked."""
    assert ("float32", "bfloat16") == (fit.place("cpu").dtype_name, fit.place("cpu", torch.bfloat16).dtype_name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is missing without a GPU")
def test_cuda_without_a_gpu_is_refused() -> None:
    """Asking for a GPU that is not there says so."""
    with pytest.raises(UsageError, match="sees no CUDA GPU"):
        fit.place("cuda")


def test_size_is_read_from_headers(tmp_path: Path) -> None:
    """Floating tensors count in the dtype asked for, integers as they are."""
    tensors = {"a": torch.zeros(10, 3, dtype=torch.bfloat16), "b": torch.zeros(7, dtype=torch.int64)}
    save_file(tensors, tmp_path / "model.safetensors")

    assert 30 * 4 + 7 * 8 == fit.weight_bytes(tmp_path, torch.float32)
    assert 30 * 2 + 7 * 8 == fit.weight_bytes(tmp_path, torch.bfloat16)


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    """A file that is cut short, or is none at all, is not read as an empty model."""
    save_file({"a": torch.zeros(10)}, tmp_path / "model.safetensors")
    whole = (tmp_path / "model.safetensors").read_bytes()
    for content in (whole[:-1], whole[:5], b"not a model at all", b""):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(ModelError, match="not a whole safetensors file"):
            fit.weight_bytes(tmp_path, torch.float32)


def test_what_does_not_fit_is_refused_with_the_numbers() -> None:
    """The message has the need, the free memory and, where it helps, the smaller dtype."""
    with pytest.raises(
        OutOfMemory,
        match=r"big needs about 10.6 GiB on cpu \(10.0 GiB .* 6.0 GiB are free. Load it with dtype='bfloat16'",
    ):
        fit.check_fit("big", 10 * 2**30, fit.place("cpu"), free=lambda device: 6 * 2**30)
    with pytest.raises(OutOfMemory) as caught:
        fit.check_fit("big", 10 * 2**30, fit.place("cpu"), free=lambda device: 2 * 2**30)
    assert "bfloat16" not in str(caught.value)


def test_free_memory_heeds_a_control_group(tmp_path: Path) -> None:
    """The tightest limit on the way up counts; dropped file pages are free; no limit is no figure."""
    inner = tmp_path / "root" / "job" / "step"
    inner.mkdir(parents=True)
    (tmp_path / "self").write_text("0::/job/step\n")
    (inner / "memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("1000\n")
    (inner.parent / "memory.current").write_text("600\n")
    (inner.parent / "memory.stat").write_text("anon 350\ninactive_file 250\n")

    assert [650] == fit._limits_left(tmp_path / "self", tmp_path / "root")


def test_free_memory_heeds_the_first_kind_of_control_groups(tmp_path: Path) -> None:
    """Version 1 has other file names, and a huge number where there is no limit."""
    inner = tmp_path / "root" / "memory" / "job"
    inner.mkdir(parents=True)
    (tmp_path / "self").write_text("9:cpu:/\n4:memory:/job\n")
    (inner / "memory.limit_in_bytes").write_text("1000")
    (inner / "memory.usage_in_bytes").write_text("900")
    (inner.parent / "memory.limit_in_bytes").write_text(str(2**63 - 4096))

    assert [100] == fit._limits_left(tmp_path / "self", tmp_path / "root")


def test_free_memory_is_below_what_the_machine_has() -> None:
    """The figure is positive and plausible."""
    assert 0 < fit.free_memory(CPU) < 2**50
