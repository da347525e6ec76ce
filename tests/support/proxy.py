"""nginx before a program, set up as the documentation says; where there is one on this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.support.program import ROOT, Program, wait_until

_BLOCK: Final = re.compile(r"^```nginx\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TLS: Final = re.compile(r"^ *ssl_certificate.*\n", re.MULTILINE)
_FRAME: Final = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-start.log crit;
events {{}}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {said}
}}
"""


def said_of_nginx() -> str:
    """What the documentation has to be written into nginx's settings."""
    found = _BLOCK.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    assert len(found) == 1, "it stands there once"
    return str(found[0])


@contextmanager
def proxied(running: Program) -> Iterator[dict[str, Path]]:
    """Have whoever calls the merchant service go through nginx; gives its logs, none where there is no nginx.

    What ends TLS is left out: nginx is told that everything came over it.
    """
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        yield {}
        return
    listener = socket.create_server(("127.0.0.1", 0))
    port, folder = listener.getsockname()[1], running.folder / "nginx"
    folder.mkdir()
    told = _TLS.sub("", said_of_nginx()).replace("/var/log/nginx", str(folder)).replace("$scheme", "https")
    told = told.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    told = told.replace("127.0.0.1:8080", urlsplit(running.merchant).netloc)
    (folder / "nginx.conf").write_text(_FRAME.format(folder=folder, said=told))
    direct = running.merchant
    words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    # By this variable nginx takes sockets over that are open already, from an nginx before it as a rule.
    taking = os.environ | {"NGINX": f"{listener.fileno()};"}
    with (
        listener,
        subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(listener.fileno(),),
            env=taking,
        ) as started,
    ):
        try:
            running.merchant = f"http://127.0.0.1:{port}"
            wait_until(running.is_ready, 20, "nginx")
            yield {name: folder / name for name in ("tradepost.log", "tradepost-error.log", "nginx-start.log")}
        finally:
            running.merchant = direct
            started.terminate()
