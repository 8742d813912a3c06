"""What sharing can gain at most, by counting operations: the bound that each measured ratio is judged by.

P is the number of positions that lm-evaluation-harness runs (batches sorted by length and padded; requests that are equal up to
their last token share a run), U that of distinct prefixes among the inputs of all requests, and N that of those that predict a
scored token. With A matrix parameters in the trunk and H in the head, each of two operations a position,

    bound = P (A + H) / (U A + N H)

Attention is left out, and so is memory traffic, of which a full table of logits takes much: a ratio can exceed the bound.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Ids(NamedTuple):
    """Token ids of a request; the first `given` are its context."""

    ids: tuple[int, ...]
    given: int


class Shape(NamedTuple):
    """Parameters of the matrices of a model: the trunk's and the head's."""

    trunk: int
    head: int


class Counts(NamedTuple):
    """Positions that lm-evaluation-harness runs (P), distinct input prefixes (U), those that predict a scored token (N)."""

    peer: int
    unique: int
    scored: int

    def bound(self, shape: Shape) -> float:
        """Return how many times fewer operations are needed than the peer uses."""
        whole = shape.trunk + shape.head
        return self.peer * whole / (self.unique * shape.trunk + self.scored * shape.head)


def encode(tokenizer: Any, requests: Sequence[tuple[str, str]]) -> list[Ids]:
    """Return the ids of requests whose contexts do not end in whitespace, an empty context as the first token."""
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    known: dict[str, list[int]] = {}
    texts = list(dict.fromkeys(text for context, rest in requests if context for text in (context, context + rest)))
    if texts:
        known = dict(zip(texts, tokenizer(texts)["input_ids"], strict=True))
    found = []
    for context, rest in requests:
        if context:
            found.append(Ids(tuple(known[context + rest]), len(known[context])))
        else:
            found.append(Ids((first, *tokenizer(rest, add_special_tokens=False)["input_ids"]), 1))
    return found


def count(requests: Sequence[Ids], batch: int = 8) -> Counts:
    """Return the counts of these requests."""
    tree: dict[tuple[int, int], int] = {}  # (node, token) -> node; node 0 is the root
    scored: set[int] = set()
    for ids, given in requests:
        node = 0
        for place, token in enumerate(ids[:-1]):
            node = tree.setdefault((node, token), len(tree) + 1)
            if place >= given - 1:
                scored.add(node)
    return Counts(padded(requests, batch), len(tree), len(scored))


def padded(requests: Sequence[Ids], batch: int) -> int:
    """Return the positions of lm-evaluation-harness 0.4.13's batches: `Collator` with group_by="contexts", in numbers."""
    groups: dict[tuple[int, ...], Ids] = {}
    for one in requests:
        kept = groups.setdefault(one.ids[:-1], one)
        if len(one.ids) - one.given > len(kept.ids) - kept.given:
            groups[one.ids[:-1]] = one
    order = sorted(groups.values(), key=lambda one: (-len(one.ids), one.ids))
    runs = [order[start : start + batch] for start in range(0, len(order), batch)]
    return sum(len(run) * (len(run[0].ids) - 1) for run in runs)


def shape(folder: Path) -> Shape:
    """Return the shape of a Llama or Gemma model from its config.json."""
    config = json.loads((folder / "config.json").read_text())
    width, inner = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"] * config["head_dim"]
    shared = config["num_key_value_heads"] * config["head_dim"]
    layer = 2 * width * heads + 2 * width * shared + 3 * width * inner
    return Shape(layer * config["num_hidden_layers"], config["vocab_size"] * width)
