"""A masked model gives the logits of a plain forward at each masked position, in any batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from workbench.errors import DataError, NotApplicable
from workbench.models import _masked_forward
from workbench.models.cache import Cache
from workbench.models.load import load
from workbench.models.masked import MaskedModel
from workbench.models.verbs import Blanks, Silent

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Gold",
    "Paris is the capital of France, and the day after Monday is Tuesday.",
    "é 日本",
]


def adapter(family: str = "bert", *, changes: dict[str, Any] | None = None, **options: Any) -> MaskedModel:
    """Return the adapter of a tiny model."""
    options = {"tokenizer": tiny.masked_tokenizer(), "name": family, "cache": False} | options
    loaded = load(tiny.masked_model(family, **(changes or {})), **options)
    assert isinstance(loaded, MaskedModel)
    return loaded


def blanks_of(model: MaskedModel) -> list[Blanks]:
    """Return every inner position of the texts."""
    return [Blanks(ids, tuple(range(1, len(ids) - 1))) for ids in model.encode(TEXTS)]


@torch.no_grad()
def plain(model: Any, blanks: list[Blanks]) -> list[float]:
    """Return log p of each true token, one copy and one forward at a time, from all logits in float64."""
    found = []
    for ids, positions in blanks:
        for position in positions:
            masked = torch.tensor([ids])
            masked[0, position] = 3
            logits = model(masked).logits[0, position].double()
            found.append(float(logits.log_softmax(-1)[ids[position]]))
    return found


@pytest.mark.parametrize("family", tiny.MASKED)
def test_numbers_are_those_of_a_plain_forward(family: str) -> None:
    """Five architectures, every position of four texts, to 1e-4 nats; the head sees the masked positions alone."""
    model = adapter(family)
    blanks = blanks_of(model)
    made = model.fill(blanks)

    np.testing.assert_allclose(made.logp, plain(model.model, blanks), atol=1e-4)
    assert made.done.all()
    assert [len(blank.positions) for blank in blanks] == np.diff(made.offsets).tolist()
    assert made.counters.head_positions == len(made.logp)
    assert np.ptp(made.logp) > 1


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_batch_and_order_change_nothing(family: str) -> None:
    """One copy at a time, four, and all of them, in either order, agree to 1e-4."""
    model = adapter(family)
    blanks = blanks_of(model)
    expected = model.fill(blanks)
    longest = max(len(blank.ids) for blank in blanks)
    for budget in (1, 4 * longest):
        made = adapter(family, token_budget=budget).fill(blanks[::-1])
        np.testing.assert_allclose(expected.total(), made.total()[::-1], atol=1e-4)
        assert made.counters.batches > expected.counters.batches


def test_totals_are_sums_over_the_positions() -> None:
    """A sequence without positions is done and has 0; the sum of another is that of its tokens."""
    model = adapter()
    ids = model.encode(TEXTS[:1])[0]
    made = model.fill([Blanks(ids, ()), Blanks(ids, (1, 2)), Blanks(ids, (2,))])

    assert [0, 0, 2, 3] == made.offsets.tolist()
    np.testing.assert_allclose([0, made.logp[0] + made.logp[1], made.logp[2]], made.total())
    assert made.logp[1] == made.logp[2]
    assert (3, 2) == (made.counters.requests, made.counters.unique_requests)


def test_a_head_that_cannot_be_picked_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where picking gives other numbers, all logits are read, the note says so, and the numbers stay right."""
    model = adapter()
    blanks = blanks_of(model)
    right = _masked_forward._picking
    monkeypatch.setattr(_masked_forward, "_picking", lambda encoder, row, at: right(encoder, row, at * 0))
    made = model.fill(blanks)

    np.testing.assert_allclose(made.logp, plain(model.model, blanks), atol=1e-4)
    assert any("all logits, padded" in note for note in model.info.notes)


def test_a_model_that_padding_disturbs_is_run_one_length_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an attention mask padding changes the numbers, so that rows of one length go together."""
    model = adapter()
    blanks = blanks_of(model)
    forward = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda input_ids, attention_mask=None: forward(input_ids))
    made = model.fill(blanks)

    np.testing.assert_allclose(made.logp, plain(model.model, blanks), atol=1e-4)
    assert (0, True) == (made.counters.tokens_padded, any("one length at a time" in n for n in model.info.notes))


class Stops(Silent):
    """Asks to stop after some batches."""

    def __init__(self, after: int) -> None:
        self.after, self.batches, self.total, self.heard = after, 0, 0, 0

    def start(self, total: int, unit: str) -> None:
        """Note how much there is to do."""
        self.total = total

    def advance(self, done: int, **facts: Any) -> None:
        """Count batches and sequences."""
        self.batches += 1
        self.heard += done

    @property
    def stopped(self) -> bool:  # type: ignore[override]
        """True after some batches."""
        return self.batches > self.after


def test_what_is_done_is_kept_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped call marks what is not done; the same call finishes the rest from the cache; a third runs nothing."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    options = {"cache": True, "token_budget": 30}
    model = adapter(**options)
    blanks = blanks_of(model)
    part, watch = model.fill(blanks, monitor=Stops(3)), Stops(10**6)
    whole = adapter(**options).fill(blanks, monitor=watch)
    again = adapter(**options).fill(blanks)

    assert 0 < part.counters.batches
    assert not part.done.all()
    assert np.isnan(part.total()[~part.done]).all()
    assert part.counters.tokens_run + whole.counters.tokens_run == again.counters.tokens_run + sum(
        len(blank.ids) * len(blank.positions) for blank in blanks
    )
    assert (0, again.counters.unique_requests) == (again.counters.batches, again.counters.cached)
    assert (len(blanks), len(blanks)) == (watch.total, watch.heard)
    np.testing.assert_allclose(plain(model.model, blanks), again.logp, atol=1e-4)
    Cache().close()


def test_other_weights_are_other_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training in place, or another model, does not find the old answers."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    model = adapter(cache=True)
    blanks = blanks_of(model)
    before = model.fill(blanks).total()
    with torch.no_grad():
        next(model.model.parameters()).mul_(1.5)
    after = model.fill(blanks)

    assert (0, True) == (after.counters.cached, bool(np.abs(after.total() - before).max() > 1e-2))


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_folder_is_loaded_as_a_masked_model(family: str, tmp_path: Path) -> None:
    """Saved and loaded by its folder, the model has the same numbers, its head and all; it embeds as the encoder does."""
    model = adapter(family)
    model.model.save_pretrained(tmp_path / family)
    tiny.masked_tokenizer().save_pretrained(tmp_path / family)
    again = load(tmp_path / family, cache=False)
    encoder = load(tmp_path / family, cache=False, task="embedder")

    assert ("masked language model", frozenset({"fill", "embed"})) == (again.info.kind, again.verbs)
    np.testing.assert_allclose(again.fill(blanks_of(model)).logp, model.fill(blanks_of(model)).logp, atol=1e-5)
    np.testing.assert_allclose(encoder.embed(TEXTS).vectors, again.embed(TEXTS).vectors, atol=1e-5)
    assert "MaskedModel(" in repr(again)


def test_a_sentence_encoder_stays_one(tmp_path: Path) -> None:
    """A folder with modules.json embeds, though its config names a masked model; asked for, it fills."""
    tiny.masked_model().save_pretrained(tmp_path)
    tiny.masked_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer"}]')

    assert "embedder" == load(tmp_path, cache=False).info.kind
    assert "fill" in load(tmp_path, cache=False, task="masked language model").verbs


def test_what_cannot_be_filled_is_refused() -> None:
    """No mask token, a sequence that is too long, a position outside, a verb that it has not: each says why."""
    bare = adapter(tokenizer=tiny.masked_tokenizer(mask=False))
    assert bare.verbs == frozenset({"embed"})
    assert "no mask token" in bare.info.notes[-1]
    with pytest.raises(NotApplicable, match="has no mask token"):
        bare.fill([Blanks((1, 5, 2), (1,))])
    model = adapter(changes={"max_position_embeddings": 16})
    with pytest.raises(DataError, match="Sequence 0 has 20 tokens; bert reads at most 16"):
        model.fill([Blanks((1, *range(10, 28), 2), (1,))])
    with pytest.raises(DataError, match="position 3 is not one"):
        model.fill([Blanks((1, 5, 2), (3,))])
    with pytest.raises(NotApplicable, match="bert is a masked language model: it cannot give log-likelihoods"):
        model.score([])


def test_an_uncased_tokenizer_is_known() -> None:
    """By its behaviour; ALBERT by its name, too, as CrowS-Pairs' authors lower-case for it."""
    assert not adapter().uncased
    assert adapter(tokenizer=tiny.masked_tokenizer(lower=True)).uncased
    assert adapter("albert").uncased
