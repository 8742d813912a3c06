"""How fast a server may be asked, and what was used of it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Pace", "Price", "Usage"]

WINDOW = 60.0  # seconds over which limits are counted
FLOOR = 0.01  # seconds between two looks at the limit


class Pace:
    """At most so many requests, and about so many tokens, in any 60 seconds; None for no limit. Threads may ask at once.

    Tokens are a guess until the answer says how many they were (`settle`). A request that alone exceeds the limit goes when
    nothing else was asked in the window.

    >>> now = [0.0]
    >>> pace = Pace(2, None, clock=lambda: now[0])
    >>> pace.take(0), pace.take(0), pace.take(0)
    (0.0, 0.0, 60.0)
    >>> now[0] = 60.0
    >>> pace.take(0)
    0.0
    """

    def __init__(
        self, requests: int | None, tokens: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.requests, self.tokens = requests, tokens
        self._clock, self._lock = clock, threading.Lock()
        self._taken: deque[tuple[float, int, int]] = deque()  # when, requests (0 for a guess set right), tokens
        self._held = float("-inf")

    def take(self, tokens: int) -> float:
        """Return 0 where a request of so many tokens may go now, and count it; else the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            while self._taken and now - self._taken[0][0] >= WINDOW:
                self._taken.popleft()
            wait = self._held - now
            if self._full(tokens):
                wait = max(wait, self._taken[0][0] + WINDOW - now)
            if wait > 0:
                return max(wait, FLOOR)
            self._taken.append((now, 1, tokens))
            return 0.0

    def settle(self, guessed: int, used: int) -> None:
        """Say how many tokens a request had in fact."""
        with self._lock:
            self._taken.append((self._clock(), 0, used - guessed))

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long: the server said so."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)

    def _full(self, tokens: int) -> bool:
        if not self._taken:
            return False
        if self.requests is not None and sum(one for _, one, _ in self._taken) >= self.requests:
            return True
        return self.tokens is not None and sum(count for _, _, count in self._taken) + tokens > self.tokens


@dataclass(frozen=True)
class Price:
    """What a million tokens cost, in the currency of the person who says it: those read, and those written."""

    read: float
    written: float

    def of(self, read: float, written: float) -> float:
        """Return the price of so many tokens.

        >>> Price(0.5, 1.5).of(1_000_000, 200_000)
        0.8
        """
        return (read * self.read + written * self.written) / 1e6


class Usage:
    """What was asked of a server and what it counted. Answers from the cache are not in it.

    Attributes: `requests` answered, `read` and `written` tokens as the server counts them, `counted` requests of which it did,
    `characters` of those.
    """

    def __init__(self, price: Price | None = None) -> None:
        self.price = price
        self.requests = self.read = self.written = self.counted = self.characters = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        money = "" if self.price is None else f", price {self.cost:,.4f}"
        return f"Usage({self.requests:,} requests, {self.read:,} tokens read, {self.written:,} written{money})"

    @property
    def cost(self) -> float:
        """What it cost so far, NaN where no price was given."""
        return float("nan") if self.price is None else self.price.of(self.read, self.written)

    def add(self, body: Mapping[str, Any], characters: int) -> int | None:
        """Count an answer to a text of so many characters; return the tokens that it says, None where it says none."""
        told = body.get("usage")
        told = told if isinstance(told, Mapping) else {}
        read, written = (_whole(told.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        with self._lock:
            self.requests += 1
            if read is None:
                return None
            self.read += read
            self.written += written or 0
            self.counted += 1
            self.characters += characters
        return read + (written or 0)

    def tokens_of(self, characters: float) -> float | None:
        """Return about how many tokens a text of so many characters has, as this server counted so far; None where it did not."""
        return characters * self.read / self.characters if self.characters and self.read else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 0 and value < 2**53 else None
