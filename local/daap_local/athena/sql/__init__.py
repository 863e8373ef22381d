"""Athena's SELECT (Trino's semantics) on DuckDB: what is translated is right, everything else is refused by name."""

from daap_local.athena.sql.macros import install
from daap_local.athena.sql.model import Relation, Resolver, ResultColumn, Scan, Translated, View
from daap_local.athena.sql.runtime import fault_of
from daap_local.athena.sql.translation import inserted, translate, view_text
from daap_local.athena.sql.types import Metadata, Type, duckdb_type, hive_type, metadata, parse_type

__all__ = [
    "Metadata", "Relation", "Resolver", "ResultColumn", "Scan", "Translated", "Type", "View", "duckdb_type", "fault_of",
    "hive_type", "inserted", "install", "metadata", "parse_type", "translate", "view_text",
]  # fmt: skip
