"""`urumi serve`: finds the cluster and Helm, opens the port, runs until told to stop.

On SIGTERM the subscribers get a goodbye first, then uvicorn closes what is open, then the lifespan ends the reconciler
and with it every Helm process. Everything that can be wrong at the start is said in one sentence before the port opens.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from reconciler.install import install
from reconciler.kube.client import Kube
from reconciler.settings import Settings, settings_from
from server.app import Service
from server.live.connection import Line
from server.ops.logs import set_up_logs
from server.settings import ServerSettings, server_settings_from
from urumi.config import server_file, state_dir, token_file
from urumi.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from types import FrameType

GRACEFUL_SECONDS = 10
# The copies of the cluster are hundreds of thousands of objects in no cycle. Looking through them as often as Python
# does by itself was half of the processor time of a start.
GARBAGE_THRESHOLDS = (20_000, 20, 50)

log = logging.getLogger(__name__)


class ServeCommand:
    """The command `urumi serve`."""

    help = "run the server and the reconciler"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("--host", default=os.environ.get("URUMI_HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument("--port", type=int, default=int(os.environ.get("URUMI_PORT", "8780")), help="default 8780")
        parser.add_argument("--kubeconfig", type=Path, help="default: KUBECONFIG, or the cluster this runs in")
        parser.add_argument("--helm", help="the helm program; default: URUMI_HELM, or helm on PATH")
        parser.add_argument(
            "--install", action="store_true", help="first install the Store definition and the platform namespace"
        )
        parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])

    def run(self, args: argparse.Namespace) -> int:
        """Serve until stopped; return the exit code."""
        set_up_logs(args.log_level)
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        settings = _reconciler_settings(args)
        server_settings = server_settings_from(args.host, args.port, "")
        if server_settings.auth_mode == "token":
            server_settings = replace(server_settings, token=local_token())
        listener = _listener(server_settings)
        return asyncio.run(_serve(settings, server_settings, listener, with_install=args.install))


command = ServeCommand()


class _Server(uvicorn.Server):
    """uvicorn's server that says goodbye to live subscribers before it closes their sockets."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        service.on_failure = self._fail
        self.exit_code = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stop()
        super().handle_exit(sig, frame)
        # uvicorn would raise the signal once more at its end and so end the process before its own cleaning up.
        self._captured_signals.clear()

    def _fail(self) -> None:
        self.exit_code = 1
        self.handle_exit(signal.SIGTERM, None)


async def _serve(
    settings: Settings, server_settings: ServerSettings, listener: socket.socket, *, with_install: bool
) -> int:
    kube = await Kube.connect(settings.kubeconfig)
    if with_install:
        await install(kube, settings.platform_namespace)
    service = Service(kube, settings, server_settings)
    config = uvicorn.Config(
        service.app,
        ws=Line,
        ws_max_size=server_settings.max_body_bytes,
        # Compressing would be done for each subscriber anew and take memory for each; the frames are small.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # server/http/client_address.py reads them, and from whom
        server_header=False,
    )
    server = _Server(config, service)
    url = _leave_address(server_settings)
    who = {"auth_mode": server_settings.auth_mode}
    if server_settings.token:
        who["token_file"] = str(token_file())
    log.info("urumi serves", extra={"url": url, "cluster": kube.host, **who})
    try:
        await server.serve(sockets=[listener])
    finally:
        listener.close()
        server_file().unlink(missing_ok=True)
    return server.exit_code


def local_token() -> str:
    """Return the local bearer token: URUMI_TOKEN, or the token file, made with mode 0600 where it is not there.

    Raises:
        ConfigError: where the file cannot be written or read, or others can read it.
    """
    given = os.environ.get("URUMI_TOKEN", "").strip()
    if given:
        return given
    path = token_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
        others, token = stat.S_IMODE(path.stat().st_mode) & 0o077, path.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"Cannot use the token file {path}: {error}.", hint="Set URUMI_STATE_DIR or URUMI_TOKEN."
        ) from error
    if others:
        raise ConfigError(
            f"The token file {path} is open to others: expected mode 0600, got {0o600 | others:04o}.",
            hint=f"Delete it, as somebody may have read it, and a new one is made; or: chmod 600 {path}",
        )
    if not token:
        raise ConfigError(f"The token file {path} is empty.", hint="Delete it; a new one is made at the next start.")
    return token


def _reconciler_settings(args: argparse.Namespace) -> Settings:
    settings = settings_from()
    if args.kubeconfig:
        settings = replace(settings, kubeconfig=args.kubeconfig)
    helm = shutil.which(args.helm or settings.helm)
    if helm is None:
        raise ConfigError(
            f"There is no helm program {args.helm or settings.helm!r}.", hint="Pass --helm or set URUMI_HELM."
        )
    if settings.kubeconfig is not None and not settings.kubeconfig.is_file():
        raise ConfigError(
            f"There is no kubeconfig at {settings.kubeconfig}.", hint="Pass --kubeconfig or set KUBECONFIG."
        )
    return replace(settings, helm=helm)


def _listener(settings: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio switches Nagle's delay off only where a socket says that it is TCP; with it, answers wait for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise ConfigError(
            f"Cannot listen on {where}: {error.strerror}.", hint="Pass another --port or set URUMI_PORT."
        ) from error
    return listener


def _leave_address(settings: ServerSettings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - not a bind
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    state_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
    server_file().write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
    return url
