"""From a URL and what is said beside it to a model that can be asked."""

import math

from workbench.errors import UsageError
from workbench.models._endpoint_http import Asking, Line, Policy, address_of, key_name
from workbench.models._endpoint_pace import Pace, Price, Usage
from workbench.models._endpoint_probe import TEXT, Abilities, chosen_model, probed
from workbench.models._endpoint_read import Unlaid, echo_of
from workbench.models.endpoint import Endpoint
from workbench.models.load import ENDPOINT_ONLY, LoadOptions

__all__ = ["from_url"]


def from_url(target: str, options: LoadOptions) -> Endpoint:
    """Return the model behind a URL, after a few questions that show what its server can do."""
    address, fragment = address_of(target)
    if fragment and options.model and fragment != options.model:
        raise UsageError(f"The URL names the model {fragment!r} and model= says {options.model!r}. Name one of them.")
    _check(options)
    key, note = key_name(address, options.key_env)
    price = None if options.price is None else Price(*map(float, options.price))
    usage, pace = Usage(price), Pace(options.requests_per_minute, options.tokens_per_minute)
    line = Line(address, key, Policy(timeout=options.timeout), pace)
    with line.open(options.concurrency) as asking:
        name, names = chosen_model(asking, address.host, options.model or fragment)
        able = probed(asking, address.host, name, names, usage)
        if note:
            able.notes.append(note)
        if options.bos and able.echo:
            _check_bos(asking, name, able, options.bos, usage)
    return Endpoint(line, name, able, options, usage)


def _check(options: LoadOptions) -> None:
    """Raise `UsageError` for an option that means nothing of a server, or has a value that cannot be."""
    default = LoadOptions()
    for name in LoadOptions.__dataclass_fields__:
        if name not in (*ENDPOINT_ONLY, "name", "revision", "cache") and getattr(options, name) != getattr(
            default, name
        ):
            raise UsageError(
                f"{name} says nothing of a model behind a URL: its server has settled that. Leave {name} out."
            )
    for name in ("concurrency", "requests_per_minute", "tokens_per_minute"):
        value = getattr(options, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise UsageError(f"{name} must be a whole number, 1 or more; it is {value!r}.")
    if not 0 < options.timeout < math.inf:
        raise UsageError(f"timeout is a number of seconds above 0; it is {options.timeout!r}.")
    if options.price is not None:
        try:
            read, written = map(float, options.price)
            wrong = not (0 <= read < math.inf and 0 <= written < math.inf)
        except (TypeError, ValueError):
            wrong = True
        if wrong:
            raise UsageError(
                f"price is what a million tokens cost, read and written: price=(0.5, 1.5); it is {options.price!r}."
            )


def _check_bos(asking: Asking, model: str, able: Abilities, bos: str, usage: Usage) -> None:
    """Raise `UsageError` where the server does not read `bos` as one token at a text's beginning, or puts its own before it."""
    text = bos + TEXT
    payload = {
        "model": model,
        "prompt": text,
        "max_tokens": able.after,
        "temperature": 1.0,
        "logprobs": 1,
        "echo": True,
    }
    body = asking.post("/completions", payload, what="a text with bos")
    usage.add(body, len(text))
    try:
        echo = echo_of(body, text, "a text with bos")
    except Unlaid:
        echo = None
    if echo is None or echo.tokens[0] != bos or len(echo.logp) < 2 or echo.logp[1] is None:
        raise UsageError(
            f"The server does not read bos={bos!r} as one token. Name the token that begins texts for {model!r}, as it is written."
        )
    read = (body.get("usage") or {}).get("prompt_tokens")
    if echo.front or (isinstance(read, int) and read > len(echo.tokens)):
        raise UsageError(
            f"The server puts a token of its own before every text, so that {bos!r} would stand there twice. Leave bos out: texts "
            "without a context cannot be scored through this server."
        )
