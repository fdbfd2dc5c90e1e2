"""Whether Docker on this machine can have a kind cluster: for a first run without `--cluster`, and for the doctor.

Uses the standard library only, because the doctor also runs before the environment exists.
"""

from collections.abc import Iterable

from cluster.doctor.finding import Finding
from cluster.errors import KindError
from cluster.kind import troubles
from cluster.kind.docker import Docker
from cluster.kind.engine import Silence
from cluster.kind.facts import Facts, Machine
from cluster.kind.node import Files, Node
from cluster.kind.settings import Settings
from cluster.kind.troubles.resources import inotify
from cluster.place import Place


def kind_is_default(place: Place) -> tuple[bool, str]:
    """Return whether kind is the cluster of a first run, and a sentence if it is not though Docker is installed.

    A trouble that a user can remove in a minute, such as a port in use, does not select another cluster: the run ends
    with it, because who has Docker expects real shops.

    Raises:
        KindError: a setting of the kind cluster is wrong.
    """
    facts = read_facts(place)
    if isinstance(facts, Silence):
        return False, _instead(facts.sentence, facts.hint) if facts.installed else ""
    for finding in troubles.find(facts, troubles.ENGINE):
        if finding.level == "problem":
            return False, _instead(finding.sentence, finding.hint)
    return True, ""


def _instead(sentence: str, hint: str) -> str:
    """Return why the local cluster is used, and how to get to kind: a second run uses the cluster of the first."""
    simulated = "Using the local cluster, whose containers are simulated."
    return " ".join(
        filter(
            None, (sentence, simulated, "For kind:", hint, "Then run ./setup.sh down and ./setup.sh --cluster kind.")
        )
    )


def docker_check(place: Place) -> Iterable[Finding]:
    """Return what the doctor reports about Docker and kind; a machine without Docker has no problem."""
    try:
        facts = read_facts(place)
    except KindError as error:
        return [Finding("problem", "ports", error.message, "Correct the variable, or unset it.")]
    if isinstance(facts, Silence):
        return [Finding("note" if facts.installed else "ok", "Docker", facts.sentence, facts.hint)]
    engine = facts.engine
    sentence = f"Docker {engine.version} responds at {engine.endpoint}, with cgroup v{engine.cgroup_version or '?'}."
    # The doctor checks the limits of inotify for every cluster.
    checks = [check for check in troubles.ALL if check is not inotify]
    return [Finding("ok", "Docker", sentence), *troubles.find(facts, checks)]


def read_facts(place: Place) -> Facts | Silence:
    """Ask Docker, this machine and the state folder.

    Raises:
        KindError: a setting is wrong.
    """
    docker, settings = Docker(), Settings.read()
    engine = docker.engine()
    if isinstance(engine, Silence):
        return engine
    return Facts(engine, Machine.read(), Node.read(docker), Files(place.state), settings, docker, place.root)
