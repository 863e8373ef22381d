"""SQL over the curated tables, by Athena."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from daap.errors import InvalidQuery, NotRegistered
from daap.model.loads import TableRef
from daap.ports.catalogue import Catalogue
from daap.ports.query import ArrowStream, QueryEngine
from daap_cloud.athena.runner import AthenaRunner

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
"""What a statement that only reads begins with: in Athena's grammar nothing else does.

Source: https://github.com/trinodb/trino/blob/master/core/trino-grammar/src/main/antlr4/io/trino/grammar/sql/SqlBase.g4
"""
_TOKEN = re.compile(
    r"""(?P<gap>\s+|--[^\n]*|/\*.*?\*/)|(?P<end>;)|(?P<word>\w+)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|.""", re.DOTALL
)
_SHOWN = 10


class AthenaQuery(QueryEngine):
    """Athena over the tables in Glue; a small result comes by its API, a large one is read from its file."""

    def __init__(self, runner: AthenaRunner, catalogue: Catalogue, store: S3Client) -> None:
        self._runner, self._catalogue, self._store = runner, catalogue, store

    def query(self, sql: str) -> ArrowStream:
        """See QueryEngine. Only one statement that reads is run."""
        from daap_cloud.athena.results import read_result  # noqa: PLC0415 - pyarrow is slow to import

        try:
            execution = self._runner.run(_single_statement(sql))
        except NotRegistered as error:
            raise NotRegistered(f"{error}; {self._list_tables()}") from None
        result: ArrowStream = read_result(execution, self._runner.client, self._store)
        return result

    def preview(self, ref: TableRef, rows: int) -> ArrowStream:
        """See QueryEngine."""
        self._catalogue.table(ref.database, ref.table)
        # The names are checked where the ref is made: they hold no quote.
        return self.query(f'SELECT * FROM "{ref.database}"."{ref.table.lower()}_latest" LIMIT {rows:d}')  # noqa: S608

    def _list_tables(self) -> str:
        """The tables there are, in words; the first ten."""
        names = [f"{entry.ref.database}.{entry.ref.table}" for entry in self._catalogue.tables()]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"there are {', '.join(names[:_SHOWN])}{more}" if names else "there are no tables yet"


def _single_statement(sql: str) -> str:
    """The one statement in `sql`, without what ends it; raises InvalidQuery unless it is one that reads."""
    statements = [text for text in _split(sql) if _first_word(text)]
    if not statements:
        raise InvalidQuery("there is no statement")
    if len(statements) != 1:
        raise InvalidQuery(f"one statement at a time; these are {len(statements)}")
    if _first_word(statements[0]).upper() not in _QUERIES:
        raise InvalidQuery("only SELECT is allowed: curated data is never changed by hand")
    return statements[0]


def _split(sql: str) -> Iterator[str]:
    """The texts between the semicolons that stand in no string, quoted name or comment."""
    start = 0
    for token in _TOKEN.finditer(sql):
        if token["end"]:
            yield sql[start : token.start()]
            start = token.end()
    yield sql[start:]


def _first_word(sql: str) -> str:
    """What a statement begins with: a word, or another sign behind all brackets; nothing if it is empty."""
    for token in _TOKEN.finditer(sql):
        if not token["gap"] and token[0] != "(":
            return token[0]
    return ""
