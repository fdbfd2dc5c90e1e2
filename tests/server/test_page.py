"""The web page as the server sends it: the engines of this version, and a tag with which a browser keeps it."""

import pytest
from starlette.requests import Request

from server.http.page import page
from urumi.store import Engine

pytestmark = pytest.mark.anyio


def request(**headers: str) -> Request:
    """Return GET / with headers."""
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": encoded})


async def test_the_form_of_a_new_store_offers_every_engine_and_the_first_is_chosen() -> None:
    text = bytes((await page(request())).body).decode()
    for engine in Engine:
        assert f'value="{engine.value}" data-name="{engine.display_name}"' in text
        assert engine.parts in text
    assert text.count('type="radio" name="engine"') == len(Engine)
    assert text.count(" checked>") == 1


async def test_a_page_that_the_browser_has_is_not_sent_again() -> None:
    tag = (await page(request())).headers["etag"]
    again = await page(request(if_none_match=tag))
    assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
