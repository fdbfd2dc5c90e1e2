"""Writes the copies that the charts contain of each other's files: `python scripts/charts.py [--check] [ROOT]`.

    charts/common                    -> charts/<engine>/charts/common                every chart that depends on it
    charts/common/definitions.json   -> "definitions" of charts/<engine>/values.schema.json
    crds/stores.yaml                 -> charts/platform/files/stores.yaml

Helm reads a library chart and the files of a chart only from inside the chart, so these files exist twice. Edit the
left side, run this, and commit both. With `--check` nothing is written; the exit code is 1 if a copy differs.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

LIBRARY_FILES = ("Chart.yaml", "templates")
DEFINITIONS = '  "definitions": '


def write_copies(root: Path) -> None:
    """Write every copy below the root of a checkout."""
    charts, library = root / "charts", root / "charts" / "common"
    for manifest in sorted(charts.glob("*/Chart.yaml")):
        dependencies = yaml.safe_load(manifest.read_text()).get("dependencies") or ()
        if any(dependency["name"] == library.name for dependency in dependencies):
            copy = manifest.parent / "charts" / library.name
            shutil.rmtree(copy, ignore_errors=True)
            for name in LIBRARY_FILES:
                copy.mkdir(parents=True, exist_ok=True)
                _copy(library / name, copy / name)
            _write_definitions(manifest.parent / "values.schema.json", (library / "definitions.json").read_text())
    shutil.copyfile(root / "crds" / "stores.yaml", charts / "platform" / "files" / "stores.yaml")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _write_definitions(schema: Path, definitions: str) -> None:
    """Replace the last member of a schema, as text, so that the rest of the file keeps its layout."""
    own, _, _ = schema.read_text().partition(DEFINITIONS)
    schema.write_text(own + DEFINITIONS + definitions.rstrip("\n").replace("\n", "\n  ") + "\n}\n")


def differing_copies(root: Path) -> list[str]:
    """Return the files that `write_copies` would change, add or delete, relative to the root."""
    with tempfile.TemporaryDirectory() as folder:
        expected = Path(folder)
        for name in ("charts", "crds"):
            shutil.copytree(root / name, expected / name, ignore=shutil.ignore_patterns("image"))
        write_copies(expected)
        found = {base: _contents(base) for base in (root, expected)}
    names = sorted(found[root].keys() | found[expected].keys())
    return [name for name in names if found[root].get(name) != found[expected].get(name)]


def _contents(base: Path) -> dict[str, bytes]:
    files = [path for path in (base / "charts").rglob("*") if path.is_file()]
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in files
        if path.relative_to(base / "charts").parts[1] != "image"
    }


def main() -> int:
    """Write the copies, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only; exit with 1 if a copy differs")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    args = parser.parse_args()
    if not args.check:
        write_copies(args.root)
        return 0
    differing = differing_copies(args.root)
    for name in differing:
        sys.stderr.write(f"{name} differs from its source. Run: python scripts/charts.py\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
