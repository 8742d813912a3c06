"""Whether a model reads trees of tokens: their logits are compared with those of the sequences alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.models._masks import Kept, Masks
from workbench.models._memory import rejected
from workbench.models._plan import Row, batches, plan
from workbench.models._tree import forest
from workbench.models.requests import Ids, Piece

if TYPE_CHECKING:
    from workbench.models._forward import Forward

__all__ = ["check"]


def check(forward: "Forward", masks: Masks, probe: Ids, tolerance: float) -> tuple[Masks | None, str]:
    """Return how masks are made for the model, and what it reads: "kept", "rows" or "none".

    "kept": rows with branches, and keys and values that are kept for rows below; "rows": branches only.

    Args:
        forward: what runs the model
        masks: as its configuration says
        probe: token ids, a few
        tolerance: the most that logits may differ, as a share of their spread

    Raises FloatingPointError where logits are not finite in half precision.
    """
    found: tuple[Masks | None, str] = (None, "none")
    if len(probe) < 4:
        return found
    stem = probe[: len(probe) // 2]
    half = len(stem) // 2
    pieces = [Piece((*stem, *probe[1:3], *tail, 0), len(stem)) for tail in (probe, probe[::-1])]
    pieces.append(Piece((*stem[:half], *probe[::-1], 0), half))
    alone = _logits(forward, plan(pieces))
    if forward.dtype != torch.float32 and not all(bool(logits.isfinite().all()) for logits in alone.values()):
        raise FloatingPointError(f"logits overflow in {forward.dtype}")
    spread = float(alone[pieces[0]].max() - alone[pieces[0]].min())

    def agrees(rows: Sequence[Row]) -> bool:
        with rejected():
            packed = _logits(forward, rows)
            return all(float((packed[piece] - alone[piece]).abs().max()) <= tolerance * spread for piece in pieces)
        return False

    for candidate in (masks, masks._replace(by_kind=not masks.by_kind)):
        forward.masks = candidate
        if agrees(forest(pieces, 10**9)):
            found = candidate, "kept" if agrees(forest(pieces, len(probe), worth=1)) else "rows"
            break
    return found


def _logits(forward: "Forward", rows: Sequence[Row]) -> dict[Piece, Tensor]:
    """Return the logits that predict each target of each piece, (targets, vocabulary), float32."""
    found: dict[Piece, dict[int, Tensor]] = {}
    kept: dict[Row, Kept] = {}
    for batch in batches(rows, 10**9):
        logits = iter(forward.logits(batch, kept))
        for row in batch:
            at = {position: next(logits) for position in dict.fromkeys(one.position for one in row.wanted)}
            for one in row.wanted:
                found.setdefault(one.piece, {})[one.offset] = at[one.position]
    return {piece: torch.stack([parts[i] for i in sorted(parts)]) for piece, parts in found.items()}
