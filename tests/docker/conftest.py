"""The Docker engine of the run, and a user with a kind cluster in it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cluster.node.errors import NodeError
from testing.browser import launched
from testing.docker.base_images import load_base_images
from testing.docker.engine import Engine
from testing.docker.errors import DockerError
from testing.docker.node_image import NodeImage
from testing.docker.user import User

WORDPRESS_TREE = os.environ.get("URUMI_WORDPRESS_TREE", "")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Engine]:
    """A running engine; if it cannot run, every test that uses it fails with the reason."""
    found = Engine(tmp_path_factory.mktemp("docker"), say)
    try:
        found.up()
    except DockerError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        yield found
    finally:
        found.down()


@pytest.fixture(scope="session")
def user(engine: Engine, say: Callable[[str], None]) -> User:
    """A user whose engine has kind's node image and the base images."""
    try:
        node_image = NodeImage(say)
        name = node_image.ensure(engine)
        load_base_images(engine, WORDPRESS_TREE, say)
    except (DockerError, NodeError) as error:
        pytest.fail(str(error), pytrace=False)
    found = User(engine, name, node_image.program("cluster", "kubectl"), say)
    found.clone()
    return found


@pytest.fixture(scope="session")
def browser(engine: Engine) -> Iterator[Browser]:
    """Chromium in the engine's machine, where the ports of the cluster are."""
    program = engine.folder / "bin" / "chromium"
    found = [path for path in map(Path, ("/usr/bin/chromium", "/usr/bin/google-chrome")) if path.exists()]
    if not found:
        pytest.fail("No browser was found: run `apt-get install chromium`.", pytrace=False)
    program.write_text(f'#!/bin/sh\nexec {" ".join(engine.command(found[0]))} "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        with launched() as browser:
            yield browser
