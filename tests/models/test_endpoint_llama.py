"""llama.cpp's own server as a model behind a URL; slow, and only where a Python with llama-cpp-python[server] is named.

WORKBENCH_LLAMA_PYTHON is that Python; the server reads the packaged GGUF file (Q4_1), so that its numbers differ from the float32
model here by what llama.cpp computes in fewer bits.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models import embedded
from workbench.models.load import load
from workbench.models.verbs import Question

pytestmark = pytest.mark.slow  # not `model`: where no server is named it is skipped, which a model test may not be

TEXTS = [  # with short words, which can be asked for as choices
    "The cat sat on the mat, and the dog sat by the door in the sun.",
    "It is a bit of a way to go, so we can get in the car at six.",
    "One of us has to do it, and it is not up to me to say who.",
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of llama.cpp's server with the embedded model."""
    python, file = os.environ.get("WORKBENCH_LLAMA_PYTHON"), embedded.find()
    if not python or file is None:
        pytest.skip("WORKBENCH_LLAMA_PYTHON names no Python with llama-cpp-python[server]")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    options = ["--model", str(file), "--model_alias", "smollm2", "--port", str(port), "--n_ctx", "512"]
    log = (tmp_path_factory.mktemp("llama") / "log").open("w")
    command = [python, "-m", "llama_cpp.server", *options, "--logits_all", "true", "--n_threads", "2"]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            time.sleep(0.5)
            assert process.poll() is None, Path(log.name).read_text()[-2000:]
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}/v1#smollm2"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def test_a_quantised_server_is_near_the_model_here(
    url: str, embedded_model: Any, capsys: pytest.CaptureFixture
) -> None:
    """Its echo, which is one place off for a model without BOS, is refused; likelihoods of next tokens differ by little."""
    far: Any = load(url, concurrency=1)
    assert {"choose", "generate"} <= far.verbs
    assert "score" not in far.verbs
    assert "has log-probability" in far.reasons["score"]

    questions = []
    for text in TEXTS:
        ids = embedded_model.tokenizer(text)["input_ids"]
        words = [embedded_model.tokenizer.decode(ids[:i]) for i in range(len(ids) + 1)]
        questions += [Question(words[i], (words[i + 1][len(words[i]) :],)) for i in range(2, len(ids))]
    short = [question for question in questions if len(question.choices[0].strip()) <= 3]
    ours, theirs = (np.concatenate(model.choose(short).logp) for model in (far, embedded_model))
    gaps = np.abs(ours - theirs)
    known = gaps[~np.isnan(gaps)]
    with capsys.disabled():
        print(
            f"\nllama.cpp against float32, {len(known)} of {len(gaps)} tokens told: median {np.median(known):.4f} nats, "
        )
        print(f"largest {known.max():.4f}; {[note for note in far.info.notes if 'choice' in note]}")
    assert len(known) >= 10
    assert np.median(known) < 0.1
    assert far.generate(["The capital of France is"], max_tokens=4).done.all()
    with pytest.raises(ModelError, match="can be asked nothing|no /completions"):
        load(url.replace("#smollm2", "#other").replace("/v1", "/v2"))
