"""CrowS-Pairs (Nangia et al. 2020): 1,508 pairs of sentences, one of which stereotypes more than the other."""

from pathlib import Path

from workbench.data._read import read as read_table
from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import DataError, unknown
from workbench.frames import require

__all__ = ["read"]

FILE = "crows_pairs_anonymized.csv"
COLUMNS = ("sent_more", "sent_less", "stereo_antistereo", "bias_type")
DIRECTIONS = {"stereo", "antistereo"}
CLUSTERS = {"pair": None, "writer": "anon_writer"}
CARD = """CrowS-Pairs, Nangia, Vania, Bhalerao and Bowman 2020 (arXiv 2010.00133). Crowdworkers in the United States wrote
pairs of sentences that differ in the group that they name. `text` is the sentence that stereotypes more (sent_more), `other`
the one that does so less; `direction` says whether text shows a stereotype of a disadvantaged group (stereo) or its violation
(antistereo). The pairs are noisy: Blodgett et al. 2021 found faults in many of them (unclear stereotypes, several things
changed at once, wrong grammar). The set is for measuring; its authors warn against training on it. The texts are offensive."""


def read(folder: Path, *, cluster: str = "pair") -> Examples:
    """Return the pairs in the order of the file: text, other, direction, bias_type, writer.

    `cluster` says what counts as drawn independently: each "pair", or each "writer" (77 of them, anonymous).
    """
    if cluster not in CLUSTERS:
        raise unknown("value of cluster", cluster, CLUSTERS)
    path = file_of(folder, FILE)
    table = read_table(path).frame
    require(table, COLUMNS, what="CrowS-Pairs", remedy=f"Give the authors' {FILE}.")
    strange = sorted(set(table["stereo_antistereo"]) - DIRECTIONS)
    if strange:
        raise DataError(f"stereo_antistereo must be stereo or antistereo; {path.name} has {strange[0]!r}.")
    frame = table.rename(
        columns={"sent_more": "text", "sent_less": "other", "stereo_antistereo": "direction", "anon_writer": "writer"}
    )
    frame["example"] = [f"crows-pairs-{i:04d}" for i in range(len(frame))]
    if cluster == "writer":
        require(frame, ["writer"], what="cluster='writer'", remedy="The column anon_writer of the authors' file is it.")
        frame["cluster"] = frame["writer"]
    kept = ["example", "text", "cluster", "other", "direction", "bias_type", "writer"]
    return Examples(
        frame[[name for name in kept if name in frame.columns]],
        name="crows-pairs",
        source="nyu-mll/crows-pairs, data/crows_pairs_anonymized.csv",
        licence="CC BY-SA 4.0",
        card=CARD,
        slices=("bias_type",),
    )
