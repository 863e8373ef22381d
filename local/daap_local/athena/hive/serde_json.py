"""The two JSON serdes: an object a line.

Both decode row by row into the tables' own types. They differ in how much they forgive. Arrow's own reader of JSON is
no shortcut: there is text on which it ends the process.
Sources: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html, .../hive-json-serde.html, and the
behaviour of Trino's readers (trino-hive-formats, line/json and line/openxjson with its README).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.json_hive import HiveJson
from daap_local.athena.hive.json_openx import OpenXJson
from daap_local.athena.hive.lenient_json import InvalidJson
from daap_local.athena.hive.scalars import arrow_type
from daap_local.athena.hive.types import HiveType

_Row = Sequence[Any] | None


class JsonDecoder:
    """Blocks of lines into the wanted columns, each given by its place in the table, its name and its type."""

    def __init__(
        self, openx: bool, properties: Mapping[str, str], columns: Sequence[tuple[int, str, HiveType]]
    ) -> None:
        self._types = [arrow_type(type_) for _, _, type_ in columns]
        self._row: Callable[[str], _Row] = (OpenXJson if openx else HiveJson)(properties, columns)
        self._forgiving = properties.get("ignore.malformed.json", "").lower() == "true"

    def __call__(self, block: bytes) -> tuple[int, list[pa.Array]]:
        """How many rows, and the wanted columns. Raises AthenaFault for a row that cannot be read."""
        rows = [self._read(line) for line in block.decode().split("\n")[:-1]]
        columns = zip(*rows, strict=True) if rows else ((),) * len(self._types)
        return len(rows), [_array(values, type_) for values, type_ in zip(columns, self._types, strict=False)]

    def _read(self, line: str) -> Sequence[Any]:
        try:
            row = self._row(line)
        except InvalidJson as error:
            if not self._forgiving:
                raise AthenaFault(
                    "HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - JSONException: {error}"
                ) from error
            row = None
        except ValueError as error:
            raise AthenaFault("HIVE_BAD_DATA", f"Failed to parse value: {error}") from error
        return (None,) * len(self._types) if row is None else row


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, type_)
    except (pa.ArrowInvalid, OverflowError) as error:
        raise AthenaFault("HIVE_BAD_DATA", f"Failed to parse value: {error}") from error
