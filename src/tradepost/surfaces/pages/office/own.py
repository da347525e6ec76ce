"""What operators do for their own safety: the second factor, and showing who they are; as everybody does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradepost.surfaces.pages.account import security
from tradepost.surfaces.pages.navigation import Page
from tradepost.surfaces.pages.office.desk import ROOT
from tradepost.surfaces.pages.signing import SIGN_IN_CODE, enter_code, show_code
from tradepost.surfaces.pages.visit import PROVE

HERE: Final = ROOT + security.ACCOUNT

PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    HERE: {"GET": security.show_account},
    ROOT + security.FACTOR: {"GET": security.show_factor, "POST": security.change_factor},
    ROOT + PROVE: {"GET": security.show_prove, "POST": security.prove},
    ROOT + SIGN_IN_CODE: {"GET": show_code, "POST": enter_code},
}
