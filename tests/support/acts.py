"""Pieces of upkeep work on the sample product, by name, for processes that are killed in the middle of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from daap.errors import InvalidChange, NotRegistered, TableExists
from daap.pipeline.evolve import change_schema
from daap.pipeline.lake import Lake
from daap.pipeline.manage import amend_product, create_table
from daap.pipeline.reload import reload_tables, select_tables
from daap.pipeline.remove import delete_product, remove_table
from daap.pipeline.resync import resync_product
from daap.pipeline.retention import enforce_retention
from tests.support.lakes import AMOUNT, CUSTOMER, ID, PRODUCT, TABLE, make_table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
"""The moment that retention is enforced at."""


def _resync(lake: Lake) -> None:
    for mended in resync_product(lake, PRODUCT, "bob"):
        assert mended.error is None, mended


def _change(lake: Lake, *columns: str | dict[str, object]) -> None:
    try:
        change_schema(lake, PRODUCT, TABLE, make_table(*columns), "bob")
    except InvalidChange:  # it was made before the process was killed
        _resync(lake)


def _remove(lake: Lake) -> None:
    try:
        remove_table(lake, PRODUCT, TABLE, "bob")
    except InvalidChange:
        _resync(lake)


def _delete(lake: Lake) -> None:
    try:
        delete_product(lake, PRODUCT, "bob")
    except NotRegistered:
        return


def _amend(lake: Lake) -> None:
    try:
        amend_product(lake, PRODUCT, {"domain": "new"}, "bob")
    except InvalidChange:
        _resync(lake)


def _create(lake: Lake) -> None:
    try:
        create_table(lake, PRODUCT, "things", make_table(), "bob")
    except TableExists:
        _resync(lake)


ACTS: dict[str, Callable[[Lake], object]] = {
    "a major change": lambda lake: _change(lake, "id bigint", AMOUNT),
    "a minor change": lambda lake: _change(lake, ID, CUSTOMER, AMOUNT, "extra int"),
    "metadata": _amend,
    "a new table": _create,
    "a removal": _remove,
    "a deletion": _delete,
    "a reload": lambda lake: list(reload_tables(lake, select_tables(lake, PRODUCT), "bob")),
    "a resync": _resync,
    "retention": lambda lake: list(enforce_retention(lake, PRODUCT, "bob", NOW)),
}
"""Each may be called again after it was cut short, and then goes on."""
