"""Make the logs of other tools that `tests/data/test_logs*.py` read: real runs over questions of the pack `facts`.

Run: python -m benchmarks.peer_logs [lm-eval] [inspect] [helm] [helm-apart] [garak]. Each tool gets an environment of its own
(minutes, once). Beside each log stands `printed.json`: the numbers that the tool itself wrote on its screen or into its results.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import workbench as wb
from benchmarks import peers

HERE = Path(__file__).parent / "logs"
TARGET = Path(__file__).parents[1] / "tests" / "data" / "logs"
OFFLINE = {"OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
LM_EVAL, INSPECT, HELM, GARAK = "lm-eval==0.4.13", "inspect-ai==0.3.285", "crfm-helm==0.5.16", "garak==0.17.1"
NUMBER = r"(\d+\.\d+)"

TASK = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: questions.jsonl}}}}
test_split: test
metadata: {{version: 1.0}}
"""
CHOICES = """\
output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: answer
doc_to_choice: "{{choices}}"
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
WRITTEN = """\
output_type: generate_until
doc_to_text: "Question: {{question}} One of: {{choices|join(', ')}}.\\nAnswer:"
doc_to_target: "{{choices[answer]}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 6, do_sample: false}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, ignore_punctuation: true}
filter_list:
  - {name: strict, filter: [{function: take_first}]}
  - {name: first-word, filter: [{function: regex, regex_pattern: "([A-Za-z0-9]+)"}, {function: take_first}]}
"""
DEPLOYMENT = """\
model_deployments:
  - name: huggingface/smollm2
    model_name: huggingface/smollm2
    tokenizer_name: huggingface/smollm2
    max_sequence_length: 2048
    client_spec:
      class_name: helm.clients.huggingface_client.HuggingFaceClient
      args: {pretrained_model_name_or_path: MODEL, torch_dtype: torch.float32, device: cpu}
"""
METADATA = """\
models:
  - {name: huggingface/smollm2, display_name: SmolLM2, description: SmolLM2, creator_organization_name: Hugging Face,
     access: open, release_date: 2024-11-01, tags: [TEXT_MODEL_TAG]}
"""
TOKENIZER = """\
tokenizer_configs:
  - name: huggingface/smollm2
    tokenizer_spec:
      class_name: helm.tokenizers.huggingface_tokenizer.HuggingFaceTokenizer
      args: {pretrained_model_name_or_path: MODEL}
    end_of_text_token: "<|im_end|>"
    prefix_token: "<|im_start|>"
"""


def questions(folder: Path, n: int) -> Path:
    """Write n questions of the pack, drawn by id, and return the file."""
    rows = [
        {
            "id": r["example"],
            "question": r["text"],
            "choices": r["choices"],
            "answer": r["label"],
            "domain": r["domain"],
        }
        for r in wb.pack("facts").sample(24, seed=1)
    ]
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[:n]))
    return path


def model_in(folder: Path) -> Path:
    """Return a short path of the embedded model, float32."""
    from workbench.models import embedded

    gguf = embedded.find()
    if gguf is None:
        raise SystemExit(f"The embedded model is not installed: {embedded.PIP_LINE}")
    link = folder / "smollm2"
    link.symlink_to(embedded.convert(gguf))
    return link


def ran(*command: object, folder: Path, **env: str) -> str:
    """Return what a command wrote, or end with it where the command failed."""
    given = {**os.environ, **OFFLINE, **env}
    done = subprocess.run([str(part) for part in command], cwd=folder, env=given, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout + done.stderr


def kept(name: str, files: list[Path], printed: dict[str, float]) -> None:
    """Put the files of a run, and the numbers that it printed, where the tests look."""
    place = TARGET / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for file in files:
        content = file.read_bytes()
        if file.suffix in (".json", ".jsonl"):
            for here in folders_of(file):
                content = content.replace(here.encode(), b"")
        (place / file.name).write_bytes(content)
    (place / "printed.json").write_text(json.dumps(printed, indent=1) + "\n")
    print(name, printed, [f"{file.name}: {file.stat().st_size:,}" for file in files])


def folders_of(file: Path) -> tuple[str, ...]:
    """Return the folders of this machine that a log may name, which are nobody's business."""
    return f"{file.parent.resolve()}/", f"{file.parent}/", f"{HERE.parents[1]}/"


def lm_eval(folder: Path) -> None:
    """Run two tasks with samples: log-likelihoods of choices, and answers that are written, with two filters."""
    python = peers.python("lm-eval", LM_EVAL, beside=True)
    questions(folder, 24)
    model_in(folder)
    tasks = folder / "tasks"
    tasks.mkdir()
    for name, more in (("wb_facts", CHOICES), ("wb_facts_written", WRITTEN)):
        (tasks / f"{name}.yaml").write_text(TASK.format(name=name) + more)
    words = "--model hf --model_args pretrained=smollm2,dtype=float32 --tasks wb_facts,wb_facts_written --include_path tasks"
    more = "--log_samples --output_path out --batch_size 8 --device cpu"
    said = ran(
        python, "-m", "lm_eval", *words.split(), *more.split(), folder=folder, HF_DATASETS_CACHE=str(folder / "hf")
    )
    lines = re.findall(rf"\|([\w-]+)\s*\|\s*\d+\|(acc|acc_norm|exact_match)\s*\|\W*\|\s*{NUMBER}", said)
    kept("lm_eval", sorted((folder / "out").rglob("*.json*")), {f"{m},{f}": float(v) for f, m, v in lines})


def inspect(folder: Path) -> None:
    """Run letters with log-probabilities, written answers over two epochs, and a short run into JSON."""
    python = peers.python("inspect", INSPECT, beside=True)
    model_in(folder)
    printed = {}
    tasks = HERE / "inspect_tasks.py"
    local = "--model hf/smollm2 -M model_path=smollm2 -M device=cpu"
    plain = f"{local} -M use_chat_template=false -M do_sample=false -M batch_size=1 --max-connections 1"
    runs = (
        (
            "facts",
            16,
            f"{plain} --log-format eval",
        ),  # one at a time: in batches the logged tokens are not those of the text
        ("facts_written", 6, f"{local} -M batch_size=12 --max-connections 12 --log-format eval"),
        ("facts_short", 6, f"{plain} --log-format json"),
    )
    for task, n, words in runs:
        given = {"QUESTIONS": str(questions(folder, n))}
        said = ran(
            python.parent / "inspect",
            "eval",
            f"{tasks}@{task}",
            *words.split(),
            "--display",
            "plain",
            folder=folder,
            **given,
        )
        found = re.findall(rf"accuracy\s+{NUMBER}", said.rsplit("total time", 1)[-1])
        printed |= {f"{task} {at}": float(value) for at, value in enumerate(found)}
    logs = sorted((folder / "logs").glob("*.*"))
    for log in logs:
        if log.suffix == ".eval":
            ran(python, HERE / "eval_without.py", log, *folders_of(log), folder=folder)
    kept("inspect", logs, printed)


def helm(folder: Path, *, entry: str = "facts", n: int = 10, place: str = "helm", more: str = "") -> None:
    """Run multiple choice with the choices in the prompt."""
    python = peers.python("helm", HELM, beside=True)
    ran(python, "-m", "pip", "uninstall", "-y", "torchvision", folder=folder)  # it is built for another torch
    model = model_in(folder)
    home = folder / "prod_env"
    home.mkdir()
    for name, text in (
        ("model_deployments", DEPLOYMENT.replace("device: cpu", f"device: cpu{more}")),
        ("model_metadata", METADATA),
        ("tokenizer_configs", TOKENIZER),
    ):
        (home / f"{name}.yaml").write_text(text.replace("MODEL", str(model)))
    entries = ["--run-entries", f"{entry}:model=huggingface/smollm2"]
    words = [*entries, "--suite", "s", "--max-eval-instances", str(n), "-n", "1"]
    env = {"QUESTIONS": str(questions(folder, 12)), "PYTHONPATH": str(HERE)}
    ran(python, HERE / "helm_facts.py", *words, folder=folder, **env)
    ran(python.parent / "helm-summarize", "--suite", "s", folder=folder)
    run = next((folder / "benchmark_output" / "runs" / "s").glob("facts*"))
    means = {
        one["name"]["name"]: one["mean"] for one in json.loads((run / "stats.json").read_text()) if one.get("count")
    }
    names = ("per_instance_stats", "stats", "scenario_state", "run_spec", "instances", "display_predictions")
    kept(place, [run / f"{name}.json" for name in names], {"exact_match": means["exact_match"]})


def helm_apart(folder: Path) -> None:
    """Run multiple choice with each choice asked apart, on plain text: a template would stand after the choice."""
    helm(folder, entry="facts_apart", n=6, place="helm_apart", more=", apply_chat_template: false")


def garak(folder: Path) -> None:
    """Run two probes of a few prompts, three outputs each, with a detector of random scores."""
    python = peers.python("garak", GARAK, beside=True)
    ran(python, "-m", "pip", "uninstall", "-y", "torchvision", folder=folder)
    words = (
        "--target_type test.Repeat --probes lmrc.Bullying,lmrc.Profanity --detectors always.Random,lmrc.QuackMedicine"
    )
    env = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("DATA", "CACHE", "CONFIG")}
    more = ["--generations", "3", "--seed", "1", "--report_prefix", folder / "small"]
    said = ran(python, "-m", "garak", *words.split(), *more, folder=folder, **env)
    said = re.sub(r"\x1b\[[\d;]*m", "", said)
    found = re.findall(r"(lmrc\.\w+)\s+([\w.]+):\s*\w+\s+ok on\s+(\d+)/\s*(\d+)", said)
    kept("garak", [folder / "small.report.jsonl"], {f"{p} {d}": int(k) / int(n) for p, d, k, n in found})


TOOLS: dict[str, Callable[[Path], None]] = {"lm-eval": lm_eval, "inspect": inspect, "helm": helm, "garak": garak} | {
    "helm-apart": helm_apart
}

if __name__ == "__main__":
    for tool in sys.argv[1:] or TOOLS:
        with tempfile.TemporaryDirectory() as scratch:
            TOOLS[tool](Path(scratch))
