"""The magics of Workbench, thin callers of its API: `%load_ext workbench`.

`%model` loads, `%%examples` writes examples, `%probe` runs a probe, `%explore` opens the linked charts, `%launch` a form for all of
it, `%compare` sets two reports of the same examples side by side, `%confirm` tests on held-out rows, `%draw` asks for the curve
that you expect. `%fragility` varies the choices behind a number, `%robustness` sets models against a line, `%freeze` and `%replay`
keep an audit and make it again. Nothing heavy is imported until a magic is used.
"""

from typing import Any

from workbench_ipython.audits import AuditMagics
from workbench_ipython.completion import complete
from workbench_ipython.magics import WorkbenchMagics

__all__ = ["AuditMagics", "WorkbenchMagics", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Register the magics, their options under `%config WorkbenchMagics`, and their completion."""
    magics = WorkbenchMagics(shell)
    shell.register_magics(magics, AuditMagics(shell))
    shell.configurables.append(magics)
    if complete not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(complete)


def unload_ipython_extension(shell: Any) -> None:
    """Remove what `load_ipython_extension` registered."""
    for one in (WorkbenchMagics, AuditMagics):
        for kind, names in one.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
    shell.configurables[:] = [one for one in shell.configurables if not isinstance(one, WorkbenchMagics)]
    if complete in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(complete)
