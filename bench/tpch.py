"""TPC-H lineitem as CSV, and its schema as daap and as DuckDB write it.

Source: https://www.tpc.org/tpch/; the data is made by tpchgen-cli.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

COLUMNS = {
    "l_orderkey": "bigint", "l_partkey": "bigint", "l_suppkey": "bigint", "l_linenumber": "int",
    "l_quantity": "decimal(15,2)", "l_extendedprice": "decimal(15,2)", "l_discount": "decimal(15,2)",
    "l_tax": "decimal(15,2)", "l_returnflag": "string", "l_linestatus": "string", "l_shipdate": "date",
    "l_commitdate": "date", "l_receiptdate": "date", "l_shipinstruct": "string", "l_shipmode": "string",
    "l_comment": "string",
}  # fmt: skip


def make_lineitem(scale: float) -> Path:
    """The CSV of lineitem at a scale factor (1 is 766 MB); made once and kept."""
    folder = DATA / f"sf{scale:g}"
    path = folder / "lineitem.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpchgen-cli")
        command = [str(tool), "csv", "-s", f"{scale:g}", "--tables", "lineitem", "--output-dir", str(folder)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
    return path


def make_spec() -> dict[str, Any]:
    """The product that lineitem is loaded into."""
    return {
        "name": "tpch", "description": "TPC-H", "domain": "bench", "dataProductOwner": "bench",
        "dataProductOwnerDisplayName": "bench", "email": "bench@example.org", "status": "draft",
        "dpiaRequired": False, "retentionPeriod": 1,
        "tables": {"lineitem": {
            "tableDescription": "lineitem",
            "columns": [{"name": name, "type": type_} for name, type_ in COLUMNS.items()],
        }},
    }  # fmt: skip


def bare_copy(source: Path, target: Path) -> str:
    """What DuckDB takes at least: one typed COPY, nothing checked, hashed, kept or recorded."""
    types = ", ".join(f"'{name}': '{'VARCHAR' if t == 'string' else t}'" for name, t in COLUMNS.items())
    read = f"read_csv('{source}', header = true, auto_detect = false, delim = ',', quote = '\"', columns = {{{types}}})"
    return f"COPY (SELECT * FROM {read}) TO '{target}' (FORMAT parquet)"  # noqa: S608 - our own words
