"""pytorch-ood in its own environment: for each line with files and a number of test rows the CPU seconds of fit and scores.

It imports torchvision, whose wheels do not fit a CPU build of torch; its Mahalanobis uses none of it, so that empty modules do.
"""

import importlib.abc
import importlib.machinery
import json
import sys
import time
import types
import warnings

import numpy as np
import torch


class Empty(types.ModuleType):
    """A module that has every name: a class that does nothing."""

    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives an empty module for torchvision and all below it."""

    def find_spec(self, name: str, *where: object) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for these names alone."""
        del where
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] == "torchvision" else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Empty:
        """Return the empty module."""
        return Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing."""


sys.meta_path.insert(0, Finder())
warnings.filterwarnings("ignore")

from pytorch_ood.detector import Mahalanobis  # noqa: E402 - after torchvision's stand-in

torch.set_num_threads(1)
for line in sys.stdin:
    train, labels, test, most = json.loads(line)
    x, y, new = (torch.from_numpy(np.load(path)) for path in (train, labels, test))
    start = time.process_time()
    fitted = Mahalanobis(None).fit_features(x, y)
    middle = time.process_time()
    scores = fitted.predict_features(new[:most])
    seconds = time.process_time() - middle
    print(json.dumps({"fit": middle - start, "seconds": seconds, "scores": scores[:200].tolist()}), flush=True)
