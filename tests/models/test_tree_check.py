"""Which models read trees is found out by comparing logits; what would be wrong without it is shown to be wrong."""

from typing import Any

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.models import _masks
from workbench.models._masks import Kept, Masks, seen, window_of
from workbench.models._tree import Tree, forest
from workbench.models.engine import Engine
from workbench.models.requests import Piece
from workbench.models.verbs import Request

SHARED = "Question: What is the capital of France? Answer: Paris is the capital of France. Question: gold? Answer:"
BRANCHES = [Request(SHARED, f" {word} of France") for word in ("Paris", "gold", "the fox", "a lazy dog", "Monday")]
SEQUENCES = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.integers(3, 6), min_size=1, max_size=8)), min_size=1, max_size=9
)


def worst(engine: Engine, requests: list[Request]) -> float:
    """Return the greatest difference to the plain model, each request alone."""
    scores = engine.score(requests)
    return max(
        float(
            np.abs(tiny.answers(scores, i)[:4] - tiny.plain(engine.model, *tiny.pair(engine.tokenizer, one))[:4]).max()
        )
        for i, one in enumerate(requests)
    )


@pytest.mark.parametrize(("family", "window"), [("llama", None), ("gemma3", 2), ("gemma3", 7), ("mistral", 5)])
@settings(max_examples=12, deadline=None)
@given(sequences=SEQUENCES, budget=st.sampled_from([1, 5, 17, 400]))
def test_any_tree_gives_the_numbers_of_its_sequences(
    family: str, window: int | None, sequences: list[tuple[int, list[int]]], budget: int
) -> None:
    """Random trees, windows and budgets: each target's logits are those of a plain forward over its own sequence."""
    model = tiny.language_model(family, **({} if window is None else {"sliding_window": window}))
    engine = Engine(model, tiny.tokenizer(), device="cpu", token_budget=budget)
    stem = tuple(range(20, 32))
    pieces = [Piece((*stem[:n], 1, *tail, 2), max(n, 1)) for n, tail in sequences]
    rows = forest(pieces, budget, worth=1)
    kept: dict[Any, Kept] = {}

    found = {}
    for row in rows:
        numbers = engine._forward.statistics(engine._forward.states([row], kept).scored, [row.wanted])
        found |= {(one.piece, one.offset): numbers[:, k] for k, one in enumerate(row.wanted)}

    assert engine.trees == "kept"
    for piece in pieces:
        expected = tiny.plain(model, piece.ids, piece.n_context)
        given_ = np.stack([found[piece, i] for i in range(len(piece.ids) - piece.n_context)], axis=1)
        np.testing.assert_allclose(given_[:4], expected[:4], atol=1e-4)


def test_counters_are_the_counts_of_the_tree() -> None:
    """With one large row tokens run are the nodes, and positions projected the nodes at which something is wanted."""
    tokens = tiny.tokenizer()
    scores = Engine(tiny.language_model(), tokens, device="cpu", token_budget=10**6).score(BRANCHES)
    pairs = [tiny.pair(tokens, request) for request in BRANCHES]
    inputs = {tuple(ids[:n]) for ids, _ in pairs for n in range(1, len(ids))}
    wanted = {tuple(ids[:n]) for ids, n_context in pairs for n in range(n_context, len(ids))}

    assert len(inputs) == Tree(Piece(tuple(ids), n) for ids, n in pairs).nodes == scores.counters.unique_tokens
    assert len(inputs) == scores.counters.tokens_run
    assert len(wanted) == scores.counters.head_positions
    assert scores.counters.tokens_padded == 0


def test_short_rows_keep_the_shared_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are short the beginning is still run once, through its kept keys and values, and the numbers stay."""
    monkeypatch.setattr("workbench.models._tree.WORTH", 8)
    engine = Engine(tiny.language_model("gemma3"), tiny.tokenizer(), device="cpu", token_budget=8)

    scores = engine.score(BRANCHES)

    assert scores.counters.batches > 2
    assert scores.counters.tokens_run <= scores.counters.unique_tokens + 8
    assert worst(engine, BRANCHES) < 1e-4


def test_a_window_that_the_mask_leaves_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks without the window give other numbers on prompts beyond it; the comparison sees it on a short one."""
    real = seen
    monkeypatch.setattr(_masks, "seen", lambda end, depth, start=0, window=None: real(end, depth, start))
    model = tiny.language_model("gemma3", sliding_window=24)
    blind, trusted = (Engine(model, tiny.tokenizer(), device="cpu") for _ in range(2))
    trusted._forward.beyond = True

    assert worst(trusted, BRANCHES) > 1e-2
    assert worst(blind, BRANCHES) < 1e-4
    assert any("beyond the window" in note for note in blind.notes)
    assert model.config.sliding_window == 24  # as it was


def test_a_window_is_narrowed_where_there_is_no_decoder_to_ask() -> None:
    """A model of one's own may have a configuration alone; its window comes back, also after an error."""
    config = type("Config", (), {"sliding_window": 24, "get_text_config": lambda self: self})()
    model = type("Model", (), {"config": config})()

    def fail() -> None:
        with _masks.narrowed(model, 3):
            assert config.sliding_window == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert config.sliding_window == 24


def test_trees_within_the_window_need_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only prompts beyond the window differ, shorter ones are still read as trees."""
    real = seen
    monkeypatch.setattr(_masks, "seen", lambda end, depth, start=0, window=None: real(end, depth, start))
    engine = Engine(tiny.language_model("gemma3", sliding_window=64), tiny.tokenizer(), device="cpu")

    scores = engine.score(BRANCHES)

    assert scores.counters.tokens_run == scores.counters.unique_tokens
    assert worst(engine, BRANCHES) < 1e-4


def test_a_boolean_mask_under_eager_attention_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eager attention adds its mask: True would become + 1, and everything would be seen."""
    monkeypatch.setattr(Masks, "_typed", lambda self, mask: mask)
    model = tiny.language_model()
    model.set_attn_implementation("eager")
    engine = Engine(model, tiny.tokenizer(), device="cpu")

    assert engine.trees == "none"
    assert worst(engine, BRANCHES) < 1e-4


@pytest.mark.parametrize("ignored", ["attention_mask", "position_ids"])
def test_a_model_that_ignores_what_it_is_told_reads_chains(ignored: str) -> None:
    """Where masks or positions are left out of a forward, the packed numbers are wrong, and the engine does not pack."""
    model = tiny.language_model()
    inner = model.model.forward

    def forward(input_ids: Any, **options: Any) -> Any:
        return inner(input_ids, **{name: value for name, value in options.items() if name != ignored})

    model.model.forward = forward
    engine = Engine(model, tiny.tokenizer(), device="cpu")

    assert engine.trees == "none"
    assert worst(engine, BRANCHES) < 1e-4


def test_a_model_without_kept_keys_still_packs() -> None:
    """Where past keys and values are not read, rows are packed, and each runs its own beginning."""
    model = tiny.language_model()
    inner = model.model.forward

    def forward(input_ids: Any, past_key_values: Any = None, **options: Any) -> Any:
        if past_key_values is not None:
            raise TypeError("no past")
        return inner(input_ids, **options)

    model.model.forward = forward
    engine = Engine(model, tiny.tokenizer(), device="cpu")

    assert engine.trees == "rows"
    assert worst(engine, BRANCHES) < 1e-4


def test_other_kinds_of_layers_read_chains() -> None:
    """Chunked attention has no mask of ours."""
    model = tiny.language_model("gemma3")
    model.config.layer_types = ["chunked_attention", *model.config.layer_types[1:]]

    assert Masks.of(model, torch.float32) is None


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({"sliding_window": 4}, 4),
        ({"sliding_window": 4, "layer_types": ["full_attention"]}, None),
        ({"sliding_window": 4, "layer_types": ["full_attention", "sliding_attention"]}, 4),
        ({"sliding_window": 4, "use_sliding_window": False}, None),
        ({"sliding_window": None}, None),
        ({}, None),
    ],
)
def test_the_window_is_read_as_transformers_reads_it(settings_: dict[str, Any], expected: int | None) -> None:
    """With kinds of layers it is that of the sliding ones; without it is that of all."""
    assert expected == window_of(type("Config", (), settings_)())


def test_nan_in_one_branch_does_not_reach_the_others() -> None:
    """Values of NaN that a mask hides spoil a packed row; those sequences are run again apart, and only one stays NaN."""
    model, tokens = tiny.language_model(), tiny.tokenizer()
    requests = [*BRANCHES, Request(SHARED, " nineteen and twelve")]
    bad = tokens(" nineteen")["input_ids"][-1]
    with torch.no_grad():
        model.get_input_embeddings().weight[bad] = torch.nan
    engine = Engine(model, tokens, device="cpu")

    totals = engine.score(requests).total()

    assert np.isnan(totals).tolist() == [False] * len(BRANCHES) + [True]
    assert worst(engine, BRANCHES) < 1e-4
