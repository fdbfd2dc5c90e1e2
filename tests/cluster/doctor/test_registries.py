"""The registries, asked by real clients over real sockets on loopback: refused, no such name, not trusted."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from cluster.doctor.registries import Registry, ask, asked
from cluster.network import network_advice
from cluster.place import Place
from testing.proxy import refusing_proxy

PIP = [sys.executable, "-m", "pip", "--isolated", "--no-input", "--retries", "1", "--timeout", "5", "download", "six"]


def test_pip_is_asked_and_the_other_clients_only_if_they_are_installed(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [registry.subject for registry in asked(place)] == ["Python packages"]
    for name in ("go", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert [registry.subject for registry in asked(place)] == ["Python packages", "Go modules", "npm packages"]


def test_a_registry_that_responds_is_ok() -> None:
    assert ask(Registry("Go modules", ["sh", "-c", "echo v1.0.0"])).level == "ok"


def test_a_missing_pip_is_not_a_problem() -> None:
    finding = ask(Registry("Python packages", ["sh", "-c", "echo '/usr/bin/python3: No module named pip' >&2; exit 1"]))
    assert (finding.level, finding.sentence) == ("ok", "not asked: pip is not installed yet")


@pytest.mark.slow
def test_a_refused_connection_of_pip_is_a_problem() -> None:
    finding = ask(Registry("Python packages", [*PIP, "--index-url", "http://ada:secret@127.0.0.1:1/simple"]))
    assert finding.level == "problem"
    assert finding.hint.startswith("Check the network: the host did not respond.")
    assert "secret" not in finding.sentence


@pytest.mark.slow
def test_a_proxy_that_refuses_pip_is_a_problem_of_the_proxy() -> None:
    with refusing_proxy() as proxy:
        command = [*PIP, "--proxy", proxy.url, "--index-url", "https://packages.example/simple"]
        finding = ask(Registry("Python packages", command))
        # The version of HTTP is that of the Python.
        assert {request.rpartition(" ")[0] for request in proxy.requests} == {"CONNECT packages.example:443"}
    assert finding.hint == "Check HTTPS_PROXY: the proxy does not respond, or it refused the connection."


@pytest.mark.slow
def test_a_proxy_that_refuses_go_is_a_problem_of_the_proxy() -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no go on PATH")
    with refusing_proxy() as proxy:
        variables = {"GOPROXY": "https://modules.example", "HTTPS_PROXY": proxy.url, "NO_PROXY": "", "no_proxy": ""}
        variables |= {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GONOSUMDB": "*", "GOMODCACHE": os.devnull + "/x"}
        finding = ask(Registry("Go modules", [go, "list", "-m", "example.com/none@latest"], variables))
    assert finding.level == "problem"


@pytest.mark.parametrize(
    ("output", "starts"),
    [
        ("x509: certificate signed by unknown authority", "The server's certificate was refused"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "The server's certificate was refused"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate", "The server's certific"),
        ("x509: certificate has expired or is not yet valid: current time 2001", "Check this machine's clock"),
        ("proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused", "Check HTTPS_PROXY"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Pr", "Check HTTPS_PROXY"),
        ("ERROR: Could not install: Missing dependencies for SOCKS support.", "Set HTTPS_PROXY to an HTTP proxy"),
        ("dial tcp: lookup modules.example: no such host", "Check the network and DNS"),
        ("[Errno -3] Temporary failure in name resolution", "Check the network and DNS"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "Check the network: the host did not respond"),
        ("NewConnectionError: [Errno 111] Connection refused", "Check the network: the host did not respond"),
        ("x.go:3: undefined: y", ""),
    ],
)
def test_the_advice_follows_the_cause(output: str, starts: str) -> None:
    assert network_advice(output).startswith(starts)
    assert bool(network_advice(output)) == bool(starts)
