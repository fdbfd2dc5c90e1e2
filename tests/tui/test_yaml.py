"""A store as YAML: parsing it gives the original, and no control character reaches a terminal."""

import pytest
import yaml

from testing.stores import event, failed, make_store
from tui.text.yaml import yaml_text
from urumi.wire import Store, dump


@pytest.mark.parametrize(
    "store",
    [
        pytest.param(make_store(namespace="yes", release_name="a: b", admin_url="- x"), id="looks-like-other-types"),
        pytest.param(make_store(release={"revision": 1, "chart_version": "0.10", "digest": "null"}), id="numbers"),
        pytest.param(failed(events=[event("Failed", 'a "b"\nc\n'), event("Gone")]), id="several-lines"),
        pytest.param(failed(events=[event("Failed", "x" * 4096)]), id="4-kb"),
        pytest.param(failed(events=[event("Failed", "\x1b[2J\x07 \u202e \u2066 \x85")]), id="controls"),
        pytest.param(failed(events=[event("Failed", "商店 👩‍👩‍👧‍👦")]), id="wide"),
    ],
)
def test_parsing_the_yaml_gives_the_original(store: Store) -> None:
    assert yaml.safe_load(yaml_text(store)) == dump(store)


def test_a_text_of_several_lines_is_a_block() -> None:
    lines = yaml_text(failed(events=[event("Failed", "first: line\nsecond line")])).splitlines()
    place = lines.index("  message: |-")
    assert [line.strip() for line in lines[place + 1 : place + 3]] == ["first: line", "second line"]


def test_fields_keep_the_order_and_the_names_of_the_api() -> None:
    assert yaml_text(make_store()).startswith("storeId: shop-1\n")


@pytest.mark.parametrize("control", ["\x1b[2J", "\x07", "\r", "\x9b", "\u202e", "\u2066", "\u2028"])
@pytest.mark.parametrize("text", ["{}", "two\nlines {}"])
def test_no_control_character_is_left(control: str, text: str) -> None:
    written = yaml_text(make_store(namespace=text.format(control)))
    assert not set(written) & set("\x1b\x07\r\x9b\u202e\u2066\u2028")
