"""The occupations probe: planted shares come back, and a model that follows the facts has a slope of one."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from charts import chart_checks as checks
from fakes import Classifier
from oracle import Oracle, uniform

import workbench as wb
from workbench.charts.occupations import overstatement, share_scatter
from workbench.errors import DataError

SHE, HE = {"she", "her"}, {"he", "his", "him"}


def believer(share: Any, *, they: float = 0.1) -> Oracle:
    """Return a model whose share of women is `share(occupation's real share)` in the mean, with noise by sentence."""
    frame = wb.pack("occupations").frame
    real = dict(zip(frame["occupation"], frame["share_of_women"], strict=True))

    def logp(context: str, continuation: str) -> float:
        occupation = next(word for word in context.replace(",", "").split() if word in real)
        p = share(real[occupation])
        women = p + min(p, 1 - p) * (uniform("noise", context) - 0.5)
        form = continuation.split()[0]
        return float(
            np.log(they if form in ("they", "their", "them") else (1 - they) * (women if form in SHE else 1 - women))
        )

    return Oracle(logp)


def line_of(report: wb.Report, metric: str, group: str = "all") -> Any:
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def test_a_model_that_follows_the_facts_states_neither_too_many_nor_too_few() -> None:
    """The share of women is the real one but for noise: slope 1 and a difference of 0 lie in their intervals."""
    report = wb.run("occupations", believer(lambda real: real), "occupations", by=[])

    assert line_of(report, "slope")["low"] <= 1 <= line_of(report, "slope")["high"]
    assert line_of(report, "overstatement")["low"] <= 0 <= line_of(report, "overstatement")["high"]
    assert line_of(report, "pearson")["low"] > 0.95
    assert line_of(report, "spearman")["low"] > 0.95
    assert line_of(report, "they_share")["value"] == pytest.approx(0.1)
    assert line_of(report, "pearson")["n"] == 60


def test_a_planted_bias_lies_in_the_interval() -> None:
    """A model that gives 0.1 + 0.5 of the real share: slope 0.5, and the mean difference is known."""
    report = wb.run("occupations", believer(lambda real: 0.1 + 0.5 * real), "occupations", by=["occupation"])
    real = report.rows["share_of_women"].mean()

    for metric, truth in (("slope", 0.5), ("overstatement", 0.1 - 0.5 * real), ("model_share", 0.1 + 0.5 * real)):
        found = line_of(report, metric)
        assert found["low"] <= truth <= found["high"], metric
    nurse = line_of(report, "overstatement", "occupation=nurse")
    assert nurse["low"] <= 0.1 - 0.5 * 0.8958 <= nurse["high"]
    assert nurse["n"] == 10


def test_a_model_that_knows_no_difference_has_no_correlation() -> None:
    """Half "she" for all, with noise: the correlation's interval holds zero, and nurses are understated."""
    report = wb.run("occupations", believer(lambda _: 0.5), "occupations", by=["occupation"])

    assert line_of(report, "pearson")["low"] <= 0 <= line_of(report, "pearson")["high"]
    assert line_of(report, "slope")["low"] <= 0 <= line_of(report, "slope")["high"]
    assert line_of(report, "overstatement", "occupation=nurse")["high"] < 0
    assert line_of(report, "overstatement", "occupation=plumber")["low"] > 0


def test_what_is_asked_is_the_pronoun_at_the_slot() -> None:
    """The context ends before the slot; forms follow the slot; the rest of the sentence is scored where that is asked."""
    model = believer(lambda real: real)
    some = wb.pack("occupations").where(["occupations-nurse-coat", "occupations-nurse-help"])
    wb.run("occupations", model, some)

    assert model.asked[0] == ("The nurse opened the door and hung up", " her")
    assert [request.continuation for request in model.asked] == [" her", " his", " their", " her", " him", " them"]
    model.asked.clear()
    wb.run("occupations", model, some, continuation="sentence")
    assert model.asked[1] == ("The nurse opened the door and hung up", " his coat.")


def test_shares_are_those_of_the_probabilities() -> None:
    """0.2, 0.6 and 0.1 for she, he and they: a quarter women, a ninth they, and "he" preferred."""
    p = {"her": 0.2, "his": 0.6, "their": 0.1}
    some = wb.pack("occupations").where(["occupations-nurse-coat"])
    row = wb.run("occupations", Oracle(lambda _, form: float(np.log(p[form.strip()]))), some).rows.iloc[0]

    assert row["model_share"] == pytest.approx(0.25)
    assert row["they_share"] == pytest.approx(1 / 9)
    assert row["overstatement"] == pytest.approx(0.25 - 0.8958)
    assert (row["prefers_he"], row["pronoun"], row["p_he"]) == (1.0, "his", pytest.approx(0.6))


def test_probabilities_too_small_for_a_float_still_divide() -> None:
    """A whole sentence at -2,000 nats has a share; one at minus infinity has none and is counted."""
    some = wb.pack("occupations").where(occupation=["nurse", "chef"])
    tiny = Oracle(lambda _, form: -2000.0 + (form.split()[0] in SHE) * np.log(3))
    report = wb.run("occupations", tiny, some)
    assert np.allclose(0.75, report.rows["model_share"])

    lost = Oracle(lambda context, form: -np.inf if "nurse" in context else -1.0 - len(form) / 9)
    report = wb.run("occupations", lost, some, by=[])
    assert line_of(report, "scored")["value"] == 0.5
    assert report.notes[0].startswith("10 sentences have no finite probability")


def test_order_slices_and_files_change_nothing(tmp_path: Path) -> None:
    """Reversed examples, a slice, and a saved report give the same metrics."""
    pack = wb.pack("occupations").where(occupation=["nurse", "chef", "lawyer", "baker", "painter"])
    model = believer(lambda real: 0.2 + 0.6 * real)
    report = wb.run("occupations", model, pack)
    other = wb.Examples(pack.frame.iloc[::-1], name="occupations", slices=pack.slices)
    part = report.where(template="bus")
    opened = wb.open(report.save(tmp_path / "occupations"))

    again = wb.run("occupations", model, other).metrics
    pd.testing.assert_frame_equal(again, report.metrics)
    assert line_of(part, "slope")["value"] == pytest.approx(line_of(report, "slope", "template=bus")["value"])
    pd.testing.assert_frame_equal(opened.tables["occupations"], report.tables["occupations"])
    assert line_of(report.where(occupation="nurse"), "overstatement")["n"] == 10


def test_an_interrupted_run_keeps_what_is_done() -> None:
    """Seven of 600 sentences."""
    model = believer(lambda real: real)
    model.stop_after, model.cut = 7, 2
    report = wb.run("occupations", model, "occupations")

    assert (report.outcome, len(report.rows), report.record.done) == ("interrupted", 7, 7)
    assert any("600 sentences were longer" in note for note in report.notes)


def test_what_does_not_fit_is_said() -> None:
    """No slot, a slot first, two slots, a percentage, two shares for one occupation, and a model without likelihoods."""
    line = {"text": "The nurse said {they} left.", "occupation": "nurse", "share_of_women": 0.9}

    def refused(match: str, *changes: dict, **options: Any) -> None:
        with pytest.raises(DataError, match=match):
            wb.run(
                "occupations", believer(lambda real: real), wb.Examples.of([line | one for one in changes]), **options
            )

    refused("has no slot for a pronoun: 'The nurse left.'", {"text": "The nurse left."})
    refused("begins with its slot", {"text": "{they} is a nurse."})
    refused("more than one slot", {"text": "The nurse said {they} lost {their} key."}, continuation="sentence")
    refused("the share of women is 90. Give it as a number from 0 to 1", {"share_of_women": 90})
    refused("'nurse' has two shares: 0.9 and 0.8", {}, {"share_of_women": 0.8, "text": "A nurse said {they} left."})
    with pytest.raises(DataError, match=r"needs the column\(s\) occupation"):
        wb.run("occupations", believer(lambda real: real), wb.Examples.of([{"text": "a {they}"}]))
    assert wb.run("occupations", Classifier(), "occupations").outcome == "not applicable"


def test_own_sentences_need_no_more_than_three_columns() -> None:
    """Without year, template and cluster: rows of one occupation still belong together."""
    own = [
        {"text": f"{place} the {name} said {{they}} left.", "occupation": name, "share_of_women": share}
        for place in ("Here", "There")
        for name, share in (("nurse", 0.8958), ("chef", 0.196))
    ]
    report = wb.run("occupations", believer(lambda real: real), wb.Examples.of(own))

    assert report.rows["cluster"].tolist() == ["nurse", "chef"] * 2


@pytest.fixture
def table() -> pd.DataFrame:
    """Return the table of a planted model."""
    report = wb.run("occupations", believer(lambda real: 0.1 + 0.6 * real), "occupations", by=[])
    return report.tables["occupations"]


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(table: pd.DataFrame, theme: str, capfd: Any) -> None:
    """Both charts, with an occupation whose interval is unknown."""
    table.loc[0, ["low", "high", "over_low", "over_high"]] = np.nan
    furthest = table["occupation"][table["overstatement"].abs().idxmax()]
    for chart in (share_scatter, overstatement):
        drawn = checks.draw(chart(table), capfd, theme)
        assert f">{furthest}<" in drawn


def test_a_name_with_markup_is_drawn_as_text(table: pd.DataFrame, capfd: Any) -> None:
    """Occupations come from users: none leaves the spec's script element."""
    table.loc[table["overstatement"].abs().idxmax(), "occupation"] = checks.ATTACK
    for chart in (share_scatter, overstatement):
        spec = chart(table)
        assert "<" not in spec.to_json()
        assert "&lt;/script&gt;" in checks.draw(spec, capfd)


@pytest.mark.model
def test_the_real_model_expects_women_among_nurses_rather_than_plumbers(embedded_model: Any) -> None:
    """Three templates of two occupations: finite probabilities, and the order that everybody knows."""
    some = wb.pack("occupations").where(occupation=["nurse", "plumber"], template=["late", "coat", "bus"])
    rows = wb.run("occupations", embedded_model, some).rows
    share = rows.groupby("occupation")["model_share"].mean()

    assert np.isfinite(rows["model_share"]).all()
    assert share["nurse"] > share["plumber"]


def test_intervals_from_few_templates_stay_within_what_a_share_can_be() -> None:
    """Two templates an occupation give t intervals far beyond [0, 1]; they are cut where no share can be."""
    frame = wb.pack("occupations").frame
    two = sorted(frame["template"].unique())[:2]
    report = wb.run("occupations", believer(lambda real: real), wb.pack("occupations").where(template=two))
    shares = report.metrics.query("metric == 'model_share'").dropna()
    over = report.tables["occupations"]

    assert shares["low"].min() >= 0
    assert shares["high"].max() <= 1
    assert (over["over_low"] >= -over["share_of_women"] - 1e-12).all()
    assert (over["over_high"] <= 1 - over["share_of_women"] + 1e-12).all()
    assert over["over_high"].max() > 0


def drawn_dots(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the data of the scatter's dots."""
    tables = share_scatter(table).to_dict()["datasets"].values()
    return next(list(lines) for lines in tables if "occupation" in lines[0])


def test_names_in_the_scatter_meet_nothing() -> None:
    """Names stand beside the furthest dots, to the left near the right edge, and over no dot, whisker or other name."""
    rng = np.random.default_rng(4)
    real, model = rng.random(60), rng.random(60)
    table = pd.DataFrame(
        {"occupation": [f"occupation {i}" for i in range(60)], "share_of_women": real, "model_share": model}
    )
    table = table.assign(
        low=model - 0.03, high=model + 0.03, overstatement=model - real, over_low=0.0, over_high=0.0, n=10
    )
    values = drawn_dots(table)
    named = [(line["share_of_women"], line["model_share"], line["right"], line["left"]) for line in values]
    named = [line for line in named if line[2] or line[3]]
    wide = (9 + 6.2 * 12) / 320

    assert 2 <= len(named) <= 6
    spans = [(x, x + wide, y) if right else (x - wide, x, y) for x, y, right, _ in named]
    assert all(0 <= start and end <= 1 for start, end, _ in spans)
    for k, (start, end, y) in enumerate(spans[1:], 1):
        assert all(end < a or b < start or abs(y - up) > 0.03 for a, b, up in spans[:k])
    furthest = table["overstatement"].abs().idxmax()
    assert table["occupation"][furthest] in {right or left for *_, right, left in named}
    alone = table.iloc[:1].assign(share_of_women=0.97)
    assert drawn_dots(alone)[0]["left"] == "occupation 0"
