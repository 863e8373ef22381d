"""Rehearsal, reload, resync and retention on the command line: what is printed, what is changed, how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.keys import receipt_key
from daap.pipeline.manage import set_hold
from daap_local.cli import main
from tests.support.lakes import BAD, CUSTOMER, ID, PRODUCT, TABLE, Bench, make_csv, make_product, open_folders

OLD = ("20250101T000000Z", "20250102T000000Z")


@pytest.fixture
def bench(tmp_path) -> Bench:
    bench = open_folders(tmp_path / "lake", DuckDBEngine(scratch=tmp_path))
    bench.register()
    return bench


def run(bench: Bench, *words: str | Path, ends: int = 0) -> Result:
    """Runs a command; it has to end with the code `ends`, and in no case with a traceback."""
    result = CliRunner().invoke(main, ["--root", str(bench.root), *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code == ends, result.output
    return result


def load(bench: Bench, *words: str | Path, ends: int = 0) -> object:
    """What a command prints, as JSON."""
    return json.loads(run(bench, *words, "--format", "json", ends=ends).stdout)


def write_spec(bench: Bench, *columns: dict[str, object] | str, table: str = TABLE) -> Path:
    """A spec of the sample product with other columns in one table."""
    spec = make_product().dump()
    listed = [{"name": c.split()[0], "type": c.split()[1]} if isinstance(c, str) else c for c in columns]
    spec["tables"] = {table: {"tableDescription": "proposed", "columns": listed}}
    path = bench.root / "proposed.yaml"
    path.write_text(json.dumps(spec))
    return path


@pytest.mark.parametrize("command", ["reload", "resync", "retention"])
def test_an_unknown_product_is_one_clear_line(bench, command):
    result = run(bench, command, "nobody", ends=2)
    assert result.stdout == ""
    assert result.stderr.strip() == "Error: product nobody is not registered"


@pytest.mark.parametrize("command", ["rehearse", "reload", "resync", "retention"])
def test_help_shows_an_example(bench, command):
    assert f"daap-local {command} " in run(bench, command, "--help").stdout


class TestRehearse:
    def test_it_tells_how_many_uploads_which_and_why_and_ends_with_1(self, bench):
        bench.load(OLD[0], b"id,customer,amount\n1,Ann,1.00\n")
        bench.load(OLD[1], b"id,customer,amount\n1,Annabelle,1.00\n")
        spec = write_spec(bench, ID, CUSTOMER | {"type": "varchar(3)"}, "amount double")
        told = run(bench, "rehearse", spec, ends=1).stdout
        assert "shop.orders: 1 of 2 uploads would be refused" in told
        assert OLD[1] in told
        assert "line 2, column customer" in told
        assert "Annabelle" not in told

    def test_it_ends_with_0_where_none_would_be(self, bench):
        bench.load(OLD[0], make_csv())
        told = run(bench, "rehearse", write_spec(bench, "id bigint", "customer string", "amount double")).stdout
        assert told == "shop.orders: 0 of 1 upload would be refused\n"

    def test_json_holds_the_errors(self, bench):
        bench.load(OLD[0], make_csv())
        told = load(bench, "rehearse", write_spec(bench, ID, "customer string", "amount date"), ends=1)
        assert told[TABLE]["uploads"] == 1
        (refused,) = told[TABLE]["refused"]
        assert (refused["load"], refused["total"]) == (f"shop/v1/orders/{OLD[0]}", 3)
        assert refused["errors"][0]["line"] == 2

    def test_one_table_and_the_newest_uploads_may_be_chosen(self, bench):
        for stamp in OLD:
            bench.load(stamp, make_csv())
        spec = write_spec(bench, ID)
        assert load(bench, "rehearse", spec, "--table", TABLE, "--newest", "1", ends=1)[TABLE]["uploads"] == 1
        run(bench, "rehearse", spec, "--table", "sales", ends=2)
        run(bench, "rehearse", spec, "--newest", "0", ends=2)

    def test_nothing_is_changed(self, bench):
        bench.load(OLD[0], make_csv())
        spec = write_spec(bench, "id date")
        before = bench.contents() | bench.contents("logs/")
        run(bench, "rehearse", spec, ends=1)
        assert bench.contents() | bench.contents("logs/") == before

    def test_a_product_that_is_not_registered_is_told(self, bench):
        path = bench.root / "other.yaml"
        path.write_text(json.dumps(make_product("other").dump()))
        assert "other is not registered" in run(bench, "rehearse", path, ends=2).stderr


class TestReload:
    def test_every_snapshot_is_told_as_it_is_made_anew(self, bench):
        bench.load(OLD[0], make_csv(rows=2))
        bench.load(OLD[1], make_csv(rows=3), "sales")
        shutil.rmtree(bench.root / "curated" / "shop" / "v1" / "sales")
        assert run(bench, "reload", PRODUCT).stdout.splitlines() == [
            f"shop/v1/orders/{OLD[0]}  2 rows", f"shop/v1/sales/{OLD[1]}  3 rows  (was missing)",
        ]  # fmt: skip
        assert bench.query("SELECT count(*) AS n FROM shop_v1.sales") == [{"n": 3}]

    def test_one_table_may_be_chosen(self, bench):
        for table in (TABLE, "sales"):
            bench.load(OLD[0], make_csv(), table)
        assert load(bench, "reload", PRODUCT, "sales") == [
            {"load": f"shop/v1/sales/{OLD[0]}", "rows": 3, "wasMissing": False, "error": None}
        ]
        assert "no table nothing" in run(bench, "reload", PRODUCT, "nothing", ends=2).stderr

    def test_where_there_is_nothing_that_is_said(self, bench):
        assert "no snapshots" in run(bench, "reload", PRODUCT).stdout
        assert load(bench, "reload", PRODUCT) == []

    def test_a_snapshot_that_would_have_other_rows_stays_and_is_told(self, bench):
        bench.load(OLD[0], make_csv(rows=3))
        (key,) = bench.keys("raw/")
        bench.lake.store.put(key, make_csv(rows=2))
        result = run(bench, "reload", PRODUCT, ends=1)
        assert "shop/v1/orders/20250101T000000Z had 3 rows, but 2 come from raw" in result.stdout
        assert bench.query("SELECT count(*) AS n FROM shop_v1.orders") == [{"n": 3}]


class TestResync:
    def test_what_was_mended_is_told(self, bench):
        receipt = bench.load(OLD[0], make_csv()).receipt
        bench.lake.catalogue.withdraw(receipt.load)
        other = bench.load(OLD[1], make_csv(), "sales").receipt
        bench.lake.store.delete(receipt_key(other.load))
        assert run(bench, "resync", PRODUCT).stdout.splitlines() == [
            f"unpublished: {receipt.load}  mended", f"unrecorded: {other.load}  mended",
        ]  # fmt: skip
        assert "as it should be" in run(bench, "resync", PRODUCT).stdout

    def test_without_a_name_every_product_is_looked_at(self, bench):
        bench.register(make_product("shop2"))
        for product in (PRODUCT, "shop2"):
            bench.lake.catalogue.withdraw(bench.load(OLD[0], make_csv(), product=product).receipt.load)
        assert [one["what"] for one in load(bench, "resync")] == [
            f"shop/v1/orders/{OLD[0]}", f"shop2/v1/orders/{OLD[0]}",
        ]  # fmt: skip

    def test_what_could_not_be_is_told_with_its_reason_and_ends_with_1(self, bench):
        receipt = bench.load(OLD[0], make_csv()).receipt
        bench.lake.catalogue.withdraw(receipt.load)
        bench.lake.store.put(bench.keys("raw/")[0], BAD)
        (found,) = load(bench, "resync", ends=1)
        assert (found["found"], found["what"]) == ("unpublished", str(receipt.load))
        assert "line 3, column id" in found["error"]

    def test_an_empty_lake_is_as_it_should_be(self, tmp_path):
        bench = open_folders(tmp_path / "empty", DuckDBEngine(scratch=tmp_path))
        assert run(bench, "resync").stdout == "Everything is as it should be.\n"


class TestRetention:
    def test_what_has_expired_is_listed_and_nothing_deleted(self, bench):
        bench.load(OLD[0], make_csv())
        bench.load(OLD[1], BAD)
        before = [bench.contents(zone) for zone in ("raw/", "fail/", "curated/", "metadata/", "logs/")]
        result = run(bench, "retention")
        assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [f"shop/v1/orders/{one}" for one in OLD]
        assert "to do so, add --delete" in result.stderr
        assert [bench.contents(zone) for zone in ("raw/", "fail/", "curated/", "metadata/", "logs/")] == before

    def test_with_delete_it_is_gone(self, bench):
        bench.load(OLD[0], make_csv())
        bench.take("new.csv", make_csv())
        told = load(bench, "retention", PRODUCT, "--delete")
        assert told["deleted"] is True
        assert [one["load"] for one in told["expired"]] == [f"shop/v1/orders/{OLD[0]}"]
        assert len(bench.files("raw/")) == len(bench.snapshots()) == 1
        assert "Nothing is older" in run(bench, "retention", "--delete").stdout

    def test_a_product_under_legal_hold_is_left_alone_and_said_so(self, bench):
        bench.register(make_product("shop2"))
        for product in (PRODUCT, "shop2"):
            bench.load(OLD[0], make_csv(), product=product)
        set_hold(bench.lake, PRODUCT, "a case", "ann")
        result = run(bench, "retention", "--delete")
        assert "shop is under legal hold" in result.stderr
        assert len(bench.snapshots()) == 1
        assert bench.snapshots(product="shop2") == []
        assert load(bench, "retention")["underLegalHold"] == [PRODUCT]

    def test_a_lake_without_products_has_nothing(self, tmp_path):
        bench = open_folders(tmp_path / "empty", DuckDBEngine(scratch=tmp_path))
        assert load(bench, "retention") == {"deleted": False, "underLegalHold": [], "expired": []}
