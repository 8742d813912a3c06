"""A name, a table, a file and examples all become examples, and say how they were named."""

import pandas as pd
import pytest

from workbench.data.examples import Examples
from workbench.data.named import examples_of, said
from workbench.errors import UsageError


def test_whatever_names_examples_becomes_them() -> None:
    """The name of a pack, a table, a list of records; examples stay what they are."""
    given = Examples.of([{"text": "a"}], name="mine")

    assert given is examples_of(given)
    assert ("facts", 1, 2) == (
        examples_of("facts").name,
        len(examples_of([{"text": "a"}])),
        len(examples_of(pd.DataFrame({"text": ["a", "b"]}))),
    )
    assert ("mine", "'facts'") == (said(given), said(examples_of("facts")))


def test_a_misspelt_name_is_told_its_neighbour() -> None:
    """A bare word that names nothing says what there is."""
    with pytest.raises(UsageError, match="Did you mean 'facts'"):
        examples_of("factts")
