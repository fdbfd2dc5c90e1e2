"""`urumi serve`: reads the settings, opens the port, and runs the server and the reconciler until it is stopped.

On SIGTERM the live subscribers first get a goodbye frame, then uvicorn closes the open connections, then the lifespan
stops the reconciler and with it every Helm process. Settings, token, Helm and port are checked before the server
starts; each failure is one sentence.
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
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from reconciler.install import install
from reconciler.kube.client import Kube
from reconciler.settings import Settings, settings_from
from server.app import Service
from server.http.listener import EVERY_ADDRESS, EVERY_IPV4_ADDRESS, listeners
from server.live.connection import Connection
from server.ops.logs import set_up_logs
from server.settings import MAX_BODY_BYTES, ServerSettings, server_settings_from
from urumi.config import server_file, state_dir, token_file
from urumi.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    import socket
    from types import FrameType

    from starlette.types import ASGIApp

GRACEFUL_SECONDS = 10
# The informers hold hundreds of thousands of objects without reference cycles. With Python's default thresholds,
# garbage collection took half of the processor time of a start.
GARBAGE_THRESHOLDS = (20_000, 20, 50)

log = logging.getLogger(__name__)


class ServeCommand:
    """The command `urumi serve`."""

    help = "run the server and the reconciler"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("--host", help="address to listen on; default: URUMI_HOST, or 127.0.0.1")
        parser.add_argument("--port", type=int, help="port to listen on; default: URUMI_PORT, or 8780")
        parser.add_argument(
            "--kubeconfig", type=Path, help="default: KUBECONFIG, or the cluster that the server runs in"
        )
        parser.add_argument("--helm", help="Helm executable; default: URUMI_HELM, or helm on PATH")
        parser.add_argument(
            "--install", action="store_true", help="first install the Store definition and the platform namespace"
        )
        parser.add_argument(
            "--log-level", default="info", choices=["debug", "info", "warning", "error"], help="default: info"
        )

    def run(self, args: argparse.Namespace) -> int:
        """Serve until stopped; return the exit code."""
        set_up_logs(args.log_level)
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        settings = _reconciler_settings(args)
        server_settings = server_settings_from()
        given = {"host": args.host, "port": args.port}
        server_settings = replace(
            server_settings, **{name: value for name, value in given.items() if value is not None}
        )
        if server_settings.auth_mode == "token":
            server_settings = replace(server_settings, token=local_token())
        sockets = listeners(server_settings)
        return asyncio.run(_serve(settings, server_settings, sockets, with_install=args.install))


command = ServeCommand()


class _Server(uvicorn.Server):
    """uvicorn's server; it sends live subscribers a goodbye frame before it closes their connections."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        service.on_failure = self._fail
        self.exit_code = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stop()
        super().handle_exit(sig, frame)
        # uvicorn raises a captured signal again when it ends, which would end the process before its own cleanup.
        self._captured_signals.clear()

    def _fail(self) -> None:
        self.exit_code = 1
        self.handle_exit(signal.SIGTERM, None)


async def _serve(
    settings: Settings, server_settings: ServerSettings, sockets: list[socket.socket], *, with_install: bool
) -> int:
    kube = await Kube.connect(settings.kubeconfig)
    if with_install:
        await install(kube, settings.platform_namespace)
    service = Service(kube, settings, server_settings)
    server = _Server(uvicorn_config(service.app), service)
    url = _write_server_file(server_settings)
    identity: dict[str, str] = {"auth_mode": server_settings.auth_mode}
    if server_settings.token:
        identity["token_file"] = str(token_file())
    log.info("server started", extra={"url": url, "cluster": kube.host, **identity})
    try:
        await server.serve(sockets=sockets)
    finally:
        for each in sockets:
            each.close()
        server_file().unlink(missing_ok=True)
    return server.exit_code


def uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """Return the configuration with which uvicorn serves the application."""
    return uvicorn.Config(
        app,
        ws=Connection,
        ws_max_size=MAX_BODY_BYTES,
        # Compression would cost time and memory for each subscriber, and the frames are small.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # server/http/forwarded.py reads them, from trusted proxies only
        server_header=False,
    )


def local_token() -> str:
    """Return the local bearer token: URUMI_TOKEN, or the token file, which is created with mode 0600 if it is missing.

    Raises:
        ConfigError: the file cannot be written or read, is empty, or is accessible to other users.
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
            f"The token file {path} is accessible to other users: expected mode 0600, got {0o600 | others:04o}.",
            hint=f"Delete it and restart the server, because it may have been read; or run: chmod 600 {path}",
        )
    if not token:
        raise ConfigError(f"The token file {path} is empty.", hint="Delete it and restart the server.")
    return token


def _reconciler_settings(args: argparse.Namespace) -> Settings:
    settings = settings_from()
    if args.kubeconfig:
        settings = replace(settings, kubeconfig=args.kubeconfig)
    helm = shutil.which(args.helm or settings.helm)
    if helm is None:
        raise ConfigError(
            f"Helm executable {args.helm or settings.helm!r} not found.", hint="Pass --helm or set URUMI_HELM."
        )
    if settings.kubeconfig is not None and not settings.kubeconfig.is_file():
        raise ConfigError(f"Kubeconfig {settings.kubeconfig} not found.", hint="Pass --kubeconfig or set KUBECONFIG.")
    return replace(settings, helm=helm)


def _write_server_file(settings: ServerSettings) -> str:
    """Write the address for commands on the same machine, and return it."""
    given = settings.host.removeprefix("[").removesuffix("]")
    host = "127.0.0.1" if given in (EVERY_ADDRESS, EVERY_IPV4_ADDRESS) else given
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    state_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
    server_file().write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
    return url
