"""What identifies an object in memory, a fitted estimator or pipeline: one sha256 over what it holds, the same in every process.

A pickle, and `joblib.hash` of it, is another in another process: a text vectorizer of scikit-learn keeps the address of its stop
words (`_stop_words_id`), sets come in the order of the hash seed, structured arrays have bytes that nobody set. Here values are
read: arrays by type, shape and items, mappings and sets in any order, functions by name (those without an importable one by their
code), other objects by what they would be pickled from.
"""

import hashlib
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["object_digest", "object_marks"]

PREFIX = "object "  # of a digest in a run record: how it was made, so that others are not held against it
PASSING = frozenset(  # an address; a version, which a record holds by itself; how long it took to fit
    {
        "_stop_words_id",
        "_sklearn_version",
        "refit_time_",
        *(f"{a}_{b}_time" for a in ("mean", "std") for b in ("fit", "score")),
    }
)
MOST = 20_000  # parts of an object that are marked
MARK = 16  # hexadecimal digits


def object_digest(thing: Any) -> str:
    """Return "object " and a sha256 of what an object holds, "" where it holds what cannot be read (a lock, an open file).

    >>> object_digest({"a", "b"}) == object_digest({"b", "a"}), object_digest([1.0]) == object_digest([1])
    (True, False)
    """
    try:
        return PREFIX + _Reader().digest(thing).hex()
    except Exception:  # reading runs foreign code (__reduce_ex__, __getstate__), which may raise anything
        return ""


def object_marks(thing: Any) -> dict[str, str]:
    """Return a short sha256 of each part of an object by its path, {} where one cannot be read.

    Parts of a pipeline go by the names of their steps.

    >>> from sklearn.linear_model import LogisticRegression
    >>> [name for name in object_marks(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])) if name.endswith("_")]
    ['classes_', 'coef_', 'intercept_', 'n_features_in_', 'n_iter_']
    """
    reader, found = _Reader(), dict[str, str]()
    try:
        for path, part in _parts(thing, "", ()):
            if len(found) >= MOST:
                break
            found[path] = reader.digest(part).hex()[:MARK]
    except Exception:  # as above
        return {}
    return found


def _parts(thing: Any, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """Yield by their paths the attributes of an estimator that hold no other, and those of the estimators in it."""
    if id(thing) in above:
        return
    above = (*above, id(thing))
    if hasattr(thing, "get_params") and not isinstance(thing, type):
        inner = {str(name): part for name, part in vars(thing).items() if name not in PASSING}
        for name, part in sorted(inner.items()):
            yield from _parts(part, path if name == "steps" else _joined(path, name), above)
    elif isinstance(thing, (list, tuple)) and any(map(_holds_estimator, thing)):
        for at, part in enumerate(thing):
            if isinstance(part, tuple) and _holds_estimator(part):
                yield from _parts(part[1], _joined(path, part[0]), above)
            else:
                yield from _parts(part, f"{path}[{at}]", above)
    else:
        yield path or "value", thing


def _holds_estimator(one: Any) -> bool:
    """Return whether something is an estimator, or a step: a name and an estimator."""
    step = isinstance(one, tuple) and len(one) > 1 and isinstance(one[0], str)
    return hasattr(one[1] if step else one, "get_params")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class _Reader:
    """Reads objects; each is read once, and one that holds itself is known by how far up it stands."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, Any]] = {}  # the object too, so that no other gets its address
        self._open: dict[int, int] = {}

    def digest(self, thing: Any) -> bytes:
        """Return the sha256 of an object."""
        plain = _plain(thing)
        if plain is not None:
            return hashlib.sha256(plain).digest()
        key = id(thing)
        if key in self._known:
            return self._known[key][0]
        if key in self._open:
            return hashlib.sha256(f"up {len(self._open) - self._open[key]}".encode()).digest()
        self._open[key] = len(self._open)
        try:
            made = self._read(thing)
        finally:
            del self._open[key]
        self._known[key] = made, thing
        return made

    def _read(self, thing: Any) -> bytes:
        """Return the sha256 of what holds others."""
        if isinstance(thing, np.ndarray):
            return self._array(thing)
        if isinstance(thing, (list, tuple)):
            return self._of(_name(type(thing)), list(thing))
        if isinstance(thing, (set, frozenset)):
            return _hashed("set", sorted(map(self.digest, thing)))
        if isinstance(thing, types.MappingProxyType) or type(thing) is dict:
            return self._mapping(thing)
        if isinstance(thing, (types.FunctionType, types.CodeType)):
            return self._function(thing)
        if isinstance(thing, (types.MethodType, types.BuiltinMethodType)) and not isinstance(
            thing.__self__, (types.ModuleType, type(None))
        ):
            return self._of(f"method {thing.__name__}", [thing.__self__])
        if isinstance(thing, (type, types.BuiltinFunctionType, np.ufunc)):
            return _hashed(_name(thing), [])
        return self._object(thing)

    def _of(self, kind: str, parts: list[Any]) -> bytes:
        return _hashed(kind, [self.digest(part) for part in parts])

    def _mapping(self, thing: Mapping[Any, Any]) -> bytes:
        names = {name: value for name, value in thing.items() if not (isinstance(name, str) and name in PASSING)}
        return _hashed("dict", sorted(self.digest(name) + self.digest(value) for name, value in names.items()))

    def _array(self, thing: "np.ndarray[Any, Any]") -> bytes:
        about = f"array {thing.shape}"
        if thing.dtype.names:  # by field: between them lie bytes that nobody set
            return _hashed(about, [name.encode() + self._array(thing[name]) for name in thing.dtype.names])
        if thing.dtype.hasobject:
            return self._of(about, thing.ravel().tolist())
        return _hashed(f"{about} {thing.dtype.str}", [np.ascontiguousarray(thing).tobytes()])

    def _function(self, thing: Any) -> bytes:
        """Read a function: by its name where it can be imported by it, else by its code and what it closes over."""
        if isinstance(thing, types.CodeType):
            return self._of("code", [thing.co_code, thing.co_consts, thing.co_names, thing.co_varnames])
        where = f"{thing.__module__}.{thing.__qualname__}"
        if "<" not in where and thing.__module__ != "__main__":
            return _hashed(f"function {where}", [])
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        return self._of("function", [thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells])

    def _object(self, thing: Any) -> bytes:
        """Read an object by what it would be pickled from; numpy's own generator, which anybody draws from, by its name."""
        if thing is np.random.mtrand._rand:
            return _hashed("numpy's generator", [])
        made = thing.__reduce_ex__(4)
        if isinstance(made, str):  # a global
            return _hashed(f"global {type(thing).__module__}.{made}", [])
        parts: list[Any] = [*tuple(made), None, None, None]
        maker, given, state, items, pairs = parts[:5]
        listed = None if items is None else list(items)
        mapped = None if pairs is None else dict(pairs)
        return self._of(_name(type(thing)), [maker, given, state, listed, mapped])


def _plain(thing: Any) -> bytes | None:
    """Return the bytes that stand for a plain value with its type, None where it is none."""
    if isinstance(thing, str):
        return b"str " + thing.encode("utf-8", "surrogatepass")
    if isinstance(thing, (bytes, bytearray)):
        return b"bytes " + bytes(thing)
    if isinstance(thing, np.generic) and not thing.dtype.hasobject and not thing.dtype.names:
        return thing.dtype.str.encode() + b" " + thing.tobytes()
    if thing is None or isinstance(thing, (bool, int, float, complex)):
        return f"{type(thing).__name__} {thing!r}".encode()
    if isinstance(thing, np.dtype):
        return f"dtype {thing.descr!r}".encode()
    return None


def _name(kind: Callable[..., Any] | type) -> str:
    return f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', getattr(kind, '__name__', repr(kind)))}"


def _hashed(kind: str, parts: list[bytes]) -> bytes:
    """Return the sha256 of parts, each with its length, under a name of their kind."""
    digest = hashlib.sha256(kind.encode() + b"\0")
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()
