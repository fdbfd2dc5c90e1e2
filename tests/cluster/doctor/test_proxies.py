"""Proxies and certificate authorities of the environment; no password is printed."""

from pathlib import Path

import pytest

from cluster.doctor.proxies import AUTHORITIES, PROXIES, authorities, proxies, redacted
from cluster.place import Place


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without the variables of the machine that runs the test."""
    for name in (*PROXIES, *AUTHORITIES):
        for case in (name, name.lower()):
            monkeypatch.delenv(case, raising=False)


def test_no_proxy_is_told(place: Place) -> None:
    assert [finding.sentence for finding in proxies(place)] == ["none"]


def test_a_proxy_is_told_without_its_password(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:secret@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "shop.example")
    assert [(finding.level, finding.sentence) for finding in proxies(place)] == [
        ("ok", "HTTPS_PROXY=http://***@proxy.example:3128"),
        ("ok", "no_proxy=shop.example"),
    ]


def test_a_socks_proxy_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://ada:secret@proxy.example")
    [finding] = proxies(place)
    assert finding.level == "note"
    assert finding.sentence.startswith("ALL_PROXY=socks5://***@proxy.example is not an HTTP proxy")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada:secret@proxy:3128", "***@proxy:3128"),
        ("could not open https://ada:se@cret@index/simple", "could not open https://***@index/simple"),
        ("http://proxy:3128/a@b", "http://proxy:3128/a@b"),
    ],
)
def test_users_and_passwords_are_redacted(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_a_file_of_authorities_that_does_not_exist_is_a_problem(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert [finding.sentence for finding in authorities(place)] == ["those of the system"]
    there = tmp_path / "company ca.pem"
    there.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(there))
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "gone.pem"))
    good, bad = authorities(place)
    assert (good.level, bad.level) == ("ok", "problem")
    assert bad.sentence == f"PIP_CERT names {tmp_path}/gone.pem, which does not exist."
    assert bad.hint == "Correct or unset it; it is read by pip."
