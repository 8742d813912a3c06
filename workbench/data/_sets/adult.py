"""Adult: who earns more than 50,000 dollars, in the US census of 1994 (Kohavi and Becker, UCI)."""

from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import UsageError

__all__ = ["files", "read"]

NAMES = {"test": ("adult.test", "adult_test.csv"), "train": ("adult.data", "adult_train.csv")}
COLUMNS = (
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
)
CARD = (
    "US census of 1994: 14 features of a person, and whether the income is above 50,000 dollars. Dated, of one country, and with a "
    "threshold that few women passed then: Ding et al. (2021, arXiv 2108.04884) advise against conclusions about today. The "
    "column fnlwgt is a sampling weight and no feature of the person."
)


def files(*, split: str = "test") -> tuple[str, ...]:
    """Return the authors' file of a split."""
    return NAMES[_known(split)][:1]


def read(folder: Path, *, split: str = "test") -> Examples:
    """Return the people of a split ("test", 16,281, or "train", 32,561), with the label ">50K" or "<=50K"."""
    import pandas as pd

    path = file_of(folder, *NAMES[_known(split)])
    theirs = not path.name.startswith(
        "adult_"
    )  # the authors' files: no header, blanks after commas, a dot after test labels
    frame = pd.read_csv(
        path,
        header=None if theirs else 0,
        names=list(COLUMNS) if theirs else None,
        skipinitialspace=True,
        comment="|" if theirs else None,
        keep_default_na=False,
    )
    label = frame["income"].astype(str).str.rstrip(".")
    frame = frame.drop(columns="income").assign(label=label, example=[f"{split}-{at}" for at in range(len(frame))])
    bands = pd.cut(
        frame["age"], [0, 25, 45, 65, 200], right=False, labels=["under 25", "25 to 44", "45 to 64", "65 and over"]
    )
    return Examples(
        frame.assign(age_group=bands.astype(str)),
        name=f"adult-{split}",
        source="https://archive.ics.uci.edu/dataset/2/adult",
        licence="CC BY 4.0",
        card=CARD,
        slices=("sex", "race", "age_group"),
        features=COLUMNS[:-1],
    )


def _known(split: str) -> str:
    if split not in NAMES:
        raise UsageError(f"Unknown split {split!r} of adult. Known: test, train.")
    return split
