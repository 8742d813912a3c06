"""A report as files: what `Report.save` writes into one archive, and `workbench.freeze` into a folder."""

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._record import SCHEMA
from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["EDITS", "Kept", "contents", "read", "write"]

ABOUT, PAGE, PAGE_ROWS = "report.json", "report.html", 100  # PAGE needs no kernel, and shows so many examples
TABLE = ".parquet"
EDITS = "edits"  # the table of what-ifs, beside those of the report


class Kept(NamedTuple):
    """What stands in a saved report: what it says of itself, and its tables by name."""

    about: dict[str, Any]
    frames: "dict[str, pd.DataFrame]"


def contents(report: "Report", *, pictures: bool = False) -> dict[str, bytes]:
    """Return the files of a report by name: record, page, rows, metrics, tables, and the edits that were asked."""
    from workbench._report_html import to_html

    about = {
        "schema": SCHEMA,
        "record": report.record.as_dict(),
        "notes": list(report.notes),
        "stored": list(report.stored),
        **report._edited.told,
        **({} if report._look is None else {"part": report._look.told}),
    }
    frames = {
        "rows": report.rows,
        "metrics": report.metrics,
    }  # before the tables: of a part they are looks, which the log holds
    edits = report._edited.to_store(report.rows)
    frames |= {EDITS: edits} if len(edits) else {}
    frames |= {f"tables/{name}": table for name, table in report.tables.items()}
    return {
        ABOUT: json.dumps(about, indent=1, default=str).encode(),
        PAGE: to_html(report, rows=PAGE_ROWS, pictures=pictures).encode(),
        **{f"{name}{TABLE}": table.to_parquet(index=False) for name, table in frames.items()},
    }


def read(source: Path) -> Kept:
    """Return what stands in the archive or the folder of a report; raise `DataError` where it is none."""
    import pandas as pd
    from pyarrow import ArrowException

    try:
        if source.is_dir():
            files = {
                path.relative_to(source).as_posix(): path.read_bytes()
                for path in sorted(source.rglob("*"))
                if path.name == ABOUT or path.suffix == TABLE
            }
        else:
            with zipfile.ZipFile(source) as archive:
                wanted = [name for name in archive.namelist() if name == ABOUT or name.endswith(TABLE)]
                files = {name: archive.read(name) for name in wanted}
        about = json.loads(files[ABOUT])
        frames = {
            name.removesuffix(TABLE): pd.read_parquet(io.BytesIO(content))
            for name, content in files.items()
            if name.endswith(TABLE)
        }
        if not {"rows", "metrics", "tables/selections"} <= set(frames):
            raise KeyError("a table")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, ArrowException) as problem:
        raise DataError(f"{source.name} is not a saved report, or is damaged ({problem}).") from None
    return Kept(about, frames)


def write(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
