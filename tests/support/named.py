"""What the world of the tests has, by the ids it has there; which shop's is told by the key of the cast."""

from __future__ import annotations

# The jobs of the world, both finished, by the shop that has them.
BULK_JOBS = {who: f"60a4d0c1{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
DOWNLOAD_JOBS = {who: f"60a4d0c2{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
# The country for which a shop has an Express warehouse.
EXPRESS = {"usd": "US", "cny": "US", "eur": "DE"}

# A JPEG of 120 x 100, blue on the left and red on the right.
JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71"
    "////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4"
    "+Pj4+Pj4+Pj/wAARCABkAHgDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAMF/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/E"
    "ABYBAQEBAAAAAAAAAAAAAAAAAAAFAv/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AM8BQYAAAAAAXASlMAAAAABA"
    "BVTAAAAAAFwEpTAAAAAAQAVUwAAAAABcBKUwAAAAAEAFVMAAAAAAXASlMAAAAABABVTAAAAAAFwEpTAAAAAAQAVUwAAAAABcBKUw"
    "AAAAAEAFVMAAAAAAXASlMAAAAAB//9k="
)
# The ids of a ring of the world and its green variation, of a scarf and its only one, and of the warehouse that
# rings are returned to, by the shop.
ORDER_JOBS = {who: f"60a4d0c7{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
RINGS = {
    "usd": ("d5f4b3b2e4b06ce60741c7a8", "9b810e766ec9d28663ca828d"),
    "cny": ("701966a0c381e88f38c0c8fd", "8d88348a7eed8d14f06d3fef"),
    "eur": ("efba91fc803468b6b610a9f7", "81f9c1f66c0f3459f79b17ae"),
}
SCARVES = {
    "usd": ("3a902931cd447e35b8b6d8fe", "1a2b8f1ff1fd42a29755d4c1"),
    "cny": ("4a2f20aaf3c64af775a89294", "6a8ac4ba05805975ed2f89d9"),
    "eur": ("e1ea24c4f9341c68966baea1", "f0dfb4a5d8a064df7fd63116"),
}
# A notification of the shop, its infractions (new, with the marketplace, closed, with the merchant), and who looks
# after it.
NOTIFICATIONS = {who: f"60a4d0c5{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
INFRACTIONS = {
    who: tuple(f"60a4d0c7{number:08x}{place:08x}" for place in range(1, 5))
    for number, who in enumerate(("usd", "cny", "eur"), start=1)
}
# Its tickets: three that await the merchant, the third before a purchase, one that is closed, one with support.
TICKETS = {
    who: tuple(f"60a4d0ca{number:08x}{place:08x}" for place in range(16, 21))
    for number, who in enumerate(("usd", "cny", "eur"), start=1)
}
# Its webhook, and what that was told.
WEBHOOKS = {who: f"60a4d0cb{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
DELIVERIES = {who: f"60a4d0cc{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}
MANAGER = "60a4d0c00000000000000001"
RETURN_WAREHOUSES = {who: f"60a4d0c3{number:016x}" for number, who in enumerate(("usd", "cny", "eur"), start=1)}

# The orders of the world by shop: two that were bought together and wait, one that is on its way, one that the
# carrier has delivered, one that was refunded, one that is still under review.
ORDER_KINDS = ("open", "combined", "shipped", "delivered", "refunded", "review")
ORDERS = {
    who: {kind: f"60a4d0c5{place:08x}{number:08x}" for place, kind in enumerate(ORDER_KINDS, start=1)}
    for number, who in enumerate(("usd", "cny", "eur"), start=1)
}

# The parcels of the senders by the state that they are in.
SENDERS = ("lan", "ada")
STATES = ("booked", "numbered", "handed_over", "in_transit", "delivered", "cancelled", "refused")
PARCELS = {
    who: {state: f"60a4d0c{5 + place}{number:016x}" for number, state in enumerate(STATES, start=1)}
    for place, who in enumerate(SENDERS)
}
