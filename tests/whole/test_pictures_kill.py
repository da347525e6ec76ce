"""A catalogue's pictures come, each once, whoever is killed meanwhile.

A host on loopback serves a picture for every URL of many products, but for one in fifty that fails in one of the
ways in which hosts fail; some are down the first time only. The workers are killed while they fetch. In the end
every good picture is stored and shown once, at its place, and every bad one is reported once and shown nowhere.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_pictures_kill --size full --seed 7
"""

from __future__ import annotations

import io
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.support.jobs import Auditor, Crew, Figure, Finding, ask, auditing
from tests.support.outside import ODD, Host, Script, answer, host, redirect
from tests.support.program import Client, Program, serving, wait_until

PICTURES = 5
SETTLE_SECONDS = 900.0
HOLDER = "select worker from job where kind = 'picture_fetch' and state = 'running' and worker is not null limit 1"

# The ways in which one in fifty fails, and what the merchant is told.
BAD = {
    **dict.fromkeys(
        ("gone", "gzip", "upgrade", "no-http", "endless", "huge-redirect", "inside", "metadata", "long-length"),
        "unreachable",
    ),
    "page": "unreadable",
    "truncated": "unreadable",
    "webp": "unreadable",
    "small": "too_small",
    "bomb": "too_large",
}
DOWN_FIRST = 17  # each so-manyth good one answers 503 the first time


@dataclass(frozen=True)
class Size:
    """How many products, and how many kills."""

    products: int
    kills: int


@dataclass
class Catalogue:
    """What the host serves, by the number of a picture."""

    count: int
    seed: int
    bad: Mapping[int, str] = field(init=False)
    seen: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        source = random.Random(self.seed)
        chosen = source.sample(range(self.count), self.count // 50)
        self.bad = {number: list(BAD)[at % len(BAD)] for at, number in enumerate(chosen)}

    def play(self, target: str) -> Script:
        """Answer for `/p/<number>.jpg`."""
        number = int(target.rpartition("/")[2].partition(".")[0])
        self.seen[number] += 1
        if number in self.bad:
            yield from _bad(self.bad[number])
        elif number % DOWN_FIRST == 0 and self.seen[number] == 1:
            yield answer(b"", status="503 Service Unavailable")
        else:
            yield answer(picture(number), "Content-Type: image/jpeg")


def picture(number: int) -> bytes:
    """A picture of three bands that tells its number in their colours, so that it can be told again."""
    made = Image.new("RGB", (120, 120))
    for band in range(3):
        made.paste(_color(number >> (6 * band)), (0, 40 * band, 120, 40 * band + 40))
    out = io.BytesIO()
    made.save(out, "JPEG", quality=95)
    return out.getvalue()


def _color(number: int) -> tuple[int, int, int]:
    red, green, blue = (40 + 60 * ((number >> shift) & 3) for shift in (0, 2, 4))
    return red, green, blue


def number_in(data: bytes) -> int:
    """What a picture tells."""
    with Image.open(io.BytesIO(data)) as opened:
        made = opened.convert("RGB")
    found = 0
    for band in range(3):
        levels = made.getpixel((60, 40 * band + 20))
        assert isinstance(levels, tuple)
        found |= sum(round((level - 40) / 60) << (2 * at) for at, level in enumerate(levels)) << (6 * band)
    return found


def _bad(way: str) -> Script:
    match way:
        case "gone" | "gzip" | "upgrade" | "no-http" | "endless" | "long-length":
            return ODD[f"/{way}"]()
        case "huge-redirect":
            return iter([redirect("http://127.0.0.1/" + "a" * 5000)])
        case "inside":
            return iter([redirect("http://127.0.0.1:1/")])
        case "metadata":
            return iter([redirect("http://169.254.169.254/latest/meta-data/", "301 Moved")])
        case "page":
            return iter([answer(b"<!doctype html><p>Not found", "Content-Type: image/jpeg")])
        case "truncated":
            return iter([answer(picture(1)[:-200])])
        case "webp":
            return iter([answer(_encoded("WEBP", (200, 200)))])
        case "small":
            return iter([answer(_encoded("JPEG", (100, 99)))])
        case "bomb":
            return iter([answer(_encoded("PNG", (13_000, 13_000), "1"))])
    raise AssertionError(way)


_made: dict[tuple[object, ...], bytes] = {}


def _encoded(kind: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    key = (kind, size, mode)
    if key not in _made:
        out = io.BytesIO()
        Image.new(mode, size).save(out, kind)
        _made[key] = out.getvalue()
    return _made[key]


def run(size: Size, seed: int, spoil: str | None) -> Finding:
    """Fill a shop, kill its workers while its pictures come, and look at what came of it."""
    source = random.Random(seed)
    goods = Catalogue(size.products * PICTURES, seed)
    with host(goods.play) as outside, serving(
        spoiled=spoil, egress_allow=f'["127.0.0.1:{outside.port}"]'
    ) as running, auditing(running) as auditor:  # fmt: skip
        member = running.credentials()["merchants"][0]
        crew = Crew(running, auditor, source, ours=1)
        began = time.monotonic()
        with Client(running.merchant, member["access_token"]) as client:
            ids = _fill(client, size.products, outside)
        struck = _kill_meanwhile(auditor, crew, member["id"], size.kills, goods.count, source)
        wait_until(lambda: not _waiting(auditor, member["id"]), SETTLE_SECONDS, "the last picture")
        took = time.monotonic() - began
        with Client(running.merchant, member["access_token"]) as client:
            wrong = [*_judge_shown(client, ids, goods), *_judge_told(auditor, member["id"], goods, outside)]
        wrong += _judge_files(running, auditor)
        assert running.stop() == 0
    told = {
        "pictures": goods.count,
        "bad": len(goods.bad),
        "kills": struck,
        "fetched": sum(goods.seen.values()),
        "per-second": round(goods.count / took, 1),
    }
    return Finding(wrong, struck == size.kills, told)


def _fill(client: Client, products: int, outside: Host) -> list[str]:
    """Products of five pictures each: one main, three extra ones, one of a variation."""
    ids = []
    for number in range(products):
        urls = [outside.url(f"/p/{number * PICTURES + at}.jpg") for at in range(PICTURES)]
        added = ask(
            client, "product/add", name="Ring", description="A ring.", sku=f"p{number}", inventory=3, price="4.90",
            shipping="1", main_image=urls[0], extra_images="|".join(urls[1:4]), color="red",
        )  # fmt: skip
        ask(client, "variant/add", parent_sku=f"p{number}", sku=f"v{number}", color="blue", inventory=1, price="1",
            main_image=urls[4])  # fmt: skip
        ids.append(str(added["Product"]["id"]))
    return ids


def _waiting(auditor: Auditor, merchant_id: str) -> int:
    return int(
        auditor.value("select count(*) from picture where merchant_id = $1 and state = 'waiting'", merchant_id)
    )


def _kill_meanwhile(
    auditor: Auditor, crew: Crew, merchant_id: str, kills: int, count: int, source: random.Random
) -> int:
    """Kill a worker that has pictures in hand, spread over the time that they take."""
    struck = 0
    for number in range(kills):
        left = count * (kills - number) // (kills + 1)
        wait_until(lambda left=left: _waiting(auditor, merchant_id) <= left, SETTLE_SECONDS, "pictures")  # type: ignore[misc]
        time.sleep(source.uniform(0, 0.05))  # the moment must be anybody's guess
        holder = auditor.value(HOLDER)
        pid = None if holder is None else crew.pid_of(holder)
        if pid is not None:
            crew.kill_worker(pid)
            struck += 1
    return struck


def _judge_shown(client: Client, ids: list[str], goods: Catalogue) -> Iterator[str]:
    shown: list[str] = []
    base = client.get("/livez")
    assert base.status == 200
    for number, product_id in enumerate(ids):
        product = ask(client, "product", id=product_id)["Product"]
        blue = ask(client, "variant", sku=f"v{number}")["Variant"]
        first = number * PICTURES
        wanted = [at for at in range(first, first + PICTURES) if at not in goods.bad]
        urls = [product["main_image"], *(product["extra_images"].split("|") if product["extra_images"] else [])]
        if blue["main_image"] != product["main_image"]:
            urls.append(blue["main_image"])
        urls = [url for url in urls if not url.endswith("/None.jpg")]
        paths = ["/" + url.split("/", 3)[3] for url in urls]
        found = []
        for path in paths:
            reply = client.get(path)
            found.append(number_in(reply.body) if reply.status == 200 else reply.status)
        if found != wanted:
            yield f"product {number} shows {found} and not {wanted}: {urls}"
        shown += urls
    twice = [url for url, times in Counter(shown).items() if times > 1]
    if twice:
        yield f"shown by two: {twice[:5]}"


def _judge_told(auditor: Auditor, merchant_id: str, goods: Catalogue, outside: Host) -> Iterator[str]:
    told = Counter(
        (row["url"], row["reason"])
        for row in auditor.rows(
            "select about->>'url' as url, about->>'reason' as reason from notification "
            "where merchant_id = $1 and topic = 'picture_failed'",
            merchant_id,
        )
    )
    wanted = Counter((outside.url(f"/p/{number}.jpg"), BAD[way]) for number, way in goods.bad.items())
    for what in (told - wanted) + (wanted - told):
        yield f"told {told[what]} times: {what}, {goods.bad.get(int(what[0].rpartition('/')[2][:-4]))}"


def _judge_files(running: Program, auditor: Auditor) -> list[str]:
    """Two files for each picture, one for each video, and nothing else."""
    rows = auditor.rows("select name, kind from picture where state = 'stored'")
    wanted = set()
    for row in rows:
        stem, _, extension = row["name"].rpartition(".")
        wanted.add(f"{stem}/full.{extension}")
        if row["kind"] == "picture":
            wanted.add(f"{stem}/small.{extension}")
    folder: Path = running.folder / "files" / "pictures"
    found = {str(file.relative_to(file.parents[1])) for file in folder.rglob("*") if file.is_file()}
    return [f"{'missing' if name in wanted else 'left behind'}: {name}" for name in sorted(wanted ^ found)]


A04: Figure[Size] = Figure(
    "A04",
    "lost-doubled-or-untold",
    run,
    {"smoke": Size(40, 3), "full": Size(1000, 3)},
    mutant="pictures_settled_apart",
)


def test_pictures_come_once_whoever_is_killed() -> None:
    seed = random.randrange(1 << 16)
    found = run(Size(40, 3), seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


if __name__ == "__main__":
    sys.exit(A04.main(__doc__))
