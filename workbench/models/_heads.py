"""How the outputs of a classifier are read as classes, or why they cannot be.

All give class probabilities whose rows sum to one. A head with one logit z, or the label read from independent labels (`positive`),
becomes the two classes [0, z], so that softmax gives the sigmoid; the logits then explain the probabilities too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ModelError, NotApplicable, UsageError, unknown

if TYPE_CHECKING:
    from workbench.models._open import Opened

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Head:
    """How the outputs of a sequence classifier are read as classes, or why they cannot be."""

    def __init__(self, opened: "Opened") -> None:
        config, options = opened.model.config, opened.options
        names = [str(config.id2label[i]) for i in sorted(config.id2label)]
        given = None if options.labels is None else tuple(map(str, options.labels))
        self.labels: tuple[str, ...]
        kind, self.positive, self._column = config.problem_type, options.positive, -1
        if kind == "regression" and options.positive is None and given is None:
            raise NotApplicable(
                f"{opened.info.name} has a regression head: it gives a number, not class probabilities."
            )
        if config.num_labels == 1:
            if options.positive is not None:
                given = (f"not {options.positive}", options.positive)
            if given is None or len(given) != 2:
                raise NotApplicable(
                    f"{opened.info.name} has one logit, so what it means is not known. If its sigmoid is the probability of a "
                    "class, pass labels=['no', 'yes'], the second being that class."
                )
            self.labels, self._column = given, 0
        elif kind == "multi_label_classification" or options.positive is not None:
            if options.positive is None:
                raise NotApplicable(
                    f"{opened.info.name} has independent labels ({', '.join(names)}), whose probabilities do not sum to one. Read "
                    f"one of them against its absence: load(..., positive={names[0]!r})."
                )
            if kind != "multi_label_classification":
                raise NotApplicable(
                    f"{opened.info.name} has exclusive classes ({', '.join(names)}); `positive` is for heads with one logit or "
                    "independent labels. Leave it out."
                )
            if options.positive not in names:
                raise unknown("label", options.positive, names)
            self.labels, self._column = (f"not {options.positive}", options.positive), names.index(options.positive)
        else:
            check_labels(given, len(names), opened.info.name)
            self.labels = given or tuple(names)

    def read(self, logits: Floats) -> Floats:
        """Return logits of the classes (n, K)."""
        return logits if self._column < 0 else two_logits(logits[:, self._column])


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row, float64; a row of NaN stays NaN.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    if not logits.size:
        return logits
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    made: Floats = grown / grown.sum(axis=1, keepdims=True)
    return made


def two_logits(z: Floats) -> Floats:
    """Return the logits of two classes whose softmax is the sigmoid of z."""
    return np.stack([np.zeros_like(z), z], axis=1)


def are_probabilities(values: Floats) -> bool:
    """Return whether the outputs of a first batch are probabilities; one column, which nothing tells, counts as a logit."""
    inside = (values >= 0).all() and (values <= 1 + 1e-4).all()
    return bool(values.shape[1] > 1 and inside and np.abs(values.sum(axis=1) - 1).max() < 1e-3)


def refuse_nan(values: Floats, rows: Sequence[int], name: str) -> None:
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise ModelError(
            f"{name} gave NaN or infinity for input {rows[int(bad.argmax())]}. Check that input; half precision may overflow: load "
            "with dtype='float32'."
        )


def check_labels(given: tuple[str, ...] | None, count: int, name: str) -> None:
    if given is not None and len(given) != count:
        raise UsageError(
            f"{name} has {count} classes; labels names {len(given)}. Name each class once, in the model's order."
        )


def max_length(model: Any, tokenizer: Any, asked: int | None) -> int | None:
    """Return the most tokens of a text: asked, the tokenizer's limit, or the model's positions less those kept for padding."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = next(
        (m for n, m in model.named_modules() if n.endswith("position_embeddings") and hasattr(m, "num_embeddings")),
        None,
    )
    if table is not None and table.padding_idx is not None:  # RoBERTa counts positions from padding_idx + 1
        limit = table.num_embeddings - table.padding_idx - 1
    said = getattr(tokenizer, "model_max_length", None)
    limits = [each for each in (asked, limit, said) if each is not None and 0 < each < 10**9]
    return min(limits, default=None)


def give_padding(model: Any, tokenizer: Any) -> None:
    """Give a tokenizer without a pad token one, and tell the model, whose head looks for the last token that is not padding."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
