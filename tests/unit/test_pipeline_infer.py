"""Files that nobody registered: refused, or taken in under a draft where the lake infers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daap.model.events import FileRefused, LoadCurated
from daap.model.keys import file_key
from daap.model.loads import LoadId, TableRef
from daap_local.bootstrap import open_lake
from tests.support.lakes import Bench, drain_lake, make_csv, make_product

FILE_ID = "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1"


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(open_lake(tmp_path / "lake", infer=True), tmp_path / "lake")


def test_without_infer_the_file_is_refused_and_nothing_is_registered(tmp_path):
    bench = Bench(open_lake(tmp_path, infer=False), tmp_path)
    outcome = bench.take("a.csv", make_csv(), "things", "new")
    assert isinstance(outcome, FileRefused)
    assert outcome.receipt.errors.by_code == {"not_registered": 1}
    assert list(bench.lake.registry.list()) == []


def test_with_infer_a_draft_is_registered_and_the_file_curated(bench):
    outcome = bench.take("a.csv", make_csv(), "things", "new")
    assert isinstance(outcome, LoadCurated)
    registered = bench.lake.registry.get("new")
    assert (registered.product.status, str(registered.version)) == ("draft", "v1.0")
    types = {column.name: str(column.type) for column in registered.schema("things").columns}
    assert (types["id"], types["customer"]) == ("int", "string")
    assert outcome.receipt.schema_version == "v1.0"
    assert len(bench.query("SELECT id, amount FROM new_v1.things_latest")) == 3


def test_a_second_file_is_held_to_the_spec_of_the_first(bench):
    bench.take("a.csv", make_csv(), "things", "new")
    outcome = bench.take("b.csv", b"id,customer,amount\nx,Ann,1.00\n", "things", "new")
    assert isinstance(outcome, FileRefused)
    assert outcome.receipt.errors.by_code == {"type_error": 1}


def test_a_second_table_is_a_minor_version(bench):
    bench.take("a.csv", make_csv(), "things", "new")
    outcome = bench.take("a.csv", make_csv(), "others", "new")
    assert outcome.receipt.schema_version == "v1.1"
    assert len(bench.query("SELECT * FROM new_v1.others")) == 3


def test_a_registered_table_is_not_inferred(bench):
    bench.register()
    assert isinstance(bench.take("a.csv", b"other,columns\n1,2\n"), FileRefused)
    assert bench.lake.registry.get("shop").product == make_product()


def test_a_file_that_does_not_pass_registers_nothing(bench):
    outcome = bench.take("a.csv", b'id,name\n1,"broken\n', "things", "new")
    assert isinstance(outcome, FileRefused)
    assert list(bench.lake.registry.list()) == []
    assert bench.files("fail/") == [b'id,name\n1,"broken\n']


def test_an_empty_file_registers_nothing(bench):
    outcome = bench.take("a.csv", b"", "things", "new")
    assert outcome.receipt.errors.by_code == {"empty_file": 1}
    assert list(bench.lake.registry.list()) == []


@pytest.mark.parametrize("table", ["ORDERS", "orders_latest", "Papers"])
def test_a_table_whose_name_clashes_is_refused_in_words_and_stops_nobody(bench, table):
    bench.register()
    bench.drop("a.csv", make_csv(), table)
    bench.drop("b.csv", make_csv(), "sales")
    drain_lake(bench.lake, bench.root / "landing")
    assert len(bench.snapshots("sales")) == 1
    assert bench.files("fail/") == [make_csv()]
    assert bench.claims() == bench.keys("landing/") == []


@pytest.mark.parametrize("registered", [True, False])
def test_an_upload_for_a_major_version_that_is_none_is_refused(bench, registered):
    if registered:
        bench.register()
    key = file_key("landing", LoadId(TableRef("shop", 7, "orders"), "20260131T235959Z"), FILE_ID)
    bench.lake.store.put(key, make_csv())
    outcome = bench.ingest(key)
    assert isinstance(outcome, FileRefused)
    assert outcome.receipt.errors.by_code == {"not_registered": 1}
    assert bench.keys("curated/") == []


@pytest.mark.parametrize("known", [True, False], ids=["another table", "a new product"])
def test_a_product_that_changes_while_a_file_is_inferred_does_not_stop_the_watcher(bench, known):
    # Another process registers a table of the same product in the meantime.
    if known:
        bench.take("a.csv", make_csv(), "first", "new")
    infer = bench.lake.infer

    def infer_slowly(source, source_name, product, table):
        inferred = infer(source, source_name, product, table)
        if table != "other":
            bench.take("other.csv", make_csv(), "other", "new")
        return inferred

    slow = replace(bench.lake, infer=infer_slowly)
    bench.drop("b.csv", make_csv(), "second", "new")
    drain_lake(slow, bench.root / "landing")
    assert {"other", "second"} <= set(bench.lake.registry.get("new").product.tables)
    for table in ("other", "second"):
        assert len(bench.query(f"SELECT * FROM new_v1.{table}")) == 3


def test_two_processes_that_add_tables_at_once_both_succeed(bench, monkeypatch):
    # Both have read the product before either writes it.
    bench.take("a.csv", make_csv(), "first", "new")
    registry = type(bench.lake.registry)
    read = registry.read
    done: list[str] = []

    def read_late(self, name):
        found = read(self, name)
        if not done:
            done.append(name)
            bench.take("other.csv", make_csv(), "other", "new")
        return found

    bench.drop("b.csv", make_csv(), "second", "new")
    add = registry.ensure_table

    def add_late(self, *given):
        monkeypatch.setattr(registry, "read", read_late)
        monkeypatch.setattr(registry, "ensure_table", add)
        return add(self, *given)

    monkeypatch.setattr(registry, "ensure_table", add_late)
    drain_lake(bench.lake, bench.root / "landing")
    assert {"first", "other", "second"} == set(bench.lake.registry.get("new").product.tables)
    assert len(bench.query("SELECT * FROM new_v1.second")) == 3


def test_files_below_a_lake_that_infers_keep_their_bytes(bench):
    data = "naïve;größe\n1;2,5\n".encode("cp1252")
    outcome = bench.take("a.csv", data, "things", "new")
    assert isinstance(outcome, LoadCurated)
    (path,) = (Path(bench.root) / "raw").rglob("*.csv")
    assert path.read_bytes() == data
