"""What a set of programs consists of: read from the go.mod that pins them by its `tool` lines.

The compiler's flags trade a little of the programs' speed for much of the time to compile them. No debug information is
made, which the linker would drop anyway; and functions are not inlined, except in packages that requests spend their
time in. docs/first-start.md has what each choice gains.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MODULE_DIR = Path(__file__).resolve().parent.parent

# Names of tools whose package path does not end with them.
NAMES = {
    "go.etcd.io/etcd/server/v3": "etcd",
    "sigs.k8s.io/kube-network-policies/cmd/kube-network-policies/standard": "kube-network-policies",
}
# Spells the path of a module as nobody else does, which Go refuses within one build.
APART = frozenset({"local-path-provisioner"})
# For each pattern of packages, in this order: the last that fits a package holds.
COMPILER_FLAGS: Mapping[str, str] = {
    "all": "-dwarf=false -l",
    "std": "-dwarf=false",
    "golang.org/...": "-dwarf=false",
    "google.golang.org/...": "-dwarf=false",
    "k8s.io/apimachinery/...": "-dwarf=false",
}


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name, its Go package, and the version that it must report."""

    name: str
    package: str
    version: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Some programs, the module folder that pins them, the linker's flags, and a digest of all of that."""

    module_dir: Path
    programs: tuple[Program, ...]
    linker_flags: str
    key: str

    @classmethod
    def read(cls, module_dir: Path = MODULE_DIR) -> "Recipe":
        """Read go.mod and go.sum."""
        go_mod = (module_dir / "go.mod").read_text()
        go_sum = (module_dir / "go.sum").read_text()
        versions = dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)", go_mod, re.MULTILINE))
        programs = tuple(_programs(go_mod, versions))
        flags = linker_flags(versions)
        parts = (go_mod, go_sum, flags, str(COMPILER_FLAGS), *(program.name for program in programs))
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        return cls(module_dir, programs, flags, key)

    def only(self, *names: str) -> "Recipe":
        """Return the recipe of some of the programs, with a separate folder."""
        chosen = tuple(program for program in self.programs if program.name in names)
        return replace(self, programs=chosen, key=f"{self.key}-{'-'.join(names)}")


def build_groups(programs: Sequence[Program]) -> list[list[Program]]:
    """Return the programs in groups, each of which Go compiles in one run."""
    together = [program for program in programs if program.name not in APART]
    apart = [[program] for program in programs if program.name in APART]
    return [*([together] if together else []), *apart]


def linker_flags(versions: Mapping[str, str]) -> str:
    """Return the flags that drop debug information and set the versions pinned in go.mod."""
    flags = ["-s", "-w"]
    kubernetes = versions.get("k8s.io/kubernetes")
    if kubernetes is not None:
        major, minor, _ = kubernetes.removeprefix("v").split(".", 2)
        stamp = {"gitVersion": kubernetes, "gitMajor": major, "gitMinor": minor}
        flags += [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items()]
    helm = versions.get("helm.sh/helm/v4")
    if helm is not None:
        flags.append(f"-X helm.sh/helm/v4/internal/version.version={helm}")
    volumes = versions.get("github.com/rancher/local-path-provisioner")
    if volumes is not None:
        flags.append(f"-X main.VERSION={volumes}")
    return " ".join(flags)


def _programs(go_mod: str, versions: Mapping[str, str]) -> Iterator[Program]:
    block = re.search(r"^tool \((.*?)^\)", go_mod, re.MULTILINE | re.DOTALL)
    single = re.findall(r"^tool ([^\s(]\S*)$", go_mod, re.MULTILINE)
    for package in [*(block[1].split() if block else ()), *single]:
        # The longest module path that the package lies in, as Go finds it.
        module = max((module for module in versions if f"{package}/".startswith(f"{module}/")), key=len, default="")
        name = NAMES.get(package, package.rpartition("/")[2])
        yield Program(name, package, versions.get(module, ""))
