"""What a server can do, found by asking it: a few short questions when the model is loaded."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import ModelError, UsageError, unknown
from workbench.models._endpoint_http import Asking, NoAnswer, Refused
from workbench.models._endpoint_pace import Usage
from workbench.models._endpoint_read import echo_of, next_of, text_of, vectors_of

__all__ = ["Abilities", "chosen_model", "probed"]

TEXT = "The capital of France is"
TOPS = (20, 5)  # how many likeliest tokens are asked for: what newer servers give at most, and older ones
AGREE = (
    0.1  # nats by which an echoed log-probability may differ from the same one as the next token: batches, quantisation
)
FEW = 2  # further tries of a question that need not succeed


@dataclass
class Abilities:
    """What was found; `reasons` says for each verb that is missing what was asked and what came.

    `echo`: tokens are scored where they stand. `after`: how many tokens must be written after an echo (1, or 0). `top`: how many
    likeliest next tokens are told, "completions" or "chat" saying where (`choose`). `write`: where texts are written.
    """

    echo: bool = False
    after: int = 1
    choose: str = ""
    top: int = 0
    write: str = ""
    told: bool = False  # the likelihoods of what is written
    embed: bool = False
    fingerprint: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def verbs(self) -> frozenset[str]:
        """What the model answers."""
        able = {
            "score": self.echo,
            "choose": self.echo or bool(self.choose),
            "generate": bool(self.write),
            "embed": self.embed,
        }
        return frozenset(verb for verb, can in able.items() if can)


def chosen_model(asking: Asking, host: str, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Return the model's name, the one that is served where none was named, and the names that the server lists."""
    names: tuple[str, ...] = ()
    try:
        data = asking.get("/models", what="what it serves", retries=FEW).get("data")
        names = tuple(str(each["id"]) for each in data or () if isinstance(each, Mapping) and "id" in each)
    except (Refused, NoAnswer) as error:
        if isinstance(error, Refused) and error.status == 401:
            raise
        if not wanted:
            raise ModelError(
                f"{host} does not list its models ({error}). Name one: model='...', or #name after the URL."
            ) from None
    if wanted:
        return wanted, names
    if len(names) != 1:
        held = f"serves {', '.join(names)}" if names else "lists no model"
        raise UsageError(f"{host} {held}. Name the one to ask: model='...', or #name after the URL.")
    return names[0], names


def probed(asking: Asking, host: str, model: str, names: tuple[str, ...], usage: Usage) -> Abilities:
    """Return what the server can do with that model.

    Raises `ModelError` where it can do nothing, or does not accept the key, `UsageError` where it does not know the model.
    """
    able = Abilities()
    faults: list[ModelError] = []
    likely = _completions(asking, model, usage, able, faults)
    if able.write:
        _echo(asking, model, usage, able, likely)
    else:
        able.reasons["score"] = f"it takes echoed log-probabilities, and {able.reasons['generate']}"
    if not able.write or not able.choose:
        _chat(asking, model, usage, able, faults)
    _embeddings(asking, model, usage, able, faults)
    if able.verbs:
        return able
    if names and model not in names and all(isinstance(each, Refused) and each.status in (400, 404) for each in faults):
        raise unknown(f"model of {host}", model, names)
    raise ModelError(
        f"{host} can be asked nothing with the model {model!r}: {faults[0] if faults else 'it answers nothing'}"
    )


def _completions(
    asking: Asking, model: str, usage: Usage, able: Abilities, faults: list[ModelError]
) -> dict[str, float]:
    """Ask for the next token through /completions; return the likeliest ones, {} where they are not told."""
    said: ModelError | None = None
    for top in (*TOPS, 0):
        payload = {"model": model, "prompt": TEXT, "max_tokens": 1, "temperature": 1.0, "seed": 1}
        try:
            body = _post(asking, "/completions", payload | ({"logprobs": top} if top else {}), usage, able)
            text_of(body, "a first text")
        except ModelError as error:
            _unless_key(error)
            said = said or error
            if isinstance(error, Refused) and error.status in (400, 422):
                continue
            break
        able.write = "completions"
        if not top:
            break
        try:
            likely = next_of(body, "a first text")
        except ModelError as error:
            said = said or error
            break
        able.told = True
        if len(likely) > 1:
            able.choose, able.top = "completions", top
            return likely
        able.reasons["choose"] = f"/completions was asked for the {top} likeliest next tokens and told {len(likely)}"
        return likely
    if not able.write and said is not None:
        faults.append(said)
        able.reasons["generate"] = f"/completions was asked, and {_inside(said)}"
    able.reasons.setdefault("choose", f"/completions was asked for the likeliest next tokens, and {_inside(said)}")
    return {}


def _echo(asking: Asking, model: str, usage: Usage, able: Abilities, likely: Mapping[str, float]) -> None:
    """Ask for a text to be echoed with log-probabilities, and hold them against those of the next token."""
    best = max(likely, key=lambda token: likely[token]) if likely else ""
    text = TEXT + best
    asked = "/completions was asked for echo=true with logprobs=1"
    said: Exception | None = None
    for after in (1, 0):
        payload = {"model": model, "prompt": text, "max_tokens": after, "temperature": 1.0, "logprobs": 1, "echo": True}
        try:
            echo = echo_of(_post(asking, "/completions", payload, usage, able), text, "a first text")
        except ModelError as error:
            _unless_key(error)
            said = said or error
            continue
        if len(echo.tokens) < 2 or any(each is None for each in echo.logp[1:]):
            said = ModelError("the log-probabilities of tokens after the first are missing.")
            break
        last = echo.logp[-1] if best and echo.tokens[-1] == best else None
        if last is None:
            able.notes.append("echoed log-probabilities could not be held against those of the next token")
        elif abs(last - likely[best]) > AGREE:
            able.reasons["score"] = (
                f"{asked}, and what came does not fit: {best!r} after {TEXT!r} has log-probability {last:.3f} where it is echoed "
                f"and {likely[best]:.3f} as the next token. The server may pair tokens with those of their neighbours"
            )
            return
        able.echo, able.after = True, after
        return
    able.reasons["score"] = f"{asked}, and {_inside(said)}"


def _chat(asking: Asking, model: str, usage: Usage, able: Abilities, faults: list[ModelError]) -> None:
    """Ask for the next token through /chat/completions."""
    said: ModelError | None = None
    for top in (*TOPS, 0):
        payload: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": TEXT}], "max_tokens": 1}
        payload |= {"temperature": 1.0, "seed": 1} | ({"logprobs": True, "top_logprobs": top} if top else {})
        try:
            body = _post(asking, "/chat/completions", payload, usage, able)
            text_of(body, "a first message")
        except ModelError as error:
            _unless_key(error)
            said = said or error
            if isinstance(error, Refused) and error.status in (400, 422):
                continue
            break
        able.write = able.write or "chat"
        if top:
            with contextlib.suppress(ModelError):
                likely = next_of(body, "a first message")
                able.told = able.told or able.write == "chat"
                if len(likely) > 1 and not able.choose:
                    able.choose, able.top = "chat", top
        if not able.choose:
            able.reasons["choose"] += "; nor does /chat/completions tell them (top_logprobs)"
        return
    if said is not None:
        faults.append(said)
        able.reasons["choose"] += f"; /chat/completions was asked, too, and {_inside(said)}"
        if not able.write:
            able.reasons["generate"] += f"; /chat/completions was asked, too, and {_inside(said)}"


def _embeddings(asking: Asking, model: str, usage: Usage, able: Abilities, faults: list[ModelError]) -> None:
    try:
        vectors_of(_post(asking, "/embeddings", {"model": model, "input": [TEXT]}, usage, able), 1, "a first text")
        able.embed = True
    except ModelError as error:
        _unless_key(error)
        faults.append(error)
        able.reasons["embed"] = f"/embeddings was asked, and {_inside(error)}"


def _post(asking: Asking, path: str, payload: Mapping[str, Any], usage: Usage, able: Abilities) -> dict[str, Any]:
    body = asking.post(path, payload, what="a first question", retries=FEW)
    usage.add(body, len(TEXT))
    able.fingerprint = str(body.get("system_fingerprint") or able.fingerprint)
    return body


def _inside(error: Exception | None) -> str:
    """Return what an error says, as it goes on in a sentence."""
    text = str(error).rstrip(".")
    return "the" + text[3:] if text.startswith("The ") else text


def _unless_key(error: ModelError) -> None:
    """Raise what concerns the connection or the key: it would be the same for every question."""
    if not isinstance(error, Refused | NoAnswer) and (
        "Nothing answers" in str(error) or "cannot be trusted" in str(error)
    ):
        raise error
    if isinstance(error, Refused) and error.status == 401:
        raise error
