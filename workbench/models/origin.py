"""What a run record keeps of a model, and the model of such a record, loaded again.

`recorded` is what the model says of itself, with what `load` was given, a hash of the tokenizer, and the hash of the weights as
they are now, if they were changed after loading. `reopen` loads from such a record. `tensor_marks` hashes each tensor, so that a
changed weight can be named.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import ModelError
from workbench.models._config import settings_by_name
from workbench.models._objects import object_digest, object_marks
from workbench.models.held import held, origin_of
from workbench.models.load import load
from workbench.models.verbs import Model

__all__ = ["named", "recorded", "reopen", "tensor_marks", "tensor_marks_of"]

BY_NAME = ("packaged model", "hub name", "folder", "gguf file", "pickle", "word vector file", "url")
RUNS_CODE = ("trust_remote_code", "allow_pickle")  # of the model's author: to be asked for anew, whatever a record says
WITH_DTYPE = ("language model", "masked language model", "embedder", "classifier")
MOST_BYTES = 4 * 2**30  # of a model whose tensors are hashed one by one


def recorded(model: Any) -> dict[str, Any]:
    """Return what a run record keeps of a model.

    Beside the fields of `ModelInfo`: `target` and `loaded_as`, what `wb.load` was given ("" for an object), `load_options`, those
    that are not the defaults, `load_objects`, the names of those that no record can hold (a tokenizer, a function),
    `tokenizer_hash`, `config`, the settings that change the numbers of a transformers model, by name, and `changed`, a sentence,
    where the weights are no longer those that were loaded.

    >>> from workbench.models.load import load
    >>> about = recorded(load(lambda texts: [[1.0] for _ in texts], labels=["one"], name="always"))
    >>> about["loaded_as"], about["load_options"]
    ('callable', {'name': 'always', 'labels': ['one']})
    """
    about, origin = asdict(model.info), origin_of(model)
    if origin is None:
        return about
    options = {name: _plain(value) for name, value in origin.options.items()}
    objects = [name for name, value in options.items() if value is None]
    plain = {name: value for name, value in options.items() if value is not None}
    about |= {"target": origin.target, "loaded_as": origin.kind, "load_options": plain, "load_objects": objects}
    if _estimator(model) is not None:
        about["weights_hash"] = object_digest(model.model)
    if getattr(model, "tokenizer", None) is not None:
        from workbench.models._weights import tokenizer_hash

        about["tokenizer_hash"] = tokenizer_hash(model.tokenizer)
    settings = settings_by_name(model)
    if settings:
        about["config"] = settings
    if origin.signature:
        about |= _changed(model.model, origin.signature)
    return about


def _plain(value: Any) -> Any:
    """Return an option as a record can hold it, None where it cannot."""
    if isinstance(value, (list, tuple)):
        parts = [_plain(part) for part in value]
        return None if None in parts else parts
    if isinstance(value, (str, bool, int, float)):
        return value
    named = isinstance(value, Path) or type(value).__name__ in {"dtype", "device"}
    return str(value).removeprefix("torch.") if named else None


def _changed(module: Any, signature: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    """Return the hash of the weights as they are now where they are not those that were loaded, and say that hooks are set."""
    from workbench.models._adapt import has_hooks
    from workbench.models._weights import signature as look
    from workbench.models._weights import state_hash

    if look(module) != signature:
        return {"weights_hash": state_hash(module), "changed": "The weights were changed after the model was loaded."}
    if any(map(has_hooks, module.modules())):
        return {"changed": "The model had hooks: it computes something else than its weights say."}
    return {}


def named(record: Mapping[str, Any]) -> bool:
    """Return whether the model of a record was loaded by a name and left as it was, so that it can be loaded again.

    >>> named({"target": "smollm2-135m-instruct", "loaded_as": "packaged model"}), named({"kind": "callable"})
    (True, False)
    """
    whole = not record.get("changed") and not record.get("load_objects")
    return bool(record.get("target")) and record.get("loaded_as") in BY_NAME and whole


def reopen(record: Mapping[str, Any], *, trust: bool = False, cache: bool | str = False) -> Model:
    """Return the model of a record, loaded again by its name, at the dtype that it had.

    `trust` allows what the record asks for: code that comes with the model, pickles, and to send examples and a key to a server;
    `cache=False` computes every answer anew, a folder keeps them there. Raises `ModelError` where the record names no model that
    can be loaded, or where it would need `trust`.
    """
    if not named(record):
        objects = ", ".join(record.get("load_objects") or ())
        why = f"It was loaded with {objects}=..., an object." if objects and record.get("target") else ""
        why = why or f"It was given as an object (a {record.get('loaded_as') or record.get('kind')})."
        raise ModelError(f"The model {record.get('name')!r} cannot be loaded by name. {record.get('changed') or why}")
    options: dict[str, Any] = {**record.get("load_options", {})}
    if record.get("loaded_as") == "url" and not trust:
        raise ModelError(
            f"The model {record.get('name')!r} is behind {record['target']}: that server would be sent the examples, and the key "
            "that an environment variable holds. If you mean that, allow it: --trust, or trust=True."
        )
    asked = [name for name in RUNS_CODE if options.get(name)]
    if asked and not trust:
        raise ModelError(
            f"The model {record.get('name')!r} was loaded with {asked[0]}=True, which can run any code of its author. If you trust "
            "it, allow that: --trust, or trust=True."
        )
    if options.get("dtype") is None and record.get("kind") in WITH_DTYPE and record.get("dtype"):
        options["dtype"] = record["dtype"]
    if record.get("loaded_as") == "hub name" and record.get("revision"):
        options["revision"] = record["revision"]
    options.pop("device", None)  # that of this machine
    return load(record["target"], **{**options, "cache": cache})


def _estimator(model: Any) -> Any:
    """Return the estimator of scikit-learn that a model asks, None where it asks another thing."""
    from workbench.models.classifiers import SklearnClassifier

    return model.model if isinstance(model, SklearnClassifier) else None


def tensor_marks(model: Any) -> dict[str, str]:
    """Return a short sha256 of each tensor of a model's state by name, {} where it has none or is larger than 4 GiB.

    Of an estimator of scikit-learn those of its attributes, by step and name: `logisticregression.coef_`.
    """
    if _estimator(model) is not None:
        return object_marks(model.model)
    module: Any = getattr(model, "model", None)
    if not hasattr(module, "state_dict") or model.info.bytes > MOST_BYTES:
        return {}
    from workbench.models._weights import tensor_bytes

    return {
        name: hashlib.sha256(tensor_bytes(tensor)).hexdigest()[:16]
        for name, tensor in sorted(module.state_dict().items())
        if hasattr(tensor, "detach")
    }


def tensor_marks_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the marks of the model of a record if it is in memory still, with the same weights; else {}."""
    if not record.get("weights_hash"):
        return {}
    for model in held().values():
        if model.info.name == record.get("name") and recorded(model).get("weights_hash") == record["weights_hash"]:
            return tensor_marks(model)
    return {}
