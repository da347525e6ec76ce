"""What is done by hand leaves its row in the audit log, as what is done by page and API does."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_jobs import Operator
from tests.cli.test_jobs import operator as operator
from tradepost.surfaces import cli

FOLDER = Path(cli.__file__).parent
LOOKS = {
    "look", "list_merchants", "list_apps", "list_operators", "list_acts", "list_tokens", "list_products",
    "list_infractions", "list_tickets", "list_calls", "show_call", "list_subscriptions", "list_deliveries",
    "show_delivery", "list_warehouses", "list_settings", "list_channels", "list_parcels", "list_records", "verify",
}  # fmt: skip
"""Verbs that change nothing."""
BY_THEMSELVES = {
    "add_merchant", "suspend_merchant", "resume_merchant", "issue_token", "revoke_token", "add_app", "verify_app",
    "refuse_app", "disable_app", "enable_app", "replace_secret", "consent", "withdraw", "add_operator",
    "set_password", "disable_operator", "enable_operator", "add_sender", "bind_shop", "unbind_shop", "stop",
    "start", "retry", "remove_factor_of", "remove_factor", "verify_sender", "unverify_sender",
}  # fmt: skip
"""Verbs whose operation writes its row itself, whoever asks for it."""
FRAME = {"run", "run_for"}


def verbs() -> Iterator[tuple[str, str, ast.Call, int]]:
    """Every call that does something in the database: file, function, the call, and where its `act` would stand."""
    for file in sorted(FOLDER.glob("*.py")):
        if file.name == "sandbox.py":  # moves a world, and nobody's rights
            continue
        for function in ast.parse(file.read_text()).body:
            if not isinstance(function, ast.FunctionDef) or function.name in FRAME:
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in FRAME:
                    yield file.name, function.name, call, 1 if call.func.id == "run" else 2


def test_every_verb_looks_or_leaves_a_row() -> None:
    found = list(verbs())
    silent = {name for _, name, call, at in found if len(call.args) <= at}
    assert len(found) > 50
    assert silent - LOOKS - BY_THEMSELVES == set()


def written(operator: Operator) -> list[tuple[Any, ...]]:
    """The latest rows: who, what, on whom."""

    async def read(ctx: Any) -> Any:
        return await ctx.db.fetch(
            "select actor_kind, verb, subject, about from audit_record order by id desc limit 3"
        )

    return [tuple(row) for row in operator.act(read)]


@pytest.mark.parametrize(
    ("words", "verb", "about"),
    [
        (("warehouse", "add", "{merchant}", "DE"), "open_warehouse", {"country": "DE"}),
        (("shipping", "worldwide", "{merchant}", "--on"), "set_worldwide", {"on": "True"}),
        (("notify", "{merchant}", "Hello", "to you"), "send_notification", {}),
        (("infraction", "issue", "{merchant}", "He did."), "issue_infraction", {}),
        (("sender", "deposit", "{sender}", "12.50"), "deposit", {"amount": "12.50"}),
        (("announce", "senders", "News", "Hello"), "announce_to_senders", {}),
    ],
)
def test_what_is_done_by_hand_names_whom_and_what(
    operator: Operator, words: tuple[str, ...], verb: str, about: dict[str, str]
) -> None:
    async def sender(ctx: Any) -> Any:
        return await ctx.db.fetchval("select min(id) from shipper")

    whom = {"merchant": operator.account, "sender": operator.act(sender)}
    told = [word.format(**whom) for word in words]
    assert operator.run(*told[:-1], "\0").exit_code != 0
    before = written(operator)
    operator.told(*told)
    (row, *rest) = written(operator)
    assert rest == before[:2]
    subject = next((whom[word[1:-1]] for word in words if word.startswith("{")), None)
    assert (row[0], row[1], row[2], json.loads(row[3])) == ("shell", f"operator.{verb}", subject, about)
