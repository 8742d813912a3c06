"""nlpaug in its own environment: for each line with settings and a family the CPU seconds of all texts, and what came out."""

import json
import sys
import time
from pathlib import Path

import nlpaug.augmenter.char as nac

FEW = {"aug_char_min": 1, "aug_char_max": 1, "aug_word_p": 0.2}  # one letter in a fifth of the words


def augmenters(**options):
    """Return the augmenters by our names of the families."""
    return {
        "keyboard": nac.KeyboardAug(include_special_char=False, include_numeric=False, **options),
        "ocr": nac.OcrAug(**options),
        **{name: nac.RandomCharAug(action=name, **options) for name in ("swap", "delete", "insert")},
    }


AUGMENTERS = {"defaults": augmenters(), "few": augmenters(**FEW)}
TEXTS = json.loads(Path(sys.argv[1]).read_text())

for line in sys.stdin:
    how, name = json.loads(line)
    augmenter = AUGMENTERS[how][name]
    start = time.process_time()
    new = augmenter.augment(TEXTS)
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "texts": new}), flush=True)
