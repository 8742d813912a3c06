"""Metrics, tables and charts of the sentence probes are functions of any rows: none, one, half a pair, a random few."""

from collections.abc import Callable

import numpy as np
import pytest
from oracle import Oracle, uniform
from probes.test_dialect import listener
from probes.test_dialect import pairs as dialect_pairs
from probes.test_occupations import believer
from probes.test_winobias import pairs, reader

import workbench as wb
from workbench.probes.find import find


def resolved() -> wb.Report:
    """Return a report of WinoBias by question."""
    examples = pairs(24)
    return wb.run("winobias", reader(examples, 0.9, 0.5), examples)


def in_place() -> wb.Report:
    """Return a report of WinoBias by pronouns in place."""
    return wb.run("winobias", Oracle(lambda _, text: -len(text) - uniform(text)), pairs(24), reading="pronoun")


def of_occupations() -> wb.Report:
    """Return a report of five occupations."""
    some = wb.pack("occupations").where(occupation=["nurse", "chef", "baker", "worker", "painter"])
    return wb.run("occupations", believer(lambda real: 0.1 + 0.5 * real), some)


def of_dialect() -> wb.Report:
    """Return a report of twelve pairs of texts."""
    return wb.run("dialect", listener({"lazy": 0.6}), dialect_pairs(12))


def of_sweep() -> wb.Report:
    """Return a report of a classifier that looks for one word in texts whose letters are swapped."""
    examples = wb.Examples.of([{"text": f"seven words {i}", "label": "yes", "kind": f"k{i % 2}"} for i in range(12)])
    model = wb.load(
        lambda texts: [[0.3, 0.7] if "words" in text else [0.6, 0.4] for text in texts], labels=["no", "yes"]
    )
    return wb.run("sweep", model, examples, corruptions="swap", severities=(2, 5), inner_options={"draws": 20})


@pytest.mark.parametrize("made", [resolved, in_place, of_occupations, of_dialect, of_sweep])
def test_any_rows_have_metrics_tables_and_charts(made: Callable[[], wb.Report]) -> None:
    """Nothing breaks or warns, and a value that is there has its n."""
    report = made()
    probe, rows = find(report.probe), report.rows
    rng = np.random.default_rng(0)
    parts = [rows.iloc[:0], rows.iloc[:1], rows.iloc[:2], rows[rows["variant"] == rows["variant"].iloc[0]]]
    for part in [*parts, *(rows[rng.random(len(rows)) < share] for share in (0.1, 0.5))]:
        metrics = probe.summarise(part, report.options, by=report.by)
        tables = probe.tables(part, report.options)
        charts = probe.charts(metrics, tables, report.options) if len(part) else {}
        assert all(chart.to_dict() for chart in charts.values())
        assert (metrics.loc[metrics["value"].notna(), "n"] > 0).all()
