"""Building the programs: once, completely or not at all, by one process at a time; failures are explained."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import BuildError, DiskSpaceError
from cluster.programs import assembly, check
from cluster.programs.binaries import Binaries, BuildProgress, Recipe, ensure_binaries
from cluster.programs.golang import build as go_build
from cluster.programs.golang.build import executable_name
from cluster.programs.prefetch import prefetch
from cluster.programs.recipe import MODULE_DIR, build_groups
from testing.kubectl import wait_for
from tests.cluster.programs.fake_go import FakeGo

pytestmark = pytest.mark.slow

NODE_MODULES = MODULE_DIR / "node"
BUILD = """
import sys
from pathlib import Path
from cluster.programs.binaries import Recipe, ensure_binaries
say = lambda words: print(words, flush=True)
ensure_binaries(Path(sys.argv[1]), lambda progress: None, say, Recipe.read(Path(sys.argv[2])))
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    """A substitute for the go command, on PATH."""
    go = FakeGo(tmp_path)
    go.make()
    monkeypatch.setenv("PATH", f"{go.bin}{os.pathsep}{os.environ['PATH']}")
    return go


def build(go: FakeGo) -> Binaries:
    """Build the test module."""
    return ensure_binaries(go.cache, lambda progress: None, lambda words: None, Recipe.read(go.module))


def build_elsewhere(go: FakeGo) -> subprocess.Popen[str]:
    """Build the test module in another process."""
    command = [sys.executable, "-c", BUILD, str(go.cache), str(go.module)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def cached(go: FakeGo) -> list[str]:
    """The names of the folders of built programs."""
    return sorted(path.name for path in (go.cache / "bin").glob("*"))


def test_programs_are_built_once(go: FakeGo) -> None:
    first = build(go)
    second = build(go)
    assert first == second
    assert go.built() == ["alpha", "beta"]
    assert subprocess.check_output([first.path("beta")], text=True) == "beta is 1.2.3 or 4.5.6\n"


def test_the_progress_is_reported_with_the_time_left(go: FakeGo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_build, "REPORT_SECONDS", 0.0)
    (go.cache / "compile-rate.json").write_text("0.001")
    seen: list[BuildProgress] = []
    ensure_binaries(go.cache, seen.append, lambda words: None, Recipe.read(go.module))
    assert re.fullmatch(r"Compiling: \d+ %, about \d+ (s|min) left\.", seen[-1].sentence())
    assert BuildProgress(0.0).sentence() == "Compiling: 0 %."
    assert BuildProgress(None, modules=12).sentence() == "Downloading Go modules: 12 so far."


def test_how_fast_the_machine_compiles_is_remembered(go: FakeGo) -> None:
    build(go)
    assert float((go.cache / "compile-rate.json").read_text()) > 0


def test_an_interrupted_build_is_never_used_and_is_repeated(go: FakeGo) -> None:
    go.configure("hold", "beta")
    with build_elsewhere(go) as process:
        compiler = int(wait_for(lambda: (go.folder / "held").exists() and (go.folder / "held").read_text(), "beta"))
        process.kill()
    os.kill(compiler, signal.SIGKILL)
    [leftover] = cached(go)
    assert leftover.endswith(".partial")
    go.reset("hold")
    built = build(go)
    assert go.built() == ["alpha", "beta", "alpha", "beta"]
    assert cached(go) == [built.folder.name]


def test_two_processes_build_each_program_once(go: FakeGo) -> None:
    go.configure("hold", "alpha")
    with build_elsewhere(go) as first:
        wait_for((go.folder / "held").exists, "the first process to build")
        with build_elsewhere(go) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "Waiting for another process that is building the programs.\n"
            go.reset("hold")
    assert (first.returncode, second.returncode) == (0, 0)
    assert go.built() == ["alpha", "beta"]


@pytest.mark.parametrize("damage", ["truncated", "deleted", "not executable"])
def test_only_a_damaged_program_is_rebuilt(go: FakeGo, damage: str) -> None:
    program = build(go).path("alpha")
    if damage == "truncated":
        program.write_text("")
    elif damage == "deleted":
        program.unlink()
    else:
        program.chmod(0o600)
    build(go)
    assert go.built() == ["alpha", "beta", "alpha"]
    assert "alpha is" in subprocess.check_output([program], text=True)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param(
            "#!/bin/sh\necho 9.9.9\n", "has the wrong version: expected '1.2.3', got '9.9.9'", id="other version"
        ),
        pytest.param("#!/bin/sh\necho 1.2.3; exit 2\n", "has the wrong version", id="fails"),
        pytest.param("no program", "alpha does not run", id="does not run"),
    ],
)
def test_a_built_program_that_does_not_work_is_refused(go: FakeGo, program: str, words: str) -> None:
    go.configure("program", program)
    with pytest.raises(BuildError, match=re.escape(words)):
        build(go)
    assert [name for name in cached(go) if not name.endswith(".partial")] == []


def test_a_program_without_a_version_gets_the_version_that_go_recorded(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "SILENT", {"alpha"})
    go.configure("recorded", "mod example.com/one v9.9.9")
    with pytest.raises(BuildError, match=re.escape("The new alpha has the wrong version: expected '1.2.3', got")):
        build(go)
    go.configure("recorded", "mod example.com/one v1.2.3")
    assert build(go).path("alpha").exists()


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("x.go:3: undefined: y", "Run the command again"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "Check the network"),
        ("write /tmp/x: no space left on device", "The disk is full"),
    ],
)
def test_a_failed_build_quotes_the_end_of_the_compilers_output_with_a_hint(go: FakeGo, output: str, hint: str) -> None:
    go.configure("fail", "\n".join([f"line {number}" for number in range(40)] + [output]))
    with pytest.raises(BuildError) as failure:
        build(go)
    assert "Compiling alpha, beta failed" in failure.value.message
    assert output in failure.value.message
    assert "line 1\n" not in failure.value.message
    assert hint in failure.value.hint
    assert [name for name in cached(go) if not name.endswith(".partial")] == []


def test_too_little_disk_space_is_reported_before_anything_is_built(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "MODULE_BYTES", 10**18)
    with pytest.raises(DiskSpaceError) as failure:
        build(go)
    assert f"1000000000.0 GB in {go.folder / 'gomodcache'}" in failure.value.message
    assert go.built() == []


def test_other_modules_are_built_into_another_folder(go: FakeGo) -> None:
    before = build(go)
    (go.module / "go.sum").write_text("example.com/one v1.2.3 h1:other\n")
    after = build(go)
    assert before.folder != after.folder
    assert cached(go) == sorted([before.folder.name, after.folder.name])


def test_the_clusters_own_recipe_names_its_programs_and_their_versions() -> None:
    recipe = Recipe.read()
    versions = {program.name: program.version for program in recipe.programs}
    kubernetes = versions["kube-apiserver"]
    assert set(versions) == {
        "etcd",
        "helm",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubectl",
        "kwok",
    }
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for version in versions.values())
    assert f"k8s.io/component-base/version.gitVersion={kubernetes}" in recipe.linker_flags
    assert f"helm.sh/helm/v4/internal/version.version={versions['helm']}" in recipe.linker_flags


@pytest.mark.parametrize(
    ("package", "name"),
    [("k8s.io/kubernetes/cmd/kubectl", "kubectl"), ("go.etcd.io/etcd/server/v3", "server"), ("x.io/vim", "vim")],
)
def test_a_programs_file_has_the_name_that_go_gives_it(package: str, name: str) -> None:
    assert executable_name(package) == name


def test_a_program_that_spells_a_module_differently_is_compiled_apart() -> None:
    recipe = Recipe.read(NODE_MODULES)
    groups = [[program.name for program in group] for group in build_groups(recipe.programs)]
    assert ["local-path-provisioner"] in groups
    assert sorted(name for group in groups for name in group) == sorted(each.name for each in recipe.programs)
    assert build_groups(()) == []


def test_modules_are_downloaded_ahead_until_the_programs_are_there(go: FakeGo) -> None:
    recipe = Recipe.read(go.module)
    process = prefetch(go.cache, recipe)
    assert process is not None
    assert process.wait() == 0
    assert go.calls()[-1] == ["list", "-deps", "example.com/one/cmd/alpha", "example.com/two/v4/cmd/beta"]
    build(go)
    assert prefetch(go.cache, recipe) is None


def test_without_go_nothing_is_downloaded_ahead(go: FakeGo) -> None:
    go.configure("version", "1.1.0")
    assert prefetch(go.cache, Recipe.read(go.module)) is None


def test_the_caches_path_may_contain_spaces(go: FakeGo) -> None:
    binaries = ensure_binaries(go.folder / "a b", lambda progress: None, lambda words: None, Recipe.read(go.module))
    assert subprocess.check_output([binaries.path("alpha")], text=True) == "alpha is 1.2.3 or 4.5.6\n"


def test_ctrl_c_ends_the_compiler_and_keeps_the_finished_programs(go: FakeGo, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(progress: BuildProgress) -> None:
        if (go.folder / "held").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(go_build, "REPORT_SECONDS", 0.0)
    go.configure("hold", "beta")
    with pytest.raises(KeyboardInterrupt):
        ensure_binaries(go.cache, interrupt, lambda words: None, Recipe.read(go.module))
    with pytest.raises(ProcessLookupError):
        os.kill(int((go.folder / "held").read_text()), 0)
    go.reset("hold")
    build(go)
