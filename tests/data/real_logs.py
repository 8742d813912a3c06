"""What the tests of logs share."""

import json
from pathlib import Path
from typing import Any

import workbench as wb

LOGS = Path(__file__).parent / "logs"
PRINTED = {tool.name: json.loads((tool / "printed.json").read_text()) for tool in sorted(LOGS.iterdir())}


def accuracy(report: wb.Report, group: str = "all") -> float:
    """Return the accuracy of all rows, of those without a confidence too."""
    lines = report.metrics.query("group == @group").set_index("metric")["value"]
    return float(lines.get("accuracy_of_all", lines["accuracy"]))


def opened(folder: str, **options: Any) -> wb.Report:
    """Return the report of a log."""
    return wb.from_predictions(wb.read_predictions(LOGS / folder, **options))
