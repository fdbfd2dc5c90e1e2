"""An nginx on the loopback interface with the server blocks of a test."""

import os
from collections.abc import Callable
from pathlib import Path

from testing.shops.medusa.servers import Server, program

CONFIG = """
daemon off;
{user}
worker_processes 1;
pid "{folder}/{name}.pid";
error_log "{folder}/{name}.err";
events {{}}
http {{
    client_body_temp_path "{folder}/temp";
    proxy_temp_path "{folder}/temp";
    fastcgi_temp_path "{folder}/temp";
    uwsgi_temp_path "{folder}/temp";
    scgi_temp_path "{folder}/temp";
    access_log off;
{blocks}
}}
"""


def nginx(name: str, folder: Path, blocks: str, answers: Callable[[], bool]) -> Server:
    """Return the server; `blocks` is the content of nginx's http block."""
    (folder / "temp").mkdir(exist_ok=True)
    config = folder / f"{name}.conf"
    # As another user, the worker could not write to the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(user=user, folder=folder, name=name, blocks=blocks))
    return Server(name, [program("nginx", "nginx"), "-e", "stderr", "-c", str(config)], folder, answers)
