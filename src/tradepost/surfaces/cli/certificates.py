"""`tradepost ca`: what clients have to trust, to call by HTTPS under the names of the original."""

from __future__ import annotations

from datetime import UTC, datetime

from tradepost.authority import Authority
from tradepost.settings import load_settings


def ca() -> None:
    """Where the certificate of the local authority is, which clients have to trust for `serve --tls`."""
    settings = load_settings()
    found = Authority(settings.data, settings.certified_hosts).certify(datetime.now(UTC))
    print(f"{found.authority}")
    print(f"good until   {found.ends:%Y-%m-%d}")
    print(f"SHA-256      {found.fingerprint}")
    print(f"vouches for  {', '.join((*settings.certified_hosts, 'this machine'))}")
