"""Hive's side of Athena: its statements, tables, types, partitions and file formats."""

from daap_local.athena.hive.router import parse_statement

__all__ = ["parse_statement"]
