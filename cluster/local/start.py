"""One run of `up`: starts the components that are not running, in order, and waits until the cluster is usable.

    etcd, API server -> kubeconfig -> controllers, scheduler, nodes, kwok -> Ready

Level-triggered: a component that runs with the current launch is left alone; one that was started differently (another
version, other flags, other stages) is restarted. If the run fails, it stops the components that it started.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cluster.api import Api
from cluster.errors import ApiServerError, StartError
from cluster.folders import StateFolder, write_private
from cluster.local import simulation
from cluster.local.component import Component, Launch, stop_all, wait_until
from cluster.local.components import API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER, STOP_GROUPS, Launches
from cluster.local.kubeconfig import kubeconfig_text, write_kubeconfig
from cluster.ports import ADDRESS, free_port, is_free

READY_SECONDS = 120.0
GRACE_SECONDS = 15.0
# An API server without etcd does not exit on SIGTERM, and the error should not wait for it.
ROLLBACK_SECONDS = 2.0
RELEASE_SECONDS = 1.0
SETTLE_SECONDS = 1.0

Say = Callable[[str], None]


class Start:
    """One run of `up` on one cluster."""

    def __init__(self, folder: StateFolder, found: Mapping[str, Component], launches: Launches, say: Say) -> None:
        self._folder = folder
        self._components = found
        self._launches = launches
        self._credentials = launches.credentials
        self._say = say
        self._ensured: list[Component] = []
        self._started: list[Component] = []
        self._started_at: dict[str, float] = {}

    def run(self, node_count: int) -> str:
        """Start what is not running, and stop it again on failure; return the server's URL."""
        try:
            return self._run(node_count)
        except BaseException:
            for group in STOP_GROUPS:
                stop_all([component for component in self._started if component.name in group], ROLLBACK_SECONDS)
            raise

    def _run(self, node_count: int) -> str:
        self._credentials.make()
        self._ensure(ETCD, self._launches.etcd())
        port = self._port()
        self._ensure(API_SERVER, self._launches.api_server(port), self._credentials.drop_old_certificate)
        api = self._wait_for_api(server_url(port))
        kubeconfig = self._write_kubeconfigs(server_url(port))
        self._ensure(CONTROLLER_MANAGER, self._launches.controller_manager(kubeconfig))
        self._ensure(SCHEDULER, self._launches.scheduler(kubeconfig))
        simulation.apply_objects(api, node_count)
        self._ensure(KWOK, self._launches.kwok(kubeconfig), lambda: simulation.forget_leases(api))
        self._wait_for_nodes(api)
        if not self._started:
            self._say("The cluster is already up.")
        return server_url(port)

    def _ensure(self, name: str, launch: Launch, prepare: Callable[[], None] = lambda: None) -> None:
        component = self._components[name]
        self._ensured.append(component)
        if component.runs(launch):
            return
        if component.pid() is not None:
            self._say(f"Restarting {name}: its version or settings changed.")
            stop_all([component], GRACE_SECONDS)
        else:
            self._say(f"Starting {name}.")
        prepare()
        self._started.append(component)
        component.start(launch)
        self._started_at[name] = time.monotonic()

    def _port(self) -> int:
        remembered = remembered_port(self._folder)
        # A server that has just exited may hold its port for another moment.
        if remembered is not None and (
            self._components[API_SERVER].pid() is not None or wait_until(lambda: is_free(remembered), RELEASE_SECONDS)
        ):
            return remembered
        port = free_port()
        write_private(self._folder.settings, json.dumps({"port": port}))
        if remembered is not None:
            self._say(
                f"Port {remembered} is in use by another program. The API server now listens on {port}, and "
                f"{self._folder.kubeconfig} is updated. Restart the programs that use the cluster."
            )
        return port

    def _write_kubeconfigs(self, server: str) -> Path:
        authority = self._credentials.authority_pem()
        if authority is None:
            raise StartError(f"{API_SERVER} wrote no certificate to {self._credentials.folder}.")
        text = kubeconfig_text(server, authority, self._credentials.token)
        write_private(self._credentials.authority, authority)
        write_kubeconfig(self._folder.kubeconfig, text)
        # The components have a separate one, because people edit theirs.
        own = self._folder.run / "kubeconfig"
        write_kubeconfig(own, text)
        return own

    def _wait_for_api(self, server: str) -> Api:
        found: list[Api] = []

        def look() -> bool:
            self._check_alive()
            authority = self._credentials.authority_pem()
            if authority is None:
                return False
            found[:] = [Api(server, authority, self._credentials.token)]
            return found[0].is_ready()

        if not wait_until(look, READY_SECONDS):
            checks = found[0].unready_checks() if found else "it wrote no certificate"
            raise self._components[API_SERVER].failure(f"was not ready after {READY_SECONDS:.0f} s: {checks}")
        return found[0]

    def _wait_for_nodes(self, api: Api) -> None:
        def look() -> bool:
            self._check_alive()
            # These two have no health endpoint; one with a bad flag or configuration exits well before this.
            started = [self._started_at.get(name, 0.0) for name in (CONTROLLER_MANAGER, SCHEDULER)]
            if time.monotonic() - max(started) < SETTLE_SECONDS:
                return False
            try:
                return simulation.has_default_account(api) and not simulation.unready_nodes(api)
            except ApiServerError:
                return False

        if not wait_until(look, READY_SECONDS):
            missing = simulation.unready_nodes(api)
            what = f"nodes not ready: {', '.join(missing)}" if missing else "no default service account"
            culprit = KWOK if missing else CONTROLLER_MANAGER
            raise self._components[culprit].failure(f"was not ready after {READY_SECONDS:.0f} s: {what}")

    def _check_alive(self) -> None:
        for component in self._ensured:
            if component.pid() is None:
                raise component.failure("exited during startup" if component in self._started else "exited")


def server_url(port: int) -> str:
    """Return the URL of an API server on this machine."""
    return f"https://{ADDRESS}:{port}"


def remembered_port(folder: StateFolder) -> int | None:
    """Return the port that the first start chose, None before it."""
    try:
        return int(json.loads(folder.settings.read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
