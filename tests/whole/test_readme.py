"""What the README tells a newcomer to type really works: its commands are run as they stand there.

Only the address is another (tests open ports of the system's choice), and the program is the one under test.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.program import SOURCE, Program, serving

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of one language below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def typed(running: Program, script: str) -> list[str]:
    """What a script of the page prints, line by line; files that it makes come into the folder of the program."""
    who = running.credentials()
    script = script.replace(".venv/bin/tradepost", f"{shlex.quote(sys.executable)} -m tradepost")
    script = script.replace("curl ", "curl -sS ")
    for port, service in (("8080", "merchants"), ("8081", "wishpost")):
        script = script.replace(f"http://127.0.0.1:{port}", who[service][0]["base_url"])
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TRADEPOST_DATA": str(running.folder)}
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"],
        cwd=running.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_first_requests() -> None:
    """Both requests answer what the page prints, as far as it prints it."""
    first, second = blocks("A first request", "sh")
    product, refusal = blocks("A first request", "json")
    with serving() as running:
        added, refused = (json.loads(line) for line in typed(running, f"{first}\necho\n{second}"))
    printed = json.loads(product.replace('"…"', '"any"').replace(", …", ""))["data"]["Product"]
    assert {name: added["data"]["Product"][name] for name in printed if name != "id"} == {
        name: value for name, value in printed.items() if name != "id"
    }
    assert refused == json.loads(refusal)


def table(file: Path) -> list[list[str]]:
    """The cells of a CSV file."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def test_a_job_of_each_kind() -> None:
    """From start to result, in both formats; the mail has the link that the status has."""
    product, (jobs,) = blocks("A first request", "sh")[0], blocks("A batch job", "sh")
    (failures,) = blocks("A batch job", "json")
    with serving() as running:
        mail = "\n.venv/bin/tradepost sandbox mail"
        as_json = typed(running, f"{product}\necho\n{jobs}\necho $LINK{mail}")
        rows = table(running.folder / "products.csv")
        as_xml = typed(running, f"{product.partition('curl')[0]}\n{jobs.replace('FORMAT=json', 'FORMAT=xml')}")
        again = table(running.folder / "products.csv")
    assert failures.strip() in as_json
    assert '{"message":"","code":0,"data":{"successes":["red-shoe-11"]}}' in as_json
    assert "<successes><successes>red-shoe-11</successes></successes>" in "".join(as_xml)
    link = next(line for line in as_json if line.startswith("http"))
    assert as_json.count(link) == 2, "once from the status, once in the mail"
    assert (rows[0][0], rows[0][5]) == ("Product ID", "SKU")
    assert [row[rows[0].index("Inventory")] for row in rows if row[5] == "red-shoe-11"] == ["30"]
    # The last column says when the product was changed, and the second update did that again; pictures of the
    # sandbox may have come in between.
    kept = [at for at, name in enumerate(rows[0][:-1]) if "Image" not in name]
    assert [[row[at] for at in kept] for row in rows] == [[row[at] for at in kept] for row in again]


def test_a_parcel_from_its_booking_to_its_end() -> None:
    (story, older), (money,) = blocks("A parcel", "sh"), blocks("A parcel", "json")
    with serving() as running:
        told = typed(running, f"{story}\necho $FIRST $SECOND")
        label = (running.folder / "label.pdf").read_bytes()
        in_xml = typed(running, f"{story.partition('call payments')[0]}\n{older}")
        older_label = (running.folder / "older-label.pdf").read_bytes()
    first, second = told[-1].split()
    account, labels, cancelled, _, tracked, *moved = told[:-1]
    assert older_label.startswith(b"%PDF-")
    assert "<status>0</status>" in in_xml[0]
    assert "<status_number>2</status_number>" in in_xml[-1]
    assert json.loads(account)["data"]["currency"] == "CNY"
    assert label.startswith(b"%PDF-")
    assert json.loads(labels)["data"]["tracking_ids"][0].startswith("WP")
    assert json.loads(cancelled)["data"] == [{"tracking_id": second, "code": 0, "message": ""}]
    parcel = json.loads(tracked)["data"][0]
    assert parcel["wish_standard_tracking_id"] == first
    assert [event["status_number"] for event in parcel["events"][:3]] == [1, 2, 3]
    whose = [first, second, second, first]  # the latest first
    printed = [line.replace("WOSP…", name) for line, name in zip(money.split(), whose, strict=True)]
    assert moved == printed


def test_a_storefront() -> None:
    """What is sent twice is bought once, and the merchant finds all of it."""
    product, (story,) = blocks("A first request", "sh")[0], blocks("A storefront", "sh")
    merchant = 'curl "http://127.0.0.1:8080/api/v2/{}" -H "Authorization: Bearer $TOKEN"; echo'
    seen = "\n".join(map(merchant.format, ("ticket/get-action-required", "noti/fetch-unviewed")))
    with serving() as running:
        lines = typed(running, f"{product}\necho\n{story}\n{seen}\n.venv/bin/tradepost operator acts")
    _, _, first, again, opened, refunded, tickets, told, *acts = lines
    (order,) = json.loads(first)["data"]["orders"]
    assert first == again
    assert (order["sku"], order["quantity"], order["state"]) == ("red-shoe-11", 2, "approved")
    assert json.loads(refunded)["data"] == {"order_id": order["id"], "state": "refunded"}
    assert json.loads(opened)["data"]["ticket_id"] in tickets
    assert order["id"] in told
    assert [line.split()[3] for line in acts] == ["refund_order", "open_ticket", "place_order"]


def test_two_commands_are_named() -> None:
    assert [block.strip() for block in blocks("Two commands", "sh")] == ["make serve", "make test"]
