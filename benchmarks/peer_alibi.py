"""alibi-detect in its own environment: for each line (two files, a width, draws) the CPU seconds and numbers of a test."""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")

from alibi_detect.cd import MMDDrift  # noqa: E402 - after its warnings are silenced

for line in sys.stdin:
    first, second, width, draws = json.loads(line)
    x, y = np.load(first), np.load(second)
    start = time.process_time()
    detector = MMDDrift(
        x,
        backend="pytorch",
        device="cpu",
        sigma=np.array([width], dtype=x.dtype),
        configure_kernel_from_x_ref=False,
        n_permutations=draws,
    )
    found = detector.predict(y)["data"]
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "value": float(found["distance"]), "p": float(found["p_val"])}), flush=True)
