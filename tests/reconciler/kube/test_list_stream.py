"""A page that is parsed in chunks equals the page that was sent, whatever the size of the chunks."""

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


def read(text: bytes, chunk: int) -> tuple[list[Any], str]:
    reader = PageReader(lambda item: item)
    for at in range(0, len(text), chunk):
        reader.feed(text[at : at + chunk])
    return reader.kept, reader.rest()


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 4096])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("page", [STRUCTURED, UNSTRUCTURED])
def test_the_size_of_the_chunks_makes_no_difference(page: Any, indent: int | None, chunk: int) -> None:
    kept, rest = read(json.dumps(page, ensure_ascii=False, indent=indent).encode(), chunk)
    assert kept == ITEMS
    assert json.loads(rest) == {**page, "items": []}


@pytest.mark.parametrize("items", ["[]", "[ ]", "null"])
def test_a_page_may_be_empty(items: str) -> None:
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
def test_a_truncated_page_is_never_valid(lost: int) -> None:
    _, rest = read(json.dumps(STRUCTURED).encode()[:-lost], 64)
    with pytest.raises(json.JSONDecodeError):
        json.loads(rest)


@pytest.mark.parametrize("text", ["<html>", '{"items":[{"a":}]}', '{"items":[{} nonsense]}', '{"items":[{}]} more'])
def test_a_malformed_page_is_not_valid_json(text: str) -> None:
    _, rest = read(text.encode(), 4)
    with pytest.raises(json.JSONDecodeError):
        json.loads(rest)


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(b'{"items":[{"a":"\xff"}]}', 3)
