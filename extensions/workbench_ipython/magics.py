"""The magics themselves: each parses its line, calls one function of the API, and stores the result in a variable."""

import tempfile
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Float, Int, Unicode
from traitlets.config import Configurable

import workbench as wb
from workbench.errors import ModelError, unknown
from workbench_ipython._words import (
    OPTION,
    check_name,
    is_report,
    one_line_errors,
    options_of,
    parsed,
    report_of,
    value_of,
)

__all__ = ["WorkbenchMagics"]


@magics_class
class WorkbenchMagics(Magics, Configurable):
    """Load models, run probes and explore reports. Options: `%config WorkbenchMagics`."""

    device = Unicode("", help="device that %model loads onto: cpu, cuda, cuda:1, mps; empty chooses").tag(config=True)
    dtype = Unicode("", help="dtype that %model loads: float32, bfloat16, float16; empty chooses").tag(config=True)
    max_examples = Int(0, min=0, help="at most so many examples in each %probe, drawn by seed; 0 takes all").tag(
        config=True
    )
    seed = Int(0, help="seed of every %probe").tag(config=True)
    holdout = Float(0.0, min=0.0, max=0.99, help="share of the clusters that %probe leaves out to confirm on").tag(
        config=True
    )

    def __init__(self, shell: Any) -> None:
        super().__init__(shell=shell)

    @magic_arguments()
    @argument(
        "name",
        help="embedded model, hub name, folder, GGUF file, URL of a server (#model), or a variable that holds a model",
    )
    @argument("-o", "--out", default="model", help="variable that takes the model (default: model)")
    @argument("--device", help="cpu, cuda, mps; the default is chosen and stated")
    @argument("--dtype", help="float32, bfloat16, float16; the default is chosen and stated")
    @argument("--revision", help="branch, tag or commit on the hub; your own name for what stands behind a URL")
    @argument("--key-env", help="environment variable that holds the key of a server")
    @line_magic
    @one_line_errors
    def model(self, line: str) -> Any:
        """Load a model: %model smollm2-135m-instruct."""
        args = parsed(self.model, line)
        chosen = {"device": args.device, "dtype": args.dtype, "revision": args.revision, "key_env": args.key_env}
        if "://" not in args.name:  # a server has settled where it computes
            chosen |= {"device": args.device or self.device, "dtype": args.dtype or self.dtype}
        options = {name: value for name, value in chosen.items() if value}
        loaded = wb.load(value_of(self.shell, args.name), **options)
        self.shell.user_ns[args.out] = loaded
        return loaded

    @magic_arguments()
    @argument("probe", help="name of a probe, such as calibration")
    @argument(
        "model", help="variable that holds a model or a report, or a name that %%model takes; None where none is needed"
    )
    @argument(
        "examples",
        nargs="?",
        help="variable that holds examples or a table, the name of a pack or a published set, or a file; none for a report",
    )
    @argument("options", nargs="*", default=[], help="options of the probe, as name=value, several values with commas")
    @argument("-o", "--out", default="report", help="variable that takes the report (default: report)")
    @argument("--by", action="append", help="column to slice by, several with commas; may be repeated")
    @argument("-n", "--max-examples", type=int, help="at most so many examples, drawn by seed")
    @argument("--seed", type=int, help="seed of draws, samples and the hold-out")
    @argument("--holdout", type=float, help="share of the clusters to leave out, to confirm findings on")
    @no_var_expand
    @line_magic
    @one_line_errors
    def probe(self, line: str) -> Any:
        """Run a probe: %probe calibration model facts scoring=letters --by domain -o report."""
        args = parsed(self.probe, line)
        if args.examples and OPTION.fullmatch(args.examples):  # %probe slices report top=3: no examples stand there
            args.examples, args.options = None, [args.examples, *args.options]
        limit = self.max_examples if args.max_examples is None else args.max_examples
        seed = self.seed if args.seed is None else args.seed
        if args.max_examples and args.examples is None:
            raise UsageError(
                "-n draws from examples, and a report has its own rows. Take a part of it first: report.where(...)."
            )
        examples = None if args.examples is None else self._examples(args.examples, limit, seed)
        model = None if args.model == "None" else value_of(self.shell, args.model)
        try:
            report = wb.run(
                args.probe,
                model,
                examples,
                by=_commas(args.by),
                holdout=self.holdout if args.holdout is None else args.holdout,
                seed=seed,
                **self._variables(args.probe, options_of(args.options)),
            )
        except ModelError as problem:
            if model != args.model or not args.model.isidentifier():
                raise
            raise UsageError(
                f"There is no variable {args.model!r}, so that it was taken for a model's name. {problem}"
            ) from None
        self.shell.user_ns[args.out] = report
        return report

    @magic_arguments()
    @argument("name", help="variable that takes the examples")
    @argument(
        "--format", choices=("jsonl", "csv"), help="how the cell is written; the default looks at its first character"
    )
    @argument("--label", help="column that holds the label")
    @argument("--text", help="column that holds the text")
    @argument("--choices", help="column that holds the list of choices")
    @cell_magic
    @one_line_errors
    def examples(self, line: str, cell: str) -> Any:
        """Write examples into a variable, one JSON object per line, or as CSV with a header."""
        args = parsed(self.examples, line)
        check_name(args.name)
        kind = args.format or ("jsonl" if cell.lstrip().startswith("{") else "csv")
        columns = {word: getattr(args, word) for word in ("label", "text", "choices") if getattr(args, word)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"cell.{kind}"  # read as a file is, so that a cell and a file mean the same
            path.write_text(cell, encoding="utf-8")
            found = wb.Examples.of(path, name=args.name, source="a cell of the notebook", **columns)
        self.shell.user_ns[args.name] = found
        return found

    @magic_arguments()
    @argument(
        "reports",
        nargs="*",
        help="variables that hold reports, or the paths of saved ones; the default is the variable report",
    )
    @argument("--model", help="variable that holds a model, to score the text of an example that is opened")
    @line_magic
    @one_line_errors
    def explore(self, line: str) -> Any:
        """Open the linked charts of a report, or of several on the same examples: %explore one two. Brushed is wb.selection."""
        args = parsed(self.explore, line)
        model = None if args.model is None else value_of(self.shell, args.model)
        return wb.explore(*(report_of(self.shell, name) for name in args.reports or ["report"]), model=model)

    @magic_arguments()
    @argument("report", nargs="?", default="report", help="variable that holds a report, or the path of a saved one")
    @argument("curve", nargs="?", default="reliability", help="reliability (the default) or risk_coverage")
    @argument("-o", "--out", default="drawing", help="variable that takes the drawing (default: drawing)")
    @line_magic
    @one_line_errors
    def draw(self, line: str) -> Any:
        """Draw the curve that you expect, then see the measured one: %draw report risk_coverage."""
        args = parsed(self.draw, line)
        drawing = wb.draw(report_of(self.shell, args.report), args.curve)
        self.shell.user_ns[args.out] = drawing
        return drawing

    @line_magic
    @one_line_errors
    def launch(self, line: str) -> Any:
        """Open the launcher, a form for model, examples and probe: %launch. What it runs it writes as a cell."""
        if line.strip():
            raise UsageError(
                f"%launch takes nothing; found {line.strip()!r}. Write wb.launch(data=...) to fill the form."
            )
        return wb.launch()

    @magic_arguments()
    @argument("a", help="variable that holds a report, or the path of a saved one")
    @argument("b", help="another of the same probe on the same examples")
    @argument("-o", "--out", default="comparison", help="variable that takes the comparison (default: comparison)")
    @argument("--by", action="append", help="column to slice by, several with commas; may be repeated")
    @line_magic
    @one_line_errors
    def compare(self, line: str) -> Any:
        """Set two reports of the same examples side by side: %compare one two."""
        args = parsed(self.compare, line)
        found = wb.compare(report_of(self.shell, args.a), report_of(self.shell, args.b), by=_commas(args.by))
        self.shell.user_ns[args.out] = found
        return found

    @magic_arguments()
    @argument(
        "slice",
        nargs="*",
        help="words of a slice or of a logged selection, its name; none for all that was tried; before it may stand the report",
    )
    @argument("--report", help="variable that holds the report, or the path of a saved one (default: report)")
    @argument("--metric", help="metric or numeric column; the default is the first mean of the headline")
    @argument("--correction", default="holm", help="holm or bh")
    @argument("--family", default="tried", help="tried or asked: what the correction counts")
    @argument("-o", "--out", default="confirmation", help="variable that takes the result (default: confirmation)")
    @no_var_expand
    @line_magic
    @one_line_errors
    def confirm(self, line: str) -> Any:
        """Test what was found on the rows that were held out: %confirm domain: law; confidence 0.6 to 0.8."""
        args = parsed(self.confirm, line)
        words = list(args.slice)
        if args.report is None and words and is_report(self.shell.user_ns.get(words[0])):
            args.report = words.pop(0)
        report, said = report_of(self.shell, args.report or "report"), " ".join(words)
        found = report.confirm(said or None, metric=args.metric, correction=args.correction, family=args.family)
        self.shell.user_ns[args.out] = found
        return found

    def _variables(self, probe: str, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options, with variables in place of their names where an option takes an object."""
        from workbench.probes.find import find

        known = find(probe).options
        for name, option in known.items():
            value = options.get(name)
            if isinstance(value, str) and option.variable:
                options[name] = value_of(self.shell, value)
            elif isinstance(value, str) and option.known and isinstance(option.default, tuple) and "," in value:
                options[name] = [part.strip() for part in value.split(",") if part.strip()]
        return options

    def _examples(self, name: str, limit: int, seed: int) -> Any:
        """Return the examples, at most `limit` of them where it is not 0."""
        value = value_of(self.shell, name)
        if isinstance(value, str) and value == name and name.isidentifier() and not Path(name).exists():
            known = [*wb.packs(), *wb.benchmarks()]
            if name not in known:
                held = [
                    key
                    for key, one in self.shell.user_ns.items()
                    if (hasattr(one, "columns") or hasattr(one, "slices"))
                    and not (key[0] == "_" or isinstance(one, type))
                ]
                raise unknown("variable, pack or published set", name, [*held, *known])
        if not limit:
            return value
        if isinstance(value, str) and value in wb.packs():
            value = wb.pack(value)
        elif isinstance(value, str) and value in wb.benchmarks():
            value = wb.benchmark(value)
        found = wb.Examples.of(value)
        return found.sample(limit, seed=seed) if len(found) > limit else found


def _commas(words: list[str] | None) -> list[str] | None:
    """Return names that stand between commas, None where there are none.

    >>> _commas(["sex,age", "city"])
    ['sex', 'age', 'city']
    """
    return [name for few in words for name in few.split(",") if name] if words else None
