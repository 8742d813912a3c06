"""Run the quickstart on the embedded model without a screen, print what it found, and write its HTML report."""

import argparse
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import workbench as wb

HERE = Path(__file__).parent


def main() -> None:
    """Execute the notebook in the output folder; its last cells save the report there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebook", type=Path, default=HERE / "00_quickstart.ipynb")
    parser.add_argument("--output", type=Path, default=Path("output"))
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one cell")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    print(f"Executing {args.notebook.name} on the embedded model ...", flush=True)
    notebook = nbformat.read(args.notebook, as_version=4)
    client = NotebookClient(
        notebook, timeout=args.timeout, store_widget_state=False, resources={"metadata": {"path": str(args.output)}}
    )
    client.execute()
    nbformat.write(notebook, args.output / args.notebook.name)
    report = wb.open(args.output / "quickstart")
    metrics = report.metrics
    overall = metrics[metrics["group"].eq("all") & metrics["metric"].isin(report.headline)]
    print(report)
    print()
    print(overall.drop(columns="group").to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    path = report.to_html(args.output / "quickstart.html")
    print(f"\nHTML report: {path} ({path.stat().st_size / 1024:.0f} KiB)")
    print(f"Executed notebook: {args.output / args.notebook.name}")
    print(f"Took {time.perf_counter() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
