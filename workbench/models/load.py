"""From whatever names or is a model to an adapter that answers the verbs of `workbench.models.verbs`.

`kind_of` says what a target is, and one adapter serves each kind: a causal language model scores, chooses, generates and embeds; a
masked one fills and embeds; a sequence classifier, a scikit-learn classifier, a torch module or a callable classifies; an encoder
and word vectors embed. Weights are read from safetensors only, and no code that comes with a model is run, unless `allow_pickle`
or `trust_remote_code` asks for it.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from workbench.errors import ModelError, UsageError, unknown
from workbench.models import held
from workbench.models.verbs import Model

__all__ = ["NAMED", "LoadOptions", "kind_of", "known_names", "load"]

EMBEDDED = "smollm2-135m-instruct"
NAMED = (EMBEDDED, "gemma-3-270m")  # the keys of `_packaged.PACKAGED`, which cannot be read without torch
PICKLED = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt")
VECTORS = (".vec", ".txt")  # text files of word vectors, also with .gz
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
ENDPOINT_ONLY = (  # options of a model behind a URL, and of no other
    *("model", "key_env", "bos", "price", "concurrency", "requests_per_minute", "tokens_per_minute", "timeout"),
)


@dataclass(frozen=True)
class LoadOptions:
    """What can be said about a model beside what it is.

    Args:
        tokenizer: a tokenizer, or its name or folder; a torch module's may be any callable on a list of texts
        name: the model's name in tables and records; an object without weights is cached on disk under it, and only then
        device: "cpu", "cuda", "cuda:1", "mps"; None takes the GPU if there is one
        dtype: "float32", "bfloat16", "float16"; None takes bfloat16 on a GPU that has it, float32 elsewhere
        revision: branch, tag or commit on the hub; for a model behind a URL a name of your own for its weights, under which answers
            are kept on disk, and only then
        trust_remote_code: run the code that comes with the model
        allow_pickle: read pickled weights or objects, which can run any code
        labels: the names of the classes, in the order of the model's outputs
        transform: what makes a torch module's input of a list of inputs: of texts, of images, or, for a table of features, of one
            mapping from column to value per row
        positive: the one label to read, against its absence, from a head with one logit or with independent labels
        outputs: "logits" or "probabilities" of a torch module; None looks at the first batch
        per_item: the callable takes one input at a time
        task: "language model", "masked language model", "classifier" or "embedder", where the architecture does not say it or says
            another
        max_length: the most tokens of a text
        token_budget: the most tokens in one batch, with padding
        cache: keep answers on disk, False for not; a folder keeps them there
        verify: check every byte of the converted copy of a GGUF file
        model: which model a server is asked for (or write it behind the URL, after #)
        key_env: the environment variable that holds the server's key; None takes OPENAI_API_KEY, if it is set
        bos: the text of the token that begins texts for the model behind a URL, such as "<s>": it stands where a context is empty
        price: what a million tokens cost, read and written, in your currency: (0.5, 1.5)
        concurrency: how many requests a server gets at once
        requests_per_minute, tokens_per_minute: the most that a server is asked in 60 seconds
        timeout: seconds that one answer of a server may take
    """

    tokenizer: Any = None
    name: str | None = None
    device: Any = None
    dtype: Any = None
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    labels: Sequence[str] | None = None
    transform: Callable[[Sequence[Any]], Any] | None = None
    positive: str | None = None
    outputs: str | None = None
    per_item: bool = False
    task: str | None = None
    max_length: int | None = None
    token_budget: int | None = None
    cache: bool | str | Path = True
    verify: bool = False
    model: str | None = None
    key_env: str | None = None
    bos: str | None = None
    price: tuple[float, float] | None = None
    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout: float = 60.0


def load(target: Any, *, options: LoadOptions | None = None, **changes: Any) -> Model:
    """Return the model, ready to be asked: `wb.load("smollm2-135m-instruct")`.

    `target` is the embedded model's name, "gemma-3-270m" (if its package is installed), a name of the Hugging Face hub, a folder,
    a GGUF file, a loaded transformers model, a fitted scikit-learn classifier, a torch module (with `labels` and `tokenizer` or
    `transform`), a callable that takes a list of texts and gives class probabilities, or word vectors: a mapping or table from
    words to vectors, gensim's KeyedVectors, a text file (.vec, .txt) of word2vec, fastText or GloVe; or the URL of an
    OpenAI-compatible server, https://host/v1#model. `changes` are the fields of `LoadOptions`.

    Raises `ModelError` where the model cannot be loaded, `OutOfMemory` before loading where it does not fit, `UsageError` for
    options that are unknown or missing; each says what to do.

    >>> model = load(lambda texts: [[0.2, 0.8] for _ in texts], labels=["no", "yes"], name="always yes")
    >>> model.verbs, model.info.kind
    (frozenset({'classify'}), 'callable')
    >>> load("x", devise="cpu")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: Unknown option of load 'devise'. Did you mean 'device'? Known: ...
    """
    settings = _settle(options, changes)
    kind = kind_of(target)
    if kind == "workbench model":
        loaded: Model = target
        return loaded
    _fit(kind, settings)
    module, function = ADAPTERS[kind]
    made: Model = getattr(importlib.import_module(f"workbench.models.{module}"), function)(target, settings)
    held.note(made, _origin(target, kind, settings, made))
    return made


def kind_of(target: Any) -> str:
    """Return what a target is, one of the keys of `ADAPTERS` or "workbench model"; nothing is loaded to know it.

    >>> kind_of("smollm2-135m-instruct"), kind_of("owner/model"), kind_of(len)
    ('packaged model', 'hub name', 'callable')
    """
    if isinstance(target, (str, Path)):
        return _kind_of_name(target)
    if inspect.isclass(target):
        raise UsageError(f"{target.__name__} is a class, not a model. Make an instance, fit or load it, and pass that.")
    if hasattr(target, "verbs") and hasattr(target, "info"):
        return "workbench model"
    home = type(target).__module__.split(".")
    if home[:2] == ["transformers", "pipelines"]:
        return "transformers pipeline"
    # An object of torch cannot be here without it; a run in another thread may be half through importing it.
    module = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    if module is not None and isinstance(target, module):
        whole = hasattr(target, "config") and hasattr(target.config, "model_type") and hasattr(target, "forward")
        return "transformers model" if whole else "torch module"
    if any(hasattr(target, verb) for verb in ("predict_proba", "decision_function")) or (
        hasattr(target, "predict") and hasattr(target, "get_params")
    ):
        return "scikit-learn model"
    if callable(target):
        return "callable"
    is_table = hasattr(target, "to_numpy") and hasattr(target, "index")
    if isinstance(target, Mapping) or is_table or hasattr(target, "key_to_index"):
        return "word vectors"
    raise UsageError(
        f"A {type(target).__name__} is not something that can be loaded. Give a name, a folder, a GGUF file, a transformers model, "
        "a scikit-learn classifier, a torch module, a callable, or a mapping from words to vectors."
    )


def known_names() -> tuple[str, ...]:
    """Return the names that can be loaded without a network: the embedded model's and those in the hub's cache.

    >>> "smollm2-135m-instruct" in known_names()
    True
    """
    from workbench.models._hub import kept_names

    return (EMBEDDED, *kept_names())


ADAPTERS = {  # kind -> module of workbench.models, function of (target, options)
    "packaged model": ("_open", "packaged"),
    "hub name": ("_open", "hub"),
    "folder": ("_open", "folder"),
    "gguf file": ("_open", "gguf"),
    "pickle": ("_open", "pickle"),
    "transformers model": ("_open", "held"),
    "transformers pipeline": ("_open", "pipeline"),
    "scikit-learn model": ("classifiers", "from_sklearn"),
    "torch module": ("modules", "from_module"),
    "callable": ("callables", "from_callable"),
    "word vectors": ("vectors", "from_vectors"),
    "word vector file": ("vectors", "from_file"),
    "url": ("_endpoint_open", "from_url"),
}


MEANT = {  # option -> the only kinds that heed it, where it would change what a model is asked or how it is read
    "transform": ("torch module",),
    "outputs": ("torch module",),
    "per_item": ("callable",),
}
MEND = {
    "scikit-learn model": "Put the step into a pipeline, or wrap the model in a function.",
    "callable": "Do it inside the function.",
}


def _fit(kind: str, settings: LoadOptions) -> None:
    """Raise `UsageError` for an option that a kind of model would not heed: a server's, or one that changes what is asked."""
    default = LoadOptions()
    for name in ENDPOINT_ONLY if kind != "url" else ():
        if getattr(settings, name) != getattr(default, name):
            raise UsageError(f"{name} is for a model behind a URL; this one is a {kind}. Leave {name} out.")
    for name, kinds in MEANT.items():  # what a pickle holds is looked at when it is open
        if kind not in (*kinds, "pickle") and getattr(settings, name) != getattr(default, name):
            mend = MEND.get(kind, f"Leave {name} out.")
            raise UsageError(
                f"{name} is for a {' or '.join(kinds)}; this one is a {kind}, which would not heed it. {mend}"
            )
    if settings.positive is not None and kind in ("scikit-learn model", "callable"):
        raise UsageError(
            f"positive is for a head of one logit or of independent labels; a {kind} gives its classes. Name the class in the "
            "probe, as in wb.run('groups', model, examples, positive='yes')."
        )


def _settle(options: LoadOptions | None, changes: dict[str, Any]) -> LoadOptions:
    known = [field.name for field in fields(LoadOptions)]
    for name in changes:
        if name not in known:
            raise unknown("option of load", name, known)
    settings = replace(options or LoadOptions(), **changes)
    for name, values in {
        "outputs": (None, "logits", "probabilities"),
        "task": (None, "language model", "masked language model", "classifier", "embedder"),
    }.items():
        if getattr(settings, name) not in values:
            raise unknown(f"value of {name}", getattr(settings, name), [value for value in values if value])
    for name in ("max_length", "token_budget"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise UsageError(f"{name} counts tokens, so it must be 1 or more; it is {value}.")
    if isinstance(settings.labels, str):
        raise UsageError(
            f"labels must be a list of names; it is the text {settings.labels!r}. Write labels=['no', 'yes']."
        )
    if not isinstance(settings.cache, (bool, str, Path)):
        raise UsageError(f"cache must be True, False or a folder; it is {settings.cache!r}.")
    return replace(settings, cache=str(settings.cache)) if isinstance(settings.cache, Path) else settings


def _origin(target: Any, kind: str, settings: LoadOptions, made: Any) -> held.Origin:
    """Return what a run record keeps of a call of `load`."""
    usual = LoadOptions()
    given = {field.name: getattr(settings, field.name) for field in fields(LoadOptions)}
    changed = {name: value for name, value in given.items() if value != getattr(usual, name)}
    seen: tuple[tuple[int, int], ...] = ()
    if hasattr(getattr(made, "model", None), "state_dict"):
        from workbench.models._weights import signature

        seen = signature(made.model)
    return held.Origin(str(target) if isinstance(target, (str, Path)) else "", kind, changed, seen)


def _kind_of_name(target: str | Path) -> str:
    """Return what a text or path names."""
    text = str(target).strip()
    if not text:
        raise UsageError(f"The model's name is empty. Try {EMBEDDED!r}.")
    if text.lower() == EMBEDDED:
        return "packaged model"
    if isinstance(target, str) and URL.match(text):
        return "url"
    path = Path(text).expanduser()
    if path.is_dir():
        return "folder"
    if text.lower() in NAMED:
        return "packaged model"
    ending = path.suffix.lower()
    if path.is_file():
        if ending == ".gguf":
            return "gguf file"
        if ending in PICKLED:
            return "pickle"
        if path.name.lower().removesuffix(".gz").endswith(VECTORS):
            return "word vector file"
        hint = f"Give its folder: {path.parent}." if ending == ".safetensors" else "Give a folder, or a .gguf file."
        raise ModelError(f"{path} is a file that holds no whole model. {hint}")
    looks_local = path.is_absolute() or text.startswith((".", "~")) or "\\" in text or ending in (".gguf", *PICKLED)
    if looks_local or isinstance(target, Path):
        raise ModelError(
            f"There is no file or folder {path}.{_beside(path)} Check the path; the working folder is {Path.cwd()}."
        )
    if not HUB_NAME.fullmatch(text):
        raise ModelError(
            f"{text!r} is neither a file or folder here nor a name of the hub (owner/model). The embedded model is {EMBEDDED!r}; "
            "a server's address begins with https:// or http://."
        )
    return "hub name"


def _beside(path: Path) -> str:
    """Return a hint at the nearest name in the same folder."""
    import difflib

    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {str(path.parent / close[0])!r}?" if close else ""
