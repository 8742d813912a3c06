"""Write an Inspect log (a zip of Zstandard members) again without the folders of the machine that made it.

Run in Inspect's environment, which has `zipfile_zstd`: python eval_without.py LOG FOLDER [FOLDER ...].
"""

import sys
import zipfile
from pathlib import Path

import zipfile_zstd  # noqa: F401 — teaches `zipfile` the method 93, which Python knows from 3.14 on


def rewritten(log: Path, folders: list[str]) -> None:
    """Replace each folder by nothing in every member; names, order, times and method stay."""
    with zipfile.ZipFile(log) as archive:
        members = [(member, archive.read(member)) for member in archive.infolist()]
    with zipfile.ZipFile(log, "w") as archive:
        for member, content in members:
            for folder in folders:
                content = content.replace(folder.encode(), b"")
            told = zipfile.ZipInfo(member.filename, member.date_time)
            archive.writestr(told, content, compress_type=member.compress_type)


if __name__ == "__main__":
    rewritten(Path(sys.argv[1]), sys.argv[2:])
