"""URUMI_AUTH_MODE=token: the token file and the one token."""

import stat
from pathlib import Path

import pytest

from server.auth.authority import SharedToken
from server.http.problems import ProblemError
from server.main import local_token
from urumi.config import token_file
from urumi.errors import ConfigError

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary state folder, and no token in the environment."""
    monkeypatch.setenv("URUMI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("URUMI_TOKEN", raising=False)


def test_the_token_file_is_created_once_and_readable_by_its_owner_only() -> None:
    token = local_token()
    assert len(token) >= 32
    assert stat.S_IMODE(token_file().stat().st_mode) == 0o600
    assert local_token() == token


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_token_file_that_is_open_to_others_is_refused(mode: int) -> None:
    token = local_token()
    token_file().chmod(mode)
    with pytest.raises(ConfigError) as refused:
        local_token()
    words = refused.value.sentence()
    assert f"{token_file()} is accessible to other users: expected mode 0600, got {mode:04o}." in words
    assert "chmod 600" in words
    assert token not in words


def test_an_empty_token_file_is_refused() -> None:
    local_token()
    token_file().write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        local_token()


@pytest.mark.parametrize("token", ["", "nearly", "s3cret ", "S3CRET", "ü"])
async def test_a_wrong_token_is_unauthorized(token: str) -> None:
    with pytest.raises(ProblemError) as refused:
        await SharedToken("s3cret").permit(token, "list")
    assert refused.value.name == "unauthorized"
