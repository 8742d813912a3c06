"""A small OpenAI-compatible server: plain forward passes of transformers in float32, and every way to misbehave.

It shares no code with Workbench's engine, so that it is a second source for log-likelihoods, too.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import torch


@dataclass
class Server:
    """What is served, and how well.

    `script` holds faults, one per POST request: {"status", "headers", "body"} answers so, {"raw"} sends these bytes with 200,
    {"delay"} waits so many seconds before the true answer, {"close"} cuts the connection, {} is no fault. `change` may alter each
    good body; it is given the path, too.
    """

    model: Any
    tokenizer: Any
    name: str = "tiny"
    key: str = ""
    completions: bool = True
    chat: bool = True
    embeddings: bool = True
    echo: bool = True
    logprobs: bool = True
    most_top: int = 20
    adds_bos: bool = False
    shows_bos: bool = True
    lists: bool = True
    fingerprint: str | None = "fp_1"
    script: deque[dict[str, Any]] = field(default_factory=deque)
    change: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda path, body: body
    seen: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.forward = threading.Lock()

    def posts(self, path: str = "") -> list[dict[str, Any]]:
        """Return what was posted, in order, to a path that ends so."""
        return [payload for where, payload, _ in self.seen if where.endswith(path)]

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        found = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [self.tokenizer.bos_token_id, *found] if self.adds_bos or not found else found

    @torch.no_grad()
    def table(self, ids: list[int]) -> np.ndarray:
        """Return log p of every next token after each prefix (t, v)."""
        with self.forward:
            return self.model(torch.tensor([ids])).logits[0].double().log_softmax(-1).numpy()

    def best(self, row: np.ndarray, top: int) -> list[int]:
        """Return the likeliest tokens, in order."""
        some = np.argpartition(-row, min(top, len(row) - 1))[:top]
        return [int(i) for i in some[np.argsort(-row[some])]][: self.most_top]

    def told(self, row: np.ndarray, token: int, top: int) -> dict[str, float]:
        """Return the likeliest tokens of a place, and the one that stands there."""
        best = self.best(row, top)
        return {self.tokenizer.decode([i]): float(row[i]) for i in (*best, token)}

    def write(
        self, ids: list[int], payload: dict[str, Any], first: np.ndarray | None = None
    ) -> tuple[list[int], list[np.ndarray]]:
        """Return the tokens that are written, and the distributions that they were drawn from; `first` is that of the first."""
        random = np.random.default_rng(payload.get("seed"))
        written: list[int] = []
        rows = []
        for _ in range(payload.get("max_tokens", 16)):
            row = first if first is not None and not written else self.table([*ids, *written])[-1]
            heat = payload.get("temperature", 1.0)
            p = np.exp(row / heat) if heat else np.eye(len(row))[row.argmax()]
            token = int(random.choice(len(row), p=p / p.sum()))
            if token == self.tokenizer.eos_token_id:
                break
            written.append(token)
            rows.append(row)
            if any(stop in self.tokenizer.decode(written) for stop in payload.get("stop") or ()):
                break
        return written, rows

    def completion(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer /completions."""
        text, top = payload["prompt"], payload.get("logprobs")
        ids = self.ids(text)
        table = self.table(ids)
        written, rows = self.write(ids, payload, table[-1])
        answer = self.cut(self.tokenizer.decode(written), payload)
        choice: dict[str, Any] = {"index": 0, "text": answer, "logprobs": None, "finish_reason": "length"}
        echo = payload.get("echo") and self.echo
        if echo:
            choice["text"] = text + answer
        if top is not None and self.logprobs:
            offsets = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            starts = [0] * (len(ids) - len(offsets)) + [start for start, _ in offsets]
            listed = list(zip(ids, [None, *table[:-1]], starts, strict=True)) if echo else []
            if listed and self.adds_bos and not self.shows_bos:
                listed = listed[1:]
                listed[0] = (listed[0][0], None, 0)
            ends = np.cumsum([len(text), *(len(self.tokenizer.decode([i])) for i in written)])
            listed += list(zip(written, rows, ends.tolist(), strict=False))
            choice["logprobs"] = {
                "tokens": [self.tokenizer.decode([token]) for token, _, _ in listed],
                "token_logprobs": [None if row is None else float(row[token]) for token, row, _ in listed],
                "top_logprobs": [None if row is None else self.told(row, token, top) for token, row, _ in listed],
                "text_offset": [start for _, _, start in listed],
            }
        return self.whole("text_completion", choice, len(ids), len(written))

    def reply(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer /chat/completions."""
        ids = self.ids("".join(f"{each['role']}: {each['content']}\n" for each in payload["messages"]) + "assistant:")
        written, rows = self.write(ids, payload)
        message = {"role": "assistant", "content": self.cut(self.tokenizer.decode(written), payload)}
        choice: dict[str, Any] = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length"}
        if payload.get("logprobs") and self.logprobs:
            top = payload.get("top_logprobs", 0)
            content = []
            for token, row in zip(written, rows, strict=True):
                best = self.best(row, top)
                one = [{"token": self.tokenizer.decode([i]), "logprob": float(row[i])} for i in best]
                content.append(
                    {"token": self.tokenizer.decode([token]), "logprob": float(row[token]), "top_logprobs": one}
                )
            choice["logprobs"] = {"content": content}
        return self.whole("chat.completion", choice, len(ids), len(written))

    @torch.no_grad()
    def vectors(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer /embeddings: the mean of the last hidden states, texts in any order."""
        data = []
        for i, text in enumerate(payload["input"]):
            with self.forward:
                states = self.model(torch.tensor([self.ids(text)]), output_hidden_states=True).hidden_states[-1]
            data.append({"index": i, "embedding": states[0].mean(0).tolist()})
        return {"data": data[::-1], "usage": {"prompt_tokens": sum(len(self.ids(t)) for t in payload["input"])}}

    @staticmethod
    def cut(text: str, payload: dict[str, Any]) -> str:
        """Return the text before the first stop string."""
        for stop in payload.get("stop") or ():
            text = text.split(stop)[0]
        return text

    def whole(self, kind: str, choice: dict[str, Any], read: int, written: int) -> dict[str, Any]:
        """Return an answer with its usage and fingerprint."""
        body: dict[str, Any] = {"object": kind, "model": self.name, "choices": [choice]}
        body["usage"] = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return body | ({"system_fingerprint": self.fingerprint} if self.fingerprint else {})


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

        def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def error(self, status: int, message: str, **more: Any) -> None:
            self.send(status, {"error": {"message": message, **more}})

        def admitted(self) -> bool:
            given = self.headers.get("Authorization", "")
            if server.key and given != f"Bearer {server.key}":
                self.error(401, f"Incorrect API key provided: {given}")
                return False
            return True

        def do_GET(self) -> None:
            if not self.admitted():
                return
            if self.path == "/v1/models" and server.lists:
                self.send(200, {"data": [{"id": server.name}]})
            else:
                self.error(404, "Not Found")

        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                server.seen.append((self.path, payload, self.headers.get("Authorization", "")))
                fault = server.script.popleft() if server.script else {}
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                self.answer(payload, fault)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with server.lock:
                    server.at_once -= 1

        def answer(self, payload: dict[str, Any], fault: dict[str, Any]) -> None:
            time.sleep(fault.get("delay", 0))
            if fault.get("close"):
                self.close_connection = True
            elif "status" in fault:
                self.send(fault["status"], fault.get("body", {}), fault.get("headers"))
            elif "raw" in fault:
                self.send(200, fault["raw"])
            elif self.admitted():
                self.serve(payload)

        def serve(self, payload: dict[str, Any]) -> None:
            kinds = {
                "/v1/completions": (server.completions, server.completion),
                "/v1/chat/completions": (server.chat, server.reply),
                "/v1/embeddings": (server.embeddings, server.vectors),
            }
            on, make = kinds.get(self.path, (False, server.completion))
            if not on:
                self.error(404, f"There is no {self.path} here")
            elif payload["model"] != server.name:
                self.error(404, f"The model {payload['model']!r} does not exist", code="model_not_found")
            elif max(payload.get("top_logprobs") or 0, int(payload.get("logprobs") or 0)) > server.most_top:
                self.error(400, f"logprobs must be at most {server.most_top}")
            else:
                self.send(200, server.change(self.path, make(payload)))

    return Handler


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve on a free port of this machine; `server.url` is the address with the model's name."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1#{server.name}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
