"""What the magics share: the words of a line as arguments and options, variables by their names, and errors of one line."""

import ast
import functools
import re
import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError

import workbench as wb
from workbench.errors import WorkbenchError, unknown

__all__ = ["OPTION", "check_name", "is_report", "one_line_errors", "options_of", "parsed", "report_of", "value_of"]

OPTION = re.compile(r"[a-z_]+=.*")
LIST = re.compile(
    r"\[[^{}]*\]|\([^{}]*,[^{}]*\)|\{[^{}]*:.*\}"
)  # what looks like a list or table, and is no text such as {text}


def one_line_errors(magic: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors into IPython's own UsageError: it prints one line, where a subclass would print a traceback."""

    @functools.wraps(magic)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return magic(*args, **kwargs)
        except WorkbenchError as problem:
            raise UsageError(str(problem)) from None

    return guarded


def report_of(shell: Any, name: str) -> Any:
    """Return the report in the variable of that name, or the saved one at that path."""
    if name in shell.user_ns:
        return shell.user_ns[name]
    if name.isidentifier() and not any(Path(word).exists() for word in (name, f"{name}.workbench")):
        held = [key for key, value in shell.user_ns.items() if is_report(value) and not key.startswith("_")]
        raise unknown("variable of a report, and no file has that name:", name, held)
    return wb.open(name)


def is_report(value: Any) -> bool:
    """Return whether a variable of the notebook holds a report."""
    return hasattr(value, "explored") and hasattr(value, "record")


def value_of(shell: Any, name: str) -> Any:
    """Return the variable of that name, or the name itself."""
    return shell.user_ns.get(name, name)


def parsed(magic: Any, line: str) -> Any:
    """Return the arguments of a line: quotes as in a shell, options and flags in any order."""
    try:
        words = shlex.split(line)
    except ValueError as problem:
        raise UsageError(f"The line cannot be read: {problem}. Close the quotation.") from None
    args = magic.parser.parse_intermixed_args(words)
    if getattr(args, "out", None):
        check_name(args.out)
    return args


def check_name(name: str) -> None:
    if not name.isidentifier():
        raise UsageError(f"{name!r} cannot be the name of a variable. Use letters, digits and underscores.")


def options_of(words: list[str], said_apart: Collection[str] = ("by", "holdout", "seed")) -> dict[str, Any]:
    """Return name=value words as options; a value is read as a Python literal where it is one."""
    options = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{word!r} is not an option. Write options as name=value, such as bins=10.")
        if name in said_apart:
            always = "" if name == "by" else f", or for all that follows by %config WorkbenchMagics.{name} = {value}"
            raise UsageError(f"{name} is said with a flag: --{name} {value}{always}.")
        try:
            options[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            if LIST.fullmatch(value):
                raise UsageError(
                    f"{word} has lost its quotation marks. Put the whole value in double ones: {name}=\"['a', 'b']\"."
                ) from None
            options[name] = value
    return options
