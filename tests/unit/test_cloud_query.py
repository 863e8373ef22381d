"""Queries by Athena give what queries on folders give."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import InvalidQuery, NotRegistered
from daap.model.loads import LoadId, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written
from daap.pipeline.audit import audited
from daap.ports.catalogue import Catalogue, TableEntry
from daap.ports.engine import Source
from daap.ports.query import QueryEngine
from daap_cloud.athena.query import AthenaQuery
from daap_cloud.athena.runner import AthenaRunner
from daap_cloud.glue.logs import ensure_logs
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from daap_local.query import FolderQuery
from tests.athena.serving import serving
from tests.support.emulator import REGION, SECRET, make_settings, shared_emulator
from tests.support.shelves import GlueShelf, account_clients, new_account

TABLE = TableRef("spend", 1, "Every_Type")
STAMPS = ("20260130T000000Z", "20260131T000000Z")
COLUMNS = {
    "id": "int", "b": "boolean", "i1": "tinyint", "i2": "smallint", "i8": "bigint", "f": "float", "d": "double",
    "price": "decimal(20,3)", "text": "string", "short": "varchar(9)", "fixed": "char(4)", "day": "date",
    "moment": "timestamp",
}  # fmt: skip
ROWS = """\
1,true,-128,32767,9223372036854775807,1.5,0.1,12345678901234567.125,plain,short,abcd,0001-01-01,1999-12-31 23:59:59.999
2,,,,,,,,,,,,
3,false,127,-32768,-9223372036854775808,-Infinity,NaN,-0.001,"a ""quote"", a
line break, £ and 日本",ab,ab,9999-12-31,2026-02-28 00:00:00
"""


def schema_of(**columns: str) -> TableSchema:
    listed = [{"name": name, "type": type_} for name, type_ in columns.items()]
    return TableSchema.model_validate({"tableDescription": "all there are", "columns": listed})


@dataclass
class Both:
    """The same tables in folders and in the cloud."""

    store: FolderStore
    folders: Catalogue
    shelf: GlueShelf
    local: QueryEngine
    cloud: QueryEngine
    scratch: Path

    @property
    def catalogues(self) -> tuple[Catalogue, Catalogue]:
        return self.folders, self.shelf.catalogue

    def put(self, schema: TableSchema, ref: TableRef = TABLE) -> None:
        for catalogue in self.catalogues:
            catalogue.put_table(TableEntry(ref, schema))

    def publish(self, stamp: str, schema: TableSchema, rows: str, ref: TableRef = TABLE) -> None:
        """One Parquet file of DuckDB's, in both."""
        load = LoadId(ref, stamp)
        data = (",".join(column.name for column in schema.columns) + "\n" + rows).encode()
        path = self.scratch / "given.csv"
        path.write_bytes(data)
        source = Source(str(path), len(data), lambda: io.BytesIO(data))
        written = DuckDBEngine().curate(source, schema, self.folders.new_target(load))
        target = self.shelf.catalogue.new_target(load)
        for file in written.files:
            self.shelf.write(target, file.name, Path(written.target, file.name).read_bytes())
        self.shelf.catalogue.publish(load, Written(target, written.files))
        self.folders.publish(load, written)

    def compare(self, sql: str) -> pa.Table:
        """The rows of the folders, once they are found to be those of the cloud, types and all."""
        there, here = read(self.cloud.query(sql)), read(self.local.query(sql))
        assert there.schema == here.schema
        assert repr(there.to_pylist()) == repr(here.to_pylist())  # NaN is not equal to itself
        return here


def read(stream) -> pa.Table:
    return pa.RecordBatchReader.from_stream(stream).read_all()


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[Both]:
    account, url = new_account(), shared_emulator()
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", account)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        with serving(folder / "athena", glue_endpoint=url, s3_endpoint=url) as served:
            clients = account_clients(url, account, athena=served.url)
            settings = make_settings(clients)
            shelf = GlueShelf(clients, settings)
            runner = AthenaRunner(clients.athena, "primary", settings.results, 60)
            (folder / "lake").mkdir()
            store = FolderStore(folder / "lake")
            folders = FolderCatalogue(store)
            cloud = AthenaQuery(runner, shelf.catalogue, clients.s3)
            yield Both(store, folders, shelf, FolderQuery(store, folders), cloud, folder)


@pytest.fixture(scope="module")
def filled(both: Both) -> Both:
    schema = schema_of(**COLUMNS)
    both.put(schema)
    for stamp, rows in zip(STAMPS, (ROWS.replace("plain", "older"), ROWS), strict=True):
        both.publish(stamp, schema, rows)
    return both


class TestTheSameRows:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM spend_v1.Every_Type ORDER BY load_timestamp, id",
            "SELECT * FROM spend_v1.every_type_latest ORDER BY id",
            "SELECT * FROM spend_v1.every_type WHERE load_timestamp = '20260130T000000Z' AND text = 'older'",
            "SELECT id, text FROM spend_v1.every_type_latest WHERE false",
            "SELECT text IS NULL AS none, text = '' AS empty FROM spend_v1.every_type_latest ORDER BY id",
            "WITH t AS (SELECT day, price FROM spend_v1.every_type_latest) SELECT * FROM t ORDER BY day",
        ],
    )
    def test_of_every_type(self, filled, sql):
        filled.compare(sql)

    def test_of_a_preview(self, filled):
        there, here = (read(query.preview(TABLE, 2)) for query in (filled.cloud, filled.local))
        assert there.schema == here.schema
        assert there.num_rows == here.num_rows == 2
        whole = read(filled.local.preview(TABLE, 100)).to_pylist()
        assert all(repr(row) in map(repr, whole) for row in there.to_pylist())

    def test_of_a_result_of_many_pages_in_their_order(self, both):
        ref = TableRef("spend", 1, "many")
        schema = schema_of(id="int", text="string")
        both.put(schema, ref)
        both.publish(STAMPS[0], schema, "".join(f'{n},"{"x" * (n % 7)}"\n' for n in range(5_000)), ref)
        assert both.compare("SELECT * FROM spend_v1.many ORDER BY id DESC").num_rows == 5_000
        assert both.compare("SELECT text FROM spend_v1.many ORDER BY id").column("text").null_count == 715

    def test_of_a_table_that_was_widened(self, both):
        ref = TableRef("spend", 1, "wide")
        both.put(schema_of(id="int"), ref)
        both.publish(STAMPS[0], schema_of(id="int"), "1\n", ref)
        wide = schema_of(added="decimal(5,2)", id="int")
        both.put(wide, ref)
        both.publish(STAMPS[1], wide, "1.25,2\n", ref)
        found = both.compare("SELECT * FROM spend_v1.wide ORDER BY id")
        assert [row["added"] is None for row in found.to_pylist()] == [True, False]
        both.compare("SELECT * FROM spend_v1.wide_latest")

    def test_of_a_table_before_its_first_snapshot(self, both):
        ref = TableRef("spend", 2, "nothing")
        both.put(schema_of(**COLUMNS), ref)
        assert both.compare("SELECT * FROM spend_v2.nothing_latest").num_rows == 0
        assert both.compare("SELECT * FROM spend_v2.nothing").num_rows == 0
        assert read(both.cloud.preview(ref, 10)).num_rows == 0


class TestRaw:
    def test_raw_history_can_be_queried_as_it_came(self, filled):
        key = "raw/spend/v1/Every_Type/load_timestamp={}/file.csv"
        for stamp in STAMPS:
            filled.shelf.store.put(key.format(stamp), f'id,b\n1,"C:\\dir\\"\n2,{stamp}\n'.encode())
        found = read(filled.cloud.query("SELECT id, b, load_timestamp FROM spend_v1_raw.every_type ORDER BY 3, 1"))
        assert [tuple(row.values()) for row in found.to_pylist()] == [
            ("1", "C:\\dir\\", STAMPS[0]), ("2", STAMPS[0], STAMPS[0]),
            ("1", "C:\\dir\\", STAMPS[1]), ("2", STAMPS[1], STAMPS[1]),
        ]  # fmt: skip


class TestLogs:
    def test_events_are_rows_without_any_partition(self, both):
        ensure_logs(both.shelf.clients.glue, both.shelf.settings.logs_bucket)
        ensure_logs(both.shelf.clients.glue, both.shelf.settings.logs_bucket)
        for store in (both.store, both.shelf.store):
            with audited(store, None, product="spend", actor="ann") as trail:
                trail.info("curated", "published 3 rows", rows=3, seconds=0.5, schemaVersion="v1.0")
                trail.warn("refused", "2 errors", byCode={"type_error": 2})
        both.compare(
            "SELECT level, stage, message, product, actor, rows, seconds, codeVersion, schemaVersion, fileId "
            "FROM daap_logs.events ORDER BY stage"
        )
        found = read(both.cloud.query("SELECT bycode, date FROM daap_logs.events WHERE stage = 'refused'")).to_pylist()
        assert found[0]["bycode"].replace(" ", "") == '{"type_error":2}'
        assert found[0]["date"].startswith("20")


class TestRefusals:
    @pytest.mark.parametrize(
        "sql",
        ["DROP TABLE spend_v1.many", "/* a */ INSERT INTO spend_v1.many SELECT 1", "-- SELECT\nDELETE FROM t",
         "CREATE TABLE x AS SELECT 1", "UNLOAD (SELECT 1) TO 's3://b/' WITH (format='JSON')", "MSCK REPAIR TABLE t"],
    )  # fmt: skip
    def test_what_does_not_read_is_refused_before_athena_is_asked(self, both, sql, monkeypatch):
        monkeypatch.setattr(AthenaRunner, "run", lambda *_: pytest.fail("it was run"))
        with pytest.raises(InvalidQuery, match="only SELECT is allowed"):
            both.cloud.query(sql)

    @pytest.mark.parametrize(("sql", "count"), [("SELECT 1; SELECT 2", 2), ("SELECT 1; DROP TABLE t; x", 3)])
    def test_one_statement_at_a_time(self, both, sql, count):
        for query in (both.cloud, both.local) if count == 2 else (both.cloud,):
            with pytest.raises(InvalidQuery, match=f"one statement at a time; these are {count}"):
                query.query(sql)

    @pytest.mark.parametrize("sql", ["", " ;; ", "-- SELECT 1", "/* ; */"])
    def test_no_statement(self, both, sql):
        for query in (both.cloud, both.local):
            with pytest.raises(InvalidQuery, match="there is no statement"):
                query.query(sql)

    @pytest.mark.parametrize(
        "sql",
        ["SELECT ';' AS \"a;b\" -- ;\n", "SELECT 'it''s; ' AS x;", "/* ; */ (SELECT 1 AS n)", "VALUES 1;\n-- end"],
    )
    def test_a_semicolon_in_a_text_a_name_or_a_comment_ends_nothing(self, both, sql):
        assert read(both.cloud.query(sql)).num_rows == 1

    @pytest.mark.parametrize("name", ["spend_v1.none", "other_v1.many", "none_v9.none_latest"])
    def test_an_unknown_table_is_not_registered_and_those_there_are_are_told(self, filled, name):
        for query in (filled.cloud, filled.local):
            with pytest.raises(NotRegistered, match=r"there are .*spend_v1\.Every_Type"):
                query.query(f"SELECT * FROM {name}")

    def test_a_preview_of_an_unknown_table_is_not_registered(self, both):
        with pytest.raises(NotRegistered):
            both.cloud.preview(TableRef("spend", 1, "none"), 5)

    @pytest.mark.parametrize(
        "sql", ["SELECT none FROM spend_v1.every_type", "SELECT FROM", "SELECT 1/0", "SELECT * FROM t"]
    )
    def test_what_cannot_be_run_is_an_invalid_query(self, filled, sql):
        with pytest.raises(InvalidQuery):
            filled.cloud.query(sql)
