"""Who can reach the cluster: this user only, over verified TLS, on the loopback only."""

import base64
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from cluster.local import credentials
from cluster.local.credentials import Credentials
from tests.cluster.running import RunningCluster

LISTENING = "0A"


def authority(running: RunningCluster) -> str:
    """The certificate authority in the kubeconfig."""
    config = yaml.safe_load(running.info.kubeconfig.read_text())
    return base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()


def status_of(running: RunningCluster, token: str | None) -> int:
    """The status of the response; the certificate is verified as strictly as Python can."""
    context = ssl.create_default_context(cadata=authority(running))
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with opener.open(urllib.request.Request(f"{running.info.server}/api", headers=headers), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def listening_addresses(pid: int) -> list[str]:
    """The addresses that a process listens on, from the kernel's tables; an IPv4 address as its bytes in hex."""
    inodes = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()
    ]
    return [row[1] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in inodes]


def test_the_admins_token_is_accepted_and_the_certificate_is_valid(shared: RunningCluster) -> None:
    config = yaml.safe_load(shared.info.kubeconfig.read_text())
    assert config["clusters"][0]["cluster"]["server"] == shared.info.server
    assert status_of(shared, config["users"][0]["user"]["token"]) == 200


@pytest.mark.parametrize("token", [None, "guessed"])
def test_other_tokens_are_rejected(shared: RunningCluster, token: str | None) -> None:
    assert status_of(shared, token) == 401


def test_service_accounts_have_no_permissions_by_default(shared: RunningCluster) -> None:
    allowed = shared.kubectl.attempt("auth", "can-i", "list", "pods", "--as=system:serviceaccount:default:default")
    assert allowed.stdout.strip() == "no"


def test_a_token_of_a_service_account_is_signed_and_accepted(shared: RunningCluster) -> None:
    token = shared.kubectl.run("create", "token", "default").strip()
    # RBAC lets every authenticated caller discover the API.
    assert status_of(shared, token) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's socket tables")
def test_the_whole_cluster_listens_on_one_port_of_the_loopback(shared: RunningCluster) -> None:
    port = int(shared.info.server.rpartition(":")[2])
    found = [address for pid in shared.pids().values() if pid for address in listening_addresses(pid)]
    assert found == [f"0100007F:{port:04X}"]


def test_only_this_user_can_read_its_files(shared: RunningCluster) -> None:
    assert shared.folder.stat().st_mode & 0o777 == 0o700
    for path in ("kubeconfig", "pki/tokens.csv", "pki/service-account.key", "pki/apiserver.key", "run/kubeconfig"):
        assert (shared.folder / path).stat().st_mode & 0o777 == 0o600, path


def test_each_cluster_has_its_own_token_and_key_and_keeps_them(shared: RunningCluster, tmp_path: Path) -> None:
    others = Credentials(tmp_path)
    others.make()
    made = others.tokens.read_text(), others.service_account_key.read_text()
    others.make()
    assert (others.tokens.read_text(), others.service_account_key.read_text()) == made
    for path in (others.tokens, others.service_account_key):
        assert (shared.folder / "pki" / path.name).read_text() != path.read_text()


@pytest.mark.parametrize("content", ["not a certificate", "{authority}", "{authority}{authority}"])
def test_a_certificate_is_kept_while_it_is_valid_and_replaced_otherwise(
    shared: RunningCluster, tmp_path: Path, content: str
) -> None:
    certificate = tmp_path / "apiserver.crt"
    certificate.write_text(content.format(authority=authority(shared)))
    Credentials(tmp_path).drop_old_certificate()
    assert certificate.exists() == (content == "{authority}{authority}")


def test_a_certificate_that_is_about_to_expire_is_replaced(
    shared: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "RENEW_SECONDS", 366 * 24 * 3600)
    certificate = tmp_path / "apiserver.crt"
    certificate.write_text(authority(shared) * 2)
    Credentials(tmp_path).drop_old_certificate()
    assert not certificate.exists()
