"""A person's own word vectors are a model that embeds."""

import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.errors import DataError, NotApplicable
from workbench.models.load import kind_of, load

TWO = {"man": [1.0, 0.0], "Ann": [0.0, 1.0]}


def test_a_mapping_a_table_and_keyed_vectors_are_one_model() -> None:
    """The same words and numbers give the same vectors and hash, whatever holds them."""
    keyed = SimpleNamespace(key_to_index={"man": 0, "Ann": 1}, vectors=np.eye(2, dtype=np.float32))
    frame = pd.DataFrame([[1.0, 0.0], [0.0, 1.0]], index=["man", "Ann"])
    made = [load(source, name="two") for source in (TWO, frame, keyed)]

    assert {"word vectors"} == {kind_of(source) for source in (TWO, frame, keyed)}
    assert 1 == len({model.info.weights_hash for model in made})
    for model in made:
        assert ("two", frozenset({"embed"})) == (model.name, model.verbs)
        np.testing.assert_array_equal(model.embed(["Ann", "man"]).vectors, [[0, 1], [1, 0]])


def test_what_is_not_there_has_no_vector() -> None:
    """Lower case is tried; a text of several words needs them all, so that no sentence has the vector of its frame alone."""
    made = load(TWO).embed(["Man", "Ann, man!", "This is Ann", "ann", ""])

    np.testing.assert_array_equal(made.vectors[:2], [[1, 0], [0.5, 0.5]])
    assert np.isnan(made.vectors[2:]).all()
    assert made.done.all()


@pytest.mark.parametrize("head", ["", "3 2\n"])
def test_text_files_of_word_vectors_are_read(head: str, tmp_path: Path) -> None:
    """With and without a first line of counts, plain and compressed, with words that hold spaces."""
    text = f"{head}man 1 0\nAnn 0 1\nat home 0.5 0.25\n"
    (tmp_path / "small.vec").write_text(text)
    with gzip.open(tmp_path / "small.txt.gz", "wt") as file:
        file.write(text)

    for name in ("small.vec", "small.txt.gz"):
        model = load(str(tmp_path / name))
        assert (name, ("man", "Ann", "at home")) == (model.name, model.words)
        np.testing.assert_array_equal(model.embed(["at home"]).vectors, [[0.5, 0.25]])


def test_faults_name_the_word_or_the_line(tmp_path: Path) -> None:
    """Each is one sentence that says what is wrong and what is wanted."""
    (tmp_path / "bad.txt").write_text("man 1 0\nAnn zero one\n")

    with pytest.raises(DataError, match=r"Line 2 of bad\.txt is not a word and its numbers"):
        load(tmp_path / "bad.txt")
    with pytest.raises(DataError, match="all equally long"):
        load({"a": [1.0], "b": [1.0, 2.0]})
    with pytest.raises(DataError, match="vector of 'b' holds NaN"):
        load({"a": [1.0], "b": [float("nan")]})
    with pytest.raises(DataError, match="Word 0 is 3; a text is wanted"):
        load({3: [1.0]})
    with pytest.raises(DataError, match="'a' stands more than once"):
        load(pd.DataFrame([[1.0], [2.0]], index=["a", "a"]))
    with pytest.raises(NotApplicable, match="neither layers nor pooling"):
        load(TWO).embed(["man"], layer=3)
    with pytest.raises(NotApplicable, match="cannot write text"):
        load(TWO).generate(["man"])
