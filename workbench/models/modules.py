"""Plain torch modules as classifiers: a module, a tokenizer or a transform, and the names of its classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from workbench.errors import ModelError, UsageError, counted
from workbench.models._adapt import absent, heard, run_batches
from workbench.models._heads import Floats, are_probabilities, refuse_nan, softmax, two_logits
from workbench.models._memory import is_out_of_memory
from workbench.models._weights import state_hash
from workbench.models.fit import Placement, as_given, check_fit, place
from workbench.models.load import LoadOptions
from workbench.models.verbs import Classes, ModelInfo, Monitor

__all__ = ["ModuleClassifier", "from_module"]

BATCH = 64  # inputs of a batch


class ModuleClassifier:
    """A plain torch module with a tokenizer or a transform, and the names of its classes."""

    verbs = frozenset({"classify"})

    def __init__(self, model: Any, options: LoadOptions, placement: Placement) -> None:
        self.model, self.tokenizer, self._options, self._placement = model, options.tokenizer, options, placement
        self.name = options.name or type(model).__name__
        given = tuple(map(str, options.labels or ()))
        if options.positive is not None:
            given = (f"not {options.positive}", options.positive)
        self.labels, self._outputs = given, options.outputs
        parameters = list(model.parameters())
        self.info = ModelInfo(
            self.name,
            "classifier",
            weights_hash=state_hash(model),
            device=str(placement.device),
            dtype=placement.dtype_name,
            parameters=sum(p.numel() for p in parameters),
            bytes=sum(p.numel() * p.element_size() for p in parameters),
            notes=(placement.reason,),
        )

    def __repr__(self) -> str:
        return f"ModuleClassifier({self.name!r}, {len(self.labels)} classes, {self.info.dtype} on {self.info.device})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Return the class probabilities (n, K) of inputs in the form that the transform or tokenizer takes."""
        hears, n = heard(monitor), len(inputs)
        found, done = np.full((n, len(self.labels)), np.nan), np.zeros(n, dtype=bool)
        self.model.eval()

        def so_far() -> Classes:
            reached, held = done.copy(), found.copy()
            if self._outputs == "probabilities":
                return Classes(self.labels, held, None, reached)
            return Classes(self.labels, softmax(held), held, reached)

        def run(batch: list[int]) -> None:
            made = self._forward([inputs[i] for i in batch])
            refuse_nan(made, batch, self.name)
            found[batch], done[batch] = made, True
            hears.advance(len(batch), answers=so_far)

        try:
            hears.start(n, "inputs")
            run_batches([list(range(n))[i : i + BATCH] for i in range(0, n, BATCH)], run, hears, what="input")
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return so_far()

    @torch.inference_mode()
    def _forward(self, inputs: list[Any]) -> Floats:
        """Return logits or probabilities of the classes (n, K)."""
        prepared = self._transformed(inputs) if self._options.transform is not None else self._tokens(inputs)
        given = _moved(prepared, self._placement)
        if hasattr(given, "keys"):
            out = self.model(**given)
        else:
            out = self.model(*given) if isinstance(given, tuple) else self.model(given)
        out = getattr(out, "logits", out)
        out = out[0] if isinstance(out, tuple) else out
        made = out.detach().float().cpu().double().numpy()
        made = made[:, None] if made.ndim == 1 else made
        if made.ndim != 2 or len(made) != len(inputs) or made.shape[1] not in {1, len(self.labels)}:
            raise ModelError(
                f"{self.name} gave an output of shape {tuple(out.shape)} for {len(inputs)} inputs and {len(self.labels)} labels; "
                f"({len(inputs)}, {len(self.labels)}) is wanted. Check labels and transform."
            )
        if self._outputs is None:
            self._outputs = "probabilities" if are_probabilities(made) else "logits"
        if made.shape[1] == len(self.labels):
            return made
        if len(self.labels) != 2:
            raise ModelError(
                f"{self.name} gives one number per input, but has {len(self.labels)} labels. Two are wanted."
            )
        return np.hstack([1 - made, made]) if self._outputs == "probabilities" else two_logits(made[:, 0])

    def _transformed(self, inputs: list[Any]) -> Any:
        """Return what the transform makes of inputs; its failure is told with what it was given."""
        try:
            return self._options.transform(inputs)  # type: ignore[misc]  # there is one
        except Exception as error:  # a foreign function may raise anything
            if is_out_of_memory(error):
                raise
            first = inputs[0]
            kind = "mapping from column to value" if isinstance(first, Mapping) else type(first).__name__
            raise ModelError(
                f"The transform of {self.name} failed on a list of {counted(len(inputs), 'input')}, each a {kind} "
                f"({str(first)[:60]!r}): {type(error).__name__}: {error}"
            ) from error

    def _tokens(self, inputs: list[Any]) -> Any:
        tokenizer = self._options.tokenizer
        if hasattr(tokenizer, "pad_token_id"):
            limit = self._options.max_length
            return dict(
                tokenizer(inputs, padding=True, truncation=limit is not None, max_length=limit, return_tensors="pt")
            )
        return tokenizer(inputs)


def from_module(model: Any, options: LoadOptions) -> ModuleClassifier:
    """Return the adapter of a torch module; it stays where it is, unless device or dtype ask.

    >>> module = torch.nn.Linear(2, 2)
    >>> options = LoadOptions(labels=["no", "yes"], transform=lambda rows: torch.tensor(rows))
    >>> from_module(module, options).classify([[0.0, 1.0]]).probabilities.shape
    (1, 2)
    """
    kind = type(model).__name__
    if not options.labels and options.positive is None:
        raise UsageError(
            f"A torch module ({kind}) does not name its classes. Pass labels=[...], in the order of its outputs."
        )
    if options.transform is None and not callable(options.tokenizer):
        raise UsageError(
            f"A torch module ({kind}) does not say how its inputs are made. Pass tokenizer=..., or transform=..., a function from "
            "a list of inputs to a tensor, a tuple or a mapping of tensors."
        )
    first = next(model.parameters(), torch.empty(0))
    if options.device is not None or options.dtype is not None:
        placement = place(options.device or first.device, options.dtype or first.dtype)
        size = sum(p.numel() for p in model.parameters()) * placement.dtype.itemsize
        check_fit(options.name or kind, size, placement)
        model = model.to(device=placement.device, dtype=placement.dtype)
    else:
        placement = as_given(first.device, first.dtype)
    return ModuleClassifier(model, options, placement)


def _moved(values: Any, placement: Placement) -> Any:
    """Return tensors on the device, floating ones in the dtype."""
    if isinstance(values, torch.Tensor):
        return values.to(placement.device, placement.dtype if values.is_floating_point() else values.dtype)
    if hasattr(values, "keys"):
        return {name: _moved(values[name], placement) for name in values}
    if isinstance(values, tuple):
        return tuple(_moved(value, placement) for value in values)
    return values
