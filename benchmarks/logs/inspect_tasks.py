"""Inspect tasks over questions of the pack `facts`; QUESTIONS names the file that `peer_logs.py` wrote."""

import json
import os
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate

ROWS = [json.loads(line) for line in Path(os.environ["QUESTIONS"]).read_text().splitlines()]
CONFIG = GenerateConfig(max_tokens=2, logprobs=True, top_logprobs=5)


def _questions(*, listed: bool) -> MemoryDataset:
    samples = [
        Sample(
            id=row["id"],
            input=row["question"] + _listed(row["choices"]) if listed else row["question"],
            choices=row["choices"],
            target="ABCD"[row["answer"]],
            metadata={"domain": row["domain"]},
        )
        for row in ROWS
    ]
    return MemoryDataset(samples, name="facts")


def _listed(choices: list[str]) -> str:
    return "".join(f"\n{letter}. {text}" for letter, text in zip("ABCD", choices, strict=False)) + "\nAnswer:"


@task
def facts() -> Task:
    """Return multiple choice whose letter is written, with the log-probabilities of the tokens."""
    return Task(_questions(listed=True), solver=generate(), scorer=match(location="begin"), config=CONFIG)


@task
def facts_short() -> Task:
    """Return the same as `facts`, without log-probabilities."""
    config = GenerateConfig(max_tokens=2)
    return Task(_questions(listed=True), solver=generate(), scorer=match(location="begin"), config=config)


@task
def facts_written() -> Task:
    """Return questions whose answer is written, each twice, with two scorers."""
    samples = [
        Sample(
            id=row["id"],
            input=f"{row['question']} Answer with one of: {', '.join(row['choices'])}.",
            target=row["choices"][row["answer"]],
            metadata={"domain": row["domain"]},
        )
        for row in ROWS[:6]
    ]
    config = GenerateConfig(max_tokens=16, temperature=1.0, seed=1)
    dataset = MemoryDataset(samples, name="facts")
    return Task(dataset, solver=generate(), scorer=[includes(), match()], epochs=2, config=config)
