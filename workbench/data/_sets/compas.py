"""COMPAS: scores of a recidivism tool, and whether people were charged again within two years (ProPublica)."""

from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["read"]

NAMES = ("compas-scores-two-years.csv", "compas_two_years.csv")
DROPPED = ("name", "first", "last", "dob", "case_number", "r_case_number", "vr_case_number")  # a person's, never read
CARD = (
    "7,214 people of Broward County, Florida, arrested in 2013 and 2014: `decile_score` and `score_text` of the COMPAS tool, "
    "and `label`, whether they were charged again within two years: arrests and charges, not crimes, so that whom police watch "
    "more is charged more. A decile is a rank, not a probability. Names, birth dates and case numbers are not read."
)


def read(folder: Path, *, screened: bool = False) -> Examples:
    """Return the people with `predicted` ("1" for a score of Medium or High), label and groups.

    `screened` keeps those whom ProPublica's logistic regressions keep: scored within 30 days of the arrest, a known charge.
    """
    import pandas as pd

    frame = pd.read_csv(file_of(folder, *NAMES))
    needed = {"id", "sex", "age", "age_cat", "race", "c_charge_degree", "decile_score", "score_text", "two_year_recid"}
    if not needed <= set(frame.columns):
        lacks = ", ".join(sorted(needed - set(frame.columns)))
        raise DataError(f"The file of compas lacks the column(s) {lacks}. Use compas-scores-two-years.csv.")
    if screened:
        days = frame["days_b_screening_arrest"]
        kept = days.between(-30, 30) & (frame["is_recid"] != -1) & (frame["c_charge_degree"] != "O")
        frame = frame[kept & (frame["score_text"] != "N/A")]
    frame = frame.drop(columns=[name for name in DROPPED if name in frame.columns]).reset_index(drop=True)
    frame = frame.rename(columns={"id": "example", "two_year_recid": "label", "age_cat": "age_group"})
    frame = frame.assign(
        example=frame["example"].astype(str),
        label=frame["label"].astype(str),
        predicted=(frame["score_text"] != "Low").astype(int).astype(str),
        cluster=frame["example"].astype(str),
    )
    features = ("sex", "age", "age_group", "race", "priors_count", "c_charge_degree")
    return Examples(
        frame,
        name="compas",
        source="https://github.com/propublica/compas-analysis (compas-scores-two-years.csv)",
        licence="none stated by the source",
        card=CARD,
        slices=("race", "sex", "age_group"),
        features=tuple(name for name in features if name in frame.columns),
    )
