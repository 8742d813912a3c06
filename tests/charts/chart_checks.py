"""What the tests of charts share: realistic tables, stored specs, and a render that fails on a warning of Vega-Lite."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vl_convert

from workbench.charts.static import spec_of, vega_lite_version
from workbench.stats import calibration

REFERENCE = Path(__file__).parent / "reference"
ATTACK = "</script><script>window.__xss=1</script>\u202e"


def outcomes(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences of an over-confident model, and whether it was right."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n)
    return confidence, (rng.random(n) < confidence**1.6).astype(float)


def bins(group: str = "all", n: int = 600) -> pd.DataFrame:
    """Return the bin table of such a model."""
    return pd.DataFrame(calibration.bin_table(*outcomes(n), bins=10).columns()).assign(group=group)


def small_bins() -> pd.DataFrame:
    """Return three bins with round numbers."""
    table = {"lower": [0.5, 0.6, 0.8], "upper": [0.6, 0.7, 1.0], "n": [10, 20, 40], "confidence": [0.55, 0.65, 0.9]}
    table |= {"accuracy": [0.5, 0.4, 0.8], "low": [0.2, 0.2, 0.6], "high": [0.8, 0.6, 0.9]}
    return pd.DataFrame(table | {"null_low": [0.3, 0.4, 0.8], "null_high": [0.8, 0.8, 1.0]}).assign(group="all")


def curve() -> pd.DataFrame:
    """Return a short risk-coverage curve."""
    return pd.DataFrame(
        {"coverage": [0.2, 0.6, 1.0], "risk": [0.0, 0.1, 0.3], "low": [0.0, 0.05, 0.2], "high": [0.2, 0.2, 0.4]}
    )


def metrics(*groups: str, metric: str = "accuracy", method: str = "Wilson") -> pd.DataFrame:
    """Return one metric of all and of the groups named."""
    value = 0.8 - 0.05 * np.arange(len(groups) + 1)
    low = np.zeros(len(value)) if method.startswith("null band") else value - 0.1
    table = {"metric": metric, "group": ["all", *groups], "value": value, "low": low, "high": value + 0.1}
    return pd.DataFrame(table | {"n": 100 - 10 * np.arange(len(value)), "method": method})


def check_reference(name: str, chart: Any) -> None:
    """Compare a chart's spec, without its theme, with the stored copy; WORKBENCH_UPDATE=1 writes the copy."""
    spec = dict(chart) if isinstance(chart, dict) else chart.to_dict()
    spec.pop("config")
    path = REFERENCE / f"{name}.json"
    if os.environ.get("WORKBENCH_UPDATE"):
        path.write_text(json.dumps(spec, indent=1, ensure_ascii=True, sort_keys=True) + "\n")
    assert spec == json.loads(path.read_text())


def draw(chart: Any, capfd: Any, theme: str = "light") -> str:
    """Return the chart as SVG, and fail where Vega-Lite warns."""
    capfd.readouterr()
    spec = spec_of(chart, theme=theme)
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version(), show_warnings=True, allowed_base_urls=[])
    said = capfd.readouterr()

    assert said.err + said.out == ""
    assert "NaN" not in drawn
    assert "undefined" not in drawn
    assert "\u202e" not in drawn  # it would turn around the words that follow
    return str(drawn)
