"""The statements of the query engine that hold a query: CTAS, INSERT, UNLOAD, views, prepared statements.

Source: https://docs.aws.amazon.com/athena/latest/ug/dml-queries-functions-operators.html
"""

from __future__ import annotations

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.hive.queries import QUERY_WORDS, checked_query
from daap_local.athena.hive.tokens import Kind
from daap_local.athena.statements import (
    CreateTableAs,
    CreateView,
    Deallocate,
    DropView,
    Execute,
    InsertInto,
    Unload,
)

Properties = dict[str, str | tuple[str, ...]]


def create_table_as(cursor: Cursor) -> CreateTableAs:
    """Reads what follows CREATE TABLE, where a query follows. Raises SyntaxFault, AthenaFault."""
    if_not_exists = cursor.if_not_exists()
    name = cursor.table()
    if cursor.ahead("("):
        raise unsupported("CREATE TABLE with a list of columns and without EXTERNAL")
    comment = cursor.text() if cursor.accept("COMMENT") else None
    properties = with_properties(cursor) if cursor.accept("WITH") else {}
    cursor.expect("AS")
    query, with_data = _without_data_clause(cursor)
    return CreateTableAs(name, query, properties, with_data, if_not_exists, comment)


def _without_data_clause(cursor: Cursor) -> tuple[str, bool]:
    tokens = cursor.remaining()
    words = [token.text.upper() for token in tokens[-3:]]
    dropped = 3 if words == ["WITH", "NO", "DATA"] else 2 if words[-2:] == ["WITH", "DATA"] else 0
    return checked_query(cursor, len(tokens) - dropped), dropped != 3  # noqa: PLR2004 (WITH NO DATA is three words)


def with_properties(cursor: Cursor) -> Properties:
    """Reads `(name = value, ...)`; ARRAY[...] becomes a tuple of texts. Raises SyntaxFault."""
    return dict(cursor.listed(lambda: _property(cursor)))


def _property(cursor: Cursor) -> tuple[str, str | tuple[str, ...]]:
    name = cursor.name()
    cursor.expect("=")
    if not cursor.accept("ARRAY"):
        return name, cursor.literal()
    cursor.expect("[")
    items = []
    while not cursor.accept("]"):
        items.append(cursor.literal())
        if not cursor.ahead("]"):
            cursor.expect(",")
    return name, tuple(items)


def insert_into(cursor: Cursor) -> InsertInto:
    """Reads what follows INSERT INTO. Raises SyntaxFault."""
    name = cursor.table()
    columns: tuple[str, ...] = ()
    if cursor.ahead("(") and not any(cursor.ahead("(", word) for word in QUERY_WORDS):
        columns = tuple(cursor.listed(cursor.name))
    return InsertInto(name, checked_query(cursor), columns)


def unload(cursor: Cursor) -> Unload:
    """Reads what follows UNLOAD. Raises SyntaxFault."""
    cursor.expect("(")
    query = checked_query(cursor, cursor.closing())
    cursor.expect(")")
    cursor.expect("TO")
    to = cursor.text()
    properties = with_properties(cursor) if cursor.accept("WITH") else {}
    cursor.finish()
    return Unload(query, to, properties)


def create_view(cursor: Cursor, or_replace: bool) -> CreateView:
    """Reads what follows CREATE VIEW. Raises SyntaxFault, AthenaFault."""
    name = cursor.table()
    if cursor.ahead("(") or cursor.ahead("SECURITY"):
        raise unsupported("CREATE VIEW with " + ("a list of columns" if cursor.ahead("(") else "SECURITY"))
    comment = cursor.text() if cursor.accept("COMMENT") else None
    cursor.expect("AS")
    last = cursor.remaining()[-1:]
    query = checked_query(cursor)
    blank = cursor.sql[last[0].end :]
    return CreateView(name, query + blank if blank.isspace() else query, or_replace, comment)


def drop_view(cursor: Cursor) -> DropView:
    """Reads what follows DROP VIEW. Raises SyntaxFault."""
    if_exists = cursor.if_exists()
    name = cursor.table()
    cursor.finish()
    return DropView(name, if_exists)


def execute(cursor: Cursor) -> Execute:
    """Reads what follows EXECUTE. Raises SyntaxFault, AthenaFault."""
    if cursor.ahead("IMMEDIATE"):
        raise unsupported("EXECUTE IMMEDIATE")
    name = cursor.name()
    if not cursor.accept("USING"):
        cursor.finish()
        return Execute(name)
    values = [_argument(cursor)]
    while cursor.accept(","):
        values.append(_argument(cursor))
    cursor.finish()
    return Execute(name, tuple(values))


def _argument(cursor: Cursor) -> str:
    first, depth = cursor.current, 0
    last = first
    while not cursor.done and (depth or not cursor.ahead(",")):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(cursor.current.text, 0)
        last = cursor.take()
    if last is first and first.kind is Kind.MARK:
        raise cursor.wrong("expression")
    return cursor.sql[first.start : last.end]


def deallocate(cursor: Cursor) -> Deallocate:
    """Reads what follows DEALLOCATE. Raises SyntaxFault."""
    cursor.accept("PREPARE")
    name = cursor.name()
    cursor.finish()
    return Deallocate(name)
