"""Inputs of classifiers, brought into the form that a model takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import DataError


def texts_of(inputs: Sequence[Any]) -> tuple[list[str], list[str] | None]:
    """Return the texts and, where the inputs are pairs, the second texts.

    >>> texts_of([("a", "b"), {"text": "c", "text_pair": "d"}])
    (['a', 'c'], ['b', 'd'])
    """
    if isinstance(inputs, str):
        raise DataError("The inputs are one text; a list of texts is wanted. Put it in a list.")
    firsts, seconds = [], []
    for i, each in enumerate(inputs):
        first, second = each, None
        if isinstance(each, Mapping) and "text" in each:
            first, second = each["text"], each.get("text_pair")
        elif isinstance(each, (tuple, list)) and len(each) == 2:
            first, second = each
        if not isinstance(first, str) or not isinstance(second, str | None):
            raise DataError(
                f"Input {i} is a {type(each).__name__}; a text, a pair of texts, or a mapping with text and text_pair is wanted."
            )
        firsts.append(first)
        seconds.append(second)
    pairs = [second for second in seconds if second is not None]
    if pairs and len(pairs) < len(seconds):
        raise DataError(
            f"Input {seconds.index(None)} is a single text, others are pairs. Give all inputs the same form."
        )
    return firsts, pairs or None


def as_rows(inputs: Any, names: Any, model: str) -> Any:
    """Return inputs in the form that a scikit-learn model takes: texts, a DataFrame, or a matrix.

    Args:
        inputs: texts, mappings from feature to value, rows of numbers, or images (arrays, which become rows of pixels)
        names: the model's feature_names_in_, None where it was fitted without
        model: its name, for messages
    """
    if hasattr(inputs, "columns"):
        return (
            inputs
            if names is None
            else _framed(
                [dict(zip(inputs.columns, row, strict=True)) for row in inputs.itertuples(index=False)], names, model
            )
        )
    inputs = list(inputs)
    first = inputs[0]
    if isinstance(first, str):
        return inputs
    if isinstance(first, Mapping):
        if names is not None:
            return _framed(inputs, names, model)
        columns = list(first)
        for i, each in enumerate(inputs):
            if set(each) != set(columns):
                raise DataError(
                    f"Input {i} has the features {_listed(each)}; input 0 has {_listed(columns)}. Give all the same."
                )
        if len(columns) == 1 and isinstance(first[columns[0]], str):
            return [each[columns[0]] for each in inputs]
        return np.array([[each[column] for column in columns] for each in inputs])
    rows = _flat(inputs, model) if getattr(first, "ndim", 1) > 1 else np.asarray(inputs)
    if names is not None:
        import pandas as pd

        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise DataError(
                f"{model} was fitted on {len(names)} features ({_listed(names)}); these rows have the shape {rows.shape}."
            )
        return pd.DataFrame(rows, columns=list(names))
    return rows


def _flat(images: Sequence[Any], model: str) -> Any:
    """Return images of one shape as a matrix, a row of pixels each."""
    for i, each in enumerate(images):
        if each.shape != images[0].shape:
            raise DataError(
                f"{model} reads images of one shape: input {i} has the shape {each.shape}, input 0 {images[0].shape}."
            )
    return np.stack([each.reshape(-1) for each in images])


def _framed(inputs: Sequence[Mapping[str, Any]], names: Any, model: str) -> Any:
    """Return the mappings as a DataFrame with the model's columns in its order."""
    import pandas as pd

    for i, each in enumerate(inputs):
        missing = [name for name in names if name not in each]
        if missing:
            said = "feature" if len(missing) == 1 else "features"
            raise DataError(f"{model} needs the {said} {_listed(missing)}; input {i} has {_listed(each)}.")
    return pd.DataFrame([{name: each[name] for name in names} for each in inputs], columns=list(names))


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
