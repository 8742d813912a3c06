"""Imports point down only, and heavy packages stay in their layer."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    "_text",
    "errors",
    "stats",
    "frames",
    "data",
    "models",
    "charts",
    "probes",
    "reports",
    "_conduct",
    "audit",
    "views",
    "magics",
]
OF_REPORTS = {
    "_confirm",
    "_confirm_show",
    "_confirm_slices",
    "_confirm_whole",
    "_edited",
    "_looks",
    "_record",
    "_report_files",
    "_report_html",
    "_report_markdown",
    "_report_tables",
    "_rules",
    "_selections",
    "_format",
}  # private modules that belong to the layer of reports
HOME = {  # third-party package -> the layers that may import it
    "torch": {"models"},
    "transformers": {"models"},
    "safetensors": {"models"},
    "gguf": {"models"},
    "httpx": {"models"},
    "altair": {"charts"},
    "vl_convert": {"charts"},
    "ipywidgets": {"views"},
    "anywidget": {"views"},
    "IPython": {"magics", "views"},
    "netcal": {"stats"},
    "fairlearn": {"stats"},
    "sliceline": {"stats"},
    "pandas": {"frames", "data", "models", "charts", "probes", "reports", "_conduct", "audit", "views", "magics"},
}


def layer_of(path: Path) -> str | None:
    """Return the layer of a module, None for the package's root, which alone may look upward."""
    if "workbench_ipython" in path.parts:
        return "magics"
    part = path.relative_to(ROOT / "workbench").parts[0]
    name = part.removesuffix(".py")
    if name == "__init__":
        return None
    if name == "__main__":  # the command line stands on top of all, as the magics do
        return "magics"
    return "reports" if name in OF_REPORTS else name


def imports_of(source: str) -> list[str]:
    """Return the dotted names that a module imports, wherever in the file, but for type checking alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{name.name}" for name in node.names]
    return found


def faults(layer: str, source: str) -> list[str]:
    """Return what a module of that layer imports and must not."""
    wrong = []
    for name in imports_of(source):
        package, _, rest = name.partition(".")
        if package == "workbench" and rest:
            other = rest.split(".")[0]
            other = "reports" if other in OF_REPORTS else other
            if other in LAYERS and LAYERS.index(other) > LAYERS.index(layer):
                wrong.append(f"{layer} imports {name}, a layer above it")
        elif package == "workbench_ipython" and layer != "magics":
            wrong.append(f"{layer} imports {name}, a layer above it")
        elif layer not in HOME.get(package, {layer}):
            wrong.append(f"{layer} imports {name}; only {', '.join(sorted(HOME[package]))} may")
    return wrong


def modules() -> list[Path]:
    """Return every module of both packages."""
    return sorted([*(ROOT / "workbench").rglob("*.py"), *(ROOT / "extensions/workbench_ipython").rglob("*.py")])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down_only(path: Path) -> None:
    """A module imports its own layer and those below, and heavy packages only where they live."""
    layer = layer_of(path)

    assert layer is None or layer in LAYERS
    assert (faults(layer, path.read_text()) if layer else []) == []


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("stats", "from workbench.frames import seed_of"),
        ("data", "import workbench.probes.find"),
        ("probes", "def f():\n    import torch"),
        ("views", "from workbench_ipython import magics"),
        ("charts", "from workbench import _conduct"),
        ("stats", "import pandas as pd"),
    ],
)
def test_a_planted_violation_is_found(layer: str, source: str) -> None:
    """The guard above can fail."""
    assert faults(layer, source)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    """House style: a file over 400 lines is two files."""
    assert len(path.read_text().splitlines()) <= 400
