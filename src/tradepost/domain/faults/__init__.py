"""Faults on demand; only a sandbox has any."""

from tradepost.domain.faults.failures import FaultNotFound, FaultUnusable
from tradepost.domain.faults.fault import KINDS, Fault, FaultKind, NewFault
from tradepost.domain.faults.operations import drop_faults, list_faults, meet, set_fault

__all__ = [
    "KINDS",
    "Fault",
    "FaultKind",
    "FaultNotFound",
    "FaultUnusable",
    "NewFault",
    "drop_faults",
    "list_faults",
    "meet",
    "set_fault",
]
