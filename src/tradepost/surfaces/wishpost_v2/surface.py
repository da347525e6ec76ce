"""The surface of WishPost API v2: what all its endpoints have in common.

Tokens, scopes and limits are those of v3. So are the failures, told under the codes that clients of this generation
know, and with HTTP status 200 where the call itself is to blame: they read `status` of a 200 and nothing else.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3
from tradepost.surfaces.wishpost_v3.surface import LOCALES, SCOPES
from tradepost.wire.endpoint import Surface
from tradepost.wire.failures import load_table, retold

HTTP: Final = {400: 200, 401: 200, 403: 200}
CODES: Final = {1020: 4000, 1100: 1000, 1101: 1000, 1102: 4000}
"""By the code of v3: 4000 for an unknown token and a header that is none, 1000 for what is wrong in a body."""

api = Surface(
    name="wishpost_v2",
    title="WishPost API",
    version="2",
    prefix="/api/v2",
    table=retold(wishpost_v3.table, load_table(resources.files(__package__), LOCALES), HTTP, CODES),
    failure_base=wishpost_v3.failure_base,
    common_failures=wishpost_v3.common_failures,
    scopes=SCOPES,
    default_limits=wishpost_v3.default_limits,
    token_parameter="access_token",
    older_of=wishpost_v3.name,
)
