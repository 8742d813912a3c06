"""What a run record keeps of a model, and loading it again."""

from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from sklearn.linear_model import LogisticRegression

import workbench as wb
from workbench.errors import ModelError
from workbench.models.origin import named, recorded, reopen, tensor_marks, tensor_marks_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a tiny language model."""
    place = tmp_path / "tiny"
    tiny.language_model().save_pretrained(place)
    tiny.tokenizer().save_pretrained(place)
    return place


def test_a_model_that_was_loaded_by_name_can_be_loaded_again(folder: Path) -> None:
    """The record holds target, options, dtype and the hashes; loading from it gives the same weights and tokenizer."""
    about = recorded(wb.load(str(folder), max_length=64, cache=False))
    again = recorded(reopen(about))

    assert named(about)
    assert {"max_length": 64, "cache": False} == about["load_options"]
    assert (about["weights_hash"], about["tokenizer_hash"]) == (again["weights_hash"], again["tokenizer_hash"])
    assert again["load_options"]["dtype"] == about["dtype"] == "float32"


def test_training_in_place_changes_the_recorded_weights(folder: Path) -> None:
    """One weight that is changed after loading shows in the record, in one tensor, and the model is not loaded by name again."""
    model = wb.load(str(folder), cache=False)
    before, marks = recorded(model), tensor_marks(model)
    with torch.no_grad():
        model.model.model.layers[1].mlp.up_proj.weight[3, 4] += 1.0
    after, moved = recorded(model), tensor_marks(model)

    assert before["weights_hash"] != after["weights_hash"]
    assert ["model.layers.1.mlp.up_proj.weight"] == [name for name in marks if marks[name] != moved[name]]
    assert moved == tensor_marks_of(after)
    assert {} == tensor_marks_of(before)
    with pytest.raises(ModelError, match="The weights were changed after the model was loaded"):
        reopen(after)


def test_what_runs_code_is_asked_for_anew(folder: Path) -> None:
    """A record cannot make `reopen` run code of a model's author."""
    about = {**recorded(wb.load(str(folder), cache=False)), "load_options": {"trust_remote_code": True}}

    with pytest.raises(ModelError, match="trust_remote_code=True, which can run any code"):
        reopen(about)
    assert reopen(about, trust=True).info.weights_hash == about["weights_hash"]


def test_a_server_is_asked_only_where_that_is_meant() -> None:
    """A record cannot make `reopen` send examples and a key to a server."""
    about = {"name": "m", "target": "https://host/v1", "loaded_as": "url", "load_options": {"key_env": "MY_SECRET"}}

    with pytest.raises(ModelError, match="behind https://host/v1: that server would be sent"):
        reopen(about)


def test_objects_say_why_they_cannot_be_loaded(folder: Path) -> None:
    """A callable has no name to load, and a name with a tokenizer that is an object is not enough."""
    about = recorded(wb.load(lambda texts: [[1.0] for _ in texts], labels=["one"], name="always"))
    with pytest.raises(ModelError, match="'always' cannot be loaded by name. It was given as an object .a callable"):
        reopen(about)
    with pytest.raises(ModelError, match="It was loaded with tokenizer=..., an object"):
        reopen(recorded(wb.load(str(folder), tokenizer=tiny.tokenizer(), cache=False)))


def test_a_scikit_learn_classifier_is_known_by_its_content() -> None:
    """Two fits on the same rows have one hash, another fit another."""
    x = np.arange(20.0).reshape(10, 2)
    one, two, three = (
        recorded(wb.load(LogisticRegression(C=c).fit(x, [0] * 5 + [1] * 5), name="rows"))["weights_hash"]
        for c in (1, 1, 2)
    )

    assert one == two != three
