"""Records how a Trino reads the cases: python -m tests.athena_hive.record URL FOLDER.

Its catalog `hive` lies over local files: hive.metastore=file, fs.native-local.enabled=true, local.location=FOLDER.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from daap_local.athena.hive.types import HiveType, parse_type, presto_text
from fixtures.trino.client import Trino
from fixtures.trino.corpus import Failure
from tests.athena_hive.cases import Case, cases
from tests.athena_hive.support import table_of

RECORDED = Path(__file__).parent / "recorded.json"


def read_by_trino(trino: Trino, folder: Path, case: Case) -> Any:
    """The rows in plain form, or None where Trino fails."""
    name = f"t{uuid4().hex}"
    place = folder / "ext" / name
    place.mkdir(parents=True)
    (place / "f.txt").write_bytes(case.content.encode())
    columns = [(column.name, parse_type(column.type)) for column in table_of(case.columns, case.clauses).columns]
    made = {"format": f"'{case.trino_format}'", "external_location": f"'local:///ext/{name}'", **case.trino}
    properties = ", ".join(f"{key} = {value}" for key, value in made.items())
    listed = ", ".join(f"{column} {presto_text(type_)}" for column, type_ in columns)
    created = trino.execute(f"CREATE TABLE hive.s.{name} ({listed}) WITH ({properties})")
    answer = created if isinstance(created, Failure) else trino.execute(f"TABLE hive.s.{name}")
    if isinstance(answer, Failure):
        return None
    return [[_plain(value, type_) for value, (_, type_) in zip(row, columns, strict=True)] for row in answer.rows]


def _plain(value: Any, type_: HiveType) -> Any:
    if value is None:
        return None
    if type_.kind in ("double", "float"):
        return "nan" if math.isnan(float(value)) else repr(float(value))
    if type_.kind == "array":
        return [_plain(item, type_.parts[0]) for item in value]
    if type_.kind == "map":
        return {str(_plain(key, type_.parts[0])): _plain(item, type_.parts[1]) for key, item in value.items()}
    if type_.kind == "struct":
        return {name: _plain(item, part) for name, item, part in zip(type_.names, value, type_.parts, strict=True)}
    return value


def main() -> None:
    """Writes all answers, in the order of the cases."""
    trino = Trino(httpx.Client(base_url=sys.argv[1], timeout=120))
    trino.execute("CREATE SCHEMA IF NOT EXISTS hive.s WITH (location = 'local:///s')")
    answers = [read_by_trino(trino, Path(sys.argv[2]), case) for case in cases()]
    RECORDED.write_text("[\n" + ",\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers) + "\n]\n")


if __name__ == "__main__":
    main()
