"""lm-evaluation-harness's HFLM in its own environment, float32 on the CPU. Arguments: folder of the model, threads, batch size."""

import logging
import os
import sys
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from lm_eval import __version__
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from served import serve

folder, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
logging.getLogger("lm_eval").setLevel(logging.ERROR)
torch.set_num_threads(threads)
lm = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=batch)


def work(requests: list[list[str]]) -> dict[str, Any]:
    """Return log p of each request, as its own tasks ask for it."""
    asked = [Instance("loglikelihood", {}, tuple(each), at) for at, each in enumerate(requests)]
    return {"logp": [logp for logp, _ in lm.loglikelihood(asked, disable_tqdm=True)]}


serve(
    work,
    {"version": __version__, "dtype": str(lm.model.dtype), "attention": lm.model.config._attn_implementation},
    list(lm.model.parameters()),
)
