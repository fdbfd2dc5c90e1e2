"""Urumi on a kind cluster, for `--cluster kind` and, where Docker responds, for a run without it.

    obstacles -> node created or started -> images built and loaded -> Traefik -> release -> pods ready

Every stage can be run again and does only what is missing. The domain of the shops and the ports are those of the first
run, until the user chooses others.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace

from cluster.doctor.finding import Finding
from cluster.errors import KindError
from cluster.folders import write_private
from cluster.kind import troubles
from cluster.kind.choice import read_facts
from cluster.kind.config import cluster_config
from cluster.kind.docker import Docker
from cluster.kind.engine import Silence
from cluster.kind.facts import Facts
from cluster.kind.images import Builder, images
from cluster.kind.kind import MODULE, Kind, find_kind
from cluster.kind.node import CLUSTER, NODE, Files, Node
from cluster.kind.page import wait_for_page
from cluster.kind.settings import COMMAND_HOST, HTTP_PORT, OTHER_DOMAIN, PAGE_HOST
from cluster.place import Place
from cluster.platform.clients import Clients
from cluster.platform.release import NAME, Release, new_token
from cluster.server.code import code_digest
from cluster.target import Options

VALUES = "charts/platform/values-local.yaml"
TRAEFIK = MODULE / "traefik.yaml"
API_SECONDS = 120.0
WITHOUT = "Without Docker, run ./setup.sh --cluster node (real shops; Linux, root) or ./setup.sh --cluster local"


class KindTarget:
    """A cluster in Docker, with real shops."""

    name = "kind"

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return what prevents the cluster here, the last problem with the way without Docker."""
        facts = read_facts(place)
        if isinstance(facts, Silence):
            found = [Finding("problem", "Docker", facts.sentence, facts.hint)]
        else:
            found = troubles.find(facts)
        found.sort(key=lambda finding: finding.level == "problem")
        if found and found[-1].level == "problem":
            hint = found[-1].hint.removesuffix(".")
            found[-1] = replace(found[-1], hint=f"{hint}. {WITHOUT}" if hint else WITHOUT)
        return found

    def up(self, place: Place, options: Options) -> None:
        """Create or start the cluster, and install or upgrade Urumi on it.

        Raises:
            ClusterError: a stage failed.
        """
        say = place.console.say
        facts = read_facts(place)
        if isinstance(facts, Silence):
            raise KindError(facts.sentence, hint=facts.hint)
        place.remember(self.name)
        say("[2/4] A kind cluster: 1 to 3 minutes the first time, seconds later.")
        kind = Kind(find_kind(place.console), facts.docker, facts.files)
        _ensure_node(place, facts, kind)
        clients = Clients.find(place.root, lambda text: say(f"      {text}"), facts.files.kubeconfig)
        _wait_for_api(clients)

        say("[3/4] The images: several minutes the first time, a minute later.")
        server_tag = _load_images(place, facts.docker, kind)

        say("[4/4] The ingress controller and Urumi: about a minute.")
        _install_traefik(clients, facts.files)
        _install_platform(place, clients, facts, server_tag)
        # `urumi` and `urumi-tui` read the server's address from here.
        place.server_file.write_text(json.dumps({"url": facts.ports.url(COMMAND_HOST)}) + "\n")
        _say_next_steps(place, facts)

    def down(self, place: Place, purge: bool) -> None:
        """Stop the node and keep its data; with `purge`, delete both.

        Raises:
            KindError: Docker or kind failed.
        """
        docker, files = Docker(), Files(place.state)
        engine = docker.engine()
        if isinstance(engine, Silence):
            if purge and files.made_it:
                raise KindError(f"The kind cluster cannot be deleted: {engine.sentence}", hint=engine.hint)
            place.console.say(f"The kind cluster is not running: {engine.sentence}")
            return
        node = Node.read(docker)
        if node.exists and not files.made_it:
            place.console.say(f"The kind cluster {CLUSTER} belongs to another state folder than {place.state}.")
        elif purge and node.exists:
            Kind(find_kind(place.console), docker, files).delete()
        elif purge:
            files.delete()
        elif node.is_running:
            docker.run(f"Docker could not stop {NODE}: see its message above.", "stop", NODE)
            place.console.say(
                "The kind cluster is stopped and its data kept. Run ./setup.sh to start it again,"
                " ./setup.sh down --purge to delete it."
            )
        else:
            place.console.say("The kind cluster is not running.")

    def is_up(self, place: Place) -> bool:
        """Return whether the node of this state folder runs."""
        return Files(place.state).made_it and Node.read(Docker()).is_running

    def status(self, place: Place) -> int:
        """Print the node and the server's pods."""
        docker = Docker()
        engine = docker.engine()
        if isinstance(engine, Silence):
            place.console.row("cluster", f"kind, not running: {engine.sentence}")
            return 3
        node = Node.read(docker)
        if node.exists and not Files(place.state).made_it:
            place.console.row("cluster", "kind, not of this state folder")
            return 3
        place.console.row("cluster", f"kind, node {node.state}")
        if not node.is_running:
            return 3
        clients = Clients.find(place.root, place.console.say, Files(place.state).kubeconfig)
        release = Release(clients, place.console.say)
        ready = release.ready_pods()
        if ready:
            place.console.row("server", f"running at {node.ports.url(PAGE_HOST)}/, {ready} pods ready")
            return 0
        place.console.row("server", f"not ready: {release.reason()}")
        return 1


def _ensure_node(place: Place, facts: Facts, kind: Kind) -> None:
    node, docker, say = facts.node, facts.docker, place.console.say
    if node.exists and facts.files.half_made:
        kind.delete()
        node = Node()
    if not node.exists:
        with place.console.ticker():
            kind.create(cluster_config(facts.settings, facts.engine))
    elif node.is_running:
        say(f"      The kind cluster {CLUSTER} is already running.")
    else:
        verb = "unpause" if node.state == "paused" else "start"
        docker.run(f"Docker could not {verb} {NODE}: see its message above.", verb, NODE)
        say(
            f"      The kind cluster {CLUSTER} was {'paused' if verb == 'unpause' else 'stopped'} and is running again."
        )
    kind.export_kubeconfig()


def _wait_for_api(clients: Clients) -> None:
    started = time.monotonic()
    while clients.kubectl.attempt("get", "--raw", "/readyz").returncode != 0:
        if time.monotonic() - started > API_SECONDS:
            raise KindError(
                f"The API server of the kind cluster does not respond after {API_SECONDS:.0f} s.",
                hint=f"Run: docker logs {NODE}",
            )
        time.sleep(1)


def _load_images(place: Place, docker: Docker, kind: Kind) -> str:
    """Build every image, the server's with a tag derived from its code, load them into the node; return that tag."""

    def say(text: str) -> None:
        place.console.say(f"      {text}")

    [server] = images(place.root, ["server"], "", say)
    tag = f"{server.tag}-{code_digest(place.root)}"
    builder = Builder("docker", place.root, docker.environ())
    with place.console.ticker():
        for image in images(place.root, [], tag, say):
            builder.build(image, "", say)
            say(f"Loading {image.name} into the cluster: {image.reference()}")
            kind.load(image.reference())
    return tag


def _install_traefik(clients: Clients, files: Files) -> None:
    """Install the ingress controller and wait for it."""
    kubectl = clients.kubectl
    if not kubectl.passes("apply", "--server-side", "--force-conflicts", "-f", str(TRAEFIK)):
        raise KindError("The ingress controller could not be installed: see kubectl's message above.")
    waiting = ("-n", "traefik", "rollout", "status", "daemonset/traefik", "--timeout=180s")
    if kubectl.attempt(*waiting).returncode != 0:
        raise KindError(
            "Traefik is not ready after 180 s.",
            hint=f"Run: kubectl --kubeconfig {files.kubeconfig} -n traefik describe pods",
        )


def _install_platform(place: Place, clients: Clients, facts: Facts, server_tag: str) -> None:
    """Install or upgrade Urumi, and write its token to the state folder."""
    release = Release(clients, place.console.say)
    kept = place.token.read_text().strip() if place.token.is_file() else ""
    release.ensure_token(kept or new_token())
    write_private(place.token, release.read_token())
    # Without a choice, shops keep the addresses that they have.
    domain = facts.settings.base_domain or _domain_of(clients, release.namespace)
    settings = ["--set-string", f"image.tag={server_tag}"]
    if domain:
        settings += ["--set-string", f"config.BASE_DOMAIN={domain}"]
    if facts.ports.http != HTTP_PORT:
        settings += ["--set", f"config.STORE_PORT={facts.ports.http}"]
    release.apply("--values", VALUES, *settings)
    release.wait()
    wait_for_page(place.console.say, COMMAND_HOST, facts.ports.http)


def _domain_of(clients: Clients, namespace: str) -> str:
    """Return the domain of the shops of the installed release; empty without one."""
    path = "jsonpath={.data.URUMI_BASE_DOMAIN}"
    return clients.kubectl.output("-n", namespace, "get", "configmap", NAME, "-o", path)


def _say_next_steps(place: Place, facts: Facts) -> None:
    say, ports = place.console.say, facts.ports
    say()
    say(f"Urumi:  {ports.url(PAGE_HOST)}/")
    say(f"        {ports.url(COMMAND_HOST)}/ in a browser that does not know the name above;")
    say(f"        for shops in such a browser, run URUMI_BASE_DOMAIN={OTHER_DOMAIN} ./setup.sh")
    say(f"Token:  {place.token.read_text().strip()}")
    say(f"        (from {place.token})")
    say("Next:   .venv/bin/urumi-tui")
    say("        .venv/bin/urumi create shop-1 --engine woocommerce --wait")
    say(f"        kubectl --kubeconfig {facts.files.kubeconfig} get stores -A")
