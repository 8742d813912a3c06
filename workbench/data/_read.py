"""From a source to a plain table: files, lists, columns and data sets of other libraries.

Nothing is converted on the way: text stays text ("NA" and "001" too), so that what a column means is decided in one place,
`workbench.data._columns`.
"""

import csv
import difflib
import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.errors import DataError, MissingExtra, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENDINGS", "Table", "read"]

ENDINGS = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
CANDIDATES = ("test", "validation", "dev", "train")  # the split that is read where none is named


class Table(NamedTuple):
    """A table as it was found: its columns, a name for it, where it came from, and what was decided while reading."""

    frame: "pd.DataFrame"
    name: str
    source: str
    notes: tuple[str, ...] = ()
    literal: bool = False  # every cell is text, as it stood in the file


def read(source: Any) -> Table:
    """Return the table that a source holds: a DataFrame, records, columns, a path, "hf:name", or a data set object.

    >>> read([{"text": "a"}]).frame.columns.tolist()
    ['text']
    """
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return Table(source.reset_index(drop=True), "examples", "a table")
    if isinstance(source, str) and source.startswith("hf:"):
        return _hub(source.removeprefix("hf:"))
    if isinstance(source, (str, os.PathLike)):
        return _file(Path(source))
    if isinstance(source, Mapping):
        return _mapping(source)
    if hasattr(source, "to_pandas"):
        return _data_set(source)
    if isinstance(source, Sequence):
        return Table(_records(source, "the list"), "examples", "a list of records")
    raise UsageError(
        f"Examples cannot be made from {type(source).__name__}. Give a table, a list of records, a dictionary of columns, a path "
        f"({', '.join(ENDINGS)}), a Hugging Face data set or 'hf:name'."
    )


def _records(rows: Sequence[Any], what: str) -> "pd.DataFrame":
    """Return a table of records, the columns in order of first appearance; a record without a column has None there."""
    import pandas as pd

    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DataError(
                f"Row {i} of {what} is {_short(row)}, not a record with named columns. Texts alone are a dictionary of one "
                "column: {'text': [...]}."
            )
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame({str(name): _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> "pd.Series[Any]":
    """Return a column of the values as they are: lists stay lists, and no integer turns into a float beside a None."""
    import pandas as pd

    plain = all(type(value) in (bool, int, float) for value in values) and len({type(value) for value in values}) == 1
    return pd.Series(values) if plain else pd.Series(values, dtype=object)


def _mapping(source: Mapping[Any, Any]) -> Table:
    """Return the table of a dictionary of columns; a dictionary of splits is refused, since one must be chosen."""
    if source and all(hasattr(value, "to_pandas") for value in source.values()):
        splits = ", ".join(map(str, source))
        raise UsageError(f"This data set has the splits {splits}. Give one of them, e.g. data[{next(iter(source))!r}].")
    return Table(_columns(source, "the dictionary"), "examples", "a dictionary of columns")


def _columns(source: Mapping[Any, Any], what: str) -> "pd.DataFrame":
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    for name, values in source.items():
        if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
            raise DataError(f"Column {name!r} of {what} is {_short(values)}, not a list of values.")
        columns[str(name)] = list(values)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise DataError(f"The columns of {what} differ in length: {found}.")
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# -- files -------------------------------------------------------------------------------------------------------------


def _name_of_ours(name: str) -> None:
    """Raise `DataError` where a name is no file but a pack or a published set, or nearly one."""
    from workbench.data.benchmarks import benchmarks
    from workbench.data.packs import packs

    calls = {**dict.fromkeys(benchmarks(), "benchmark"), **dict.fromkeys(packs(), "pack")}
    near = difflib.get_close_matches(name, calls, n=1, cutoff=0.8)
    if near and not Path(name).is_file():
        raise DataError(f"There is no file {name!r}. Did you mean wb.{calls[near[0]]}({near[0]!r})?")


def _file(path: Path) -> Table:
    """Return the table of a file, by its ending; a fault is named by file and line."""
    name = path.name.removesuffix(".gz")
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        if not ending:
            _name_of_ours(str(path))
        known = ", ".join(ENDINGS)
        raise DataError(
            f"{path.name!r} ends in {ending or 'nothing'}; known endings are {known}, each optionally with .gz."
        )
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:8] if path.parent.is_dir() else []
        found = f" {path.parent} has {', '.join(near)}." if near else ""
        raise DataError(f"There is no file {os.fspath(path)!r}.{found}")
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as problem:
            raise DataError(f"{path.name} is not a whole gzip file ({problem}).") from None
    stem, where = Path(name).stem, os.fspath(path)
    if ending == ".parquet":
        return Table(_parquet(content, path.name), stem, where)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise DataError(f"{path.name}, line {line}: not UTF-8 text. Save the file as UTF-8.") from None
    if ending == ".csv":
        header = text.partition("\n")[0]
        if ";" in header and "," not in header:
            note = ("The fields were taken to be separated by semicolons: the header has no comma.",)
            return Table(_delimited(text, path.name, ";"), stem, where, note, literal=True)
        return Table(_delimited(text, path.name, ","), stem, where, literal=True)
    if ending == ".tsv":
        return _tabbed(text, path.name, stem, where)
    return Table(_lines(text, path.name) if ending == ".jsonl" else _json(text, path.name), stem, where)


def _parquet(content: bytes, name: str) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(content))
    except (ValueError, OSError) as problem:
        raise DataError(f"{name} is not a Parquet file ({problem}).") from None


def _delimited(text: str, name: str, delimiter: str, *, quoting: bool = True) -> "pd.DataFrame":
    """Return a table of text; every cell is a string, an empty one None."""
    import pandas as pd

    lines = io.StringIO(text, newline="")
    if quoting:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not row:
                continue
            if rows and len(row) != len(rows[0]):
                raise DataError(
                    f"{name}, line {reader.line_num}: {len(row)} fields where the header has {len(rows[0])}. Quote fields that "
                    "hold the delimiter or a line break."
                )
            rows.append(row)
    except csv.Error as problem:
        raise DataError(f"{name}, line {reader.line_num}: {problem}.") from None
    if not rows:
        raise DataError(f"{name} is empty.")
    header = [title.strip() or f"column_{i}" for i, title in enumerate(rows[0])]
    twice = sorted({title for title in header if header.count(title) > 1})
    if twice:
        raise DataError(
            f"{name}, line 1: the header has {', '.join(map(repr, twice))} more than once. Name each column once."
        )
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else ([] for _ in header)
    return pd.DataFrame(
        {
            title: pd.Series([cell or None for cell in cells], dtype=object)
            for title, cells in zip(header, columns, strict=True)
        }
    )


def _tabbed(text: str, name: str, stem: str, where: str) -> Table:
    """Return a tab-separated table, with quotes as plain text where reading them as quotes fails or joins lines."""
    try:
        quoted = _delimited(text, name, "\t")
    except DataError:
        plain = _delimited(text, name, "\t", quoting=False)
        return Table(plain, stem, where, ("Quotation marks were read as text: they do not pair up.",), literal=True)
    if len(quoted) == sum(1 for line in text.splitlines() if line) - 1:
        return Table(quoted, stem, where, literal=True)
    try:
        plain = _delimited(text, name, "\t", quoting=False)
    except DataError:
        return Table(
            quoted, stem, where, literal=True
        )  # line breaks inside quotes: the lines alone do not make a table
    note = f"Quotation marks were read as text; as quotes they would join lines ({len(quoted)} rows instead of {len(plain)})."
    return Table(plain, stem, where, (note,), literal=True)


def _lines(text: str, name: str) -> "pd.DataFrame":
    rows = []
    for number, line in _numbered(text):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as problem:
            raise DataError(f"{name}, line {number}: not JSON ({problem.msg} at column {problem.colno}).") from None
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {number}: {_short(row)} is not an object with named fields.")
        rows.append(row)
    if not rows:
        raise DataError(f"{name} is empty.")
    return _records(rows, name)


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers; only line feeds part lines (not U+2028 inside a string)."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _json(text: str, name: str) -> "pd.DataFrame":
    try:
        data = json.loads(text)
    except json.JSONDecodeError as problem:
        hint = " It looks like JSON lines: name it .jsonl." if problem.msg == "Extra data" else ""
        raise DataError(
            f"{name}, line {problem.lineno}: not JSON ({problem.msg} at column {problem.colno}).{hint}"
        ) from None
    if isinstance(data, list):
        return _records(data, name)
    if isinstance(data, dict):
        lists = {key: value for key, value in data.items() if isinstance(value, list)}
        if len(lists) == 1 and all(isinstance(row, dict) for row in next(iter(lists.values()))):
            return _records(next(iter(lists.values())), name)  # {"data": [{...}, ...]}
        return _columns(data, name)
    raise DataError(f"{name} holds {_short(data)}; expected a list of objects or an object of columns.")


# -- data sets of other libraries --------------------------------------------------------------------------------------


def _data_set(source: Any) -> Table:
    """Return the table of an object that has `to_pandas`; class indices of a Hugging Face data set become their names."""
    frame = source.to_pandas().reset_index(drop=True)
    features = getattr(source, "features", None)
    notes = []
    for column, feature in features.items() if isinstance(features, Mapping) else ():
        names = getattr(feature, "names", None)
        if names and column in frame.columns:
            frame[column] = [names[int(i)] if i is not None and i == i and int(i) >= 0 else None for i in frame[column]]
            notes.append(f"The indices in {column} were replaced by the class names of the data set.")
    about = getattr(source, "info", None)
    name = getattr(about, "dataset_name", None) or "examples"
    return Table(
        frame, str(name), f"a {type(source).__name__} of {type(source).__module__.split('.')[0]}", tuple(notes)
    )


def _hub(address: str) -> Table:
    """Return a data set of the Hugging Face hub, "owner/name", "owner/name:config" or "owner/name:config:split"."""
    name, config, split = (*address.split(":"), "", "")[:3]
    if not name:
        raise UsageError("'hf:' needs a name: 'hf:owner/name', optionally ':config' and ':split'.")
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", "hub", f"Reading {address!r} from the Hugging Face hub") from None
    try:
        splits = datasets.get_dataset_split_names(name, config or None)
        chosen = split or next((known for known in CANDIDATES if known in splits), splits[0])
        data = datasets.load_dataset(name, config or None, split=chosen)
    except (OSError, ValueError, RuntimeError) as problem:
        raise DataError(f"The data set {name!r} cannot be read from the hub: {problem}") from None
    table = _data_set(data)
    note = () if split else (f"The split {chosen} was read; the data set has {', '.join(splits)}.",)
    return Table(table.frame, name.rsplit("/", 1)[-1], f"https://huggingface.co/datasets/{name}", (*note, *table.notes))
