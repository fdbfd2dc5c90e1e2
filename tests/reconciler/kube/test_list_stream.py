"""A page that is read in pieces is the page that was sent, wherever the pieces are cut."""

import json
from typing import Any

import pytest

from reconciler.kube.list_stream import PageReader

ITEMS: list[Any] = [
    {"metadata": {"name": "a", "labels": {"x": 'a "]" and {"items":[1]}'}}, "spec": {"items": [{"items": []}]}},
    {"metadata": {"name": "größe", "annotations": {"€": '\\"] , [\n'}}},
    {},
]
STRUCTURED = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": ITEMS}
UNSTRUCTURED = {"apiVersion": "v1", "items": ITEMS, "kind": "StoreList", "metadata": {"continue": "x", "b": [1]}}


def read(text: bytes, piece: int) -> tuple[list[Any], str]:
    reader = PageReader(lambda item: item)
    for at in range(0, len(text), piece):
        reader.feed(text[at : at + piece])
    return reader.kept, reader.rest()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 50, 4096])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("page", [STRUCTURED, UNSTRUCTURED])
def test_a_page_is_the_same_wherever_it_is_cut(page: Any, indent: int | None, piece: int) -> None:
    kept, rest = read(json.dumps(page, ensure_ascii=False, indent=indent).encode(), piece)
    assert kept == ITEMS
    assert json.loads(rest) == {**page, "items": []}


@pytest.mark.parametrize("items", ["[]", "[ ]", "null"])
def test_a_page_may_hold_nothing(items: str) -> None:
    kept, rest = read(f'{{"metadata":{{}},"items":{items}}}'.encode(), 5)
    assert kept == []
    assert json.loads(rest)["metadata"] == {}


def test_objects_are_reduced_before_the_page_has_ended() -> None:
    reader = PageReader(lambda item: item["metadata"]["name"])
    whole = json.dumps({"items": ITEMS[:2]}).encode()
    reader.feed(whole[:-30])
    assert reader.kept == ["a"]
    reader.feed(whole[-30:])
    assert reader.kept == ["a", "größe"]


@pytest.mark.parametrize("lost", [1, 2, 3, 30, 90, 180])
def test_a_page_that_ends_too_early_is_never_taken_for_a_whole_one(lost: int) -> None:
    _, rest = read(json.dumps(STRUCTURED).encode()[:-lost], 64)
    with pytest.raises(json.JSONDecodeError):
        json.loads(rest)


@pytest.mark.parametrize("text", ["<html>", '{"items":[{"a":}]}', '{"items":[{} nonsense]}', '{"items":[{}]} more'])
def test_what_is_no_page_is_no_json_either(text: str) -> None:
    _, rest = read(text.encode(), 4)
    with pytest.raises(json.JSONDecodeError):
        json.loads(rest)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(b'{"items":[{"a":"\xff"}]}', 3)
