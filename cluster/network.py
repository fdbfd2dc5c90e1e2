"""Why a registry was not reached, from the output of pip, go or npm: none of them has an exit code that says it.

The order matters: a proxy's certificate is also a failed connection, and Go calls every failure `dial tcp`.
"""

_CLOCK = ("certificate is not yet valid", "has expired or is not yet valid", "CERT_NOT_YET_VALID")
_CERTIFICATE = (
    "CERTIFICATE_VERIFY_FAILED",
    "SSLCertVerificationError",
    "failed to verify certificate",
    "certificate signed by unknown authority",
    "SELF_SIGNED_CERT",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "self-signed certificate",
    "unable to get local issuer certificate",
)
_PROXY = ("ProxyError", "proxyconnect", "Proxy Authentication Required", "Tunnel connection failed", "socks connect")
_SOCKS = ("Missing dependencies for SOCKS support",)
_NAME = (
    "NameResolution",
    "no such host",
    "Name or service not known",
    "Temporary failure in name resolution",
    "nodename nor servname",
    "ENOTFOUND",
    "EAI_AGAIN",
)
_UNREACHED = (
    "dial tcp",
    "i/o timeout",
    "TLS handshake",
    "onnection refused",
    "onnection reset",
    "onnection timed out",
    "etwork is unreachable",
    "Failed to establish",
    "NewConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Read timed out",
    "SSLError",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
)
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")

_ADVICE = (
    (_CLOCK, "Check this machine's clock: the server's certificate is not valid at its time."),
    (
        _CERTIFICATE,
        "The server's certificate was refused, as when a company's proxy reads encrypted traffic: set"
        f" {', '.join(CERTIFICATE_VARIABLES)} to the file with the company's certificate authority.",
    ),
    (_SOCKS, "Set HTTPS_PROXY to an HTTP proxy: pip supports SOCKS only with the package PySocks."),
    (_PROXY, "Check HTTPS_PROXY: the proxy does not respond, or it refused the connection."),
    (_NAME, "Check the network and DNS: the host's name was not found. If the network needs a proxy, set HTTPS_PROXY."),
    (_UNREACHED, "Check the network: the host did not respond. If the network needs a proxy, set HTTPS_PROXY."),
)


def network_advice(output: str) -> str:
    """Return what to do about the network failure that an output shows; empty if it shows none."""
    return next((advice for signs, advice in _ADVICE if any(sign in output for sign in signs)), "")
