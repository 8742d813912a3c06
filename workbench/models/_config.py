"""The settings that change a transformers model's numbers while its weights stay the same, as plain text by name.

A folder's config.json says how weights are used (rope's base, the epsilon of norms, labels), the folder of a sentence encoder how
its states become one vector, and the tokenizer how a chat is written. They are read from what was loaded, so that a file's order,
and keys that are its default, make no difference.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["settings_by_name"]

HARMLESS = frozenset(  # names and versions, of which a record has its own fields; of training; how it is computed
    {
        "architectures",
        "chunk_size_feed_forward",
        "dtype",
        "label2id",  # id2label, the other way round
        "gradient_checkpointing",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "torch_dtype",
        "transformers_version",
        "use_cache",
    }
)
OF_TRAINING = ("drop", "initializer")  # parts of names; dropout is off when a model is asked
LABELS, MOST_LABELS = "id2label", 20  # more of them are told together
SHORT = 60  # characters of a value that are told as they are


def settings_by_name(model: Any) -> dict[str, str]:
    """Return the settings by dotted name, such as "rope_parameters.rope_theta"; {} of what is no transformers model.

    A long value (a thousand labels, a template) is told by a short sha256.
    """
    config: Any = getattr(getattr(model, "model", None), "config", None)
    if not hasattr(config, "to_dict"):
        return {}
    found = dict(_flat("", config.to_dict()))
    if hasattr(model, "pooling"):
        found |= {f"encoder.{name}": _told(getattr(model, name)) for name in ("pooling", "normalised", "max_length")}
    template = getattr(getattr(model, "tokenizer", None), "chat_template", None)
    if template:
        found["tokenizer.chat_template"] = _told(template)
    ends = getattr(getattr(model.model, "generation_config", None), "eos_token_id", None)
    if ends is not None:
        found["generation.eos_token_id"] = _told(ends)
    return dict(sorted(found.items()))


def _flat(prefix: str, values: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield the values of nested mappings by dotted name."""
    for key, value in values.items():
        name = str(key)
        if name.startswith("_") or name in HARMLESS or any(part in name for part in OF_TRAINING):
            continue
        if isinstance(value, Mapping) and (name != LABELS or len(value) <= MOST_LABELS):
            yield from _flat(f"{prefix}{name}.", value)
        elif value is not None:
            yield f"{prefix}{name}", _told(value)


def _told(value: Any) -> str:
    """Return a value as text, a long one by its hash."""
    said = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return said if len(said) <= SHORT else f"sha256 {hashlib.sha256(said.encode()).hexdigest()[:16]}"
