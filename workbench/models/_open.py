"""Opens names, folders and files, and hands transformers models to the adapter of their kind."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelError, UsageError
from workbench.models import _hub
from workbench.models import embedded as package
from workbench.models._packaged import PACKAGED, gguf_of
from workbench.models._weights import folder_hash, settings_text, state_hash, weight_files
from workbench.models.fit import Placement, as_given, check_fit, place, weight_bytes
from workbench.models.load import LoadOptions
from workbench.models.verbs import Model, ModelInfo

AUTO = {
    "language model": "AutoModelForCausalLM",
    "masked language model": "AutoModelForMaskedLM",
    "classifier": "AutoModelForSequenceClassification",
    "embedder": "AutoModel",
}
MAY_MISS = (
    "pooler.",
    "position_ids",
    "rotary_emb",
    "cls.",
    "lm_head",
    "predictions",
)  # weights that an encoder does not use


@dataclass(frozen=True)
class Opened:
    """A transformers model with what its adapter needs to know."""

    model: Any
    tokenizer: Any
    info: ModelInfo
    fingerprint: str  # of the weights and settings; "" where nothing may be kept on disk
    options: LoadOptions
    folder: Path | None = None


def packaged(target: str, options: LoadOptions) -> Model:
    """Open a model that has a package of its own: from that, else from the hub."""
    known = PACKAGED[str(target).strip().lower()]
    settings = replace(options, name=options.name or known.name)
    gguf_file = gguf_of(known)
    if gguf_file is not None:
        return gguf(gguf_file, settings, notes=(known.terms,) if known.terms else ())
    try:
        return hub(known.hub_name, settings)
    except ModelError as error:
        raise ModelError(
            f"The model {known.name!r} is not installed. Install it with: {known.pip_line} ({known.size}, no network needed "
            f"afterwards). The hub was tried too: {error}"
        ) from error


def gguf(target: str | Path, options: LoadOptions, notes: tuple[str, ...] = ()) -> Model:
    """Open a GGUF file by its converted copy."""
    path = Path(target).expanduser()
    placement = place(options.device, options.dtype)
    stored = "bfloat16" if placement.dtype_name == "bfloat16" else "float32"
    copy = package.convert(path, dtype=stored, verify=options.verify)
    note = f"converted from {path.name} (the weights are those of its quantised form)"
    return _from_folder(
        copy, replace(options, name=options.name or path.stem, task="language model"), notes=(note, *notes)
    )


def hub(target: str, options: LoadOptions) -> Model:
    """Open a model of the Hugging Face hub."""
    placement = place(options.device, options.dtype)
    found = _hub.fetch(
        target,
        revision=options.revision,
        code=options.trust_remote_code,
        pickled=options.allow_pickle,
        # the files may be in another dtype than the model will be; the headers tell exactly once they are here
        check=lambda size: _refuse_hopeless(target, size, placement),
    )
    settings = replace(options, name=options.name or target.rsplit("/", 1)[-1], revision=found.revision)
    return _from_folder(found.folder, settings)


def folder(target: str | Path, options: LoadOptions) -> Model:
    """Open a folder that transformers' `save_pretrained` or the hub wrote."""
    path = Path(target).expanduser()
    return _from_folder(path, replace(options, name=options.name or path.resolve().name))


def pickle(target: str | Path, options: LoadOptions) -> Model:
    """Open a pickled object, if that is asked for."""
    path = Path(target).expanduser()
    if not options.allow_pickle:
        raise ModelError(
            f"{path} is a pickle, and loading one can run any code that is in it. If you trust its author, pass "
            "allow_pickle=True."
        )
    try:
        if path.suffix in {".pkl", ".pickle", ".joblib"}:
            import joblib  # type: ignore[import-untyped]  # has no type information

            thing = joblib.load(path)
        else:
            thing = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # a pickle may raise anything
        raise ModelError(f"{path} cannot be unpickled: {type(error).__name__}: {error}.") from error
    if isinstance(thing, dict):
        raise ModelError(
            f"{path} holds a dictionary of weights, not a model. Make the model, load the weights into it, and pass the model."
        )
    from workbench.models.load import load

    return load(thing, options=replace(options, name=options.name or path.stem))


def pipeline(target: Any, options: LoadOptions) -> Model:
    """Open the model and tokenizer of a transformers pipeline."""
    return held(target.model, replace(options, tokenizer=options.tokenizer or target.tokenizer))


def held(model: Any, options: LoadOptions) -> Model:
    """Adapt a transformers model that is in memory already; it stays where it is and as it is, unless device or dtype ask."""
    origin = str(getattr(model, "name_or_path", "") or "")
    tokenizer = options.tokenizer
    if tokenizer is None and origin:
        with contextlib.suppress(ModelError):
            tokenizer = _tokenizer(origin, options)
    if tokenizer is None:
        raise UsageError(
            f"This {type(model).__name__} came without its tokenizer"
            + (f", and {origin!r} has none here" if origin else "")
            + ". Pass tokenizer=..., an object or a folder."
        )
    if isinstance(tokenizer, (str, Path)):
        tokenizer = _tokenizer(tokenizer, options)
    if options.device is not None or options.dtype is not None:
        asked = place(options.device or model.device, options.dtype or model.dtype)
        check_fit(options.name or type(model).__name__, _bytes(model), asked)
        model = model.to(device=asked.device, dtype=asked.dtype)
    model.eval()
    task = options.task or _task(
        list(getattr(model.config, "architectures", None) or [type(model).__name__]), type(model).__name__
    )
    if task is None:
        raise _no_task(type(model).__name__)
    digest = state_hash(model)
    name = options.name or origin.rstrip("/").rsplit("/", 1)[-1] or type(model).__name__
    placement = as_given(model.device, model.dtype)
    info = _info(model, task, placement, name=name, weights_hash=digest, revision=options.revision or "")
    where = Path(origin) if origin and Path(origin).is_dir() else None
    return _adapt(Opened(model, tokenizer, info, digest if options.cache else "", options, where))


def _from_folder(path: Path, options: LoadOptions, notes: tuple[str, ...] = ()) -> Model:
    """Load the model of a folder, having checked what it is, that it may be read, and that it fits."""
    settings = _settings(path, options)
    architectures = list(settings.get("architectures") or [])
    task = options.task or _task(architectures)
    if task == "masked language model" and options.task is None and (path / "modules.json").is_file():
        task = "embedder"  # a sentence encoder, whose config still names what it was trained from
    if task is None:
        raise _no_task(architectures[0] if architectures else f"{path.name} (its config.json names no architecture)")
    name = options.name or path.name
    files = weight_files(path)
    safe = bool(files) and files[0].suffix == ".safetensors"
    if not files or not (safe or options.allow_pickle):
        raise ModelError(_hub.no_safetensors(str(path), [each.name for each in files]))
    missing = [each.name for each in files if not each.is_file()]
    if missing:
        raise ModelError(
            f"{path} lacks {', '.join(missing[:3])}, which its index names. Download or save the model again."
        )
    placement = place(options.device, options.dtype)
    check_fit(name, weight_bytes(path, placement.dtype), placement)
    tokenizer = options.tokenizer or str(path)
    if isinstance(tokenizer, (str, Path)):
        tokenizer = _tokenizer(tokenizer, options)
    model = _weights(path, task, placement, options, safe=safe)
    digest = folder_hash(path)
    info = _info(model, task, placement, name=name, weights_hash=digest, revision=options.revision or "", notes=notes)
    fingerprint = f"{digest} {settings_text(path)}" if options.cache else ""
    return _adapt(Opened(model, tokenizer, info, fingerprint, options, path))


def _settings(path: Path, options: LoadOptions) -> dict[str, Any]:
    """Return config.json, or say why the folder cannot be loaded."""
    file = path / "config.json"
    if not file.is_file():
        if (path / "adapter_config.json").is_file():
            raise ModelError(
                f"{path} holds an adapter, not a model. Load base and adapter with peft, call merge_and_unload(), and pass that."
            )
        found = sorted(path.glob("*.gguf"))
        hint = f" Give the file: {found[0]}." if found else " Give the folder that save_pretrained wrote."
        raise ModelError(f"{path} has no config.json, so it is not a transformers model.{hint}")
    try:
        settings = json.loads(file.read_text())
    except ValueError as error:
        raise ModelError(f"{file} is not JSON ({error}). Download or save the model again.") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{file} does not hold settings. Download or save the model again.")
    if settings.get("auto_map") and not options.trust_remote_code:
        from transformers import CONFIG_MAPPING

        if settings.get("model_type") not in CONFIG_MAPPING:
            raise ModelError(
                f"{path.name} brings its own code. Read it, and if you trust it, pass trust_remote_code=True (and revision=... "
                "to pin what you read)."
            )
    return settings


def _task(architectures: list[str], class_name: str = "") -> str | None:
    """Return what a model of these architectures is for, None where it is nothing that we adapt."""
    from transformers.models.auto import modeling_auto as auto

    causal = set(auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    sequence = set(auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.values())
    base = {
        name for names in auto.MODEL_MAPPING_NAMES.values() for name in ([names] if isinstance(names, str) else names)
    }
    masked = set(auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.values())
    for name in [class_name, *architectures] if class_name else architectures:
        if name in causal or name.endswith(("ForCausalLM", "LMHeadModel")):
            return "language model"
        if name in sequence or name.endswith("ForSequenceClassification"):
            return "classifier"
        if name.endswith("ForConditionalGeneration"):
            continue
        if name in masked or name.endswith("ForMaskedLM"):
            return "masked language model"
        if name in base:
            return "embedder"
    return None


def _no_task(what: str) -> ModelError:
    return ModelError(
        f"{what} is neither a causal nor a masked language model, a sequence classifier nor an encoder. If it can serve as one, "
        "pass task='language model', 'masked language model', 'classifier' or 'embedder'; anything else can be wrapped in a "
        "callable."
    )


def _weights(path: Path, task: str, placement: Placement, options: LoadOptions, *, safe: bool) -> Any:
    """Return the loaded model on its device."""
    import transformers

    try:
        with _quiet():
            model, report = getattr(transformers, AUTO[task]).from_pretrained(
                path,
                dtype=placement.dtype,
                local_files_only=True,
                trust_remote_code=options.trust_remote_code,
                use_safetensors=safe,
                output_loading_info=True,
            )
    except (ValueError, KeyError, OSError, RuntimeError, ImportError, AttributeError, TypeError) as error:
        raise ModelError(
            f"transformers {transformers.__version__} cannot load {path.name}: {_first(error)} "
            "A newer transformers may know its architecture; a damaged download must be made again."
        ) from error
    absent = sorted(
        name for name in report["missing_keys"] if task != "embedder" or not any(part in name for part in MAY_MISS)
    )
    if absent:
        raise ModelError(
            f"{path.name} has no weights for {', '.join(absent[:3])}{' ...' if len(absent) > 3 else ''}, so as a {task} it would "
            "answer at random. Load a model that was trained for this, or pass task=... for what it is."
        )
    return model.to(placement.device).eval()


def _tokenizer(source: str | Path, options: LoadOptions) -> Any:
    """Return the tokenizer of a folder, or of a model in the local cache."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            str(source), local_files_only=True, trust_remote_code=options.trust_remote_code
        )
    except (ValueError, KeyError, OSError, RuntimeError, ImportError, AttributeError, TypeError) as error:
        raise ModelError(
            f"There is no usable tokenizer in {source}: {_first(error)} Pass tokenizer=..., an object or a folder."
        ) from error


def _adapt(opened: Opened) -> Model:
    if opened.info.kind == "language model":
        from workbench.models.language import LanguageModel

        return LanguageModel(opened)
    if opened.info.kind == "classifier":
        from workbench.models.classifiers import TextClassifier

        return TextClassifier(opened)
    if opened.info.kind == "masked language model":
        from workbench.models.masked import MaskedModel

        return MaskedModel(opened)
    from workbench.models.embedders import Embedder

    return Embedder(opened)


def _info(model: Any, task: str, placement: Placement, **known: Any) -> ModelInfo:
    return ModelInfo(
        kind=task,
        device=str(placement.device),
        dtype=placement.dtype_name,
        parameters=sum(tensor.numel() for tensor in model.parameters()),
        bytes=_bytes(model),
        notes=(placement.reason, *known.pop("notes", ())),
        **known,
    )


def _bytes(model: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in [*model.parameters(), *model.buffers()])


def _refuse_hopeless(name: str, stored: int, placement: Placement) -> None:
    """Refuse before a download what cannot fit even if its files are in a larger dtype than asked."""
    check_fit(name, stored // 2 if placement.dtype.itemsize <= 2 else stored, placement)


def _first(error: BaseException) -> str:
    """Return what an error says, its first line, as a sentence."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return line if line.endswith(".") else f"{line}."


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide transformers' progress bars and load reports: what matters in them becomes an error of ours."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
