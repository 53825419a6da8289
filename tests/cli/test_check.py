"""The command `openrouter-rerank check`."""

import json
import socket
import threading

import pytest
from openrouter_rerank.local.stage import Fault, Reply, Stage, error, refusing_address

from tests.certificates import authority_and_server_context
from tests.cli.program import call

STEPS = ["key", "base URL", "proxy", "certificates", "account", "call"]


def steps(done):
    """Return the status and the text of each step by its name."""
    found = {}
    for line in done.stdout.splitlines():
        status, name, detail = line.split("\t")
        found[name] = (status, detail)
    has_problem = any(status == "problem" for status, _ in found.values())
    assert (done.returncode, done.stderr) == (int(has_problem), "")
    return found


def test_a_working_setup_is_ok(stage):
    """Each step is ok and says what it has found, and the call shows its cost."""
    found = steps(call(stage, "check"))

    assert found == {
        "key": ("ok", "from OPENROUTER_API_KEY"),
        "base URL": ("ok", f"{stage.base_url} from OPENROUTER_API_BASE"),
        "proxy": ("ok", "none, because the service is on this machine"),
        "certificates": ("ok", "none are needed for http"),
        "account": ("ok", "the key is accepted; it has no limit"),
        "call": ("ok", "ranked by rerank-v3.5, Stage; cost $0.001"),
    }
    get, post = stage.requests
    assert (get.method, get.path) == ("GET", "/api/v1/key")
    assert (post.model, len(post.documents)) == ("cohere/rerank-v3.5", 2)


def test_no_call_makes_no_call(stage):
    """With `--no-call`, nothing is ranked."""
    found = steps(call(stage, "check", "--no-call"))

    assert [*found] == STEPS[:-1]
    assert [request.method for request in stage.requests] == ["GET"]


def test_the_call_uses_the_model(stage):
    """`--model` names the model of the call."""
    steps(call(stage, "check", "--model", "qwen/qwen3-reranker-8b"))

    assert stage.requests[1].model == "qwen/qwen3-reranker-8b"


def test_json_has_all_steps(stage):
    """With `--json`, the steps are one object that says whether all is well."""
    stage.script(error(401, "User not found"))

    done = call(stage, "check", "--json")

    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["ok"]) == (1, "", False)
    assert [each["name"] for each in found["steps"]] == STEPS
    assert [each["status"] for each in found["steps"]] == ["ok"] * 4 + ["problem", "skipped"]


def test_the_account_is_described(stage):
    """What the key may spend, its budgets, free requests, other bills and its end are shown."""
    details = {
        "limit_remaining": 12.5,
        "budgets": [{"scope": "team", "remaining_usd": 3, "resets_at": "2026-12-01"}],
        "free_model_daily_requests": {"limit": 50, "used": 8, "remaining": 42},
        "byok_usage": 0.25,
        "expires_at": "2027-01-01",
        "label": "sk-or-v1-abc...def",
    }
    stage.script(Reply(body={"data": details}))

    status, text = steps(call(stage, "check", "--no-call"))["account"]

    assert status == "ok"
    assert text.split("; ") == [
        "the key is accepted",
        "$12.50 left of its limit",
        "budget of team: $3.00 left until 2026-12-01",
        "42 of 50 requests to :free models left today",
        "$0.25 billed by providers to your own provider keys",
        "expires 2027-01-01",
    ]


@pytest.mark.parametrize(
    ("reply", "status", "text"),
    [
        (error(401, "User not found"), "problem", "UnauthorizedError: User not found (HTTP 401"),
        (error(403, "Key disabled"), "problem", "ForbiddenError: Key disabled"),
        (error(404, "Not Found"), "note", "the service does not report the limits of a key"),
        (Reply(status=405), "note", "the service does not report the limits of a key"),
        (Reply(body="<html><title>Login</title>"), "problem", "does not describe a key"),
        (Reply(body=b"[" * 10_000), "problem", "does not describe a key"),
        (Reply(body={"data": {"limit_remaining": 0}}), "problem", "the limit of the key has no"),
        (
            Reply(body={"data": {"budgets": [{"scope": "a\x1b[2J", "remaining_usd": 0}]}}),
            "problem",
            r"the budget of a\x1b[2J has no money left. Add credits",
        ),
        (Fault.close(), "problem", "Retry later. If it fails again, check the base URL."),
        (
            Reply(body={"data": {"budgets": [{"remaining_usd": -0.1, "resets_at": "2026-12-02"}]}}),
            "problem",
            "a budget has no money left until 2026-12-02. Add credits",
        ),
        (
            Reply(body={"data": {"free_model_daily_requests": {"limit": 50, "remaining": 0}}}),
            "ok",
            "0 of 50 requests to :free models left today",
        ),
    ],
)
def test_the_account_is_judged(stage, reply, status, text):
    """A refused key, a spent limit and an invalid response are problems, which skip the call."""
    stage.script(reply)

    found = steps(call(stage, "check"))

    assert found["account"][0] == status
    assert text in found["account"][1]
    assert found["call"][0] == ("skipped" if status == "problem" else "ok")


def test_a_free_model_needs_free_requests(stage):
    """If no free requests are left today, a call of a `:free` model is a problem."""
    details = {"free_model_daily_requests": {"limit": 50, "used": 50, "remaining": 0}}
    stage.script(Reply(body={"data": details}))

    found = steps(call(stage, "check", "--model", "nvidia/nemotron-3.5-rerank-8b:free"))

    assert found["account"][0] == "problem"
    assert found["account"][1].startswith("no requests to :free models are left today. Choose")
    assert found["call"][0] == "skipped"


def test_a_timeout_is_a_problem(stage):
    """If the service does not answer in time, the step names the option to raise."""
    stage.always(Fault.hang())

    status, text = steps(call(stage, "check", "--timeout", "0.3"))["account"]

    assert status == "problem"
    assert text.endswith("within timeout=0.3 s. Raise --timeout.")


def test_a_service_of_another_kind_is_a_problem(stage):
    """If something that is no HTTP server answers, the step says to check the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet():
            # As a mail server does; the client closes the connection because of it.
            with listener.accept()[0] as connection:
                connection.sendall(b"220 mail.example ESMTP ready\r\n")
                connection.recv(65_536)

        threading.Thread(target=greet, daemon=True).start()
        done = call(stage, "check", OPENROUTER_API_BASE=f"http://127.0.0.1:{port}/api/v1")

    status, text = steps(done)["account"]
    assert status == "problem"
    assert text.endswith("Retry later. If it fails again, check the base URL.")


def test_https_for_a_server_without_tls_is_a_problem(stage):
    """If the base URL has https, and the server has not, the step says so."""
    base_url = stage.base_url.replace("http:", "https:")

    status, text = steps(call(stage, "check", OPENROUTER_API_BASE=base_url))["account"]

    assert status == "problem"
    assert "does not use TLS (https)" in text


def test_a_base_url_without_its_path_is_noted(stage):
    """A base URL that lacks OpenRouter's path is a note, which shows the right URL."""
    base_url = stage.base_url.removesuffix("/api/v1")
    stage.always(Reply(status=404, body="<html>"))

    found = steps(call(stage, "check", OPENROUTER_API_BASE=base_url))

    assert found["base URL"][0] == "note"
    assert found["base URL"][1].endswith(f"OpenRouter's does, as in {stage.base_url}")
    assert found["account"][0] == "note"
    assert found["call"][0] == "problem"
    assert f"no rerank endpoint answers at {base_url}/rerank" in found["call"][1]


def test_a_failed_call_is_a_problem(stage):
    """If the call fails, the step has the error and what to do."""
    stage.script(Reply(body={"data": {"label": ""}}), error(402, "Insufficient credits"))

    status, text = steps(call(stage, "check"))["call"]

    assert status == "problem"
    assert text.startswith("PaymentRequiredError: Insufficient credits")
    assert "Add credits" in text


@pytest.mark.parametrize(
    ("variables", "step", "text"),
    [
        ({"OPENROUTER_API_KEY": None}, "key", "there is no API key: set OPENROUTER_API_KEY"),
        ({"OPENROUTER_API_KEY": "a b"}, "key", "the API key in OPENROUTER_API_KEY has characters"),
        (
            {"OPENROUTER_API_BASE": "gateway.example"},
            "base URL",
            "OPENROUTER_API_BASE must have the form",
        ),
        (
            {"OPENROUTER_API_BASE": None, "OPENROUTER_BASE_URL": "http://gateway.example"},
            "base URL",
            "OPENROUTER_BASE_URL must begin with https://",
        ),
    ],
)
def test_wrong_settings_are_problems(stage, variables, step, text):
    """A missing key, one that cannot be sent, and a wrong URL are named; nothing is sent."""
    found = steps(call(stage, "check", **variables))

    assert found[step][0] == "problem"
    assert text in found[step][1]
    assert found["account"] == found["call"] == ("skipped", "fix the problem above first")
    assert stage.requests == []


def test_a_base_url_that_may_not_have_the_key_is_a_problem(stage):
    """If the key is not sent to the URL of the command line, the step says what to do."""
    found = steps(call(stage, "check", "--base-url", "https://gateway.example"))

    assert found["base URL"][0] == "problem"
    assert "set OPENROUTER_API_BASE" in found["base URL"][1]


def test_a_proxy_is_shown_without_its_login(stage):
    """The proxy of the environment is named, and that it has a login, but not the login."""
    with refusing_address() as address:
        proxy = address.removeprefix("http://").partition("/")[0]
        done = call(
            stage,
            "check",
            OPENROUTER_API_BASE="https://gateway.example/api/v1",
            HTTPS_PROXY=f"http://alice:hush-hush@{proxy}",
            https_proxy=None,
        )

    found = steps(done)
    assert found["proxy"] == ("ok", f"http://{proxy} with a user name and password")
    assert f"through the proxy http://{proxy}" in found["account"][1]
    assert "alice" not in done.stdout
    assert "hush-hush" not in done.stdout


def test_a_wrong_proxy_is_a_problem(stage):
    """A proxy whose URL cannot be used is a problem, which names the variable."""
    base_url = "https://gateway.example/api/v1"
    done = call(stage, "check", OPENROUTER_API_BASE=base_url, https_proxy="http://a:b/c@d:1")

    status, text = steps(done)["proxy"]
    assert status == "problem"
    assert text.startswith("https_proxy is not the URL of a proxy")


def test_certificates_are_checked(stage, tmp_path):
    """An authority that is not trusted is a problem, and `SSL_CERT_FILE` is the way to trust it."""
    authority, context = authority_and_server_context()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "no.pem").write_text("no certificate")
    file = str(tmp_path / "ca.pem")
    with Stage(tls=context) as secure:
        ignored = {"SSL_CERT_FILE": None, "SSL_CERT_DIR": None, "REQUESTS_CA_BUNDLE": file}
        unknown = steps(call(secure, "check", **ignored))
        trusted = steps(call(secure, "check", SSL_CERT_FILE=file))
        wrong = steps(call(secure, "check", SSL_CERT_FILE=str(tmp_path / "no.pem")))

    assert unknown["certificates"][0] == "note"
    assert unknown["certificates"][1].startswith("REQUESTS_CA_BUNDLE is not read")
    assert "is not trusted" in unknown["account"][1]
    assert "Set SSL_CERT_FILE" in unknown["account"][1]
    assert trusted["certificates"] == ("ok", f"SSL_CERT_FILE={file}")
    assert trusted["call"][0] == "ok"
    assert wrong["certificates"][0] == "problem"
    assert wrong["account"][0] == "skipped"
