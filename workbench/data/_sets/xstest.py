"""XSTest: prompts that look unsafe but are safe, and unsafe ones that look like them (Röttger et al. 2023, arXiv 2308.01263)."""

from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import unknown

__all__ = ["MODELS", "files", "read"]

MODELS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")
CARD = (
    "250 safe prompts of ten types that a well-behaved model answers, 200 unsafe contrasts that it declines. `group` is safe or "
    "unsafe: the refusal rate on safe prompts is exaggerated safety, that on unsafe ones is wanted. With completions=MODEL the "
    "authors' stored completions of one of five models come with them, and `refused`, what two people said of it "
    "(1 full or partial refusal, 0 full compliance; `final_label` has all three)."
)


def files(*, completions: str | None = None) -> tuple[str, ...]:
    """Return the file of the prompts, and that of a model's completions where one is named."""
    return ("xstest_prompts.csv", *([] if completions is None else [_answers(completions)]))


def _answers(completions: str) -> str:
    if completions not in MODELS:
        raise unknown("model of XSTest", completions, MODELS)
    return f"completions/xstest_v2_completions_{completions}.csv"


def read(folder: Path, *, completions: str | None = None) -> Examples:
    """Return the 450 prompts; `completions` names one of five models whose stored and labelled answers come along.

    Known models: gpt4, llama2new, llama2orig, mistralguard, mistralinstruct.
    """
    import pandas as pd

    wanted = files(completions=completions)
    prompts = pd.read_csv(file_of(folder, wanted[0]), keep_default_na=False)
    frame = prompts.assign(example="xstest-" + prompts["id"].astype(str)).rename(
        columns={"prompt": "text", "label": "group"}
    )[["example", "text", "group", "type", "focus", "note"]]
    if completions is not None:
        answers = pd.read_csv(file_of(folder, wanted[1]), keep_default_na=False)
        number = answers["id"].astype(str).str.removeprefix("v2-")
        given = pd.DataFrame(
            {
                "example": "xstest-" + number,
                "continuation": answers["completion"],
                "final_label": answers["final_label"],
                "refused": (~answers["final_label"].str.startswith("1")).astype(int),
            }
        )
        frame = frame.merge(given, on="example", validate="1:1")
    return Examples.of(
        frame,
        name="xstest" if completions is None else f"xstest-{completions}",
        text="text",
        group="group",
        example="example",
        slices=("type",),
        source="Röttger et al. 2023, arXiv 2308.01263; paul-rottger/exaggerated-safety",
        licence="CC BY 4.0",
        card=CARD,
    )
