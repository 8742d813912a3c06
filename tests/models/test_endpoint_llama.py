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
from workbench.models.verbs import Question, Request

pytestmark = [pytest.mark.slow, pytest.mark.model]

TEXTS = [
    ("Question: What is the capital of France?\nAnswer:", " Paris"),
    ("The opposite of hot is", " cold, and the opposite of up is down"),
    ("def add(a, b):\n", "    return a + b\n"),
    ("Water boils at", " one hundred degrees Celsius at sea level."),
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
    """What it can do is found, and the median difference per token is small, or echo is refused since it does not fit."""
    far: Any = load(url, concurrency=1)
    requests = [Request(*pair) for pair in TEXTS]
    if "score" not in far.verbs:
        assert "as the next token" in far.reasons["score"]
        questions = [Question("Question: Is water wet?\nA. Yes\nB. No\nAnswer:", (" A", " B"))]
        ours, theirs = far.choose(questions).logp[0], embedded_model.choose(questions).logp[0]
        gaps = np.abs(ours - theirs)
    else:
        ours, theirs = far.score(requests), embedded_model.score(requests)
        assert ours.offsets.tolist() == theirs.offsets.tolist()
        gaps = np.abs(ours.logp - theirs.logp)
    with capsys.disabled():
        print(
            f"\nllama.cpp: {sorted(far.verbs)}, median {np.median(gaps):.4f} nats, largest {gaps.max():.4f}; {far.reasons}"
        )
    assert np.median(gaps) < 0.2
    assert far.generate(["The capital of France is"], max_tokens=4).done.all()
    with pytest.raises(ModelError):
        load(url.replace("#smollm2", "#other").replace("/v1", "/v2"))
