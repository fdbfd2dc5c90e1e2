"""The credentials of a node: one authority, certificates for the API server and the kubelet, a token for the admin."""

import secrets
from pathlib import Path

from cluster.folders import write_private
from cluster.node.host import run
from cluster.node.layout import API_SERVICE_ADDRESS, DOMAIN, NODE, NODE_ADDRESS

# Ten years, because nothing renews them.
DAYS = "3650"
API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}")
API_ADDRESSES = ("127.0.0.1", API_SERVICE_ADDRESS, NODE_ADDRESS)


def make_keys(folder: Path) -> None:
    """Create the authority and the certificates that it signs, unless they exist."""
    if (folder / "tokens.csv").exists():
        return
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", DAYS)
    run("openssl", "req", "-x509", *key, "-subj", "/CN=urumi-node", "-keyout", "ca.key", "-out", "ca.crt", cwd=folder)
    api_names = ",".join([*(f"DNS:{name}" for name in API_NAMES), *(f"IP:{address}" for address in API_ADDRESSES)])
    _sign(folder, "apiserver", "/CN=kube-apiserver", f"subjectAltName={api_names}", "serverAuth")
    _sign(
        folder, "kubelet", f"/O=system:nodes/CN=system:node:{NODE}", f"subjectAltName=IP:{NODE_ADDRESS}", "serverAuth"
    )
    _sign(folder, "kubelet-client", "/O=system:masters/CN=kube-apiserver", "", "clientAuth")
    run("openssl", "genrsa", "-out", "service-account.key", "2048", cwd=folder)
    write_private(folder / "tokens.csv", f'{secrets.token_urlsafe(24)},admin,admin,"system:masters"\n')


def admin_token(folder: Path) -> str:
    """Return the admin's token."""
    return (folder / "tokens.csv").read_text().partition(",")[0]


def _sign(folder: Path, name: str, subject: str, extension: str, usage: str) -> None:
    (folder / f"{name}.ext").write_text(f"{extension}\nextendedKeyUsage={usage}\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("openssl", "req", *key, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=folder)
    authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS, "-extfile", f"{name}.ext")
    run("openssl", "x509", "-req", "-in", f"{name}.csr", *authority, "-out", f"{name}.crt", cwd=folder)
