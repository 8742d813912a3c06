"""AG News (Zhang, Zhao and LeCun 2015, arXiv 1509.01626): news by topic, the test set."""

import csv
import io
from pathlib import Path

from workbench.data._sets._files import bytes_of, file_of
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["TOPICS", "files", "read"]

FILE = "test.csv"
TOPICS = ("World", "Sports", "Business", "Sci/Tech")  # the authors' classes 1 to 4
CARD = """AG News, Zhang, Zhao and LeCun 2015 (arXiv 1509.01626): 7,600 news items of 2004 in four topics, 1,900 each, from A.
Gulli's corpus of news articles, which was given for non-commercial research. `text` is title and description with a blank
between them, as they stand in the file: a backslash stands for a line break, and some HTML entities have lost a sign
("#36;10" is "$10")."""


def files() -> tuple[str, ...]:
    """Return the file of the test set."""
    return (FILE,)


def read(folder: Path) -> Examples:
    """Return the items of the test set: text, label (World, Sports, Business, Sci/Tech), title, description."""
    import pandas as pd

    lines = list(csv.reader(io.StringIO(bytes_of(file_of(folder, FILE)).decode("utf-8"), newline="")))
    records = []
    for number, line in enumerate(lines):
        if len(line) != 3 or line[0] not in ("1", "2", "3", "4"):
            raise DataError(
                f"Row {number + 1} of {FILE} is not a class from 1 to 4, a title and a description: {line!r}."
            )
        label, title, description = TOPICS[int(line[0]) - 1], *line[1:]
        about = {"title": title, "description": description}
        records.append(
            {"example": f"ag-news-test-{number:04d}", "text": f"{title} {description}", "label": label, **about}
        )
    return Examples(
        pd.DataFrame(records),
        name="ag-news",
        source="Zhang et al. 2015, mhjabreel/CharCnn_Keras, data/ag_news_csv/test.csv",
        licence="non-commercial research (the AG corpus's terms); the repository states none",
        card=CARD,
        slices=(),
    )
