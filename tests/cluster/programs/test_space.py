"""Disk space: counted per disk, reported with every folder's need before anything is made."""

import shutil
from pathlib import Path

import pytest

from cluster.errors import DiskSpaceError
from cluster.programs.space import check_space


def test_folders_on_one_disk_share_its_space(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    check_space({tmp_path / "a" / "b": free // 2})
    with pytest.raises(DiskSpaceError) as failure:
        check_space({tmp_path / "a" / "b": free * 2 // 3, tmp_path / "c": free * 2 // 3})
    assert f"GB in {tmp_path}/a/b" in failure.value.message
    assert f"GB in {tmp_path}/c" in failure.value.message
    assert "URUMI_CACHE_DIR" in failure.value.hint
