"""Writes text with a causal language model: left-padded batches, a key-value cache, one random stream per prompt."""

import inspect
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from workbench.errors import DataError, ModelError
from workbench.models._adapt import Store, batches, run_batches
from workbench.models._masks import past_name
from workbench.models.requests import front_tokens, prefix_token
from workbench.models.verbs import Generations, Monitor

BUDGET = {"cpu": 2048}  # tokens of a batch, prompt and answer together
BUDGET_ELSEWHERE = 65536
SPARE_TOKENS = 4  # read beside the longest stop string: characters whose bytes lie in several tokens


@dataclass(frozen=True)
class Generation:
    """How to write."""

    max_tokens: int
    temperature: float
    stop: tuple[str, ...]


class Stopped(Exception):
    """The monitor asked to stop in the middle of a batch."""


class Writer:
    """Writes continuations with one model."""

    def __init__(self, model: Any, tokenizer: Any, *, max_length: int | None) -> None:
        self.model, self.tokenizer, self.max_length = model, tokenizer, max_length
        self.device = model.device
        accepted = inspect.signature(model.forward).parameters
        anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
        self._positions = "position_ids" in accepted
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted or anything else {}
        self._past = past_name(model)
        self._ends = self._end_tokens()

    def encode(self, prompts: Sequence[str], *, chat: bool) -> list[tuple[int, ...]]:
        """Return the token ids of each prompt, with BOS where the tokenizer puts it; an empty prompt is BOS, else EOS."""
        if chat:
            texts = [
                self.tokenizer.apply_chat_template(
                    [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
                )
                for prompt in prompts
            ]
        else:
            texts = list(prompts)
        front = () if chat else front_tokens(self.tokenizer)  # a template writes its own
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
        made = []
        for ids in map(tuple, encoded):
            whole = ids if ids[: len(front)] == front else (*front, *ids)
            made.append(whole or (prefix_token(self.tokenizer),))
        return made

    def write(
        self,
        prompts: Sequence[tuple[int, ...]],
        plan: Generation,
        seeds: Sequence[int],
        store: Store,
        monitor: Monitor,
    ) -> Generations:
        """Return the texts in the order of the prompts; those not done, since the person stopped, are None."""
        self._check_lengths(prompts, plan)
        n = len(prompts)
        texts: list[str | None] = [None] * n
        logp = np.full(n, np.nan)
        # a greedy answer does not depend on the seed

        def so_far() -> Generations:
            held = tuple(texts)
            return Generations(held, logp.copy(), np.array([text is not None for text in held], dtype=bool))

        names = [json.dumps([ids, seed if plan.temperature else 0]) for ids, seed in zip(prompts, seeds, strict=True)]
        try:
            monitor.start(n, "prompts")
            for i, answer in store.find(names).items():
                texts[i], logp[i] = json.loads(answer)
            left = [i for i in range(n) if texts[i] is None]
            if n - len(left):
                monitor.advance(n - len(left), cached=n - len(left), answers=so_far)

            def run(batch: list[int]) -> None:
                started = time.perf_counter()
                written, sums, count = self._batch(
                    [prompts[i] for i in batch], [seeds[i] for i in batch], plan, monitor
                )
                for i, text, total in zip(batch, written, sums, strict=True):
                    texts[i], logp[i] = text, total
                store.keep({names[i]: json.dumps([texts[i], logp[i]]).encode() for i in batch})
                rate = count / max(time.perf_counter() - started, 1e-9)
                monitor.advance(len(batch), tokens_per_second=rate, answers=so_far)

            budget = BUDGET.get(self.device.type, BUDGET_ELSEWHERE)
            cut = batches([len(prompts[i]) + plan.max_tokens for i in left], budget)
            run_batches([[left[i] for i in batch] for batch in cut], run, monitor, what="prompt")
        except (KeyboardInterrupt, Stopped):
            pass
        finally:
            monitor.finish()
        return so_far()

    @torch.inference_mode()
    def _batch(
        self, prompts: list[tuple[int, ...]], seeds: list[int], plan: Generation, monitor: Monitor
    ) -> tuple[list[str], list[float], int]:
        """Return texts, sums of log p and the number of tokens drawn for one batch."""
        n, width = len(prompts), max(map(len, prompts))
        # Any id will do where the mask is 0, so a tokenizer without a pad token is no special case.
        ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=self.device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self.device)
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        tokens: list[list[int]] = [[] for _ in range(n)]
        sums, going, texts = [0.0] * n, [True] * n, [""] * n
        past = None
        for _ in range(plan.max_tokens):
            if monitor.stopped:
                raise Stopped
            logits, past = self._step(ids, mask, past)
            picked, logp = self._pick(logits, draws, plan.temperature)
            for row in (row for row in range(n) if going[row]):
                if not np.isfinite(logp[row]):
                    raise ModelError(
                        f"The model gave NaN logits in {self.model.dtype}. Load it with dtype='float32', or on another device."
                    )
                tokens[row].append(picked[row])
                sums[row] += logp[row]
                going[row] = picked[row] not in self._ends and not self._stops(tokens[row], plan.stop)
            if not any(going):
                break
            ids = torch.tensor(picked, device=self.device)[:, None]
            mask = torch.cat([mask, mask.new_ones(n, 1)], dim=1)
        for row in range(n):
            texts[row] = self._cut(self._decode(tokens[row]), plan.stop)
        return texts, sums, sum(map(len, tokens))

    def _step(self, ids: Any, mask: Any, past: Any) -> tuple[Any, Any]:
        """Return the logits (n, vocabulary) after the last token, float32, and the key-value cache."""
        given: dict[str, Any] = (
            {"position_ids": (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]} if self._positions else {}
        )
        given[self._past] = past
        out = self.model(input_ids=ids, attention_mask=mask, use_cache=True, **given, **self._last_only)
        return out.logits[:, -1].float(), getattr(out, self._past)

    def _pick(self, logits: Any, draws: list[Any], temperature: float) -> tuple[list[int], list[float]]:
        """Return a token for each row and its log p at temperature 1.

        The draw inverts the cumulative distribution at one uniform number per row, in float64: rounding that differs with the
        batch moves a draw only if it falls within that rounding of a boundary.
        """
        logits = logits.double() if logits.device.type != "mps" else logits.cpu().double()
        if temperature == 0:
            picked = logits.argmax(-1)
        else:
            # after subtracting the largest, a small temperature cannot overflow
            cumulative = torch.softmax((logits - logits.amax(-1, keepdim=True)) / temperature, -1).cumsum(-1)
            uniform = torch.stack([torch.rand((), generator=draw, dtype=torch.float64) for draw in draws])
            wanted = uniform.to(logits.device)[:, None] * cumulative[:, -1:]
            picked = torch.searchsorted(cumulative, wanted, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
        logp = torch.log_softmax(logits, -1).gather(-1, picked[:, None])[:, 0]
        return picked.tolist(), logp.tolist()

    def _stops(self, tokens: list[int], stop: tuple[str, ...]) -> bool:
        """Return whether a stop string has just been completed; only the tail is read: a token is at least one byte."""
        if not stop:
            return False
        tail = max(len(text.encode()) for text in stop) + SPARE_TOKENS
        end = self._decode(tokens[-tail:])
        return any(text in end for text in stop)

    def _decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    @staticmethod
    def _cut(text: str, stop: tuple[str, ...]) -> str:
        """Return the text before the first stop string."""
        return text[: min((at for each in stop if (at := text.find(each)) >= 0), default=len(text))]

    def _end_tokens(self) -> frozenset[int]:
        """Return the tokens that end a text: those of the generation settings and the tokenizer's EOS."""
        named = getattr(getattr(self.model, "generation_config", None), "eos_token_id", None)
        several = named if isinstance(named, (list, tuple)) else [named]
        return frozenset(int(t) for t in [*several, self.tokenizer.eos_token_id] if t is not None)

    def _check_lengths(self, prompts: Sequence[tuple[int, ...]], plan: Generation) -> None:
        for i, ids in enumerate(prompts):
            if (
                self.max_length is not None and len(ids) + plan.max_tokens > self.max_length + 1
            ):  # the last is never read
                raise DataError(
                    f"Prompt {i} has {len(ids):,} tokens; with max_tokens={plan.max_tokens} that is more than the "
                    f"{self.max_length:,} the model reads. Shorten the prompt or lower max_tokens."
                )
