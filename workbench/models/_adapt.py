"""What every adapter does alike: say which verb it has not, and cut work into batches."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.errors import NotApplicable, OutOfMemory
from workbench.models._weights import signature, state_hash
from workbench.models.cache import Cache, key
from workbench.models.verbs import Monitor, Silent

VERBS = {
    "choose": "score the choices of a question, which takes a language model",
    "score": "give log-likelihoods of text, which takes a language model",
    "generate": "write text, which takes a language model",
    "fill": "fill masked tokens, which takes a masked language model",
    "classify": "give class probabilities, which takes a classifier",
    "embed": "give vectors of texts, which takes an encoder, a language model or word vectors",
}


class VerbMissing(NotApplicable, AttributeError):
    """The model has not that verb. An AttributeError too, so that `hasattr` says False."""


def absent(model: Any, name: str) -> AttributeError:
    """Return the error for an attribute that an adapter has not: for a verb, `NotApplicable` with its reason."""
    if name not in VERBS:
        return AttributeError(f"{type(model).__name__!r} object has no attribute {name!r}")
    info = model.info
    return VerbMissing(
        f"{info.name} is a {info.kind}: it cannot {VERBS[name]}. It answers: {', '.join(sorted(model.verbs))}."
    )


def heard(monitor: Monitor | None) -> Monitor:
    """Return the monitor, or one that says nothing."""
    return Silent() if monitor is None else monitor


def batches(lengths: Sequence[int], token_budget: int, most: int = 256) -> list[list[int]]:
    """Return the positions in batches of similar length, longest first, each batch at most `token_budget` padded tokens.

    The longest comes first so that what does not fit in memory shows at once.

    >>> batches([1, 5, 2, 4], 10)
    [[1, 3], [2, 0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    made: list[list[int]] = []
    for i in order:
        last = made[-1] if made else []
        if last and len(last) < most and max(lengths[last[0]], 1) * (len(last) + 1) <= token_budget:
            last.append(i)
        else:
            made.append([i])
    return made


class Identity:
    """Which weights a model has now: what disk answers are kept under.

    A fingerprint of loaded weights holds until a person trains or loads into the model in place; then the weights are hashed
    anew. A model with hooks (steering, ablation) computes something else than its weights say, so nothing is kept for it.
    """

    def __init__(self, model: Any, fingerprint: str) -> None:
        self.model, self._fingerprint, self._signature = model, fingerprint, signature(model)

    def now(self) -> str:
        """Return the fingerprint, "" where nothing may be kept on disk."""
        if not self._fingerprint or any(map(has_hooks, self.model.modules())):
            return ""
        seen = signature(self.model)
        if seen != self._signature:
            self._fingerprint, self._signature = f"{state_hash(self.model)} {settings_of(self.model)}", seen
        return self._fingerprint


def has_hooks(module: Any) -> bool:
    """Return whether a module has hooks, but for those that transformers leaves where hidden states were asked for once."""
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    return any(getattr(hook, "__module__", "") != "transformers.utils.output_capturing" for hook in hooks)


def settings_of(model: Any) -> str:
    """Return the settings of a transformers model that change its numbers."""
    config = getattr(model, "config", None)
    values = config.to_dict() if config is not None else {}
    dropped = {"_name_or_path", "transformers_version"}
    return json.dumps({k: v for k, v in values.items() if k not in dropped}, sort_keys=True, default=str)


class Store:
    """Answers on disk of one verb of one model with one set of options; keeps nothing where the fingerprint is ""."""

    def __init__(self, cache: Cache | None, fingerprint: str, *parts: str) -> None:
        self._cache = cache if fingerprint else None
        self._header = key(fingerprint, *parts)

    def find(self, inputs: Sequence[str]) -> dict[int, bytes]:
        """Return what is known, by position in `inputs`."""
        if self._cache is None or not inputs:
            return {}
        keys = [key(self._header, each) for each in inputs]
        known = self._cache.get_many(keys)
        return {i: known[name] for i, name in enumerate(keys) if name in known}

    def keep(self, answers: Mapping[str, bytes]) -> None:
        """Keep answers, by input."""
        if self._cache is not None:
            self._cache.put_many({key(self._header, each): value for each, value in answers.items()})


def run_batches(
    work: Sequence[list[int]],
    run: Callable[[list[int]], None],
    monitor: Monitor,
    *,
    what: str = "text",
) -> None:
    """Run each batch, halving those that do not fit in memory; stop between batches when the monitor asks.

    Raises `OutOfMemory` where one input alone does not fit.
    """
    from workbench.models._memory import is_out_of_memory  # torch, which a callable does without

    waiting = list(reversed(work))
    while waiting and not monitor.stopped:
        batch = waiting.pop()
        said = ""
        try:
            run(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            said = str(error)
        if said:  # after the except block, where the traceback with its tensors is gone
            if len(batch) == 1:
                raise OutOfMemory(
                    f"One {what} alone does not fit in memory ({said}). Set a lower max_length, or load the model in a smaller "
                    "dtype; what was done before is kept."
                )
            waiting += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
