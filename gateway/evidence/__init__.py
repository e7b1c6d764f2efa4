"""Evidence: who took which evidence out of the house, about whom, and why. The evidence itself is made in its corridor.

Owns: evidence_export
Reads:
Never: the file (only its digest), nor what stands in it
"""

from gateway.evidence.exports import (
    Export,
    insert_export,
    list_exports,
    list_exports_between,
    list_happenings,
)

__all__ = [
    "Export",
    "insert_export",
    "list_exports",
    "list_exports_between",
    "list_happenings",
]
