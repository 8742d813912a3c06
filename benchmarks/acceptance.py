"""The long checks as a document: interval coverage, log-likelihoods of the real model, and audits of MMLU and ARC.

Writes benchmarks/ACCEPTANCE.md. Reads the benchmark data of WORKBENCH_DATA (by default ../shared/data).
"""

import os
import sys
import time
from pathlib import Path

import pandas as pd

import workbench as wb
from workbench._record import versions

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests"))
QUESTIONS = 300
SUBJECTS = (
    "high_school_geography",
    "high_school_mathematics",
    "high_school_psychology",
    "marketing",
    "moral_scenarios",
    "nutrition",
    "philosophy",
    "professional_law",
)


def data_folder() -> Path:
    """Return the folder of the benchmark data."""
    folder = Path(os.environ.get("WORKBENCH_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        raise SystemExit(f"No benchmark data at {folder}. Set WORKBENCH_DATA.")
    return folder


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table, numbers to four decimals."""
    shown = frame.map(lambda value: f"{value:.4f}" if isinstance(value, float) else str(value))
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + "---|" * len(frame.columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in shown.itertuples(index=False))]) + "\n"


def likelihoods(model: object, texts: list[str]) -> str:
    """Return how far the engine's log-likelihoods are from a plain forward with a float64 softmax."""
    import torch

    from workbench.models.verbs import Request

    scores = model.score([Request("", text) for text in texts])  # type: ignore[attr-defined]
    worst = 0.0
    for text, total in zip(texts, scores.total(), strict=True):
        ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]  # type: ignore[attr-defined]
        full = torch.tensor([[model.tokenizer.bos_token_id, *ids]])  # type: ignore[attr-defined]
        with torch.inference_mode():
            logp = model.model(full).logits.double().log_softmax(-1)  # type: ignore[attr-defined]
        plain = sum(float(logp[0, t, token]) for t, token in enumerate(ids))
        worst = max(worst, abs(plain - float(total)))
    return f"Largest difference over {len(texts)} texts: {worst:.1e} nats.\n"


def mmlu(folder: Path) -> wb.Examples:
    """Return questions of a few subjects, drawn by seed."""
    frame = wb.Examples.of(folder / "mmlu" / "mmlu_test.jsonl.gz", name="mmlu").frame
    some = frame[frame["subject"].isin(SUBJECTS)]
    return wb.Examples(some.reset_index(drop=True), name="mmlu", slices=("subject",)).sample(QUESTIONS, seed=0)


def audits(model: object, folder: Path) -> str:
    """Return the calibration of the model on MMLU and ARC, overall and by subject."""
    arc = wb.Examples.of(folder / "arc" / "ARC-Challenge_test.jsonl.gz", name="arc-challenge").sample(QUESTIONS, seed=0)
    parts = []
    for scoring in ("letters", "raw"):  # the quick ones first: answers are cached, so that an interrupted run goes on
        for data, by in ((arc, ()), (mmlu(folder), ("subject",))):
            start = time.perf_counter()
            report = wb.run("calibration", model, data, by=by, scoring=scoring)
            seconds = time.perf_counter() - start
            metrics = report.metrics
            shown = metrics[metrics["metric"].isin(report.headline) & metrics["group"].eq("all")]
            if by:
                sliced = metrics["metric"].isin(["accuracy", "ece", "confidence_gap"]) & metrics["group"].ne("all")
                shown = pd.concat([shown, metrics[sliced]])
            parts.append(
                f"### {data.name}, {len(report.rows)} questions, scoring {scoring} ({seconds:.0f} s)\n\n{markdown(shown)}"
            )
    return "\n".join(parts)


def coverage() -> str:
    """Return the coverage of each interval over 1,000 synthetic data sets, as the slow test left it."""
    from stats.coverage import kept  # tests/stats/coverage.py

    if not kept().is_file():
        raise SystemExit(f"{kept()} is not there. Run `make acceptance`, whose slow test writes it.")
    table = pd.read_csv(kept(), header=[0, 1], index_col=0)
    parts = []
    for world in dict.fromkeys(table.columns.get_level_values(0)):
        part = table[world].dropna(how="all").reset_index(names="metric")
        parts.append(f"### World: {world}\n\n{markdown(part.fillna(''))}")
    return "\n".join(parts)


def main() -> None:
    """Run and write."""
    folder = data_folder()
    model = wb.load("smollm2-135m-instruct")
    texts = [str(text) for text in wb.pack("facts").sample(40, seed=0).frame["text"]]
    parts = {
        "Log-likelihoods of SmolLM2 against a plain forward": likelihoods(model, texts),
        "Calibration of SmolLM2 on MMLU and ARC": audits(model, folder),
        "Coverage of intervals, nominal 95 %": coverage(),
    }
    about = ", ".join(f"{name} {version}" for name, version in versions().items())
    text = "# Acceptance\n\nMade by `make acceptance`.\n\n"
    text += "\n".join(f"## {title}\n\n{body}" for title, body in parts.items()) + f"\nVersions: {about}\n"
    (HERE / "ACCEPTANCE.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
