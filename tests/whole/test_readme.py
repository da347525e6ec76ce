"""What the README tells a newcomer to type really works: its commands are run as they stand there.

Only the address is another (tests open ports of the system's choice), and the program is the one under test.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.program import SOURCE, serving

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of one language below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_first_requests() -> None:
    """Both requests answer what the page prints, as far as it prints it."""
    first, second = blocks("A first request", "sh")
    product, refusal = blocks("A first request", "json")
    with serving() as program:
        base_url = program.credentials()["merchants"][0]["base_url"]
        script = f"set -e\n{first}\necho\n{second}"
        script = script.replace(".venv/bin/tradepost", f"{shlex.quote(sys.executable)} -m tradepost")
        script = script.replace("http://127.0.0.1:8080", base_url).replace("curl ", "curl -sS ")
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TRADEPOST_DATA": str(program.folder)}
        done = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    added, refused = (json.loads(line) for line in done.stdout.splitlines())
    printed = json.loads(product.replace('"…"', '"any"').replace(", …", ""))["data"]["Product"]
    assert {name: added["data"]["Product"][name] for name in printed if name != "id"} == {
        name: value for name, value in printed.items() if name != "id"
    }
    assert refused == json.loads(refusal)


def test_two_commands_are_named() -> None:
    assert [block.strip() for block in blocks("Two commands", "sh")] == ["make serve", "make test"]
