"""Findings of the explored half, tested on the half that was held out; everything tried is counted."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact
from sklearn.metrics import roc_auc_score

import workbench as wb
from workbench._confirm_show import Confirmation
from workbench._looks import look_of
from workbench._report_html import to_html
from workbench._rules import Rule
from workbench._selections import Log, log_of
from workbench.errors import DataError, UsageError
from workbench.stats.significance import benjamini_hochberg, holm

DOMAINS = ("art", "bio", "geo", "his", "law")


@cache
def frame(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Return predictions that are worse by 0.3 in law."""
    rng = np.random.default_rng(seed)
    domain, confidence = rng.choice(DOMAINS, n), rng.beta(4, 1.2, n).round(2)
    right = rng.random(n) < np.clip(confidence - 0.3 * (domain == "law"), 0, 1)
    return pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(n)],
            "confidence": confidence,
            "correct": right.astype(int),
            "domain": domain,
            "text": ["word " * int(k) for k in rng.integers(1, 30, n)],
        }
    )


def made(**options: Any) -> wb.Report:
    """Return a report with half of the rows held out."""
    return wb.from_predictions(frame(), **{"by": "domain", "holdout": 0.5, "draws": 20, **options})


def line(found: Confirmation, words: str) -> Any:
    """Return the finding with these words."""
    mine = found.findings[found.findings["slice"] == words]
    assert len(mine) == 1
    return mine.iloc[0]


def test_a_true_finding_is_confirmed_on_rows_that_were_not_seen() -> None:
    """The number is that of the held-out rows alone, p is Fisher's, corrected for the five values of `by`."""
    report = made()
    found = report.confirm({"domain": "law"})
    held = report.rows[report.rows["half"] == "confirm"]
    mine = held["domain"] == "law"
    hits = [held["correct"][side].astype(int) for side in (mine, ~mine)]
    p = fisher_exact([[h.sum(), len(h) - h.sum()] for h in hits])[1]
    law = line(found, "domain: law")

    assert (law["status"], found.tried, law["n"]) == ("confirmed", 5, mine.sum())
    assert law["difference"] == pytest.approx(hits[0].mean() - hits[1].mean())
    assert law["p"] == pytest.approx(p)
    assert law["p_adjusted"] == pytest.approx(5 * p)
    assert law["low"] < -0.3 < law["high"]
    pd.testing.assert_frame_equal(found.rows("domain: law"), held[mine].reset_index(drop=True))


def test_a_slice_is_one_however_it_is_said() -> None:
    """A mapping, words of the explorer, of a metric's group, name and words of a logged selection: one rule, counted once."""
    report = made()
    report.log_selection("explorer", "the domain law", 90, name="hard", rule={"domain": "law"})
    said = ({"domain": "law"}, "domain: law", "domain=law", "hard", "the domain law", {"domain": ["law"]})
    found = [report.confirm(one) for one in said]

    assert {one.findings["rule"].iloc[0] for one in found} == {'[["domain", ["law"], []]]'}
    assert {one.tried for one in found} == {5}
    assert len({one.findings["p_adjusted"].iloc[0] for one in found}) == 1


def test_confirming_twice_is_counted_and_changes_nothing() -> None:
    """The second time gives the same line and says so; the log holds both."""
    report = made()
    first, second = (report.confirm("domain: law") for _ in range(2))

    pd.testing.assert_frame_equal(first.findings, second.findings)
    assert "1 test of these slices was made before; each is counted once." in second.notes
    assert report.selections["source"].tolist() == ["confirm", "confirm"]


@pytest.mark.parametrize(("correction", "corrected"), [("holm", holm), ("bh", benjamini_hochberg)])
def test_everything_that_was_tried_is_in_the_family(correction: str, corrected: Any) -> None:
    """Brushes, values of `by`, slices of a search, and ids: each rule with its own p-value, what has no rule with 1."""
    report = made()
    report.log_selection("explorer", "confidence 0.6 to 0.8", 200, rule={"confidence": (0.6, 0.8)})
    report.log_selection("explorer", "ids", 12)
    report.log_selection("slices", "30 other slices", 500, tried=30)
    found = report.confirm(correction=correction)
    p = found.findings["p"]
    expected = corrected([*p.dropna(), *[1.0] * 31])

    assert found.tried == 5 + 1 + 1 + 30
    assert p.notna().sum() == 6
    assert found.findings["p_adjusted"].dropna().tolist() == pytest.approx(expected[:6].tolist())
    assert line(found, "ids")["status"] == "cannot be tested"


def test_more_brushing_and_other_metrics_count_and_asked_alone_may_be_counted() -> None:
    """The family grows with each new slice and metric; `family="asked"` counts the tests of the held-out half."""
    report = made()
    sizes = [report.confirm("domain: law").tried]
    report.log_selection("explorer", "confidence from 0.9", 200, rule={"confidence": (0.9, None)})
    sizes.append(report.confirm("domain: law").tried)
    sizes.append(report.confirm("domain: law", metric="confidence_gap").tried)
    sizes.append(report.confirm("domain: art", family="asked").tried)

    assert sizes == [5, 6, 12, 3]


def test_a_search_for_slices_is_logged_with_the_report() -> None:
    """The named slices come with rules that name the very rows in the explored half; the others are counted."""
    report = made()
    found = wb.run("slices", report, by=["domain", "confidence", "length"], draws=99)
    log = report.selections
    tried = int(found.stored["search"]["tried"].iloc[0])

    assert log["tried"].sum() == tried
    for said in log[log["rule"] != ""]["description"]:
        rule = report.confirm(said).findings["rule"].iloc[0]
        column = next(name for name in found.rows if name.startswith("slice_") and (found.rows[name] == said).any())
        assert Rule.from_text(rule).holds(report.explored).tolist() == (found.rows[column] == said).tolist()


def test_what_is_not_confirmed_says_whether_it_could_have_been() -> None:
    """Too few rows are said with the number that would do; a difference the other way round is no confirmation."""
    report = made()
    small = line(report.confirm({"domain": "geo", "confidence": (0.5, 0.6)}), "confidence 0.5 to 0.6; domain: geo")
    turned = made()
    seen = turned.rows["half"].eq("explore") & turned.rows["domain"].eq("law")
    turned.rows.loc[seen, "correct"] = 1.0

    assert small["status"] == "not confirmed"
    assert "too few to say: with n = " in small["note"]
    other = line(turned.confirm("domain: law"), "domain: law")
    assert (other["status"], other["note"]) == ("not confirmed", "it differs, but the other way round")
    assert turned.confirm("domain: law", direction="explored").findings["p"].iloc[0] > 0.99


def test_a_slice_by_what_the_metric_is_made_of_is_not_tested() -> None:
    """Accuracy of the wrong answers, the mean confidence of the confident: true by making."""
    report = made()
    found = [report.confirm({"correct": 0}), report.confirm({"confidence": (0.8, None)}, metric="mean_confidence")]

    assert [one.findings["status"].iloc[0] for one in found] == ["cannot be tested"] * 2
    assert "follows from correct" in found[0].findings["note"].iloc[0]


def test_a_metric_that_is_no_mean_is_tested_by_its_intervals() -> None:
    """AUROC: value, and an interval that holds the difference of the two parts; the ECE has none and is refused."""
    report = made()
    found = line(report.confirm("domain: law", metric="auroc"), "domain: law")
    held = report.rows[report.rows["half"] == "confirm"]
    parts = [
        roc_auc_score(held["correct"][side], held["confidence"][side])
        for side in (held["domain"] == "law", held["domain"] != "law")
    ]

    assert found["difference"] == pytest.approx(parts[0] - parts[1])
    assert found["low"] < found["difference"] < found["high"]
    with pytest.raises(UsageError, match="smooth_ece or confidence_gap"):
        report.confirm("domain: law", metric="ece")


def test_clusters_that_belong_together_are_kept_together() -> None:
    """Rows that are copies of one another have the p-value of their clusters, and stay on one side of the hold-out."""
    copies = pd.concat([frame(200, 3).assign(cluster=lambda t: t["example"])] * 4, ignore_index=True)
    copies["example"] = [f"{name}-{at}" for at, name in enumerate(copies["example"])]
    report = wb.from_predictions(copies, by="domain", holdout=0.5, draws=20, cluster="cluster")
    found = report.confirm("domain: art").findings.iloc[0]
    held = report.rows[report.rows["half"] == "confirm"].drop_duplicates("cluster")
    one, two = (held["correct"][held["domain"].eq("art") == side] for side in (True, False))
    alone = fisher_exact([[x.sum(), len(x) - x.sum()] for x in (one, two)])[1]

    assert found["p"] == pytest.approx(alone, abs=0.12)
    assert "clusters" in found["method"]


def test_the_report_shows_what_is_explored_and_what_is_confirmed(tmp_path: Path) -> None:
    """Text, notebook, document and the saved file; untrusted words are escaped."""
    report = made()
    evil = "<script>x</script>\x1b[2J"
    report.log_selection("explorer", evil, 90, rule={"domain": "art"})
    report.log_selection("explorer", "confidence 0.1 to 0.2", 3)
    found = report.confirm(["domain: law", evil])
    text = repr(report)

    assert "confirmed: domain: law, Accuracy: held out -0." in text
    assert "not confirmed: <script>" in text
    assert "explored only: 1 selection" in text
    for shown in (text, repr(found)):
        assert "\x1b" not in shown
    document = to_html(report, pictures=False)
    for page in (report._repr_html_(), document, found._repr_html_()):
        assert "<script" not in page
        assert "domain: law" in page
    assert "<h2>Findings</h2>" in document
    again = wb.open(report.save(tmp_path / "r"))
    assert again.selections.equals(report.selections)
    assert "confirmed: domain: law, Accuracy" in repr(again)
    assert again.confirm("domain: law").findings["p_adjusted"].tolist() == found.findings["p_adjusted"].tolist()[:1]


def test_logs_of_older_files_are_read() -> None:
    """Files had neither names nor rules once."""
    old = pd.DataFrame([("t", "explorer", "domain: law", 3)], columns=["time", "source", "description", "n"])

    assert log_of(old)[0][3:] == (3, "", (), "", 1, "", "explored", "", "", "", "", 0.0, 0)


def test_a_test_is_logged_with_how_it_was_asked() -> None:
    """Correction, family, direction, level and the number of tests stand beside the finding; a look has none."""
    report = made()
    report.log_selection("explorer", "confidence 0.6 to 0.8", 200, rule={"confidence": (0.6, 0.8)})
    report.confirm("domain: law", correction="bh", direction="explored", level=0.2)
    report.confirm("domain: art", family="asked")
    log = report.selections[["correction", "family", "direction", "level", "counted"]]

    assert log.to_numpy().tolist() == [
        ["", "", "", 0.0, 0],
        ["bh", "tried", "explored", 0.2, 6],
        ["holm", "asked", "either", 0.05, 2],
    ]


def looks(report: wb.Report) -> list[str]:
    """Return what was noted of parts, in words."""
    log = report.selections
    return log["description"][log["source"] == "where"].tolist()


def test_a_part_whose_numbers_were_asked_for_is_a_look() -> None:
    """Once, however it was said; taking its rows alone is none, nor is a part that is all, or held out."""
    report = made()
    assert len(report.where(confidence=0.7).rows)
    for part in (report.where(half="explore"), report.where(half="confirm")):
        part.tables  # noqa: B018 — to have looked
    assert looks(report) == []
    report.where(domain="law").metrics  # noqa: B018
    law = report.explored[report.explored["domain"] == "law"]
    for part in (report.where(law), report.where(domain=["law", "art"]).where(domain="law")):
        part.tables  # noqa: B018

    assert looks(report) == ["domain: law"]
    assert report.confirm("domain: law").tried == 5
    report.where(domain=["law", "art"]).metrics  # noqa: B018
    assert looks(report)[1:] == ["domain: art, law"]
    assert report.confirm("domain: law").tried == 6


def test_the_slices_that_a_part_lists_are_looks() -> None:
    """With their rules; of a part by ids they are counted, once, and so is the part."""
    report = wb.from_predictions(
        frame(300).assign(long=frame(300)["text"].str.len() > 60), by=["domain", "long"], holdout=0.5, draws=20
    )
    assert report.confirm("domain: law").tried == 7
    report.where(domain="law").metrics  # noqa: B018
    assert looks(report) == ["domain: law", "domain: law; long: False", "domain: law; long: True"]
    assert report.confirm("domain: law; long: True").tried == 9
    some = report.explored["example"][:40]
    for _ in range(2):
        report.where(some).metrics  # noqa: B018
    log = report.selections.iloc[-2:]
    assert log["tried"].tolist() == [1, 7]
    assert log["description"].iloc[0].startswith("40 examples by id (")
    assert report.confirm("domain: law").tried == 17


def test_a_part_that_was_saved_and_opened_is_still_the_part(tmp_path: Path) -> None:
    """Its rule joins what is asked of it, what the whole lists counts, and nothing is looked at twice."""
    report = wb.from_predictions(frame(300), by="domain", holdout=0.5, draws=20)
    part = report.where(domain=["art", "law"])
    opened = wb.open(part.save(tmp_path / "part"))
    asked: dict[str, Any] = {"confidence": (0.8, None)}
    kept, found = part.confirm(asked), opened.confirm(asked)
    pd.testing.assert_frame_equal(found.findings, kept.findings)
    assert (found.tried, looks(opened)) == (kept.tried, looks(part))
    assert found.tried > replace(part, _look=None, _log=Log()).confirm(asked).tried
    assert opened.title == "Calibration of predictions, part: domain: art, law"
    for other in (report.where(report.explored["example"][:40]), report.where(half="explore").with_options(bins=5)):
        look = other._look
        assert look is not None
        again = look_of(json.loads(json.dumps(look.told)))
        assert again == look._replace(source=None, listed=tuple(look.shown))
        assert replace(other, _look=again).title.endswith(f"part: {look.words}" if look.words else "predictions")
    with pytest.raises(DataError, match="what it says of its part cannot be read"):
        look_of({"rule": "[[", "words": "", "known": [], "listed": []})


def test_a_slice_of_a_part_is_logged_as_all_rows_have_it() -> None:
    """A brush or a test in a part means the part's rule, too; the report itself finds the same rows by it."""
    report = wb.from_predictions(frame(300), holdout=0.5, draws=20)
    report.rows["domain"] = frame(300)["domain"]
    part = report.where(domain="law")
    part.log_selection("explorer", "confidence from 0.8", 9, rule={"confidence": (0.8, None)})
    found = part.confirm({"confidence": (0.8, None)})

    assert found.findings["slice"].tolist() == ["confidence from 0.8; domain: law"]
    assert found.tried == 2
    whole = wb.from_predictions(frame(300), by="domain", holdout=0.5, draws=20)
    assert whole.where(domain="law").confirm({"confidence": (0.8, None)}).tried == 6  # what the whole lists counts, too
    assert report.selections["rule"].nunique() == 2  # the part, and the slice in it
    assert set(
        report.rows["domain"][report.rows["example"].isin(found.rows(found.findings["slice"][0])["example"])]
    ) == {"law"}


def test_a_kept_selection_that_is_shown_again_is_no_further_look() -> None:
    """By its name, with its rule or without."""
    report = made()
    law = report.explored[report.explored["domain"] == "law"]["example"]
    report.log_selection("explorer", "domain: law", len(law), name="law", examples=law, rule={"domain": "law"})
    report.log_selection("explorer", "ids", 9, name="nine", examples=law[:9])
    for part in (report.where("law"), report.where("nine"), report.where(law[:9])):
        part.tables  # noqa: B018

    assert looks(report) == []
    report.where("law", confidence=0.9).tables  # noqa: B018
    assert looks(report) == ["confidence: 0.9; domain: law"]


def test_other_slices_of_the_same_rows_are_looks() -> None:
    """A column that the report was not sliced by counts when its numbers are first computed; more bins do not."""
    report = wb.from_predictions(frame(300), by="domain", holdout=0.5, draws=20)
    report.rows["long"] = report.rows["text"].str.len() > 60
    report.with_options(bins=5).tables  # noqa: B018
    report.with_options(by=["domain", "long"]).metrics  # noqa: B018
    assert looks(report) == ["long: False", "long: True"]
    assert report.confirm("domain: law").tried == 7


def test_groups_and_their_intersections_are_looks() -> None:
    """What the groups probe lists is in the family: each column's groups, `group`, and those that are crossed."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "predicted": rng.integers(0, 2, 600),
            "label": rng.integers(0, 2, 600),
            "group": rng.choice(["x", "y"], 600),
            "sex": rng.choice(["f", "m"], 600),
        }
    )
    report = wb.from_predictions(table, probe="groups", by="sex", holdout=0.5, draws=20, intersections=2)
    found = report.confirm(metric="correct")

    assert found.tried == 2 + 2 + 4
    assert set(found.findings["slice"]) == {
        *("sex: f", "sex: m", "group: x", "group: y"),
        *(f"group: {group}; sex: {sex}" for group in "xy" for sex in "fm"),
    }
    for further, tried in (({}, 4), ({"group": "sex"}, 2)):  # the same rows by another name are one look
        again = wb.from_predictions(table, probe="groups", by="sex", holdout=0.5, draws=20, **further)
        assert again.confirm("sex: f").tried == tried


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"domain": "lawn"}, "Did you mean 'law'"),
        ({"domian": "law"}, "Did you mean 'domain'"),
        ("hard", "a set of examples, not a rule of columns"),
        ("whatever", "no slice that was logged, and no condition"),
        ("domian: law", "Did you mean 'domain'"),
        ([], "The list of slices is empty"),
        ({}, "at least one condition"),
        ({"confidence": (0.9, 0.1)}, "holds nothing, or everything"),
        ({"confidence": ("a", "b")}, "two numbers or None"),
        ({"confidence": (2.0, 3.0)}, "Unknown value of confidence"),
        ([3], "3 is no slice"),
        (frame(), "A table of rows is no rule"),
    ],
)
def test_what_is_no_slice_is_said(wrong: Any, message: str) -> None:
    """Each message names what is wrong and how to say it."""
    report = made()
    report.log_selection("explorer", "ids", 3, name="hard", examples=["e1"])
    with pytest.raises(UsageError, match=message):
        report.confirm(wrong)
    assert "confirm" not in set(report.selections["source"])


def test_options_that_cannot_be_are_said() -> None:
    """So is a report that holds nothing out."""
    report = made()
    for options, message in (
        ({"correction": "bonferroni"}, "Unknown correction"),
        ({"family": "all"}, "Unknown family"),
        ({"direction": "up"}, "Unknown direction"),
        ({"level": 5}, "level must lie between 0 and 1"),
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
    ):
        with pytest.raises(UsageError, match=message):
            report.confirm("domain: law", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="holdout=0.5"):
        made(holdout=0.0).confirm("domain: law")
    with pytest.raises(UsageError, match="Nothing was tried yet"):
        made(by=None).confirm()
    with pytest.raises(UsageError, match="no finding 'x'"):
        report.confirm("domain: law").rows("x")
