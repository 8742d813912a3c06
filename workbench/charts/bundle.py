"""One JavaScript bundle of Vega, Vega-Lite and vega-embed, made from the installed vl-convert and kept on disk.

No third-party code is committed: the bundle comes out of `vl-convert-python`, which carries these libraries. Making it takes
seconds, reading it milliseconds; Altair is not imported. The bundle's own `vega` export is null, hence
`changeset(view)`.
"""

import contextlib
import os
import tempfile
from importlib import metadata
from pathlib import Path

from workbench.charts.static import vega_lite_version

__all__ = ["bundle_path", "bundle_version", "vega_bundle"]

SNIPPET = """
const refuse = async uri => { throw new Error("Workbench's charts load nothing; refused " + uri); };
const sealed = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
const embed = (element, spec, options = {}) =>
  vegaEmbed(element, spec, { actions: false, renderer: "canvas", loader: sealed, ...options });
const changeset = view => view.changeset();
export { changeset, embed, vegaEmbed };
"""
REVISION = 1  # raise it when SNIPPET changes


def bundle_version() -> str:
    """Return what the bundle is made of: the versions that key its file.

    >>> bundle_version().split()[0]
    'vl-convert'
    """
    return f"vl-convert {metadata.version('vl-convert-python')}, Vega-Lite {vega_lite_version()}, revision {REVISION}"


def bundle_path() -> Path:
    """Return the file that keeps the bundle: under the folder of WORKBENCH_CACHE, else ~/.cache/workbench."""
    folder = os.environ.get("WORKBENCH_CACHE")
    root = Path(folder) if folder else Path.home() / ".cache" / "workbench"
    return root / "vega" / f"{bundle_version().replace(', ', '-').replace(' ', '-').lower()}.js"


def vega_bundle() -> str:
    """Return an ES module (about 0.9 MB) that exports `embed`, `changeset` and `vegaEmbed`; made once, then read from disk.

    A folder that cannot be written costs the seconds again at the next start, nothing else.
    """
    path = bundle_path()
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8")
    import vl_convert

    source: str = vl_convert.javascript_bundle(SNIPPET, vl_version=vega_lite_version())
    with contextlib.suppress(OSError):
        _write(path, source)
    return source


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all: two processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
