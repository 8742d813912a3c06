"""What goes wrong while scoring: memory runs out, numbers are NaN, a model differs from what it promises, a person stops."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from workbench.errors import ModelError, OutOfMemory
from workbench.models._forward import Forward
from workbench.models._memory import is_out_of_memory, widened
from workbench.models.engine import Engine
from workbench.models.verbs import Request

REQUESTS = [*tiny.REQUESTS, *(Request(f"Twelve and {n} make", f" {n + 12}") for n in range(20))]


@pytest.fixture(autouse=True)
def _each_batch_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the head after every batch, as it is with real models, whose batches take longer."""
    monkeypatch.setattr("workbench.models.engine.HEAD", 1)


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """Return what the sound model gives."""
    return Engine(tiny.language_model(), tiny.tokenizer(), device="cpu").score(REQUESTS).logp


class Hears:
    """A monitor that notes what it is told and stops after some finished requests."""

    def __init__(self, stop_after: int = 10**9, *, interrupt: bool = False) -> None:
        self.heard: list[tuple[int, dict[str, Any]]] = []
        self.total, self.finished, self.stop_after, self.interrupt = 0, 0, stop_after, interrupt

    def start(self, total: int, unit: str) -> None:
        """Note the total."""
        self.total, self.unit = total, unit

    def advance(self, done: int, **facts: Any) -> None:
        """Note it; raise as Ctrl-C would."""
        self.heard.append((done, facts))
        if self.interrupt and self.done >= self.stop_after:
            raise KeyboardInterrupt

    def finish(self) -> None:
        """Count the ends."""
        self.finished += 1

    @property
    def done(self) -> int:
        """How many requests are finished."""
        return sum(done for done, _ in self.heard)

    @property
    def stopped(self) -> bool:
        """Ask to stop."""
        return not self.interrupt and self.done >= self.stop_after


def fails_above(model: Any, tokens: int, error: Exception) -> list[int]:
    """Make the decoder raise above that many tokens; return the list of the sizes it is asked for."""
    sizes: list[int] = []

    def hook(module: Any, args: Any, options: dict[str, Any]) -> None:
        sizes.append(options["input_ids"].numel())
        if sizes[-1] > tokens:
            raise error

    model.get_decoder().register_forward_pre_hook(hook, with_kwargs=True)
    return sizes


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
    ids=["cuda", "mps", "cpu", "python"],
)
def test_out_of_memory_makes_batches_smaller_and_changes_nothing_else(error: Exception, expected: np.ndarray) -> None:
    """The batch is put back and run in halves until it fits; numbers agree, and a note says so."""
    model = tiny.language_model()
    engine = Engine(model, tiny.tokenizer(), device="cpu")
    sizes = fails_above(model, 64, error)

    scores = engine.score(REQUESTS)

    assert scores.done.all()
    np.testing.assert_allclose(scores.logp, expected, atol=1e-4)
    assert scores.counters.oom_retries == sum(size > 64 for size in sizes) > 0
    assert engine.token_budget <= 64
    assert "memory ran out: batches were made smaller" in engine.notes
    before = len(sizes)
    assert engine.score(REQUESTS).counters.oom_retries == 0
    assert max(sizes[before:]) <= 64


def test_one_sequence_that_does_not_fit_is_an_error_with_its_length() -> None:
    """Nothing can be halved there; the message says what did not fit and what to do."""
    model = tiny.language_model()
    engine = Engine(model, tiny.tokenizer(), device="cpu")
    fails_above(model, 15, torch.OutOfMemoryError("no room"))

    with pytest.raises(
        OutOfMemory, match=r"One sequence of \d+ tokens does not fit .*no room.* Set a lower max_length"
    ):
        engine.score(REQUESTS)


def test_memory_that_is_gone_altogether_is_an_error() -> None:
    """Where not even the smallest row fits, halving ends."""
    model = tiny.language_model()
    engine = Engine(model, tiny.tokenizer(), device="cpu")
    fails_above(model, 0, torch.OutOfMemoryError("no room"))

    with pytest.raises(OutOfMemory, match=r"One sequence of \d+ tokens does not fit .*no room"):
        engine.score([Request("A B", f" {word}") for word in ("fox", "dog", "gold", "Paris")])


def test_other_errors_are_not_taken_for_memory() -> None:
    """A fault in the model comes through as it is, and the monitor hears the end."""
    model = tiny.language_model()
    engine = Engine(model, tiny.tokenizer(), device="cpu")
    fails_above(model, 15, RuntimeError("shape mismatch"))
    monitor = Hears()

    with pytest.raises(RuntimeError, match="shape mismatch"):
        engine.score(REQUESTS, monitor=monitor)

    assert monitor.finished == 1
    assert not is_out_of_memory(ValueError("out of memory"))


def spoil(model: Any, token: int, dtype: torch.dtype) -> None:
    """Make the decoder give NaN after `token`, as long as it computes in `dtype`."""

    def hook(module: Any, args: Any, options: dict[str, Any], output: Any) -> Any:
        states = output.last_hidden_state
        after = (options["input_ids"] == token).cumsum(-1) > 0
        if states.dtype == dtype:
            output.last_hidden_state = torch.where(after[..., None], torch.nan, states)
        return output

    model.get_decoder().register_forward_hook(hook, with_kwargs=True)


def test_nan_stays_nan_in_float32(expected: np.ndarray) -> None:
    """Rows with NaN say NaN, never 0; all others keep their numbers; a note counts nothing as sound."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    engine = Engine(model, tokens, device="cpu")
    [fox] = tokens(" fox")["input_ids"]
    spoil(model, fox, torch.float32)

    scores = engine.score(REQUESTS)

    touched = np.array(["fox" in request.context for request in REQUESTS])
    assert scores.done.all()
    assert touched.sum() == 2
    assert (np.isnan(scores.total()) == touched).all()
    sound = ~np.isnan(scores.logp)
    np.testing.assert_allclose(scores.logp[sound], expected[sound], atol=1e-4)
    assert (scores.rank[~sound] == -1).all()
    assert "the model gave NaN for some sequences; their numbers are NaN" in engine.notes


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_nan_in_half_precision_is_run_again_in_float32(dtype: torch.dtype) -> None:
    """Rows that overflow get float32 numbers; the weights come back bit for bit."""
    model, tokens = tiny.language_model().to(dtype), tiny.tokenizer()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    engine = Engine(model, tokens, device="cpu")
    [fox] = tokens(" fox")["input_ids"]
    spoil(model, fox, dtype)

    scores = engine.score(REQUESTS)

    assert np.isfinite(scores.logp).all()
    assert any("run again in float32" in note for note in engine.notes)
    again = [request for request in REQUESTS if "fox" in request.context]
    wide = Engine(tiny.language_model().to(dtype).float(), tokens, device="cpu").score(again)
    rows = [i for i, request in enumerate(REQUESTS) if request in again]
    np.testing.assert_allclose(scores.total()[rows], wide.total(), atol=1e-4)
    assert all(value.dtype == dtype and value.equal(model.state_dict()[name]) for name, value in weights.items())


def test_float16_that_really_overflows_is_run_again() -> None:
    """A model whose activations pass 65,504 gives NaN in float16, and the right numbers here."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight *= 20_000
    wide = Engine(model, tokens, device="cpu").score(tiny.REQUESTS)
    half = model.half()
    with torch.no_grad():
        assert half(torch.tensor([[5, 6, 7, 8]])).logits.isnan().any()

    engine = Engine(half, tokens, device="cpu")
    scores = engine.score(tiny.REQUESTS)

    assert engine.path == "head"
    assert np.isfinite(scores.logp).all()
    np.testing.assert_allclose(scores.total(), wide.total(), rtol=0.05)  # the weights were rounded to float16
    assert half.dtype == torch.float16


def test_widened_weights_come_back_after_an_error() -> None:
    """An interrupt in the middle leaves the model as it was."""
    model = tiny.language_model().half()

    with contextlib.suppress(KeyboardInterrupt), widened(model):
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        raise KeyboardInterrupt

    assert {p.dtype for p in model.parameters()} == {torch.float16}


@contextlib.contextmanager
def odd_logits(model: Any, *, keeps: bool = True) -> Iterator[None]:
    """Change the logits after the head, where the engine cannot see it; `keeps`: logits_to_keep still works."""
    inner = type(model).forward

    def forward(self: Any, input_ids: Any = None, logits_to_keep: Any = 0, **options: Any) -> Any:
        out = inner(self, input_ids, logits_to_keep=logits_to_keep, **options)
        out.logits = out.logits * 1.7
        return out

    def without(self: Any, input_ids: Any = None, **options: Any) -> Any:
        return forward(self, input_ids, **options)

    model.forward = (forward if keeps else without).__get__(model)
    yield


@pytest.mark.parametrize(("keeps", "path"), [(True, "logits_to_keep"), (False, "full logits")])
def test_a_head_that_does_more_is_found_by_the_self_check(keeps: bool, path: str) -> None:
    """A model that scales its logits in a way of its own is read through its own forward, and the notes say so."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    with odd_logits(model, keeps=keeps):
        engine = Engine(model, tokens, device="cpu", token_budget=100)
        scores = engine.score(tiny.REQUESTS)

        assert engine.path == path
        assert any(note.startswith(f"self-check: reads {path}") for note in engine.notes)
        for i, request in enumerate(tiny.REQUESTS):
            expected = tiny.plain(model, *tiny.pair(tokens, request))
            np.testing.assert_allclose(tiny.answers(scores, i), expected, atol=1e-4)


def test_a_model_that_sees_padding_gets_a_mask() -> None:
    """Where right padding changes the numbers, the check turns on the attention mask."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    inner = model.model.forward

    def forward(input_ids: Any, attention_mask: Any = None, **options: Any) -> Any:
        out = inner(input_ids, attention_mask=attention_mask, **options)
        seen = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        out.last_hidden_state = out.last_hidden_state * (1 + (seen * (input_ids == 0)).sum(-1))[:, None, None]
        return out

    model.model.forward = forward
    engine = Engine(model, tokens, device="cpu")
    scores = engine.score(tiny.REQUESTS)

    assert engine._forward.way.padding == "mask"
    assert scores.counters.tokens_padded > 0
    for i, request in enumerate(tiny.REQUESTS):
        np.testing.assert_allclose(tiny.answers(scores, i), tiny.plain(model, *tiny.pair(tokens, request)), atol=1e-4)


def test_a_model_that_cannot_be_padded_runs_equal_lengths_together() -> None:
    """Where not even a mask helps, no batch is padded."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    inner = model.model.forward

    def forward(input_ids: Any, **options: Any) -> Any:
        out = inner(input_ids, **options)
        out.last_hidden_state = out.last_hidden_state * (1 + (input_ids == 0).sum(-1))[:, None, None]
        return out

    model.model.forward = forward
    engine = Engine(model, tokens, device="cpu")
    requests = [*tiny.REQUESTS, Request("The quick brown fox", " jumps over the lazy fox, and the dog does not mind")]
    scores = engine.score(requests)

    assert engine._forward.way.padding == "none"
    assert scores.counters.tokens_padded == 0
    assert scores.counters.batches < len(requests)
    for i, request in enumerate(requests):
        np.testing.assert_allclose(tiny.answers(scores, i), tiny.plain(model, *tiny.pair(tokens, request)), atol=1e-4)


def test_what_cannot_read_tokens_is_refused() -> None:
    """The error has the model's own words."""
    model = tiny.language_model()

    def forward(**options: Any) -> Any:
        raise TypeError("pixel_values is missing")

    model.forward = forward
    with pytest.raises(ModelError, match=r"cannot read token ids .*pixel_values is missing"):
        Forward(model, torch.device("cpu"), [1, 5, 6, 7])


@pytest.mark.parametrize("interrupt", [False, True])
def test_a_stopped_call_returns_what_is_done(*, interrupt: bool, expected: np.ndarray) -> None:
    """A stop between batches, or Ctrl-C, keeps finished requests whole, marks the others, and ends the monitor."""
    engine = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu", token_budget=64)
    monitor = Hears(stop_after=5, interrupt=interrupt)

    scores = engine.score(REQUESTS, monitor=monitor)

    assert 5 <= scores.done.sum() < len(REQUESTS)
    assert monitor.finished == 1
    assert (np.isnan(scores.total()) == ~scores.done).all()
    sizes = np.diff(scores.offsets)
    assert ((sizes > 0) == scores.done).all()
    whole = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu").score(REQUESTS)
    kept = np.repeat(scores.done, np.diff(whole.offsets))
    np.testing.assert_allclose(scores.logp, expected[kept], atol=1e-4)


def test_an_interrupt_inside_a_forward_loses_that_batch_only() -> None:
    """Ctrl-C while the model computes."""
    model = tiny.language_model()
    engine = Engine(model, tiny.tokenizer(), device="cpu", token_budget=64)
    calls: list[int] = []

    def hook(module: Any, args: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    model.register_forward_pre_hook(hook)
    model.get_decoder().register_forward_pre_hook(hook)

    scores = engine.score(REQUESTS)

    assert scores.counters.batches == 2
    assert 0 < scores.done.sum() < len(REQUESTS)


def test_an_interrupt_while_texts_are_encoded_returns_nothing_done() -> None:
    """No request is done, and none is lost from the result."""

    class Slow:
        bos_token_id = 1

        def __call__(self, texts: Any, **options: Any) -> Any:
            if isinstance(texts, list):
                raise KeyboardInterrupt
            return tiny.tokenizer()(texts, **options)

    scores = Engine(tiny.language_model(), Slow(), device="cpu").score(REQUESTS)

    assert scores.done.tolist() == [False] * len(REQUESTS)
    assert len(scores.offsets) == len(REQUESTS) + 1


def test_the_monitor_hears_every_request_once() -> None:
    """Total and steps agree, duplicates included, and facts carry the rate."""
    engine = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu", token_budget=64)
    monitor = Hears()

    engine.score([*REQUESTS, REQUESTS[0]], monitor=monitor)

    assert (len(REQUESTS) + 1, "requests") == (monitor.total, monitor.unit)
    assert monitor.done == len(REQUESTS) + 1
    assert all(facts["tokens_per_second"] > 0 for _, facts in monitor.heard)
