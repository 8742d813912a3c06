"""TweetEval (Barbieri et al. 2020, arXiv 2010.12421): tweets and their class, for three of its tasks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._files import bytes_of, file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.errors import DataError, counted

__all__ = ["files", "read"]

TASKS = {  # the classes by number: the authors' mapping.txt
    "sentiment": ("negative", "neutral", "positive"),
    "hate": ("not-hate", "hate"),
    "offensive": ("not-offensive", "offensive"),
}
SPLITS = ("train", "val", "test")
CARD = """TweetEval, Barbieri, Camacho-Collados, Espinosa-Anke and Neves 2020 (arXiv 2010.12421): tweets with a class, user
names and links replaced by @user and http. Tasks here: sentiment (SemEval 2017 task 4), hate (SemEval 2019 task 5: against
women and immigrants) and offensive (SemEval 2019 task 6), each with the splits of its authors. The texts offend. The test
sets come from other months and searches than the training sets: that of hate is known to differ much."""


def files(*, task: str = "sentiment", split: str | Iterable[str] = "test") -> tuple[str, ...]:
    """Return the files of a task's splits: texts and labels."""
    (name,) = chosen("task of TweetEval", task, TASKS)
    return tuple(f"{name}/{one}_{part}.txt" for one in chosen("split", split, SPLITS) for part in ("text", "labels"))


def read(folder: Path, *, task: str = "sentiment", split: str | Iterable[str] = "test") -> Examples:
    """Return the tweets of a task ("sentiment", "hate", "offensive") and of one or more splits ("train", "val", "test").

    Columns: text, label (its name), task, split.
    """
    import pandas as pd

    names = files(task=task, split=split)
    records: list[dict[str, Any]] = []
    blank = 0
    for one, text_file, label_file in zip(chosen("split", split, SPLITS), names[::2], names[1::2], strict=True):
        texts, labels = (_lines(file_of(folder, name)) for name in (text_file, label_file))
        if len(texts) != len(labels):
            raise DataError(f"{text_file} has {len(texts)} lines, {label_file} {len(labels)}; they must be aligned.")
        for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
            if label not in [str(i) for i in range(len(TASKS[task]))]:
                raise DataError(
                    f"Line {number + 1} of {label_file} is {label!r}, not a number from 0 to {len(TASKS[task]) - 1}."
                )
            blank += not text.strip()
            if text.strip():
                where = {"task": task, "split": one}
                name = TASKS[task][int(label)]
                records.append(
                    {"example": f"tweeteval-{task}-{one}-{number:05d}", "text": text, "label": name, **where}
                )
    return Examples(
        pd.DataFrame(records),
        name=f"tweeteval-{task}",
        source="Barbieri et al. 2020, cardiffnlp/tweeteval",
        licence="without restrictions of the authors; the original tasks' and Twitter's terms may apply",
        card=CARD,
        slices=("split",) if len(names) > 2 else (),
        notes=(f"{counted(blank, 'blank line')} left out.",) if blank else (),
    )


def _lines(path: Path) -> list[str]:
    """Return the lines, split at line feeds alone: tweets hold other separators."""
    return [line.rstrip("\r") for line in bytes_of(path).decode("utf-8").removesuffix("\n").split("\n")]
