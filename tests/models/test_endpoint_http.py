"""Addresses, keys, retries, limits: how a server is asked, and what is said where it does not answer."""

import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import tiny
from openai_server import Server, serving

from workbench.errors import ModelError, UsageError
from workbench.models._endpoint_http import Halted, Line, NoAnswer, Policy, Refused, address_of, key_name
from workbench.models._endpoint_pace import Pace, Price, Usage

QUICK = Policy(timeout=2.0, retries=3, first=0.01, longest=0.02, patience=5.0)
ASKED = {"model": "tiny", "prompt": "a", "max_tokens": 1}
KEY = "sk-very-secret-1234"
SELF_SIGNED = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFbMUviik+rkU9F2a
o0qfKf6o8aIV7oGZwSzVk900+cShRANCAARyNM7y1eERpVxURL5ezan10E4TW8HK
enBDlXaWzM3vTrYvnsZ6H5j2jL8kMLBqHqFuZUf6mRHB+uoG7xkvr0Zd
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBgDCCASWgAwIBAgIUSesu621ASEgCe50SYc25DR5bVdUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNzA3NDczOVoYDzIxMjYxMTAz
MDc0NzM5WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARyNM7y1eERpVxURL5ezan10E4TW8HKenBDlXaWzM3vTrYvnsZ6H5j2
jL8kMLBqHqFuZUf6mRHB+uoG7xkvr0Zdo1MwUTAdBgNVHQ4EFgQUP64zW/ICMlIC
1e/zbfDDsZeliREwHwYDVR0jBBgwFoAUP64zW/ICMlIC1e/zbfDDsZeliREwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAhBcdkCIbuMoE5h89a/IN
hyuWZ5la8Cwc78i9u/F4+MsCIQC+tqIlXVATHL16lOMgtEO+eKf4VRcJ4XbtGxRi
DpcXBw==
-----END CERTIFICATE-----
"""  # made for this test by `openssl req -x509 -newkey ec`; nobody trusts it


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a real server of a tiny model; no key is in the environment."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(Server(tiny.language_model(), tiny.tokenizer())) as one:
        yield one


def line_to(server: Server, key: str = "", policy: Policy = QUICK) -> Line:
    """Return a line to the server."""
    return Line(address_of(server.url)[0], key, policy, Pace(None, None))


def ask(line: Line) -> dict[str, Any]:
    """Ask for one token."""
    with line.open(2) as asking:
        return asking.post("/completions", ASKED, what="request 7")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://me:hidden@host/v1", "holds a user name or password"),
        ("https://hidden@host/v1", "holds a user name or password"),
        ("https://host/v1?api_key=hidden", "has a query"),
        ("ftp://host/hidden", "must begin with https:// or http://"),
        ("https:///v1", "must begin with"),
        ("https://host:port/v1", "is not a URL"),
        ("https://ho st/v1", "is not a URL"),
        ("https://host/v1/chat/completions", "give the part before it"),
    ],
)
def test_an_address_that_could_hold_a_secret_is_refused_unshown(url: str, said: str) -> None:
    """Names, passwords and queries; the message does not repeat them."""
    with pytest.raises(UsageError, match=said) as caught:
        address_of(url)

    assert "hidden" not in str(caught.value)


def test_an_address_is_written_in_one_way() -> None:
    """Case of scheme and host, a slash at the end, IPv6, a model with a slash."""
    assert ("https://host/v1", "owner/model") == (
        (found := address_of("HTTPS://Host/v1/#owner%2Fmodel"))[0].base,
        found[1],
    )
    assert ("http://[::1]:8000/v1", True) == ((one := address_of("http://[::1]:8000/v1")[0]).base, one.local)


def test_the_key_comes_from_the_environment_and_travels_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_API_KEY or the variable that is named; unencrypted only on this machine; never a key in place of a name."""
    far, near, safe = (address_of(url)[0] for url in ("http://host/v1", "http://localhost:1/v1", "https://host/v1"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert ("", "") == key_name(safe, None)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("MINE", KEY)
    assert ("OPENAI_API_KEY", "") == key_name(safe, None) == key_name(near, None)
    assert "MINE" == key_name(safe, "MINE")[0]
    name, note = key_name(far, None)
    assert name == ""
    assert "the key in OPENAI_API_KEY is not sent" in note

    for where, name, said in [
        (far, "MINE", "would travel unencrypted to host"),
        (safe, "OTHER", "OTHER is not set"),
        (safe, KEY, "is the name of an environment variable"),
    ]:
        with pytest.raises(UsageError, match=said) as caught:
            key_name(where, name)
        assert KEY not in str(caught.value)

    monkeypatch.setenv("MINE", f"{KEY}\n")
    with pytest.raises(UsageError, match="cannot be a key") as caught:
        key_name(safe, "MINE")
    assert KEY not in str(caught.value)


def test_the_key_is_cut_out_of_what_a_server_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that repeats the key in its refusal does not bring it into the error."""
    server.key = "another"
    monkeypatch.setenv("MINE", KEY)

    with pytest.raises(Refused, match=r"does not accept the key in MINE \(401: Incorrect API key.*\[key\]") as caught:
        ask(line_to(server, "MINE"))

    assert server.seen[-1][2] == f"Bearer {KEY}"
    assert KEY not in repr(caught.value) + str(caught.value.said) + repr(vars(line_to(server, "MINE")))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_faults_that_pass_are_tried_again(server: Server, status: int) -> None:
    """The second try gives the answer."""
    server.script.append({"status": status})

    assert ask(line_to(server))["usage"]["completion_tokens"] == 1
    assert len(server.posts()) == 2


def test_a_broken_connection_and_a_slow_answer_are_tried_again(server: Server) -> None:
    """Both once, then an answer."""
    server.script.extend([{"close": True}, {"delay": 0.4}])

    assert ask(line_to(server, policy=Policy(timeout=0.2, retries=3, first=0.01)))["choices"]
    assert len(server.posts()) == 3


def test_tries_end(server: Server) -> None:
    """The error counts them, and says what the last gave."""
    server.script.extend([{"status": 503, "body": {"error": {"message": "overloaded"}}}] * 4)

    with pytest.raises(NoAnswer, match=r"no answer to request 7 in 4 tries; the last gave 503: overloaded"):
        ask(line_to(server))
    server.script.extend([{"delay": 0.3}] * 2)
    with pytest.raises(NoAnswer, match=r"in 2 tries; the last gave nothing within 0.1 s"):
        ask(line_to(server, policy=Policy(timeout=0.1, retries=1, first=0.01)))


def test_retry_after_is_honoured_by_all(server: Server) -> None:
    """Seconds or a date; the others wait, too; too long a wait is said at once."""
    server.script.append({"status": 429, "headers": {"Retry-After": "0.3"}})
    line = line_to(server)
    start = time.monotonic()
    ask(line)
    assert time.monotonic() - start >= 0.3
    soon = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.script.append({"status": 429, "headers": {"Retry-After": soon}})
    with pytest.raises(ModelError, match=r"asks to wait 3,\d\d\d s before request 7 is asked again"):
        ask(line)
    line.pace.hold(0.2)
    assert 0.1 < line.pace.take(0) <= 0.2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 400, "body": {"error": {"message": "too\nlong"}}}, r"refused request 7 \(400: too long\)"),
        (
            {"status": 404, "body": {"detail": "Not Found"}},
            r"knows no such model, or has no /completions \(404: Not Found",
        ),
        ({"status": 403, "raw": b"no"}, "does not accept a request without a key"),
        ({"status": 302, "headers": {"Location": "http://elsewhere/"}}, "points elsewhere"),
        ({"status": 429, "body": {"error": {"code": "insufficient_quota", "message": "pay"}}}, "the quota is used up"),
        ({"raw": b"<html>hello"}, r"not JSON; it begins '<html>hello'"),
        ({"raw": b'{"choices": [{'}, "not JSON"),
        ({"raw": b"[1]"}, "a JSON list, not an object"),
        ({"raw": b'{"error": {"message": "no room"}}'}, "refused request 7: no room"),
    ],
)
def test_faults_that_do_not_pass_are_said_at_once(server: Server, fault: dict[str, Any], said: str) -> None:
    """One request, one sentence, with the server's own words on one line."""
    server.script.append(fault)

    with pytest.raises(ModelError, match=said):
        ask(line_to(server))
    assert len(server.posts()) == 1


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where nothing listens is said without a second try."""
    line = Line(address_of("http://127.0.0.1:9/v1")[0], "", QUICK, Pace(None, None))

    with pytest.raises(ModelError, match=r"Nothing answers at http://127.0.0.1:9/v1.*Start the server"):
        ask(line)


def test_a_certificate_that_cannot_be_trusted(tmp_path: Path) -> None:
    """TLS with a certificate that nobody signed is refused, and says how to name its authority."""
    certificate = tmp_path / "server.pem"
    certificate.write_text(SELF_SIGNED)
    http = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client breaks off, as it must
    thread = threading.Thread(target=http.handle_request, daemon=True)
    thread.start()
    line = Line(address_of(f"https://127.0.0.1:{http.server_port}/v1")[0], "", QUICK, Pace(None, None))

    with pytest.raises(ModelError, match=r"cannot be trusted or speaks no TLS: self.signed certificate.*SSL_CERT_FILE"):
        ask(line)
    thread.join(5)
    http.server_close()


def test_a_server_without_tls(server: Server) -> None:
    """https:// where http:// is spoken is said as such."""
    line = Line(address_of(server.url.replace("http:", "https:"))[0], "", QUICK, Pace(None, None))

    with pytest.raises(ModelError, match="cannot be trusted or speaks no TLS.*for a server without TLS, write http://"):
        ask(line)


def test_another_machine_is_not_asked_where_the_network_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKBENCH_OFFLINE holds for servers elsewhere."""
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")

    with pytest.raises(ModelError, match="WORKBENCH_OFFLINE is set, so host.example is not asked"):
        ask(Line(address_of("https://host.example/v1")[0], "", QUICK, Pace(None, None)))


def test_an_end_wakes_those_that_wait(server: Server) -> None:
    """A wait before another try ends at once."""
    server.script.append({"status": 503, "headers": {"Retry-After": "4"}})
    with line_to(server).open(1) as asking:
        threading.Timer(0.2, asking.halt.set).start()
        start = time.monotonic()
        with pytest.raises(Halted):
            asking.post("/completions", ASKED, what="it")
    assert time.monotonic() - start < 2


def test_limits_hold_in_any_minute() -> None:
    """Requests and tokens of the last 60 seconds; a guess that was wrong is set right; a giant goes alone."""
    now = [0.0]
    pace = Pace(3, 100, clock=lambda: now[0])
    assert [0.0, 0.0] == [pace.take(40), pace.take(40)]
    assert pace.take(40) == 60.0
    pace.settle(40, 5)
    now[0] = 10.0
    assert pace.take(40) == 0.0
    assert pace.take(1) == 50.0
    now[0] = 60.0
    assert pace.take(40) == 0.0
    now[0] = 200.0
    assert pace.take(5000) == 0.0
    assert pace.take(1) == 60.0


def test_usage_counts_tokens_and_their_price() -> None:
    """What the server counted, and tokens per character from it; answers without a count are no tokens."""
    usage = Usage(Price(2.0, 8.0))
    assert usage.tokens_of(10) is None
    assert 13 == usage.add({"usage": {"prompt_tokens": 10, "completion_tokens": 3}}, 40)
    assert usage.add({"usage": None}, 40) is None

    assert (2, 10, 3) == (usage.requests, usage.read, usage.written)
    assert usage.cost == pytest.approx((10 * 2 + 3 * 8) / 1e6)
    assert usage.tokens_of(100) == 25.0
