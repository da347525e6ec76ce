"""From parcels to their labels: which of what was booked stands where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from babel import Locale

from tradepost.domain.parcels import Address, Channel, Details, Parcel, Sheet
from tradepost.press.client import Press
from tradepost.press.label import Label, Line, Party, Sheets

_COUNTRIES: Final = Locale("en").territories
_KINDS: Final = {1: "Gift 礼品", 2: "Documents 文件", 3: "Sample 样品", 4: "Other 其他"}


class LabelPress(Press):
    """A press that is handed parcels."""

    async def print_labels(self, parcels: Sequence[Parcel], channels: Mapping[str, Channel], sheet: Sheet) -> bytes:
        """A PDF file with a label for each parcel, which all have a carrier's number. Raises PressAway."""
        labels = [label_of(parcel, channels.get(parcel.otype), sheet.local_first) for parcel in parcels]
        return await self.print(Sheets(sheet.size, tuple(labels)))


def label_of(parcel: Parcel, channel: Channel | None, local_first: bool = False) -> Label:
    """What stands on the label of a parcel, whose channel may be closed by now."""
    details: Details = parcel.details
    names = () if channel is None else (channel.channel_name, channel.channel_name_en)
    orders = ("Orders: " + ", ".join(parcel.order_ids),) if parcel.order_ids else ()
    value = sum((goods.price * goods.pieces for goods in details.goods), Decimal(0))
    return Label(
        barcode=parcel.tracking_number or "",
        channel=(f"WishPost {parcel.otype}", *names),
        country=parcel.country,
        sender=_party(details.sender, details.pickup, local_first=False),
        recipient=_party(details.recipient, details.recipient_local, local_first),
        goods=tuple(
            Line(line.name, line.name_chinese, line.pieces, f"{line.weight:.3f}", _money(line.price * line.pieces))
            for line in details.goods
        ),
        weight=f"{parcel.weight:.3f}",
        value=_money(value),
        numbers=(parcel.wish_id, *orders),
        kind=_KINDS[details.parcel_type],
        note=details.user_desc or "",
        booked=f"{parcel.created_at:%Y-%m-%d %H:%M} UTC",
    )


def _party(address: Address, other: Address | None, local_first: bool) -> Party:
    lines, others = _lines(address), () if other is None else _lines(other)
    return Party(others, lines) if others and local_first else Party(lines, others)


def _lines(address: Address) -> tuple[str, ...]:
    """An address as it is written on parcels: name, street, town, province and postal code, country, telephone."""
    region = " ".join(part for part in (address.province, address.zipcode) if part)
    town = ", ".join(part for part in (address.district, address.city, region) if part)
    country = _COUNTRIES.get(address.country, address.country)
    lines = (address.name, address.address, town, country, address.phone or "")
    return tuple(line for line in lines if line)


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
