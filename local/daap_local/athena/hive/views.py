"""Views as Glue keeps them: JSON in base64 within a comment.

Source: https://trino.io/docs/current/connector/hive.html (Presto views); what Athena writes has the same shape.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from daap_local.athena.faults import AthenaFault

EXPANDED_TEXT = "/* Presto View */"
VIEW_PARAMETERS = (("comment", "Presto View"), ("presto_view", "true"))
_BEFORE, _AFTER = "/* Presto View: ", " */"


def encode_view(sql: str, database: str, columns: Sequence[tuple[str, str]], catalog: str = "awsdatacatalog") -> str:
    """Glue's ViewOriginalText of a view; `columns` are names with Presto types."""
    content = {
        "originalSql": sql,
        "catalog": catalog,
        "schema": database,
        "columns": [{"name": name, "type": type_} for name, type_ in columns],
    }
    return _BEFORE + base64.b64encode(json.dumps(content).encode()).decode() + _AFTER


def decode_view(text: str) -> tuple[str, str | None, tuple[tuple[str, str], ...]]:
    """The SQL of a ViewOriginalText, the database its bare names are in, and its columns. Raises AthenaFault."""
    if not text.startswith(_BEFORE.rstrip()):
        raise AthenaFault("INVALID_VIEW", "the view was not made by Athena")
    try:
        content: dict[str, Any] = json.loads(base64.b64decode(text[len(_BEFORE) : -len(_AFTER)], validate=True))
        columns = tuple((column["name"], column["type"]) for column in content.get("columns", ()))
        return str(content["originalSql"]), content.get("schema"), columns
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AthenaFault("INVALID_VIEW", f"the view's text cannot be read: {error}") from error
