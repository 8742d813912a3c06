"""llama.cpp by its Python binding, in its own environment. Arguments: file of the model in float32, threads, "bos" or "".

Requests are sorted, and the keys and values of what a request shares with the one before it are used again, which is as far as
the binding's `Llama` goes: one sequence at a time, the logits of every position.
"""

import sys
from typing import Any

import llama_cpp
import numpy as np
from served import serve

path, threads, bos = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "bos"
MOST = 1024  # tokens of a request
model = llama_cpp.Llama(
    path,
    n_ctx=MOST,
    n_threads=threads,
    n_threads_batch=threads,
    logits_all=True,
    type_k=llama_cpp.GGML_TYPE_F32,  # keys and values in half precision move log p by more than the tolerance
    type_v=llama_cpp.GGML_TYPE_F32,
    use_mmap=False,
    verbose=False,
)


def encoded(context: str, continuation: str) -> tuple[list[int], int]:
    """Return the ids, and how many are the context's; an empty context is the first token."""
    front = [model.token_bos()] if bos or not context else []
    whole, given = (
        front + model.tokenize(text.encode(), add_bos=False, special=True) for text in (context + continuation, context)
    )
    return whole, len(given)


def work(requests: list[list[str]]) -> dict[str, Any]:
    """Return log p of each request."""
    found = [0.0] * len(requests)
    before: list[int] = []
    for ids, given, at in sorted((*encoded(*each), at) for at, each in enumerate(requests)):
        inputs = ids[:-1]
        shared = next(
            (i for i, (a, b) in enumerate(zip(inputs, before, strict=False)) if a != b), min(len(inputs), len(before))
        )
        model.n_tokens = shared
        if inputs[shared:]:
            model.eval(inputs[shared:])
        before = inputs
        logits = model.scores[given - 1 : len(inputs)]
        top = logits.max(1)
        lse = top + np.log(np.exp(logits - top[:, None]).sum(1))
        found[at] = float((logits[np.arange(len(lse)), ids[given:]] - lse).sum())
    return {"logp": found}


serve(work, {"version": llama_cpp.__version__})
