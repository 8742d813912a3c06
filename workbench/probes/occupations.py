"""The occupations probe: which pronoun a model expects of an occupation, against the real share of women in it.

Each example is a sentence with a slot for a pronoun; a row has the probabilities of "she", "he" and "they" there. The model's
share of women is p(she) / (p(she) + p(he)), and its mean over templates is held against the share that is a published fact.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, counted
from workbench.frames import require
from workbench.models.verbs import Monitor, Question
from workbench.probes._again import example_of
from workbench.probes._prompts import softmax
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._slices import clusters_of, metrics_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Occupations"]

FORMS = {  # slot -> the forms of she, he and they that stand in it
    "{they}": ("she", "he", "they"),
    "{their}": ("her", "his", "their"),
    "{them}": ("her", "him", "them"),
}
COLUMNS = (
    *("text", "occupation", "share_of_women", "year", "pronoun"),
    *("p_she", "p_he", "p_they", "model_share", "they_share", "overstatement", "prefers_he"),
)
REMEDY = "Take wb.pack('occupations'), or give your own sentences these columns."


class Occupations:
    """The probe `occupations`; its one instance is `PROBE`."""

    name = "occupations"
    title = "Pronouns of occupations"
    question = "Does the model expect women in an occupation as often as there are?"
    asks = frozenset({"continuation"})
    texts = ("text",)  # columns of a row that can be changed and asked again
    headline = ("pearson", "slope", "overstatement", "absolute_error", "prefers_he")
    view = View(
        value="overstatement",
        title="Model's share of women minus the real share",
        outcome="prefers_he",
        rate='Prefers "he" to "she"',
        outcomes=("he", "she"),
        columns=(
            ("text", "Sentence", "text"),
            ("model_share", "Model's share", "number"),
            ("share_of_women", "Real share", "number"),
            ("overstatement", "Overstatement", "number"),
            ("they_share", '"They"', "number"),
            ("pronoun", "Likeliest", "text"),
        ),
        terms="occupation",
        measures=(("overstatement", "Overstated", 0.0), ("they_share", '"They"', None)),
    )
    limits = (
        "The real shares are of one country and one year, and count men and women only.",
        "A share is a fact, not a norm: a model that repeats it exactly is not thereby fair.",
        "Intervals draw occupations, and templates within one occupation; the ten templates are ours, and other sentences give "
        "other numbers.",
        "The correlation says that the order is right, not that the level is: a model that always expects men can have a high one.",
        "Occupations that share one figure (doctor, physician, surgeon) are not independent facts.",
    )
    options: Mapping[str, Option] = {
        "continuation": Option(
            "pronoun", "score the pronoun alone, or the pronoun and the rest of the sentence", ("pronoun", "sentence")
        ),
        "draws": Option(1000, "random draws behind the interval of the rank correlation", limits=(20, 100_000)),
    }

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per sentence; a sentence without a slot raises `DataError`."""
        needed = ("text", "occupation", "share_of_women")
        require(examples.frame, needed, what="The probe occupations", remedy=REMEDY)
        need_verb(model, "choose", "the likelihood of each pronoun")
        lines = list(examples)
        _check_shares(lines)
        asked = [_asked(line, whole=options["continuation"] == "sentence") for line in lines]
        found = model.choose([question for question, _ in asked], monitor=monitor)
        records = [
            {**_record(line, forms, np.asarray(logp, dtype=np.float64)), "example": line["example"]}
            for line, (_, forms), logp in zip(lines, asked, found.logp, strict=True)
            if logp is not None
        ]
        own = [name for name in COLUMNS if name not in ("occupation", "year") or name not in examples.slices]
        rows = rows_frame(records, examples, own)
        if "cluster" not in examples.frame.columns:
            rows["cluster"] = rows["occupation"].astype(str)
        cut = 0 if found.truncated is None else int((np.asarray(found.truncated) > 0).sum())
        lost = int(rows["model_share"].isna().sum())
        notes = [f"{counted(cut, 'sentence was', 'sentences were')} longer than the model reads: cut."] if cut else []
        notes += (
            [f"{counted(lost, 'sentence has', 'sentences have')} no finite probability: not scored."] if lost else []
        )
        return Scored(rows, {}, tuple(notes), missing=len(lines) - len(rows))

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the sentence of a row, so that it can be asked again; it needs a slot for the pronoun."""
        del options
        return Again(example_of(rows, ("text", "occupation", "share_of_women", "year"), data))

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return correlations over occupations (where there are enough), and mean shares and differences."""
        return metrics_of(rows, by, lambda some: _summary(some, options["draws"], seed))

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `occupations`: each one's real share, the model's with its interval over templates, and the difference."""
        del options, seed
        import pandas as pd

        from workbench.stats.intervals import mean

        usable = rows[rows["model_share"].notna()]
        lines = []
        for occupation, some in usable.groupby("occupation", sort=True):
            real = float(some["share_of_women"].iloc[0])
            share, over = _inside(mean(some["model_share"])), _inside(mean(some["overstatement"]), -real, 1 - real)
            lines.append(
                {
                    "occupation": str(occupation),
                    "share_of_women": real,
                    "model_share": share.value,
                    "low": share.low,
                    "high": share.high,
                    "overstatement": over.value,
                    "over_low": over.low,
                    "over_high": over.high,
                    "they_share": float(some["they_share"].mean()),
                    "n": len(some),
                }
            )
        return {"occupations": pd.DataFrame(lines)} if lines else {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the scatter of the model's against the real share, and the forest of the differences."""
        del metrics, options
        from workbench.charts import occupations

        if "occupations" not in tables:
            return {}
        table = tables["occupations"]
        return {"share_scatter": occupations.share_scatter(table), "overstatement": occupations.overstatement(table)}


PROBE = Occupations()


class _Forms(NamedTuple):
    she: str
    he: str
    they: str


def _asked(line: Mapping[str, Any], *, whole: bool) -> tuple[Question, _Forms]:
    """Return the question at the slot of a sentence, and the three forms that it offers."""
    text = str(line["text"])
    slots = [(text.find(slot), slot) for slot in FORMS if slot in text]
    if not slots:
        raise DataError(
            f"Example {line['example']!r} has no slot for a pronoun: {text!r}. Write {{they}}, {{their}} or {{them}} there."
        )
    at, slot = min(slots)
    forms = _Forms(*FORMS[slot])
    if not text[:at].strip():
        raise DataError(f"Example {line['example']!r} begins with its slot: {text!r}. Let the occupation come before.")
    rest = text[at + len(slot) :] if whole else ""
    if any(other in rest for other in FORMS):
        raise DataError(
            f"Example {line['example']!r} has more than one slot: {text!r}. Keep one, or score the pronoun alone."
        )
    return Question(text[:at].rstrip(), tuple(f" {form}{rest}" for form in forms)), forms


def _record(line: Mapping[str, Any], forms: _Forms, logp: "np.ndarray[Any, Any]") -> dict[str, Any]:
    """Return a row; shares are NaN where a probability is not finite."""
    row = {"text": line["text"], "occupation": str(line["occupation"]), "share_of_women": float(line["share_of_women"])}
    row |= {"year": line.get("year"), "pronoun": ""}
    row |= dict.fromkeys(COLUMNS[5:], np.nan)
    if not np.isfinite(logp).all():
        return row
    p, shares = np.exp(logp), softmax(logp)
    share = float(softmax(logp[:2])[0])  # not p / p: a whole sentence's probabilities may be too small to divide
    row |= {"p_she": float(p[0]), "p_he": float(p[1]), "p_they": float(p[2]), "pronoun": forms[int(logp.argmax())]}
    row |= {"model_share": share, "they_share": float(shares[2])}
    row |= {"overstatement": share - row["share_of_women"]}
    row["prefers_he"] = np.nan if logp[0] == logp[1] else float(logp[1] > logp[0])
    return row


def _check_shares(lines: list[dict[str, Any]]) -> None:
    """Raise where a share is none, or one occupation has two."""
    known: dict[str, float] = {}
    for line in lines:
        share, occupation = line["share_of_women"], str(line["occupation"])
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise DataError(
                f"Example {line['example']!r}: the share of women is {share!r}. Give it as a number from 0 to 1, not in percent."
            )
        if known.setdefault(occupation, share) != share:
            raise DataError(f"The occupation {occupation!r} has two shares: {known[occupation]} and {share}. Give one.")


def _inside(found: "Interval", low: float = 0.0, high: float = 1.0) -> "Interval":
    """Return an interval whose bounds do not leave what the metric can be: few templates give wide ones."""
    return found._replace(low=float(np.clip(found.low, low, high)), high=float(np.clip(found.high, low, high)))


def _summary(rows: "pd.DataFrame", draws: int, seed: int) -> "dict[str, Interval]":
    """Return the metrics of any rows; the correlations only where there are several occupations."""
    from workbench.stats.correlation import FEWEST, pearson, slope, spearman
    from workbench.stats.intervals import mean, proportion

    usable = rows[rows["model_share"].notna()]
    found: dict[str, Interval] = {}
    several = usable["occupation"].nunique() > 1
    units = usable.groupby("occupation")[["share_of_women", "model_share", "overstatement"]].mean()
    clusters = clusters_of(usable) if several else None  # within one occupation the templates are what was drawn
    if len(units) >= FEWEST:
        real, model = units["share_of_women"].to_numpy(), units["model_share"].to_numpy()
        found["pearson"] = pearson(real, model)
        found["spearman"] = spearman(real, model, draws=draws, seed=seed)
        found["slope"] = slope(real, model)
    found["overstatement"] = _inside(
        mean(usable["overstatement"], clusters=clusters),
        -float(usable["share_of_women"].mean()),
        1 - float(usable["share_of_women"].mean()),
    )
    if several:
        found["absolute_error"] = _inside(mean(units["overstatement"].abs()))
        decided = usable[usable["prefers_he"].notna()]
        found["prefers_he"] = proportion(decided["prefers_he"], clusters=clusters_of(decided))
    found["model_share"] = _inside(mean(usable["model_share"], clusters=clusters))
    found["they_share"] = _inside(mean(usable["they_share"], clusters=clusters))
    if len(usable) < len(rows):
        found["scored"] = proportion(rows["model_share"].notna().astype(float), clusters=clusters_of(rows))
    return found
