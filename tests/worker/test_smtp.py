"""Letters by SMTP to a real server: what arrives, what is refused for good, and what is worth another try."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mailbox import HOST, Mailbox, mailbox
from tradepost.worker.smtp import LONGEST_REASON, Letter, MailLater, MailRefused, SmtpMailer

LETTER = Letter(
    message_id="0123456789abcdef01234567",
    to="ming@shop.example",
    subject="Your download is ready",
    body="Fetch it here:\n\nhttps://merchants.example/downloads/1.csv?key=" + "k" * 200 + "\n",
    at=datetime(2026, 11, 22, 10, 48, 1, tzinfo=UTC),
)
SENDER = "Tradepost <no-reply@market.example>"
LOGIN = ("mailer", "a secret")


def mailer(
    box: Mailbox, security: str = "none", login: tuple[str, str] | None = None, **more: object
) -> SmtpMailer:
    user, password = login or (None, None)
    given = {"host": HOST, "port": box.port, "security": security, "user": user, "password": password,
             "sender": SENDER, **more}  # fmt: skip
    return SmtpMailer(**given)  # type: ignore[arg-type]


def send(sender: SmtpMailer, letter: Letter = LETTER) -> None:
    asyncio.run(sender.send(letter))


def test_a_letter_arrives() -> None:
    with mailbox() as box:
        send(mailer(box))
    (arrived,) = box.letters
    assert (arrived.sender, arrived.recipients) == ("no-reply@market.example", [LETTER.to])
    assert {name: str(value) for name, value in arrived.message.items() if name != "Content-Transfer-Encoding"} == {
        "From": SENDER,
        "To": LETTER.to,
        "Subject": LETTER.subject,
        "Date": "Sun, 22 Nov 2026 10:48:01 +0000",
        "Message-ID": "<0123456789abcdef01234567@market.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "MIME-Version": "1.0",
    }
    assert arrived.text == LETTER.body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "価格が変わりました 💍\n",
        "long " * 1000,
        ".\n..\n.\n",
        "From here\n\n.",
        "a\n\n\nb\n",
        "=20 =\n",
        "\0",
        "\r",
    ],
)
def test_any_words_arrive(body: str) -> None:
    """Lines end as the server's do, and the last line always ends."""
    with mailbox() as box:
        send(mailer(box), replace(LETTER, subject="Größe 💍 " + "many words " * 20, body=body))
    (arrived,) = box.letters
    assert arrived.message["Subject"].startswith("Größe")
    assert arrived.message["Subject"].count("many words") == 20
    assert arrived.text.splitlines() == (body.splitlines() or [""])


def test_a_letter_that_is_sent_twice_says_so() -> None:
    with mailbox() as box:
        for _ in range(2):
            send(mailer(box))
        send(mailer(box), replace(LETTER, message_id="another"))
    first, second, other = (arrived.message["Message-ID"] for arrived in box.letters)
    assert first == second != other


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject="Hello\r\nBcc: everybody@shop.example"),
        replace(LETTER, subject="Hello\nBcc: everybody@shop.example"),
        replace(LETTER, subject="Hello\r"),
        replace(LETTER, subject="Hello\u2028there"),
        replace(LETTER, subject="Hello\x85there"),
        replace(LETTER, subject="Hello\0there"),
        replace(LETTER, subject="Hello\ud800there"),
        replace(LETTER, to="ming@shop.example\r\nBcc: everybody@shop.example"),
        replace(LETTER, to="ming@shop.example\n"),
        replace(LETTER, to="ming@shop.example, wang@shop.example"),
        replace(LETTER, to="ming@shop.example> SIZE=1"),
        replace(LETTER, to="Ming <ming@shop.example>"),
        replace(LETTER, to="ming"),
        replace(LETTER, to="@shop.example"),
        replace(LETTER, to="ming@"),
        replace(LETTER, to=""),
        replace(LETTER, to="friends: ming@shop.example;"),
        replace(LETTER, message_id="1@shop.example>\r\nBcc: <x"),
        replace(LETTER, message_id="1> <2"),
        replace(LETTER, body="half a character: \ud800"),
    ],
)
def test_a_letter_that_is_none_is_refused(letter: Letter) -> None:
    """Before anybody is asked: nothing that a merchant writes becomes a header or a command."""
    with mailbox() as box:
        with pytest.raises(MailRefused):
            send(mailer(box), letter)
        assert box.letters == []


@given(
    to=st.one_of(
        st.text(max_size=30),
        st.text(max_size=20).map(lambda text: f"{text}@shop.example"),
        st.text(alphabet="@<>,;:\"'()[] \\.a\u00e9=?_\t\r\n", max_size=20),
    ),
    subject=st.text(max_size=100),
)
def test_no_text_becomes_another_header(to: str, subject: str) -> None:
    """Whatever is in address and subject, the letter has its headers and goes to one address."""
    made = SmtpMailer(HOST, 1, "none", None, None, SENDER)
    try:
        message = made._message(replace(LETTER, to=to, subject=subject))
    except MailRefused:
        return
    head, _, _ = message.as_bytes().partition(b"\n\n")
    names = [line.partition(b":")[0] for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))]
    assert names == [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Content-Type",
                     b"Content-Transfer-Encoding", b"MIME-Version"]  # fmt: skip
    assert len(message["To"].addresses) == 1


@pytest.mark.parametrize("field", ["to_recipient", "to_letter"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 5.1.1 Nobody of that name", MailRefused),
        ("552 5.2.2 Mailbox full", MailRefused),
        ("450 4.2.0 Greylisted, come back", MailLater),
        ("451 4.3.0 Trouble here", MailLater),
        ("421 4.3.2 Closing", MailLater),
        ("530 5.7.0 Authentication required", MailLater),
    ],
)
def test_what_the_server_says(field: str, answer: str, expected: type[Exception]) -> None:
    with mailbox() as box:
        setattr(box, field, answer)
        with pytest.raises(expected) as raised:
            send(mailer(box))
        assert box.letters == []
        if isinstance(raised.value, MailRefused):
            assert raised.value.reason == str(raised.value) == answer
        setattr(box, field, "250 OK")
        send(mailer(box))
        assert len(box.letters) == 1


def test_a_sender_that_is_refused_is_no_fault_of_the_letter() -> None:
    with mailbox() as box:
        box.to_sender = "550 5.7.1 Not from you"
        with pytest.raises(MailLater):
            send(mailer(box))


def test_a_reason_is_one_line() -> None:
    assert MailRefused("550 no\r\n550-really\tnot").reason == "550 no 550-really not"
    assert len(MailRefused("x" * 1000).reason) == LONGEST_REASON


def test_a_letter_whose_answer_was_lost_is_sent_again() -> None:
    """It arrived, and nobody said so: the second one has the same id."""
    with mailbox() as box:
        box.to_letter = ""
        with pytest.raises(MailLater):
            send(mailer(box))
        box.to_letter = "250 OK"
        send(mailer(box))
    assert len({arrived.message["Message-ID"] for arrived in box.letters}) == 1
    assert len(box.letters) == 2


def test_a_server_that_is_not_there() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MailLater):
        send(SmtpMailer(HOST, port, "none", None, None, SENDER))


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_server_that_says_nothing(security: str) -> None:
    with mailbox() as box:
        box.silent = True
        with pytest.raises(MailLater):
            send(mailer(box, security, timeout_seconds=0.2))


def test_a_sender_that_is_cancelled_lets_go() -> None:
    async def act(box: Mailbox) -> None:
        task = asyncio.create_task(mailer(box).send(LETTER))
        await asyncio.wait([task], timeout=0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with mailbox() as box:
        box.silent = True
        asyncio.run(act(box))


# -- encrypted, and logged in


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_encrypted_letter(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with mailbox(security, LOGIN) as box:  # type: ignore[arg-type]
        monkeypatch.setenv("SSL_CERT_FILE", str(box.authority))
        send(mailer(box, security, LOGIN))
        assert [arrived.encrypted for arrived in box.letters] == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_cannot_be_trusted(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a server with a certificate of an authority unknown here, or of another name."""
    with mailbox(security, LOGIN) as box:  # type: ignore[arg-type]
        with pytest.raises(MailLater):
            send(mailer(box, security, LOGIN))
        monkeypatch.setenv("SSL_CERT_FILE", str(box.authority))
        with pytest.raises(MailLater):
            send(mailer(box, security, LOGIN, host="localhost"))
        assert box.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_without_encryption_gets_nothing(security: str) -> None:
    with mailbox() as box:
        with pytest.raises(MailLater):
            send(mailer(box, security, timeout_seconds=2))
        assert box.letters == []


def test_a_login_that_is_wrong_or_missing_is_for_an_operator_to_mend() -> None:
    with mailbox(login=LOGIN) as box:
        for login in (None, (LOGIN[0], "wrong")):
            with pytest.raises(MailLater):
                send(mailer(box, login=login))
        assert box.letters == []
        send(mailer(box, login=LOGIN))
        assert len(box.letters) == 1


@pytest.mark.parametrize(
    "sender", ["", "Tradepost", "a@market.example, b@market.example", "a@market.example\r\nX: 1"]
)
def test_a_sender_that_is_none(sender: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|characters"):
        SmtpMailer(HOST, 25, "none", None, None, sender)
