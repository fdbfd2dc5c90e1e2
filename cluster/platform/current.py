"""Urumi on the cluster of kubectl's current context: shown, confirmed, installed; never stopped from here.

    clients -> context, server -> API responds, values fit -> shown and confirmed -> notes -> release -> pods ready

Nothing is changed before the confirmation. Later calls name the context, so that another shell cannot change it in
between.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.doctor.finding import Finding
from cluster.errors import PlatformError
from cluster.place import Console, Place
from cluster.platform.clients import Clients
from cluster.platform.release import NAME, TOKEN_SECRET, Release, platform_namespace
from cluster.platform.requirements import notes
from cluster.target import Options

VALUES = "charts/platform/values-prod.yaml"


class CurrentCluster:
    """The target of `--cluster current`."""

    name = "current"

    def up(self, place: Place, options: Options) -> None:
        """Install or upgrade the platform, after a confirmation.

        Raises:
            ClusterError: the cluster does not respond, the values do not fit, the user did not confirm, or the pods are
                not ready.
        """
        say = place.console.say
        values = _values(place.root, options.values)
        say("[2/4] kubectl and Helm: from PATH, or the pinned versions, in about 3 minutes the first time.")
        context, clients = _current_context(Clients.find(place.root, lambda text: say(f"      {text}")))
        server = clients.kubectl.output("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        release = Release(clients, say)

        say("[3/4] The cluster.")
        if not clients.kubectl.passes("get", "--raw", "/readyz"):
            raise PlatformError(
                f"The API server {server} of the context {context} does not respond or refuses your credentials.",
                hint=f"See why: kubectl --context {context} get --raw /readyz",
            )
        # Wrong values fail here, before anything is changed.
        objects = release.render(*values)
        for label, text in (
            ("context", context),
            ("server", server),
            ("namespace", release.namespace),
            ("release", release.describe()),
        ):
            say(f"      {label:<12}{text}")
        if not options.yes:
            _confirm(context)
        for note in notes(clients.kubectl, objects):
            say(f"      Note: {note}")

        say("[4/4] Urumi: about a minute.")
        place.remember(self.name, context)
        # With auth.mode kubernetes Urumi has no token.
        has_token = "name: URUMI_TOKEN" in objects
        if has_token:
            release.ensure_token()
        else:
            release.ensure_namespace()
        release.apply(*values)
        release.wait()
        _say_next_steps(place.console, clients, release.namespace, has_token)

    def down(self, place: Place, purge: bool) -> None:
        """Print how to remove the platform; nothing is changed on an existing cluster."""
        say, namespace = place.console.say, platform_namespace()
        _, context = place.remembered()
        say("Urumi runs on an existing cluster; this script does not stop anything there. To remove it:")
        say(
            f"  kubectl --context {context} -n {namespace} delete stores --all"
            "     # the shops and their data; wait until they are deleted"
        )
        say(f"  helm --kube-context {context} -n {namespace} uninstall {NAME}")
        say("To use another cluster, run ./setup.sh --cluster NAME; ./setup.sh help lists them.")

    def status(self, place: Place) -> int:
        """Print the release and its pods; 0 if a pod is ready, 1 if none is, 3 without a release."""
        _, context = place.remembered()
        clients = Clients.find(place.root, place.console.say).at(context)
        release = Release(clients, place.console.say)
        place.console.row("cluster", f"context {context}, namespace {release.namespace}")
        place.console.row("release", release.describe())
        if not clients.kubectl.passes("-n", release.namespace, "get", "deployment", NAME, "-o", "name"):
            return 3
        ready = release.ready_pods()
        place.console.row("server", f"running, {ready} pods ready" if ready else f"not ready: {release.reason()}")
        return 0 if ready else 1

    def is_up(self, place: Place) -> bool:
        """Return False: nothing of it runs on this machine, so another cluster may be used beside it."""
        return False

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return nothing: what the cluster lacks is known only after its API server responded."""
        return ()


def _values(root: Path, files: Sequence[Path]) -> list[str]:
    """Return the arguments for Helm; later files override earlier ones."""
    arguments = ["--values", VALUES]
    for file in files:
        if not (root / file).is_file():
            raise PlatformError(
                f"Values file not found: {root / file}.", hint="A relative path starts at the checkout."
            )
        arguments += ["--values", str(file)]
    return arguments


def _current_context(clients: Clients) -> tuple[str, Clients]:
    context = clients.kubectl.output("config", "current-context")
    if not context:
        raise PlatformError(
            "kubectl has no current context.",
            hint="Choose one: kubectl config use-context NAME. Another file than ~/.kube/config needs KUBECONFIG.",
        )
    return context, clients.at(context)


def _confirm(context: str) -> None:
    if not sys.stdin.isatty():
        raise PlatformError(
            f"This changes the cluster of the context {context}, and stdin is not a terminal.",
            hint="Check the lines above, then pass --yes.",
        )
    sys.stdout.write("Install or upgrade Urumi there? Type yes to continue: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != "yes":
        raise PlatformError("Nothing was changed.")


def _say_next_steps(console: Console, clients: Clients, namespace: str, has_token: bool) -> None:
    host = clients.kubectl.output("-n", namespace, "get", "ingress", NAME, "-o", "jsonpath={.spec.rules[0].host}")
    read = f"kubectl -n {namespace} get secret {TOKEN_SECRET} -o jsonpath='{{.data.token}}' | base64 -d"
    create = f"kubectl -n {namespace} create token ACCOUNT; docs/production.md lists the roles"
    console.say("")
    console.say(f"Urumi:  https://{host}/")
    console.say(f"Token:  {read if has_token else create}")
    console.say(f"Next:   helm -n {namespace} test {NAME}")
    console.say(f"        export URUMI_URL=https://{host} URUMI_TOKEN=...; .venv/bin/urumi-tui")
