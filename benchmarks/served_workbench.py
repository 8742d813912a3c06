"""Workbench's side of the scoring benchmarks: `model.score` in a process of its own. Arguments: model, threads."""

import dataclasses
import sys
from typing import Any

import torch
from served import serve

import workbench as wb
from workbench.models.verbs import Request

name, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model: Any = wb.load(name, cache=False, device="cpu", dtype="float32")


def work(requests: list[list[str]]) -> dict[str, Any]:
    """Return log p of each request, and the engine's own counts."""
    scores = model.score([Request(*each) for each in requests])
    assert scores.done.all()
    return {"logp": scores.total().tolist(), "counters": dataclasses.asdict(scores.counters)}


serve(work, {"notes": list(model.info.notes)}, list(model.model.parameters()))
