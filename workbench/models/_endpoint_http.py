"""One question to an OpenAI-compatible server: where it is, the key, what is tried again, and every fault in one sentence.

The key is read from the environment for each request and stands nowhere else: no object, record, log or cache key holds it, and it
is cut out of whatever a server says. It travels over TLS, or to this machine; redirects are not followed.
"""

import contextlib
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from workbench.data._fetch import allowed
from workbench.errors import MissingExtra, ModelError, UsageError, counted
from workbench.frames import seed_of
from workbench.models._endpoint_pace import Pace

__all__ = ["Address", "Asking", "Halted", "Line", "NoAnswer", "Policy", "Refused", "address_of", "key_name"]

DEFAULT_KEY = "OPENAI_API_KEY"
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # answers that another try may change
LOCAL = ("localhost", "127.0.0.1", "::1")
LONGEST = 300  # characters of a server's words that are passed on


class Halted(Exception):
    """The call is ending: nothing more is asked."""


class NoAnswer(ModelError):
    """The server gave no answer, however often it was asked."""


class Refused(ModelError):
    """The server answered that it will not: its status and its words."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status, self.said = status, said


class Address(NamedTuple):
    """Where a server is: `base` without a slash at its end, `host` with its port, whether it is this machine, and over TLS."""

    base: str
    host: str
    local: bool
    secure: bool


@dataclass(frozen=True)
class Policy:
    """How long is waited, in seconds, and how often tried again.

    The n-th wait is drawn between half of and the whole of `first` * 2**n, at most `longest`; a Retry-After up to `patience` is
    waited for as it is said.
    """

    timeout: float = 60.0
    retries: int = 6
    first: float = 0.5
    longest: float = 30.0
    patience: float = 300.0


def address_of(target: str) -> tuple[Address, str]:
    """Return where a URL points, and the model that stands after its #; refuse what could hold a secret, unshown.

    >>> address_of("http://127.0.0.1:8000/v1/#small")
    (Address(base='http://127.0.0.1:8000/v1', host='127.0.0.1:8000', local=True, secure=False), 'small')
    >>> address_of("https://me:secret@host/v1")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: The address of the server at host holds a user name or password. Leave it out: keys come from ...
    """
    try:
        parts = urlsplit(target.strip())
        host, port = parts.hostname or "", parts.port
        if re.search(r"\s", parts.netloc + parts.path):
            raise ValueError("it has a space")
    except ValueError:
        raise UsageError(
            "The server's address is not a URL. Write it as https://host/v1, with the port if any."
        ) from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise UsageError("The server's address must begin with https:// or http:// and a host: https://host/v1.")
    if "@" in parts.netloc:
        raise UsageError(
            f"The address of the server at {host} holds a user name or password. Leave it out: keys come from an environment "
            "variable alone (OPENAI_API_KEY, or key_env='NAME')."
        )
    if parts.query:
        raise UsageError(
            f"The address of the server at {host} has a query (what stands after ?), which may hold a key and would be recorded. "
            "Leave it out; keys come from an environment variable alone (OPENAI_API_KEY, or key_env='NAME')."
        )
    path = parts.path.rstrip("/")
    for ending in ("/chat/completions", "/completions", "/embeddings", "/models"):
        if path.endswith(ending):
            raise UsageError(
                f"The address ends in {ending}; give the part before it, from which all are reached: "
                f"...{path.removesuffix(ending)}."
            )
    named = f"[{host}]" if ":" in host else host
    where = named if port is None else f"{named}:{port}"
    scheme = parts.scheme.lower()
    return Address(f"{scheme}://{where}{path}", where, host in LOCAL, scheme == "https"), unquote(parts.fragment)


def key_name(address: Address, named: str | None) -> tuple[str, str]:
    """Return the environment variable that holds the key, "" for none, and a note where a key is there and is not sent.

    Raises `UsageError` where the variable that was named is not set, cannot be a key, or would travel unencrypted.
    """
    name = named or DEFAULT_KEY
    value = os.environ.get(name, "")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError(
            "key_env is the name of an environment variable, such as 'MY_KEY', not the key itself. Set the variable before "
            "Jupyter starts, and name it."
        )
    if not value:
        if named:
            raise UsageError(f"The environment variable {name} is not set. Set it to the key of {address.host}.")
        return "", ""
    if not re.fullmatch(r"[!-~]+", value):
        raise UsageError(
            f"What the environment variable {name} holds cannot be a key: it has spaces or other characters."
        )
    if address.secure or address.local:
        return name, ""
    if named:
        raise UsageError(
            f"The key in {name} would travel unencrypted to {address.host}. Use https://, or a tunnel that ends at 127.0.0.1."
        )
    return "", f"the key in {name} is not sent: {address.host} is reached without encryption"


class Line:
    """Asks one server; threads may ask at once.

    Args:
        address: where it is
        key: the environment variable that holds the key, "" for none
        policy: waits and retries
        pace: the rate limits, which all threads share
    """

    def __init__(self, address: Address, key: str, policy: Policy, pace: Pace) -> None:
        self.address, self.key, self.policy, self.pace = address, key, policy, pace
        self._reached = False

    @contextlib.contextmanager
    def open(self, connections: int) -> Iterator["Asking"]:
        """Give what asks, for the time of one call; all connections are closed after it."""
        try:
            import httpx
        except ImportError:
            raise MissingExtra("httpx", "endpoint", "A model behind a URL") from None
        if not (self.address.local or allowed()):
            raise ModelError(
                f"WORKBENCH_OFFLINE is set, so {self.address.host} is not asked. Unset it to use a server elsewhere."
            )
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        settings: dict[str, Any] = {"timeout": self.policy.timeout, "limits": limits}
        settings |= {
            "trust_env": not self.address.local,
            "verify": self.address.secure,
        }  # no TLS: no certificates to read
        with httpx.Client(**settings) as client:
            asking = Asking(self, client)
            try:
                yield asking
            finally:
                asking.halt.set()

    def scrubbed(self, text: str) -> str:
        """Return a server's words on one line, cut short, without the key."""
        value = os.environ.get(self.key, "") if self.key else ""
        if value:
            text = text.replace(value, "[key]")
        text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"


class Asking:
    """An open line. Setting `halt` ends every wait; what is under way is left to end by itself."""

    def __init__(self, line: Line, client: Any) -> None:
        self._line, self._client = line, client
        self.halt = threading.Event()

    def get(self, path: str, *, what: str, retries: int | None = None) -> dict[str, Any]:
        """Return what stands at a path."""
        return self._ask("GET", path, None, what, 0, self._line.policy.retries if retries is None else retries)

    def post(
        self, path: str, payload: Mapping[str, Any], *, what: str, tokens: int = 0, retries: int | None = None
    ) -> dict[str, Any]:
        """Return the answer to a question; `what` names it in errors, `tokens` is what it may cost, for the rate limit.

        Raises `Refused` where the server says no for good, `ModelError` where it gives no answer that can be read, `Halted`
        where the call ended meanwhile.
        """
        most = self._line.policy.retries if retries is None else retries
        return self._ask("POST", path, payload, what, tokens, most)

    def _ask(self, method: str, path: str, payload: Any, what: str, tokens: int, retries: int) -> dict[str, Any]:
        import httpx

        line = self._line
        for attempt in range(retries + 1):
            self._wait_for_pace(tokens)
            asked: float | None = None  # seconds that the server asks to wait
            try:
                answer = self._client.request(method, line.address.base + path, json=payload, headers=self._headers())
                line._reached = True
                if answer.status_code not in AGAIN or _is_quota(answer):
                    return self._read(answer, path, what)
                fault = f"{answer.status_code}{self._words(answer)}"
                asked = _retry_after(answer.headers.get("retry-after"))
            except httpx.TimeoutException:
                fault = f"nothing within {line.policy.timeout:g} s"
            except httpx.TransportError as error:
                self._check(error)
                fault = f"a connection that broke ({type(error).__name__})"
            if asked is not None and asked > line.policy.patience:
                raise ModelError(
                    f"{line.address.host} asks to wait {asked:,.0f} s before {what} is asked again ({fault}). Call again then."
                )
            if attempt < retries:
                self._pause(asked, attempt, what)
        raise NoAnswer(
            f"{line.address.host} gave no answer to {what} in {counted(retries + 1, 'try', 'tries')}; the last gave {fault}. "
            "Call again later, or set concurrency= lower or timeout= higher."
        )

    def _wait_for_pace(self, tokens: int) -> None:
        while (seconds := self._line.pace.take(tokens)) > 0:
            if self.halt.wait(seconds):
                raise Halted
        if self.halt.is_set():
            raise Halted

    def _pause(self, asked: float | None, attempt: int, what: str) -> None:
        policy = self._line.policy
        drawn = random.Random(seed_of("retry", what, attempt)).uniform(0.5, 1.0)  # noqa: S311 - a jitter, no secret
        seconds = drawn * min(policy.longest, policy.first * 2**attempt)
        if asked is not None:
            seconds = asked + seconds * 0.1
            self._line.pace.hold(asked)  # the others wait, too
        if self.halt.wait(seconds):
            raise Halted

    def _headers(self) -> dict[str, str]:
        value = os.environ.get(self._line.key, "") if self._line.key else ""
        return {"Authorization": f"Bearer {value}"} if value else {}

    def _check(self, error: Exception) -> None:
        """Raise for a fault of the connection that another try will not mend."""
        line = self._line
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                why = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
                raise ModelError(
                    f"{line.address.host} cannot be trusted or speaks no TLS: {why}. For a certificate of your own, name its "
                    "authority in SSL_CERT_FILE; for a server without TLS, write http://."
                ) from None
            cause = cause.__cause__ or cause.__context__
        if type(error).__name__ == "ConnectError" and not line._reached:
            raise ModelError(
                f"Nothing answers at {line.address.base}: {line.scrubbed(str(error)) or type(error).__name__}. Start the server, "
                "or check host and port."
            ) from None

    def _read(self, answer: Any, path: str, what: str) -> dict[str, Any]:
        line, status = self._line, answer.status_code
        if status != 200:
            raise Refused(self._why(status, answer, path, what), status, self._words(answer).removeprefix(": "))
        try:
            body = answer.json()
        except ValueError:
            begins = line.scrubbed(answer.text[:80])
            raise ModelError(
                f"{line.address.host} answered {what} with something that is not JSON; it begins {begins!r}. Is {path} of "
                f"{line.address.base} an OpenAI-compatible API?"
            ) from None
        if not isinstance(body, dict):
            raise ModelError(f"{line.address.host} answered {what} with a JSON {type(body).__name__}, not an object.")
        if body.get("error"):
            raise Refused(f"{line.address.host} refused {what}{self._words(answer)}", status, self._words(answer)[2:])
        return body

    def _why(self, status: int, answer: Any, path: str, what: str) -> str:
        line, said = self._line, self._words(answer)
        if status in (401, 403):
            held = f"the key in {line.key}" if line.key else "a request without a key"
            mend = "Set it anew" if line.key else "Set OPENAI_API_KEY, or name another variable with key_env='NAME'"
            return f"{line.address.host} does not accept {held} ({status}{said}). {mend}."
        if status == 404:
            return f"{line.address.host} knows no such model, or has no {path} ({status}{said})."
        if 300 <= status < 400:
            return f"{line.address.host} points elsewhere ({status}), which is not followed. Give the address that answers."
        if status == 429:
            return f"{line.address.host} refused {what}: the quota is used up ({status}{said})."
        return f"{line.address.host} refused {what} ({status}{said})."

    def _words(self, answer: Any) -> str:
        """Return what the server says of an error, after a colon; "" where it says nothing."""
        try:
            body = answer.json()
            error = body.get("error", body) if isinstance(body, dict) else body
            told = error.get("message") or error.get("detail") or error if isinstance(error, dict) else error
        except ValueError:
            told = answer.text
        text = self._line.scrubbed(str(told or ""))
        return f": {text}" if text else ""


def _is_quota(answer: Any) -> bool:
    """Return whether a 429 says that the account is empty, which waiting does not mend."""
    return answer.status_code == 429 and "insufficient_quota" in answer.text


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date; None where it is neither."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None
