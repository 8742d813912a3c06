"""Text from anywhere, fit for a page: its markup does nothing, and no character of it reorders the words beside it.

Unicode's characters that embed, override or isolate a direction of writing (UAX 9) act to the end of their line: the name of a
group could turn the number behind it around. They are written out. Letters of languages that are written from right to left, and
the marks U+200E, U+200F and U+061C, which act on their neighbours alone, stay.
"""

import re
from html import escape as escape_markup

__all__ = ["escape", "legible"]

TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def legible(text: str) -> str:
    r"""Return a text with the characters that turn the direction of what follows written out.

    >>> print(legible("safe\u202egnihton"))
    safe\u202egnihton
    """
    return TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escape(text: str, quote: bool = True) -> str:
    """Return a text as HTML that shows it as it is.

    >>> escape("a < b")
    'a &lt; b'
    """
    return escape_markup(legible(text), quote=quote)
