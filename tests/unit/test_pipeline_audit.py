"""The audit log has every stage of every load, and no value of a person."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import EngineFailed, InvalidName
from daap.model.events import FileRefused
from tests.support.lakes import BAD, PAPERS, Bench, make_csv

SECRET = "Wilhelmina-Featherstonehaugh"  # longer than the column allows  # noqa: S105 - an invented name


def list_stages(bench: Bench) -> list[str]:
    return [event["stage"] for event in bench.events()]


def test_a_good_load_leaves_an_event_for_each_stage(bench):
    receipt = bench.take("orders.csv", make_csv()).receipt
    assert list_stages(bench) == ["landed", "checked", "archived", "curated"]
    for event in bench.events():
        assert (event["load"], event["product"], event["table"]) == (str(receipt.load), "shop", "orders")
        assert (event["actor"], event["level"]) == ("ann", "info")
        assert event["codeVersion"]
        assert event["time"].endswith("Z")
        assert event["message"]


def test_a_refused_load_says_why(bench):
    bench.take("bad.csv", BAD)
    assert list_stages(bench) == ["landed", "failed"]
    failed = bench.events()[-1]
    assert (failed["level"], failed["byCode"]) == ("warning", {"type_error": 2})


def test_a_file_of_a_files_component_is_archived_and_no_more(bench):
    bench.take("a.pdf", b"x", PAPERS)
    assert list_stages(bench) == ["landed", "archived"]


def test_an_old_event_leaves_no_trace(bench):
    key = bench.drop("orders.csv", make_csv())
    for _ in range(3):
        bench.ingest(key)
    assert len(bench.events()) == 4


def test_the_events_of_one_piece_of_work_are_one_object(bench):
    bench.take("a.csv", make_csv())
    bench.take("b.csv", BAD)
    assert len(bench.keys("logs/events/")) == 2


def test_work_that_stops_is_an_event_too(folders):
    class FailingEngine(DuckDBEngine):
        def stage(self, *_given: object) -> object:
            raise EngineFailed("out of memory")

    folders.lake = replace(folders.lake, engine=FailingEngine(scratch=folders.root))
    with pytest.raises(EngineFailed):
        folders.take("orders.csv", make_csv())
    stopped = folders.events()[-1]
    assert (stopped["stage"], stopped["level"]) == ("stopped", "warning")
    assert "out of memory" in stopped["message"]
    assert stopped["load"].startswith("shop/v1/orders/")


def test_a_misplaced_file_is_not_logged_as_a_load(bench):
    with pytest.raises(InvalidName):
        bench.ingest("landing/stray.csv")
    assert bench.events() == []


def test_the_console_hears_what_the_log_holds(bench):
    heard = []
    bench.lake = replace(bench.lake, console=heard.append)
    bench.take("orders.csv", make_csv())
    assert json.loads(json.dumps(heard, default=str)) == bench.events()


def test_events_can_be_queried(folders):
    assert folders.query("SELECT * FROM daap_logs.events") == []
    receipt = folders.take("orders.csv", make_csv(rows=7)).receipt
    folders.take("bad.csv", BAD)
    rows = folders.query("SELECT stage, load, rows, level, message FROM daap_logs.events ORDER BY time")
    assert [row["stage"] for row in rows] == ["landed", "checked", "archived", "curated", "landed", "failed"]
    assert {row["load"] for row in rows[:4]} == {str(receipt.load)}
    assert rows[3]["rows"] == 7


def test_events_may_be_queried_beside_tables(folders):
    folders.take("orders.csv", make_csv(rows=7))
    (row,) = folders.query(
        "SELECT count(*) AS n, any_value(e.rows) AS told FROM shop_v1.orders o "
        "JOIN daap_logs.events e ON e.load = 'shop/v1/orders/' || o.load_timestamp WHERE e.stage = 'curated'"
    )
    assert row == {"n": 7, "told": 7}


@pytest.mark.parametrize(
    "line",
    [
        f"1,{SECRET},1.00",
        f"1,{SECRET}",
        f"1,{SECRET},1.00,4",
        f'1,"{SECRET},1.00',
        f'1,"{SECRET}"x,1.00',
        f'1,x"{SECRET}",1.00',
        f"{SECRET},{SECRET},1.00",
        f"1,{SECRET}\0,1.00",
        f"1,{SECRET}\udcff,1.00",
    ],
    ids=["too long", "too few", "too many", "unclosed", "broken", "inner", "column shifted", "nul", "bytes"],
)
def test_a_personal_value_is_in_no_receipt_report_or_log(bench, line):
    data = b"id,customer,amount\n" + line.encode(errors="surrogateescape") + b"\n"
    heard = []
    bench.lake = replace(bench.lake, console=heard.append)
    outcome = bench.take("bad.csv", data)
    assert isinstance(outcome, FileRefused)
    told = {key: bench.read(key) for zone in ("metadata/", "logs/", "fail/") for key in bench.keys(zone)}
    # The producer's own file, and the same with an error column, are theirs and hold what they hold.
    told = {key: content for key, content in told.items() if not key.endswith(".csv")}
    if line.startswith(SECRET):
        # In a column that is not personal the value is told; in the one that is, it is not.
        report = json.loads(bench.read(outcome.receipt.errors.report))
        assert [error["value"] for error in report["errors"] if error["column"] == "customer"] == ["***"]
    else:
        assert [key for key, content in told.items() if SECRET.encode() in content] == []
        assert SECRET not in json.dumps(heard, default=str)


def test_a_masked_value_is_shown_as_stars(bench):
    receipt = bench.take("bad.csv", f"id,customer,amount\n1,{SECRET},1.00\n".encode()).receipt
    report = json.loads(bench.read(receipt.errors.report))
    assert [(error["code"], error["value"]) for error in report["errors"]] == [("too_long", "***")]
    assert "***" in receipt.errors.first
