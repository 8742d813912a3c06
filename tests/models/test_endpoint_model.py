"""The embedded model behind a URL, served by plain forward passes in float32, against the same model asked here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openai_server import Server, serving

import workbench as wb
from workbench.models.load import load
from workbench.models.verbs import Request

pytestmark = pytest.mark.model

REQUESTS = [
    Request("", "The café on the corner — “Chez Zoé” — opens at 7:30."),
    Request("Question: What is the capital of France?\nAnswer: ", "Paris, of course"),
    Request("def add(a, b):\n    ret", "urn a + b  # 日本語"),  # a token spans the boundary
    Request("One, two, three,", " four, five"),
]


def test_a_report_of_the_model_behind_a_url_is_that_of_the_model_here(
    embedded_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every token within 1e-3 nats; the same questions, predictions and confidences; a saved second run asks nothing."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    facts = wb.pack("facts").sample(3, seed=3)
    with serving(Server(embedded_model.model, embedded_model.tokenizer, name="smollm2")) as server:
        far = load(server.url, bos="<|im_start|>", revision="as packaged")
        ours, theirs = far.score(REQUESTS), embedded_model.score(REQUESTS)
        np.testing.assert_array_equal(theirs.offsets, ours.offsets)
        np.testing.assert_array_equal(theirs.boundary_merge, ours.boundary_merge)
        assert ours.boundary_merge.tolist() == [False, False, True, False]
        assert np.abs(ours.logp - theirs.logp).max() < 1e-3

        report, local = (wb.run("calibration", model, facts, draws=20) for model in (far, embedded_model))
        for column in ("example", "text", "choices", "label", "predicted", "correct"):
            assert local.rows[column].tolist() == report.rows[column].tolist()
        np.testing.assert_allclose(report.rows["confidence"], local.rows["confidence"], atol=1e-3)
        assert local.metrics["metric"].tolist() == report.metrics["metric"].tolist()

        asked = len(server.posts("/completions"))
        again = wb.run("calibration", load(server.url, bos="<|im_start|>", revision="as packaged"), facts, draws=20)
        assert report.rows["confidence"].tolist() == again.rows["confidence"].tolist()
        assert len(server.posts("/completions")) - asked == 3  # what the server can do, and bos
