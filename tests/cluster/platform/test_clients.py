"""Which kubectl and Helm are used, and for which cluster."""

from pathlib import Path

import pytest

from cluster.errors import PlatformError
from cluster.platform import clients as module
from cluster.platform.clients import Clients
from cluster.programs.binaries import Binaries, Recipe
from tests.cluster.platform.conftest import Machine

BUILT = Path("/built")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Records what would be built, and builds nothing."""
    recipes: list[Recipe] = []

    def record(cache: Path, on_progress: object, say: object, recipe: Recipe) -> Binaries:
        recipes.append(recipe)
        return Binaries(BUILT)

    monkeypatch.setattr(module, "ensure_binaries", record)
    return recipes


def programs(found: Clients) -> tuple[str, str]:
    """Return the programs of the clients."""
    return found.kubectl.command[0], found.helm.command[0]


def test_usable_programs_on_path_are_used(machine: Machine, built: list[Recipe]) -> None:
    found = Clients.find(machine.place.root, machine.console.say)
    assert programs(found) == (str(machine.bin / "kubectl"), str(machine.bin / "helm"))
    assert built == []


@pytest.mark.parametrize("trouble", ["old helm", "broken kubectl"])
def test_otherwise_both_are_built(machine: Machine, built: list[Recipe], tmp_path: Path, trouble: str) -> None:
    machine.set(URUMI_CACHE_DIR=str(tmp_path))
    if trouble == "old helm":
        machine.set(HELM_IS="v3.18.0")
    else:
        machine.put("kubectl", "#!/bin/sh\nexit 1\n")
    found = Clients.find(machine.place.root, machine.console.say)
    assert programs(found) == (str(BUILT / "kubectl"), str(BUILT / "helm"))
    assert [{program.name for program in recipe.programs} for recipe in built] == [{"kubectl", "helm"}]


def test_a_kubeconfig_and_a_context_bind_every_call(machine: Machine) -> None:
    found = Clients.find(machine.place.root, machine.console.say, Path("/k")).at("prod-eu")
    found.kubectl.output("get", "pods")
    found.helm.output("list")
    assert "kubectl --kubeconfig /k --context prod-eu get pods" in machine.calls
    assert "helm --kubeconfig /k --kube-context prod-eu list" in machine.calls


def test_a_program_that_hangs_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Clients.find(machine.place.root, machine.console.say)
    monkeypatch.setattr(module, "CALL_SECONDS", 0.2)
    machine.put("kubectl", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(PlatformError, match="kubectl get did not end within 0 s"):
        found.kubectl.output("get", "pods")
