"""The documentation's site: `make site` writes it to `site/`.

The pages are the Markdown files of this folder (MyST), the notebooks as they are committed, and a reference that is written from
the docstrings of every public module when the site is built, so that none can be forgotten. No page asks another host.
"""

import importlib
import os
import pkgutil
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import latex2mathml.converter
from docutils import nodes

import workbench

HERE = Path(__file__).parent
LAYERS = ("stats", "data", "models", "charts", "probes", "audit", "views")  # a page each, from the bottom up
FRONT = "The top level"

project = "Workbench"
author = "The Workbench authors"
copyright = author  # noqa: A001 — Sphinx wants this name
version = release = workbench.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "sphinx_book_theme"
html_title = f"Workbench {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"show_navbar_depth": 1, "show_toc_level": 2, "home_page_in_toc": True, "navbar_persistent": []}
highlight_language = "none"  # a literal block of a docstring is a list of words; examples are doctests
nb_execution_mode = os.environ.get("SITE_NOTEBOOKS", "off")  # "force" runs them, and the site shows their results
nb_execution_timeout = 1200
nb_execution_excludepatterns = [] if os.environ.get("WORKBENCH_DATA") else ["audits/01_*"]  # it reads published sets
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathml"  # which browsers draw by themselves; MathJax would come from another host
default_role = "code"  # the docstrings write `name` for code
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
suppress_warnings = ["ref.python"]  # a name of the top level stands under its module, too


def public_modules(package: ModuleType) -> list[str]:
    """Return the names of a package's public modules, itself first, sorted."""
    found = [f"{package.__name__}.{one.name}" for one in pkgutil.iter_modules(package.__path__) if one.name[0] != "_"]
    return [package.__name__, *sorted(found)]


def directive(name: str, level: int = 2) -> str:
    """Return what lists a module in the reference under a heading: its public names, of packages its docstring alone."""
    module = importlib.import_module(name)
    members = ", ".join(getattr(module, "__all__", ())) if not hasattr(module, "__path__") else ""
    option = f"   :members: {members}\n" if members else "   :no-members:\n"
    return f"{'#' * level} `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n{option}```\n"


def pages() -> dict[str, str]:
    """Return the pages of the reference by file name."""
    names = [name for name in workbench.__all__ if name != "selection"]
    parts = [
        f"```{{eval-rst}}\n.. auto{_kind(getattr(workbench, name))}:: workbench.{name}\n   :no-index:\n```\n"
        for name in names
    ]
    found = {"workbench.md": f"# {FRONT}: `import workbench as wb`\n\n" + "\n".join(parts)}
    told = ["workbench.errors", "workbench.frames", "workbench.reports"]
    found["reports.md"] = "# Reports, frames and errors\n\n" + "\n".join(map(directive, told))
    for layer in LAYERS:
        first, *rest = public_modules(importlib.import_module(f"workbench.{layer}"))
        found[f"{layer}.md"] = "\n".join([directive(first, 1), *map(directive, rest)])
    return found


def tidied(lines: list[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText reads them: |d| is no substitution, and a list stands by itself."""
    found: list[str] = []
    for line in lines:
        bullet, last = line.lstrip().startswith(("* ", "- ")), found[-1] if found else ""
        within = last.startswith((" ", "* ", "- ")) or last.lstrip().startswith(("* ", "- "))
        if last.strip() and bullet != within and (bullet or not line.startswith(" ")):
            found.append("")
        found.append(line if line.lstrip().startswith((">>>", "...")) else re.sub(r"\|([^|`]+)\|", r"\\|\1\\|", line))
    return found


def tidy(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Tidy a docstring in place."""
    lines[:] = tidied(lines)


def _kind(thing: Any) -> str:
    return "class" if isinstance(thing, type) else "function"


def write_reference(app: Any) -> None:
    """Write the pages of the reference, and bring the notebooks beside the pages."""
    folder = Path(app.srcdir) / "api"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in pages().items():
        (folder / name).write_text(text)
    books = Path(app.srcdir) / "notebooks"
    shutil.rmtree(books, ignore_errors=True)
    source = HERE.parent / "notebooks"
    for path in sorted([*source.rglob("*.ipynb"), source / "course" / "planted.py"]):
        if ".ipynb_checkpoints" not in path.parts:
            target = books / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def formula(writer: Any, node: Any) -> None:
    """Write a formula, in a line or by itself, as MathML."""
    writer.body.append(
        latex2mathml.converter.convert(node.astext(), display="block" if node.tagname == "math_block" else "inline")
    )
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Write what is generated before Sphinx looks for pages."""
    app.connect("config-inited", lambda app, _config: write_reference(app))
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", tidy)
