"""Model cards: what the hub reads, what a person reads, and that neither runs what data say."""

import pandas as pd
import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results
from markdown_it import MarkdownIt

import workbench as wb
from workbench.audit.model_card import model_index
from workbench.errors import DataError, UsageError

ATTACK = '<script>alert(1)</script> [x](javascript:alert) | **b** `c` \n# Heading\n--- !!python/object "q"'


@pytest.fixture
def report() -> wb.Report:
    """Return a report whose model has a name that is an attack."""
    frame = pd.DataFrame(
        {"confidence": [0.9, 0.8, 0.7, 0.6] * 5, "correct": [1, 0, 1, 1] * 5, "topic": [ATTACK, "b"] * 10}
    )
    return wb.from_predictions(frame, by="topic", name=ATTACK, draws=50)


def test_the_hub_reads_the_metadata(report: wb.Report) -> None:
    """huggingface_hub's own reader finds name, task, data and each metric with its value."""
    card = wb.model_card(report, name="owner/model")
    data = ModelCard(card).data
    name, results = model_index_to_eval_results(yaml.safe_load(card.split("---\n")[1])["model-index"])

    assert "owner/model" == data.model_name == name
    assert all(isinstance(one, EvalResult) for one in results)
    values = {one.metric_type: one.metric_value for one in results}
    assert report.metrics.query("metric == 'accuracy' and group == 'all'")["value"].item() == values["accuracy"]
    assert any("n = 20" in one.metric_name and "[" in one.metric_name for one in results)


def test_the_sections_are_the_hubs(report: wb.Report) -> None:
    """The headings are those of the hub's template, and stand in its order."""
    card = wb.model_card(report, metadata=False)
    wanted = [
        "## Bias, Risks, and Limitations",
        "## Evaluation",
        "### Testing Data, Factors & Metrics",
        "#### Testing Data",
    ]
    wanted += ["#### Factors", "#### Metrics", "### Results", "### Summary"]
    lines = [line for line in card.splitlines() if line in wanted]

    assert wanted == lines
    assert all(limit.split(":")[0][:20] in card.replace("\\", "") for limit in report.limits)


@pytest.mark.parametrize(
    "make", [lambda r: wb.model_card(r, metadata=False), lambda r: r.to_markdown()], ids=["card", "markdown"]
)
def test_text_of_data_and_models_is_only_text(report: wb.Report, make: object) -> None:
    """Rendered with HTML allowed, no element comes from the attack: no script, link, emphasis or heading."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(make(report))  # type: ignore[operator]

    assert "<script" not in html
    assert "<a " not in html
    assert "<strong>" not in html
    assert "<h1>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_numbers_have_interval_and_n(report: wb.Report) -> None:
    """The table of `to_markdown` has a line per overall metric, with interval, n and method; then limits and record."""
    text = report.to_markdown()
    line = next(line for line in text.splitlines() if line.startswith("| Accuracy |"))

    assert 5 == line.count(" | ") + 1
    assert "0.75 |" in line
    assert "| 20 | Wilson" in line
    assert "### What this cannot show" in text
    assert "fm-workbench" in text[text.index("### Run record") :]


def test_a_card_is_of_one_model(report: wb.Report) -> None:
    """Reports of two models, no report, and something else are refused."""
    other = wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.8], "correct": [1, 0]}), name="other")

    with pytest.raises(DataError, match="Make one card for each"):
        wb.model_card(report, other)
    with pytest.raises(UsageError, match="needs reports"):
        wb.model_card()
    with pytest.raises(UsageError, match="found a str"):
        wb.model_card("report")  # type: ignore[arg-type]


def test_metrics_without_a_value_are_left_out() -> None:
    """AUROC of answers that are all right is undefined, and no number in the metadata."""
    report = wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.8], "correct": [1, 1]}), draws=50)
    kinds = {one["type"] for one in model_index(report)[0]["results"][0]["metrics"]}

    assert "accuracy" in kinds
    assert "auroc" not in kinds
