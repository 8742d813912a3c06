"""Calibration statistics of torchmetrics and relplot in an environment of their own.

For each line (name, file of confidences, file of 0 and 1, number of calls) the CPU seconds of one call and its value.
"""

import json
import sys
import time
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")

import relplot  # noqa: E402 - after its warnings are silenced
from torchmetrics.functional.classification import binary_calibration_error  # noqa: E402

torch.set_num_threads(1)
for line in sys.stdin:
    name, first, second, calls = json.loads(line)
    confidence, correct = np.load(first), np.load(second)
    p, y = torch.from_numpy(confidence), torch.from_numpy(correct)
    value = 0.0
    start = time.process_time()
    for _ in range(calls):
        if name == "ece":
            value = float(binary_calibration_error(p, y, n_bins=15, norm="l1"))
        else:
            value = float(relplot.smECE(confidence, correct))
    print(json.dumps({"seconds": (time.process_time() - start) / calls, "value": value}), flush=True)
