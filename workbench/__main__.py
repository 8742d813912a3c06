"""The command line: `python -m workbench`, or `workbench` where it is installed.

Exit codes: 0, all is well (every number reproduced, every threshold held); 1, it is not; 2, it could not be done: a wrong option, a
file that cannot be read, a model that cannot be loaded, a damaged audit. 130: interrupted.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["main"]

EPILOG = "exit codes: 0 all is well; 1 a number or finding differs, or a threshold is missed; 2 it could not be done"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of a command."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command is None:
        parser.print_help()
        return 2
    try:
        code = int(asked.do(asked))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has enough (head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except WorkbenchError as problem:
        print(f"workbench {asked.command}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"workbench {asked.command}: interrupted; what is done is kept", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    about = "Audits of foundation models, without a notebook."
    parser = argparse.ArgumentParser(prog="workbench", description=about, epilog=EPILOG)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    one = commands.add_parser(
        "replay",
        help="make a frozen audit again, and say what came back",
        description="Checks files, versions, weights and data of a frozen audit, runs it again, and says which numbers come back.",
        epilog=EPILOG,
    )
    one.add_argument("folder", help="the folder that wb.freeze wrote")
    one.add_argument(
        "--from-rows", action="store_true", help="compute the numbers from the stored rows; no model is loaded"
    )
    one.add_argument("--tolerance", type=float, help="in place of 1e-4 for runs and 1e-9 for the same rows")
    one.add_argument("--anyway", action="store_true", help="run it even where files of the folder were changed")
    one.add_argument(
        "--trust", action="store_true", help="allow pickles, code of the model, and asking a server, if the run did"
    )
    one.add_argument("--json", metavar="FILE", help="write all of it, every metric too, to a file")
    one.set_defaults(do=_replay)
    one = commands.add_parser(
        "run",
        help="run the probes of a spec, hold numbers against thresholds",
        description="Runs the probes of a YAML or JSON spec and holds their numbers against thresholds: a gate for CI.",
        epilog=EPILOG,
    )
    one.add_argument("spec", help="a YAML or JSON file")
    one.add_argument("--output", metavar="DIR", help="in place of the spec's own output folder")
    one.add_argument("--dry-run", action="store_true", help="print the plan and what it costs; load no model")
    one.set_defaults(do=_run)
    one = commands.add_parser("probes", help="list the probes", description="Lists the probes, with their questions.")
    one.set_defaults(do=_probes)
    one = commands.add_parser("show", help="print a saved report", description="Prints a saved report.")
    one.add_argument("report", help="a file that report.save wrote, or the folder of a report in a frozen audit")
    one.add_argument("--markdown", action="store_true", help="as Markdown, with limits and run record")
    one.set_defaults(do=_show)
    return parser


def _replay(asked: argparse.Namespace) -> int:
    import workbench as wb

    made = wb.replay(
        asked.folder, from_rows=asked.from_rows, tolerance=asked.tolerance, anyway=asked.anyway, trust=asked.trust
    )
    if asked.json:
        tables = {name: getattr(made, name) for name in ("changes", "metrics", "rows", "findings")}
        told: dict[str, Any] = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        told = {"audit": made.about["name"], "code": made.code, "verdict": made.verdict, **told}
        Path(asked.json).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(repr(made))
    return made.code


def _run(asked: argparse.Namespace) -> int:
    import workbench as wb
    from workbench.audit.spec import doubts, planned_text, read, run_spec

    plan = read(asked.spec, output=asked.output)
    if asked.dry_run:
        print(planned_text(plan, _count))
        return 0
    _ = wb.run, wb.benchmark  # hands down the monitors that say how far a run is
    for doubt in doubts(plan):
        _tell(doubt)
    outcome = run_spec(plan, _tell)
    print(repr(outcome))
    return outcome.code


def _tell(line: str) -> None:
    """Say at once what the end of the run says again, on stderr: what a program reads stays as it is."""
    print("".join(char if char.isprintable() else " " for char in line), file=sys.stderr, flush=True)


def _count(probe: Any, model: str, examples: Any, options: dict[str, Any]) -> str:
    """Return what a model would be asked, counted by a stand-in."""
    from workbench.views._choices import is_language_model
    from workbench.views._estimate import count

    if not is_language_model(model):
        return "What they ask of the model cannot be known before it is loaded."
    counts = count(probe, None, model, examples, options)
    return counts.problem or counts.said


def _probes(_: argparse.Namespace) -> int:
    from workbench.probes.find import find, names

    wide = max(map(len, names()), default=0)
    for name in names():
        print(f"{name:<{wide}}  {find(name).question}")
    return 0


def _show(asked: argparse.Namespace) -> int:
    import workbench as wb

    report = wb.open(asked.report)
    print(report.to_markdown() if asked.markdown else repr(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
