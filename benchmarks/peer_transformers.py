"""A plain transformers loop, as most people write it: pad, run, softmax, gather.

Arguments: folder of the model, threads, batch size, dtype. With batch size 1 and float64 nothing is padded or shared, and it is
what the numbers of all others are checked against.
"""

import sys
from typing import Any

import torch
import transformers
from served import serve
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, threads, batch, dtype = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
model = model.to(getattr(torch, dtype))
first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id


def encoded(context: str, continuation: str) -> tuple[list[int], int]:
    """Return the ids, and how many are the context's (its ends in these tasks have no whitespace)."""
    if not context:
        return [first, *tokenizer(continuation, add_special_tokens=False)["input_ids"]], 1
    return tokenizer(context + continuation)["input_ids"], len(tokenizer(context)["input_ids"])


@torch.no_grad()
def work(requests: list[list[str]]) -> dict[str, Any]:
    """Return log p of each request, batch by batch in the order given."""
    found = []
    for start in range(0, len(requests), batch):
        some = [encoded(*each) for each in requests[start : start + batch]]
        longest = max(len(ids) for ids, _ in some)
        padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in some])
        mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in some])
        logp = model(input_ids=padded, attention_mask=mask, use_cache=False).logits.log_softmax(-1)
        for row, (ids, given) in enumerate(some):
            targets = torch.tensor(ids[given:])
            found.append(logp[row, given - 1 : len(ids) - 1].gather(1, targets[:, None]).sum().item())
    return {"logp": found}


serve(work, {"version": transformers.__version__, "dtype": str(model.dtype)}, list(model.parameters()))
