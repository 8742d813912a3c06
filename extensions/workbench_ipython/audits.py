"""The magics of an audit: how far a number hangs on choices, robustness of several models, a frozen folder, and its replay."""

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

import workbench as wb
from workbench_ipython._words import check_name, one_line_errors, options_of, parsed, report_of, value_of

__all__ = ["AuditMagics"]


@magics_class
class AuditMagics(Magics):
    """Vary the choices of a number, compare models elsewhere, freeze and replay."""

    @magic_arguments()
    @argument(
        "words",
        nargs="*",
        metavar="report, choice=setting,setting",
        help="variables that hold reports (or paths; several are a choice themselves), and what to vary: bins=5,10,15",
    )
    @argument("--metric", help="the number; the default is the first of the headline")
    @argument("--null", type=float, default=0.0, help="what it is set against (default: 0)")
    @argument("--model", help="variable that holds a model, for choices that change what is asked")
    @argument("-o", "--out", default="fragile", help="variable that takes the result (default: fragile)")
    @no_var_expand
    @line_magic
    @one_line_errors
    def fragility(self, line: str) -> Any:
        """Make a number again under every combination of choices: %fragility report bins=5,10,15 scheme=width,mass."""
        args = parsed(self.fragility, line)
        names = [word for word in args.words if "=" not in word] or ["report"]
        vary = options_of([word for word in args.words if "=" in word], said_apart=())
        reports = {name: report_of(self.shell, name) for name in names}
        model = None if args.model is None else value_of(self.shell, args.model)
        given = next(iter(reports.values())) if len(reports) == 1 else reports
        settings = {name: _settings(value) for name, value in vary.items()}
        found = wb.fragility(given, settings, metric=args.metric, null=args.null, model=model)
        self.shell.user_ns[args.out] = found
        return found

    @magic_arguments()
    @argument("--inside", nargs="+", required=True, help="a report of each model on the usual data: variables or paths")
    @argument("--outside", nargs="+", required=True, help="a report of each on the shifted data, in the same order")
    @argument("--baseline", nargs="+", help="names of the models that the line is fitted to (default: all)")
    @argument("--draws", type=int, default=1000, help="of rows, for the intervals (default: 1000)")
    @argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    @argument("-o", "--out", default="robust", help="variable that takes the result (default: robust)")
    @line_magic
    @one_line_errors
    def robustness(self, line: str) -> Any:
        """Say who is more accurate elsewhere than foretold: %robustness --inside a b c --outside a_far b_far c_far."""
        args = parsed(self.robustness, line)
        if len(args.inside) != len(args.outside):
            raise UsageError(
                f"--inside names {len(args.inside)} reports and --outside {len(args.outside)}. Give one of each model in both."
            )
        sides = ([report_of(self.shell, name) for name in names] for names in (args.inside, args.outside))
        found = wb.robustness(*sides, baseline=args.baseline, draws=args.draws, seed=args.seed)
        self.shell.user_ns[args.out] = found
        return found

    @magic_arguments()
    @argument("reports", nargs="*", help="variables that hold reports, or paths; the default is the variable report")
    @argument("--to", required=True, help="folder to write")
    @argument("--name", help="of the audit (default: that of the folder)")
    @argument("--notes", default="", help="what the README says first")
    @argument("--data", default="auto", help="examples by value: auto (those that no name gives back), all, none")
    @argument("--no-pictures", action="store_true", help="leave the charts out of the pages, which saves seconds")
    @argument("--overwrite", action="store_true", help="replace a frozen audit that stands there")
    @argument("-o", "--out", default="audit", help="variable that takes the path (default: audit)")
    @no_var_expand
    @line_magic
    @one_line_errors
    def freeze(self, line: str) -> Any:
        """Write reports with all that it takes to run them again: %freeze report --to my-audit."""
        args = parsed(self.freeze, line)
        reports = [report_of(self.shell, name) for name in args.reports or ["report"]]
        options = {"name": args.name, "notes": args.notes, "data": args.data, "overwrite": args.overwrite}
        folder = wb.freeze(*reports, to=args.to, pictures=not args.no_pictures, **options)
        self.shell.user_ns[args.out] = folder
        return folder

    @magic_arguments()
    @argument("folder", help="a frozen audit: its path, or a variable that holds it")
    @argument("--from-rows", action="store_true", help="ask no model: the numbers from the stored rows")
    @argument("--model", action="append", default=[], metavar="NAME=VARIABLE", help="a model in place of the named one")
    @argument("--tolerance", type=float, help="within which a number is the same, in place of 1e-4 and 1e-9")
    @argument("--anyway", action="store_true", help="run a folder whose files changed")
    @argument("--trust", action="store_true", help="allow pickles, code that comes with a model, and servers")
    @argument("-o", "--out", default="replayed", help="variable that takes the result (default: replayed)")
    @no_var_expand
    @line_magic
    @one_line_errors
    def replay(self, line: str) -> Any:
        """Make a frozen audit again and say what came back: %replay my-audit --model mine=model."""
        args = parsed(self.replay, line)
        models = {}
        for word in args.model:
            name, equals, variable = word.rpartition("=")
            if not equals or not name:
                raise UsageError(f"--model {word!r} is not NAME=VARIABLE. Write --model 'its name=model'.")
            check_name(variable)
            if variable not in self.shell.user_ns:
                raise UsageError(f"--model {word}: there is no variable {variable!r}. Load it first, with %model.")
            models[name] = self.shell.user_ns[variable]
        found = wb.replay(
            value_of(self.shell, args.folder),
            from_rows=args.from_rows,
            models=models,
            tolerance=args.tolerance,
            anyway=args.anyway,
            trust=args.trust,
        )
        self.shell.user_ns[args.out] = found
        return found


def _settings(value: Any) -> list[Any]:
    """Return the settings of a choice: what stands between commas, or a list.

    >>> _settings("width,mass"), _settings((5, 10)), _settings(3)
    (['width', 'mass'], [5, 10], [3])
    """
    if isinstance(value, (list, tuple)):
        return list(value)
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else [value]
