"""A HELM run over questions of the pack `facts`; QUESTIONS names the file that `peer_logs.py` wrote, arguments are helm-run's."""

import json
import os
import sys
from pathlib import Path

from helm.benchmark import run
from helm.benchmark.adaptation.common_adapter_specs import (
    get_multiple_choice_joint_adapter_spec,
    get_multiple_choice_separate_adapter_spec,
)
from helm.benchmark.metrics.common_metric_specs import get_exact_match_metric_specs
from helm.benchmark.run_spec import RunSpec, run_spec_function
from helm.benchmark.scenarios.scenario import (
    CORRECT_TAG,
    TEST_SPLIT,
    TRAIN_SPLIT,
    Input,
    Instance,
    Output,
    Reference,
    Scenario,
    ScenarioSpec,
)

ROWS = [json.loads(line) for line in Path(os.environ["QUESTIONS"]).read_text().splitlines()]
SHOTS = 2


class FactsScenario(Scenario):
    """The questions, the first of them as examples in the prompt."""

    name = "facts"
    description = "Questions of Workbench's pack facts"
    tags = ["question answering"]  # noqa: RUF012 — as HELM has it

    def get_instances(self, output_path: str) -> list[Instance]:
        """Return one instance per question."""
        del output_path
        return [
            Instance(
                input=Input(text=row["question"]),
                id=row["id"],
                split=TRAIN_SPLIT if place < SHOTS else TEST_SPLIT,
                references=[
                    Reference(Output(text=text), tags=[CORRECT_TAG] if at == row["answer"] else [])
                    for at, text in enumerate(row["choices"])
                ],
            )
            for place, row in enumerate(ROWS)
        ]


@run_spec_function("facts")
def facts() -> RunSpec:
    """Return the run: the choices stand in the prompt, the letter is written."""
    return RunSpec(
        name="facts",
        scenario_spec=ScenarioSpec(class_name="helm_facts.FactsScenario"),
        adapter_spec=get_multiple_choice_joint_adapter_spec(
            instructions="Answer with a single letter only.",
            input_noun="Question",
            output_noun="Answer",
            max_train_instances=SHOTS,
            max_tokens=1,
        ),
        metric_specs=get_exact_match_metric_specs(),
        groups=["facts"],
    )


@run_spec_function("facts_apart")
def facts_apart() -> RunSpec:
    """Return the run that asks for the log-likelihood of each choice."""
    return RunSpec(
        name="facts_apart",
        scenario_spec=ScenarioSpec(class_name="helm_facts.FactsScenario"),
        adapter_spec=get_multiple_choice_separate_adapter_spec(
            method="multiple_choice_separate_original", empty_input=False
        ),
        metric_specs=get_exact_match_metric_specs(),
        groups=["facts"],
    )


if __name__ == "__main__":
    sys.modules["helm_facts"] = sys.modules["__main__"]
    run.main()
