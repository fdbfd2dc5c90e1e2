"""The messages of failed calls to an API server."""

import pytest

from cluster.api import Api
from cluster.errors import ApiServerError
from cluster.ports import free_port


def test_an_api_server_that_does_not_respond_is_named_with_the_cause() -> None:
    server = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(ApiServerError) as caught:
        Api(server, "", "token").get("/version")
    assert caught.value.message == f"The API server at {server} does not respond: Connection refused."
