"""What tokens can open, service by service; whoever only wants to know this need not know the endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from tradepost.surfaces.merchant_v2 import surface as merchant_v2
from tradepost.surfaces.operator_v1 import surface as operator_v1
from tradepost.surfaces.wishpost_v3 import surface as wishpost_v3

SCOPES: Mapping[str, Mapping[str, str]] = {"merchant": merchant_v2.SCOPES, "wishpost": wishpost_v3.SCOPES}
"""What each service's tokens can open, in words."""

OPERATOR_SCOPES: Mapping[str, str] = operator_v1.SCOPES
"""What an operator's tokens can open, in words."""
