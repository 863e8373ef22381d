"""CREATE, DROP and ALTER DATABASE; SCHEMA means the same.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-database.html
"""

from __future__ import annotations

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.statements import CreateDatabase, DropDatabase, SetDatabaseProperties


def create_database(cursor: Cursor) -> CreateDatabase:
    """Reads what follows CREATE DATABASE. Raises SyntaxFault."""
    if_not_exists = cursor.if_not_exists()
    name = cursor.name()
    comment = cursor.text() if cursor.accept("COMMENT") else None
    location = cursor.text() if cursor.accept("LOCATION") else None
    properties = cursor.properties() if cursor.accept("WITH", "DBPROPERTIES") else {}
    cursor.finish()
    return CreateDatabase(name, if_not_exists, comment, location, properties)


def drop_database(cursor: Cursor) -> DropDatabase:
    """Reads what follows DROP DATABASE. Raises SyntaxFault."""
    if_exists = cursor.if_exists()
    name = cursor.name()
    cascade = cursor.accept_any("RESTRICT", "CASCADE") == "CASCADE"
    cursor.finish()
    return DropDatabase(name, if_exists, cascade)


def alter_database(cursor: Cursor) -> SetDatabaseProperties:
    """Reads what follows ALTER DATABASE. Raises SyntaxFault, AthenaFault."""
    name = cursor.name()
    if not cursor.accept("SET", "DBPROPERTIES"):
        raise unsupported("this ALTER DATABASE")
    properties = cursor.properties()
    cursor.finish()
    return SetDatabaseProperties(name, properties)
