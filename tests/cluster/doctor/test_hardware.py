"""Processors, memory and the limits of the kernel, with files in place of those of /proc and /sys."""

import resource
from pathlib import Path

import pytest

from cluster.doctor.hardware import cgroups, kernel_limits, memory, processors, system
from cluster.place import Place


def test_the_system_and_the_user_are_told(place: Place) -> None:
    assert [finding.subject for finding in system(place)] == ["system", "user"]


def test_a_limit_of_a_container_counts(place: Place, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2 * 1024**3}\n")
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   1048576 kB\n")
    [cpu] = processors(place, tmp_path)
    assert (cpu.level, cpu.sentence) == ("note", "0.5; everything was measured with 2.")
    [ram] = memory(place, tmp_path / "meminfo", tmp_path)
    assert (ram.level, ram.sentence) == ("note", "2.0 GiB, 1.0 GiB available.")
    assert ram.hint.startswith("Use a machine with 4 GiB")


def test_the_version_of_cgroups(place: Place, tmp_path: Path) -> None:
    assert list(cgroups(place, tmp_path / "none")) == []
    [first] = cgroups(place, tmp_path)
    assert first.level == "note"
    assert first.hint.startswith("Add systemd.unified_cgroup_hierarchy=1 to the kernel's command line")
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    assert [(each.level, each.sentence) for each in cgroups(place, tmp_path)] == [("ok", "v2: cpu memory")]


def test_small_limits_of_inotify_are_notes_with_the_command(place: Place, tmp_path: Path) -> None:
    (tmp_path / "max_user_instances").write_text("128\n")
    (tmp_path / "max_user_watches").write_text("524288\n")
    low, high, _ = kernel_limits(place, tmp_path)
    assert (low.level, high.level) == ("note", "ok")
    assert high.sentence == "fs.inotify.max_user_watches is 524288"
    assert low.hint == "Run: sudo sysctl fs.inotify.max_user_instances=512"


def test_few_open_files_are_a_note(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 4096))
    [finding] = kernel_limits(place, tmp_path)
    assert (finding.level, finding.hint) == ("note", "Run `ulimit -n 1024` in this shell first.")


def test_a_limit_that_does_not_exist_is_any_number(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (20000, resource.RLIM_INFINITY))
    assert list(kernel_limits(place))[-1].sentence == "20000 per process; any number can be set"
