"""Models of the Hugging Face hub: into the local cache once; without a network, an answer at once."""

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import ModelError
from workbench.models._weights import weight_files
from workbench.models.load import NAMED

TIMEOUT = 10.0  # seconds for the one question that tells whether the hub answers
SETTINGS = ["*.json", "*.txt", "*.model", "*.jinja", "tokenizer*", "1_Pooling/config.json"]
WITHOUT = ["consolidated*", "*/*.safetensors", "*/*.bin", "onnx/*", "openvino/*", "training_args.bin"]


class Snapshot(NamedTuple):
    """A model's folder in the local cache and the commit it holds."""

    folder: Path
    revision: str


def fetch(
    name: str,
    *,
    revision: str | None,
    code: bool,
    pickled: bool,
    check: Callable[[int], None],
) -> Snapshot:
    """Return the model's folder, downloading what is missing.

    Args:
        name: owner/model, or a model without owner
        revision: branch, tag or commit
        code: take Python files too
        pickled: take pickled weights where there are no others
        check: hears the size of the weight files in bytes before anything large is downloaded, and may refuse
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        about = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT)
    except GatedRepoError as error:
        raise ModelError(
            f"{name} is gated. Accept its terms at https://huggingface.co/{name}, then run `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"The hub has no model {name!r}, or it is private.{near(name)} Look at https://huggingface.co/models, or run "
            "`hf auth login` for a private one."
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(
            f"{name} has no revision {revision!r}. Leave revision out, or give a branch, tag or commit."
        ) from error
    except HFValidationError as error:
        raise ModelError(f"{name!r} is neither a folder nor a name of the hub: {error}{near(name)}") from error
    except Exception as error:  # the HTTP library's own kinds, proxies, name resolution, offline mode
        kept = _kept(name, revision)
        if kept is not None:
            return kept
        raise ModelError(
            f"{name} is not on this machine, and the hub does not answer ({type(error).__name__}: {_line(error)}).{near(name)} "
            "Connect to the network, or give a folder, or load 'smollm2-135m-instruct', which needs none."
        ) from error
    safe = {s.rfilename: s.size or 0 for s in about.siblings or [] if _at_top(s.rfilename, ".safetensors")}
    other = {s.rfilename: s.size or 0 for s in about.siblings or [] if _at_top(s.rfilename, ".bin")}
    if not safe and not (other and pickled):
        raise ModelError(no_safetensors(name, sorted(other)))
    check(sum((safe or other).values()))
    patterns = [*SETTINGS, "*.safetensors" if safe else "*.bin", *(["*.py"] if code else [])]
    try:
        folder = snapshot_download(name, revision=about.sha, allow_patterns=patterns, ignore_patterns=WITHOUT)
    except Exception as error:  # as above, in the middle of a download
        raise ModelError(
            f"The download of {name} failed ({type(error).__name__}: {_line(error)}). Run it again: it resumes."
        ) from error
    return Snapshot(Path(folder), about.sha or "")


def no_safetensors(name: str, found: Iterable[str]) -> str:
    """Return why a model without safetensors is refused."""
    files = ", ".join(list(found)[:3])
    what = f"only pickled weights ({files})" if files else "no weights (*.safetensors)"
    remedy = (
        "Loading a pickle can run any code that is in it. If you trust its author, pass allow_pickle=True."
        if files
        else "Give the folder or repository that holds the model's weights and config.json."
    )
    return f"{name} has {what}. {remedy}"


def kept_names() -> list[str]:
    """Return the names of the models in the local hub cache; from folder names alone, so quick."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE

        folders = sorted(Path(HF_HUB_CACHE).glob("models--*"))
    except (ImportError, OSError):
        return []
    return [folder.name.removeprefix("models--").replace("--", "/") for folder in folders]


def near(name: str, known: Iterable[str] = ()) -> str:
    """Return " Did you mean 'x'?" for the nearest name known on this machine, else ""."""
    names = {each.lower(): each for each in [*known, *NAMED, *kept_names()] if each != name}
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def _kept(name: str, revision: str | None) -> Snapshot | None:
    """Return the snapshot in the local cache if it is whole enough to load."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
        files = weight_files(folder)
    except Exception:  # not there, or there in part: either way the caller says that the hub does not answer
        return None
    whole = (folder / "config.json").is_file() and files and all(path.is_file() for path in files)
    return Snapshot(folder, folder.name) if whole else None


def _at_top(path: str, ending: str) -> bool:
    return path.endswith(ending) and "/" not in path and not path.startswith(("consolidated", "training_args"))


def _line(error: Any) -> str:
    """Return the first line of what an error says."""
    return (str(error).splitlines() or [""])[0][:200]
