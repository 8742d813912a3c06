"""What a probe is built from, in one place: for a probe of your own, in a package of your own (`docs/adding-a-probe.md`).

`Again`, `Option`, `Scored` and `View` are the contract's nouns (`protocol`). `need_verb` says `NotApplicable` of a model that
cannot be asked, `rows_frame` makes rows of records, `metrics_of` a metrics table of a summary, overall and by slice, and
`clusters_of` gives what was drawn independently, for the intervals of `workbench.stats.intervals`.
"""

from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._slices import clusters_of, metrics_of
from workbench.probes.protocol import Again, Option, Probe, Scored, View

__all__ = ["Again", "Option", "Probe", "Scored", "View", "clusters_of", "metrics_of", "need_verb", "rows_frame"]
