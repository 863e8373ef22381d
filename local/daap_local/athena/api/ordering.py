"""The order in which Glue answers a table's parameters: that of a Java HashMap, on which clients' texts depend.

Source: awswrangler's generate_create_query, whose tests compare whole texts with what AWS answers.
"""

from __future__ import annotations

from daap_local.athena.catalog.port import Json

_LEAST_SLOTS = 16
_LOAD = 0.75
_WORD = 0xFFFFFFFF
_HALF = 16


def ordered(table: Json) -> Json:
    """The table with its parameters in that order."""
    given: Json = table.get("Parameters") or {}
    slots = _LEAST_SLOTS
    while len(given) > slots * _LOAD:
        slots *= 2
    return {**table, "Parameters": dict(sorted(given.items(), key=lambda pair: (_mixed(pair[0]) & (slots - 1), pair)))}


def _mixed(text: str) -> int:
    """Java's String.hashCode, its halves mixed as HashMap does."""
    code = 0
    units = text.encode("utf-16-be")
    for at in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[at : at + 2])) & _WORD
    return code ^ (code >> _HALF)
