"""SELECT and EXPLAIN."""

from __future__ import annotations

from daap_local.athena import statements as s
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.metafile import ColumnInfo
from daap_local.athena.execution.record import Outcome
from daap_local.athena.execution.resolving import plan
from daap_local.athena.execution.results import Text, column_infos, write_selected
from daap_local.athena.faults import unsupported


def run_query(job: Job, statement: s.Query) -> Outcome:
    """SELECT: its rows as CSV."""
    planned = plan(job, statement.sql, job.request.parameters)
    job.check_cutoff()
    columns = column_infos(planned.translated.columns)
    return write_selected(job, planned.translated.display_sql(planned.sources), columns)


def run_explain(job: Job, statement: s.Explain) -> Text:
    """EXPLAIN: DuckDB's plan of the translated query, since that is what would be run; a header comes first."""
    options = {key.lower(): value.upper() for key, value in statement.options.items()}
    if options.get("type", "LOGICAL") not in ("LOGICAL", "DISTRIBUTED") or options.get("format", "TEXT") != "TEXT":
        raise unsupported(f"EXPLAIN with {', '.join(f'{k} {v}' for k, v in options.items())}")
    planned = plan(job, statement.sql, job.request.parameters)
    word = "EXPLAIN ANALYZE" if statement.analyze else "EXPLAIN"
    rows = job.session.run(f"{word} {planned.translated.sql(planned.sources)}").fetchall()
    lines = [line for row in rows for line in str(row[1]).splitlines()]
    return Text([ColumnInfo("Query Plan", "varchar", 2147483647, 0, True)], ["Query Plan", *lines])
