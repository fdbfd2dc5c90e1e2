"""The documents are consistent: links, anchors and named files exist, and every shell block is valid bash."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.setup.checkout import SOURCE
from tests.setup.markdown import DOCUMENTS, anchors, links, prose, shell_blocks

ROOT_FOLDERS = "benchmarks|charts|cluster|crds|docs|reconciler|scripts|server|tests|tui|urumi"
NAMED = re.compile(rf"(?<![\w/.~-])(?:\./)?((?>(?:{ROOT_FOLDERS})/[\w./-]*\w/?))(?![*:<$])")

# Not files of this repository: an image, a path inside an image, a folder that is planned.
NOT_FILES = re.compile(
    r"urumi/(urumi|woocommerce|medusa-backend|medusa-storefront)\b|urumi/bin\b|reconciler/operations$"
)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@each_document
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(document: Path) -> None:
    for link in links(document.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


@each_document
def test_every_file_that_is_named_exists(document: Path) -> None:
    names = [name for name in NAMED.findall(document.read_text()) if not NOT_FILES.match(name)]
    assert [name for name in names if not (SOURCE / name).exists()] == []


@each_document
def test_every_shell_block_is_valid_bash(document: Path) -> None:
    for commands in shell_blocks(document):
        checked = subprocess.run(["bash", "-n"], input=commands, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, f"{checked.stderr}{commands}"


def test_every_document_can_be_found_from_the_readme() -> None:
    found, waiting = set(), [SOURCE / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in found:
            continue
        found.add(document)
        paths = [link.partition("#")[0] for link in links(document.read_text()) if not link.startswith("https://")]
        waiting += [(document.parent / path).resolve() for path in paths if path.endswith(".md")]
    assert {path.name for path in DOCUMENTS if path not in found} <= {"CHANGELOG.md"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A `b` c\n", {"a-b-c"}),
        ("## Is it healthy?\n## Is it healthy?\n", {"is-it-healthy", "is-it-healthy-1"}),
        ("## 2. Names, [linked](a.md)\n", {"2-names-linked"}),
        ("```sh\n# no heading\n```\n", set()),
    ],
)
def test_anchors_are_those_of_github(text: str, expected: set[str]) -> None:
    assert anchors(text) == expected


def test_prose_has_no_code_and_the_same_lines() -> None:
    text = "one `two` three\n```sh\nfour\n```\nfive [six](seven.md)\n"
    assert prose(text) == "one  three\n\n\n\nfive [six](seven.md)\n"
    assert links(text) == ["seven.md"]
