"""Changing schemas: what old and new snapshots show, what is carried into a new major, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from daap.errors import EngineFailed, InvalidChange, NotRegistered, VersionConflict
from daap.model.events import FileLanded, FileRefused, LoadCurated
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.model.verdict import MASK
from daap.pipeline import evolve
from daap.pipeline.audit import Trail
from daap.pipeline.claims import announce_file, open_claims
from daap.pipeline.curate import curate_file
from daap.pipeline.evolve import change_schema, finish_carries
from daap.pipeline.ingest import resume_claim
from daap.pipeline.land import land_file
from daap.pipeline.remove import remove_table
from daap.pipeline.resync import resync_product
from tests.support.lakes import (
    AMOUNT,
    BAD,
    CUSTOMER,
    ID,
    PAPERS,
    PRODUCT,
    TABLE,
    Bench,
    make_csv,
    make_product,
    make_table,
)

FIRST, SECOND, THIRD = "20260101T000000Z", "20260102T000000Z", "20260103T000000Z"


def rows(bench: Bench, table: str = "shop_v1.orders", columns: str = "*") -> list[dict[str, object]]:
    return bench.query(f"SELECT {columns} FROM {table} ORDER BY ALL")


def types(bench: Bench, table: str) -> dict[str, str]:
    return {str(row["column_name"]): str(row["column_type"]) for row in bench.query(f"DESCRIBE SELECT * FROM {table}")}


def version(bench: Bench) -> str:
    return str(bench.lake.registry.get(PRODUCT).version)


class TestMinor:
    def test_an_added_column_is_null_in_old_snapshots(self, folders):
        folders.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n")
        assert folders.change(ID, CUSTOMER, AMOUNT, "paid date").increment == "minor"
        folders.load(SECOND, b"id,customer,amount,paid\n2,Bob,2.00,2026-01-02\n")
        assert rows(folders, columns="id, paid, load_timestamp") == [
            {"id": 1, "paid": None, "load_timestamp": FIRST},
            {"id": 2, "paid": date(2026, 1, 2), "load_timestamp": SECOND},
        ]
        assert rows(folders, "shop_v1.orders_latest", "id, paid") == [{"id": 2, "paid": date(2026, 1, 2)}]

    @pytest.mark.parametrize(
        ("kind", "shown"),
        [("boolean", "BOOLEAN"), ("tinyint", "TINYINT"), ("bigint", "BIGINT"), ("float", "FLOAT"), ("double", "DOUBLE"),
         ("decimal(38,4)", "DECIMAL(38,4)"), ("string", "VARCHAR"), ("varchar(3)", "VARCHAR"), ("date", "DATE"),
         ("timestamp", "TIMESTAMP")],
    )  # fmt: skip
    def test_its_type_is_right_before_any_snapshot_has_it(self, folders, kind, shown):
        folders.load(FIRST, make_csv())
        folders.change(ID, CUSTOMER, AMOUNT, f"extra {kind}")
        for table in ("shop_v1.orders", "shop_v1.orders_latest"):
            assert types(folders, table) == {
                "id": "INTEGER", "customer": "VARCHAR", "amount": "DECIMAL(18,2)", "extra": shown,
                "load_timestamp": "VARCHAR",
            }  # fmt: skip
            assert [row["extra"] for row in rows(folders, table)] == [None] * 3

    def test_a_table_without_snapshots_shows_it_too(self, folders):
        folders.change(ID, CUSTOMER, AMOUNT, "extra int")
        assert rows(folders) == []
        assert list(types(folders, "shop_v1.orders")) == ["id", "customer", "amount", "extra", "load_timestamp"]

    def test_columns_added_one_after_the_other_stand_in_the_order_of_the_schema(self, folders):
        folders.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n")
        folders.change(ID, "b int", CUSTOMER, AMOUNT)
        folders.load(SECOND, b"id,customer,amount,b\n2,Bob,2.00,22\n")
        folders.change(ID, "b int", CUSTOMER, AMOUNT, "c string")
        folders.change("d boolean", ID, "b int", CUSTOMER, AMOUNT, "c string")
        folders.load(THIRD, b"c,b,d,amount,customer,id\nx,33,true,3.00,Eve,3\n")
        assert version(folders) == "v1.3"
        assert list(types(folders, "shop_v1.orders")) == [
            "d", "id", "b", "customer", "amount", "c", "load_timestamp",
        ]  # fmt: skip
        assert rows(folders, columns="id, b, c, d") == [
            {"id": 1, "b": None, "c": None, "d": None},
            {"id": 2, "b": 22, "c": None, "d": None},
            {"id": 3, "b": 33, "c": "x", "d": True},
        ]

    def test_another_order_of_columns_changes_no_value(self, folders):
        schema = ["a int", "b int"]
        folders.lake.registry.add_table(PRODUCT, "pairs", make_table(*schema))
        folders.load(FIRST, b"a,b\n1,2\n", "pairs")
        folders.change(*reversed(schema), table="pairs")
        folders.load(SECOND, b"a,b\n3,4\n", "pairs")
        assert rows(folders, "shop_v1.pairs", "a, b") == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
        assert list(types(folders, "shop_v1.pairs")) == ["b", "a", "load_timestamp"]

    def test_the_new_rules_hold_for_new_files_only(self, folders):
        folders.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n")
        folders.change(ID, CUSTOMER, AMOUNT | {"format": "1.234,5", "nullValues": ["-"]}, delimiter=";")
        assert isinstance(folders.load(SECOND, make_csv()), FileRefused)
        folders.load(THIRD, b"id;customer;amount\n2;Bob;1.234,50\n3;Eve;-\n")
        assert [row["amount"] for row in rows(folders)] == [Decimal("1.00"), Decimal("1234.50"), None]

    def test_the_files_of_each_version_are_checked_by_its_schema(self, bench):
        bench.load(FIRST, make_csv())
        bench.change(ID, CUSTOMER, AMOUNT, "extra int")
        refused = bench.load(SECOND, make_csv())
        assert isinstance(refused, FileRefused)
        assert "missing_column" in refused.receipt.errors.by_code
        assert [receipt.schema_version for receipt in bench.receipts()] == ["v1.0", None]

    def test_a_file_checked_before_the_change_and_curated_after_it_keeps_its_schema(self, folders):
        key = folders.drop("orders.csv", make_csv(rows=2))
        landed = land_file(FileLanded(key, "ann"), folders.lake, Trail(None))
        folders.change(ID, CUSTOMER, AMOUNT, "extra int")
        # A restart has no staged Parquet: it is made again from raw.
        curate_file(replace(landed, staged=None), folders.lake, Trail(None))
        assert folders.receipts()[0].schema_version == "v1.0"
        assert [(row["id"], row["extra"]) for row in rows(folders)] == [(1, None), (2, None)]

    def test_a_restart_goes_on_with_it_by_its_claim(self, folders, monkeypatch):
        key = folders.drop("orders.csv", make_csv(rows=2))
        with monkeypatch.context() as patch:
            patch.setattr(type(folders.lake.catalogue), "publish", _die)
            with pytest.raises(_Died):
                folders.ingest(key)
        folders.change(ID, CUSTOMER, AMOUNT, "extra int")
        (claim,) = open_claims(folders.lake.store)
        assert isinstance(resume_claim(claim, folders.lake), LoadCurated)
        assert folders.receipts()[0].schema_version == "v1.0"
        assert [(row["id"], row["extra"]) for row in rows(folders)] == [(1, None), (2, None)]

    def test_what_changes_nothing_is_refused(self, bench):
        with pytest.raises(InvalidChange, match="nothing changes"):
            bench.change()
        assert version(bench) == "v1.0"

    def test_what_is_not_registered_is_told_so(self, bench):
        with pytest.raises(NotRegistered, match="nothing"):
            bench.change("id int", table="nothing")
        with pytest.raises(NotRegistered):
            bench.change("id int", table=PAPERS)
        with pytest.raises(NotRegistered, match="nobody"):
            change_schema(bench.lake, "nobody", TABLE, make_table(), "ann")

    def test_the_audit_log_tells_of_it(self, bench):
        bench.change(ID, CUSTOMER, AMOUNT, "extra int")
        told = [event for event in bench.events() if event["stage"] == "amended"]
        assert [(event["actor"], event["product"], event["table"]) for event in told] == [("ann", PRODUCT, TABLE)]
        assert "v1.1" in str(told[0]["message"])


class _Died(Exception):
    """The process ends here."""


def _die(*_args: object) -> None:
    raise _Died


class TestMajor:
    def test_a_dropped_column_is_gone_from_the_new_database_and_stays_in_the_old(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        before = rows(folders)
        evolved = folders.change(ID, AMOUNT)
        assert (evolved.increment, version(folders)) == ("major", "v2.0")
        assert rows(folders, "shop_v2.orders") == [
            {"id": n, "amount": Decimal(f"{n}.50"), "load_timestamp": FIRST} for n in (1, 2)
        ]
        assert rows(folders) == before

    def test_only_the_newest_snapshot_is_carried(self, folders):
        for stamp, first in ((FIRST, 1), (SECOND, 11)):
            folders.load(stamp, make_csv(first, 1))
        evolved = folders.change(ID)
        assert evolved.carried[TABLE] == f"shop/v1/orders/{SECOND}"
        assert [row["id"] for row in rows(folders, "shop_v2.orders")] == [11]
        assert folders.snapshots(major=2) == [SECOND]
        assert folders.snapshots() == [FIRST, SECOND]

    def test_a_changed_type_is_read_again_from_raw(self, folders):
        folders.load(FIRST, b"id,customer,amount\n007,Ann,1.50\n")
        folders.change("id string", CUSTOMER, "amount double")
        assert rows(folders, "shop_v2.orders", "id, amount") == [{"id": "007", "amount": 1.5}]
        assert types(folders, "shop_v2.orders")["id"] == "VARCHAR"
        assert rows(folders, columns="id") == [{"id": 7}]

    def test_formats_on_old_and_new_columns_are_each_read_in_their_way(self, folders):
        old = (
            {"name": "day", "type": "date", "format": "%d/%m/%Y"},
            {"name": "n", "type": "int", "format": "1.234,5"},
            "t string",
        )
        folders.lake.registry.add_table(PRODUCT, "things", make_table(*old))
        folders.load(FIRST, b"day,n,t\n31/01/2026,1.234,01-02-2026\n", "things")
        new = ("day date", {"name": "n", "type": "bigint", "format": "1.234,5"},
               {"name": "t", "type": "timestamp", "format": "%d-%m-%Y"})  # fmt: skip
        folders.change(*new, table="things")
        assert rows(folders, "shop_v2.things") == [
            {"day": date(2026, 1, 31), "n": 1234, "t": datetime.fromisoformat("2026-02-01"), "load_timestamp": FIRST}
        ]

    def test_columns_may_be_reordered_dropped_changed_and_added_at_once(self, folders):
        folders.load(FIRST, make_csv(rows=1))
        folders.change("extra date", "amount string", "id bigint")
        assert rows(folders, "shop_v2.orders") == [{"extra": None, "amount": "1.50", "id": 1, "load_timestamp": FIRST}]
        assert list(types(folders, "shop_v2.orders")) == ["extra", "amount", "id", "load_timestamp"]

    def test_a_file_without_a_header_is_carried_by_place(self, folders):
        folders.lake.registry.add_table(PRODUCT, "bare", make_table("a int", "b int", "c int", header=False))
        folders.load(FIRST, b"1,2,3\n", "bare")
        folders.change("c string", "a int", table="bare", header=False)
        assert rows(folders, "shop_v2.bare", "c, a") == [{"c": "3", "a": 1}]

    @pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
    def test_a_file_in_another_dialect_is_carried_by_the_dialect_of_its_time(self, folders, encoding):
        folders.lake.registry.add_table(
            PRODUCT, "things", make_table("a int", "b string", "c int", delimiter=";", encoding=encoding)
        )
        folders.load(FIRST, "a;b;c\n1;Größe;3\n".encode(encoding), "things")
        folders.change("b string", "c string", table="things")
        assert rows(folders, "shop_v2.things", "b, c") == [{"b": "Größe", "c": "3"}]

    def test_every_table_of_the_product_is_carried(self, folders):
        folders.load(FIRST, make_csv(rows=1))
        folders.load(SECOND, make_csv(5, 2), "sales")
        evolved = folders.change(ID)
        assert evolved.carried == {TABLE: f"shop/v1/orders/{FIRST}", "sales": f"shop/v1/sales/{SECOND}"}
        assert list(evolved.empty) == ["returns"]
        assert rows(folders, "shop_v2.sales") == rows(folders, "shop_v1.sales")
        assert rows(folders, "shop_v2.returns") == []

    def test_a_table_without_snapshots_starts_empty(self, folders):
        evolved = folders.change("id string")
        assert (evolved.carried, "no snapshot" in evolved.empty[TABLE]) == ({}, True)
        assert rows(folders, "shop_v2.orders") == []
        assert isinstance(folders.load(FIRST, b"id\nx\n", major=2), LoadCurated)

    def test_a_snapshot_of_no_rows_is_carried_as_one(self, folders):
        folders.load(FIRST, b"id,customer,amount\n")
        assert TABLE in folders.change("id string").carried
        assert folders.snapshots(major=2) == [FIRST]
        assert rows(folders, "shop_v2.orders") == []

    def test_a_required_column_that_no_file_has_leaves_the_table_empty(self, folders):
        folders.load(FIRST, make_csv())
        evolved = folders.change(ID, CUSTOMER, AMOUNT, {"name": "extra", "type": "int", "required": True})
        assert evolved.increment == "major"
        assert "extra" in evolved.empty[TABLE]
        assert folders.snapshots(major=2) == []

    def test_files_of_the_new_major_follow_the_carried_one(self, folders):
        folders.load(FIRST, make_csv(rows=1))
        folders.change(ID)
        folders.take("new.csv", b"id\n9\n")
        assert [row["id"] for row in rows(folders, "shop_v2.orders")] == [1, 9]
        assert [row["id"] for row in rows(folders, "shop_v2.orders_latest")] == [9]
        assert len(rows(folders)) == 1

    def test_a_minor_change_behind_it_shows_null_in_the_carried_one(self, folders):
        folders.load(FIRST, make_csv(rows=1))
        folders.change(ID)
        folders.change(ID, "extra int")
        assert rows(folders, "shop_v2.orders") == [{"id": 1, "extra": None, "load_timestamp": FIRST}]

    def test_the_old_database_is_byte_for_byte_as_it_was(self, folders):
        for stamp in (FIRST, SECOND):
            folders.load(stamp, make_csv())
        kept = folders.contents("curated/") | folders.contents("raw/") | folders.contents("metadata/shop/")
        folders.change("id string", table=TABLE)
        folders.change("id bigint", table=TABLE)
        now = folders.contents("curated/") | folders.contents("raw/") | folders.contents("metadata/shop/")
        assert {key: now[key] for key in kept} == kept

    def test_the_receipt_tells_where_it_was_carried_from(self, bench):
        origin = bench.load(FIRST, make_csv(rows=2)).receipt
        bench.change(ID)
        carried = bench.lake.ledger.get(LoadId(TableRef(PRODUCT, 2, TABLE), FIRST))
        assert (carried.carried_from, carried.schema_version) == (f"shop/v1/orders/{FIRST}", "v2.0")
        assert (carried.status, carried.rows_read, carried.rows_written) == (LoadStatus.CURATED, 2, 2)
        assert (carried.content_hash, carried.source_name) == (origin.content_hash, origin.source_name)
        assert [file.key.split("/")[2] for file in carried.output_files] == ["v2"]
        assert bench.lake.ledger.get(origin.load) == origin
        assert [event["load"] for event in bench.events() if event["stage"] == "carried"] == [f"shop/v2/orders/{FIRST}"]

    def test_raw_history_is_not_copied(self, bench):
        bench.load(FIRST, make_csv())
        before = bench.contents("raw/")
        bench.change(ID)
        assert bench.contents("raw/") == before

    @pytest.mark.parametrize("start", [9, 10])
    def test_v9_is_followed_by_v10_and_that_by_v11(self, folders, start):
        folders.load(FIRST, make_csv(rows=1))
        kinds = ["string", "bigint", "double", "decimal(5,1)"]
        for n in range(start):
            folders.change(f"id {kinds[n % 4]}")
        assert version(folders) == f"v{start + 1}.0"
        assert [int(str(row["id"]).partition(".")[0]) for row in rows(folders, f"shop_v{start + 1}.orders")] == [1]
        assert [row["id"] for row in rows(folders, "shop_v2.orders")] == ["1"]
        assert isinstance(folders.take("new.csv", b"id\n5\n"), LoadCurated)
        assert len(folders.snapshots(major=start + 1)) == 2


class TestChains:
    def test_a_snapshot_is_carried_on_and_on_from_the_first_raw_file(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change("id bigint", AMOUNT)
        folders.change("id string", "amount double", "extra int")
        assert rows(folders, "shop_v3.orders") == [
            {"id": str(n), "amount": n + 0.5, "extra": None, "load_timestamp": FIRST} for n in (1, 2)
        ]
        carried = folders.lake.ledger.get(LoadId(TableRef(PRODUCT, 3, TABLE), FIRST))
        assert carried.carried_from == f"shop/v1/orders/{FIRST}"

    def test_a_newer_file_of_the_second_major_is_what_the_third_starts_from(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change(ID)
        folders.load(SECOND, b"id\n42\n", major=2)
        evolved = folders.change("id string")
        assert evolved.carried[TABLE] == f"shop/v2/orders/{SECOND}"
        assert [row["id"] for row in rows(folders, "shop_v3.orders")] == ["42"]

    @pytest.mark.parametrize("kind", ["string", "varchar(20)", "int"])
    def test_a_column_that_was_dropped_does_not_come_back_with_its_old_values(self, folders, kind):
        folders.lake.registry.add_table(PRODUCT, "things", make_table("id int", f"secret {kind}", "n int"))
        folders.load(FIRST, b"id,secret,n\n1,77,3\n", "things")
        folders.change("id int", "n int", table="things")
        folders.change("id int", "n int", f"secret {kind}", table="things")  # v2.1
        assert rows(folders, "shop_v2.things", "id, secret") == [{"id": 1, "secret": None}]
        folders.change("id bigint", "n int", f"secret {kind}", table="things")
        assert rows(folders, "shop_v3.things", "id, secret, n") == [{"id": 1, "secret": None, "n": 3}]
        folders.change("id string", "n int", f"secret {kind}", table="things")
        assert rows(folders, "shop_v4.things", "id, secret, n") == [{"id": "1", "secret": None, "n": 3}]

    def test_it_may_be_required_only_of_a_table_that_starts_empty(self, folders):
        folders.lake.registry.add_table(PRODUCT, "things", make_table("id int", "secret string"))
        folders.load(FIRST, b"id,secret\n1,x\n", "things")
        folders.change("id int", table="things")
        evolved = folders.change("id int", {"name": "secret", "type": "string", "required": True}, table="things")
        assert "secret" in evolved.empty["things"]

    def test_a_change_that_was_cut_short_is_finished_before_the_next(self, folders, monkeypatch):
        folders.load(FIRST, make_csv(rows=1))
        with monkeypatch.context() as patch:
            patch.setattr(evolve, "carry_load", _die)
            with pytest.raises(_Died):
                folders.change(ID, CUSTOMER)
        assert (version(folders), folders.snapshots(major=2)) == ("v2.0", [])
        folders.change("id string")
        assert [row["id"] for row in rows(folders, "shop_v2.orders")] == [1]
        assert [row["id"] for row in rows(folders, "shop_v3.orders")] == ["1"]

    def test_it_is_finished_by_hand_by_the_schema_of_its_first_version(self, folders, monkeypatch):
        folders.load(FIRST, make_csv(rows=1))
        with monkeypatch.context() as patch:
            patch.setattr(evolve, "carry_load", _die)
            with pytest.raises(_Died):
                folders.change(ID)
        folders.change(ID, "extra int")
        (load,) = finish_carries(folders.lake, folders.lake.registry.get(PRODUCT))
        assert str(load) == f"shop/v2/orders/{FIRST}"
        assert folders.lake.ledger.get(load).schema_version == "v2.0"
        assert rows(folders, "shop_v2.orders") == [{"id": 1, "extra": None, "load_timestamp": FIRST}]
        assert finish_carries(folders.lake, folders.lake.registry.get(PRODUCT)) == []

    def test_a_load_that_is_visible_and_not_yet_recorded_so_is_carried(self, folders, monkeypatch):
        key = folders.drop("orders.csv", make_csv(rows=2))
        with monkeypatch.context() as patch:
            publish = type(folders.lake.catalogue).publish
            patch.setattr(type(folders.lake.catalogue), "publish", lambda *args: (publish(*args), _die()))
            with pytest.raises(_Died):
                folders.ingest(key)
        folders.change(ID)
        assert [row["id"] for row in rows(folders, "shop_v2.orders")] == [1, 2]
        assert [one.found for one in resync_product(folders.lake, PRODUCT, "ann")] == ["claimed"]
        assert [receipt.status for receipt in folders.receipts()] == [LoadStatus.CURATED] * 2


class TestRefused:
    def test_a_type_that_does_not_fit_is_refused_with_the_rows(self, bench):
        bench.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n2,Bob,\n3,Eve,9.99\n")
        before = bench.contents()
        with pytest.raises(InvalidChange, match=r"shop/v1/orders/20260101T000000Z.*2 values do not fit") as told:
            bench.change(ID, CUSTOMER, "amount date")
        assert [(error.line, error.column, error.value) for error in told.value.errors] == [
            (2, "amount", "1.00"), (4, "amount", "9.99"),
        ]  # fmt: skip
        assert bench.contents() == before
        assert (version(bench), bench.snapshots(major=2)) == ("v1.0", [])

    def test_nothing_of_it_is_left_lying_about(self, folders):
        folders.load(FIRST, make_csv())
        before = sorted(path for path in folders.root.rglob("*") if ".locks" not in str(path))
        with pytest.raises(InvalidChange):
            folders.change("id date")
        now = sorted(path for path in folders.root.rglob("*") if ".locks" not in str(path) and "logs" not in str(path))
        assert set(now) <= set(before)

    def test_a_table_that_fits_does_not_help_one_that_does_not(self, bench):
        bench.load(FIRST, make_csv(), "sales")
        bench.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n")
        with pytest.raises(InvalidChange):
            bench.change("id boolean", "customer date", table=TABLE)
        assert version(bench) == "v1.0"
        assert bench.snapshots("sales", major=2) == []

    def test_a_shorter_text_is_refused_without_showing_what_is_personal(self, bench):
        bench.load(FIRST, b"id,customer,amount\n1,Annabelle,1.00\n")
        with pytest.raises(InvalidChange) as told:
            bench.change(ID, CUSTOMER | {"type": "varchar(3)"}, AMOUNT)
        (error,) = told.value.errors
        assert (error.line, error.column, error.value) == (2, "customer", MASK)
        assert "Annabelle" not in str(told.value)

    def test_it_stays_hidden_where_the_new_schema_forgets_that_it_is_personal(self, bench):
        bench.load(FIRST, b"id,customer,amount\n1,Annabelle,1.00\n")
        with pytest.raises(InvalidChange) as told:
            bench.change(ID, "customer varchar(3)", AMOUNT)
        assert [error.value for error in told.value.errors] == [MASK]
        assert "Annabelle" not in str(told.value) + str(bench.events())

    def test_a_value_that_is_missing_where_it_is_required_now(self, bench):
        bench.load(FIRST, b"id,customer,amount\n1,,1.00\n")
        with pytest.raises(InvalidChange, match="line 2, column customer: missing_value"):
            bench.change(ID, CUSTOMER | {"required": True})

    def test_a_refusal_is_in_the_audit_log(self, bench):
        bench.load(FIRST, make_csv())
        with pytest.raises(InvalidChange):
            bench.change("id date")
        assert [event["stage"] for event in bench.events()][-1] == "stopped"

    def test_a_raw_file_that_is_gone_leaves_the_table_empty(self, bench):
        bench.load(FIRST, make_csv())
        (key,) = bench.keys("raw/shop/v1/orders/")
        bench.lake.store.delete(key)
        evolved = bench.change(ID)
        assert "raw file" in evolved.empty[TABLE]
        assert (version(bench), bench.snapshots(major=2), bench.snapshots()) == ("v2.0", [], [FIRST])

    def test_a_raw_file_that_was_changed_by_hand_is_not_carried_as_if_it_were_the_old_one(self, bench):
        bench.load(FIRST, make_csv(rows=3))
        (key,) = bench.keys("raw/shop/v1/orders/")
        bench.lake.store.put(key, make_csv(rows=2))
        with pytest.raises(EngineFailed, match=r"3 rows, but 2"):
            bench.change(ID)
        assert bench.snapshots(major=2) == []
        assert str(bench.change("id string").registered.version) == "v3.0"

    def test_a_change_that_comes_second_is_told_what_won(self, bench, monkeypatch):
        bench.load(FIRST, make_csv())
        plan = evolve._plan_tables

        def slow(lake, found, amended):
            monkeypatch.setattr(evolve, "_plan_tables", plan)
            bench.change(ID, CUSTOMER, AMOUNT, "extra int")
            return plan(lake, found, amended)

        monkeypatch.setattr(evolve, "_plan_tables", slow)
        with pytest.raises(VersionConflict, match=r"v1\.1"):
            bench.change(ID)
        assert (version(bench), bench.snapshots(major=2)) == ("v1.1", [])


class TestUploads:
    def test_a_form_made_before_a_major_change_is_refused_in_words_and_the_file_is_kept(self, bench):
        claim = announce_file(bench.lake.store, TableRef(PRODUCT, 1, TABLE), "late.csv", "bob")
        bench.change("id string")
        bench.lake.store.put(claim.landing, make_csv())
        outcome = bench.ingest(claim.landing)
        assert isinstance(outcome, FileRefused)
        assert "was still v1 when this upload began" in outcome.receipt.errors.first
        assert "v2.0" in outcome.receipt.errors.first
        assert bench.files("fail/") == [make_csv()]
        assert bench.snapshots() == bench.snapshots(major=2) == bench.claims() == []

    def test_a_form_made_before_a_minor_change_is_checked_by_the_new_version(self, bench):
        claim = announce_file(bench.lake.store, TableRef(PRODUCT, 1, TABLE), "late.csv", "bob")
        bench.change(ID, CUSTOMER, AMOUNT, "extra int")
        bench.lake.store.put(claim.landing, b"id,customer,amount,extra\n1,Ann,1.00,7\n")
        assert bench.ingest(claim.landing).receipt.schema_version == "v1.1"

    def test_files_of_any_kind_go_to_the_major_of_their_day_and_are_never_carried(self, bench):
        bench.take("one.pdf", b"one", PAPERS)
        bench.change(ID)
        bench.take("two.pdf", b"two", PAPERS)
        assert sorted(receipt.major for receipt in bench.receipts() if receipt.table == PAPERS) == [1, 2]
        assert bench.files(f"raw/shop/v1/{PAPERS}/") == [b"one"]
        assert bench.files(f"raw/shop/v2/{PAPERS}/") == [b"two"]

    def test_a_refused_file_stays_with_the_major_it_was_for(self, bench):
        bench.take("bad.csv", BAD)
        before = bench.contents("fail/")
        bench.change(ID)
        assert bench.contents("fail/") == before


class TestRemovedTables:
    def test_the_other_tables_are_carried_into_the_major_without_it(self, folders):
        folders.load(FIRST, make_csv(rows=1))
        folders.load(FIRST, make_csv(7, 1), "sales")
        evolved = remove_table(folders.lake, PRODUCT, "sales", "ann")
        assert evolved.carried == {TABLE: f"shop/v1/orders/{FIRST}"}
        assert rows(folders, "shop_v2.orders") == rows(folders, "shop_v1.orders")

    def test_the_last_table_may_be_removed(self, bench):
        bench.register(make_product("other", ("things",), ()))
        assert str(remove_table(bench.lake, "other", "things", "ann").registered.version) == "v2.0"
        assert bench.lake.registry.get("other").product.tables == {}
