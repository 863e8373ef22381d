"""Loads: their ids, and the receipt that is kept of each."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daap.errors import InvalidName
from daap.model.loads import (
    CuratorNote,
    EngineNote,
    ErrorSummary,
    LoadId,
    LoadStatus,
    OutputFile,
    Receipt,
    TableRef,
    parse_load,
)

STAMP = "20260131T235959Z"
RECEIPT = Receipt(
    product="spend", major=1, table="march", load_timestamp=STAMP, file_id="0a1b", status=LoadStatus.LANDED,
    actor="ann",
    source_name="März 2026.csv",
)  # fmt: skip


def test_a_load_id_is_written_as_a_path():
    load = LoadId(TableRef("spend", 10, "march"), STAMP)
    assert str(load) == f"spend/v10/march/{STAMP}"
    assert parse_load(str(load)) == load
    assert load.ref.database == "spend_v10"


@pytest.mark.parametrize(
    "text",
    [
        "", "spend", f"spend/1/march/{STAMP}", f"spend/v0/march/{STAMP}", f"Spend/v1/march/{STAMP}",
        f"spend/v1/m/{STAMP}",
        "spend/v1/march/now", f"spend/v1/march/{STAMP}/", f"/spend/v1/march/{STAMP}", f"../v1/march/{STAMP}",
        f"spend/v1/march/{STAMP}\n",
    ],
)  # fmt: skip
def test_anything_else_is_no_load_id(text):
    with pytest.raises(InvalidName):
        parse_load(text)


@given(
    st.from_regex("[a-z0-9_]{1,9}", fullmatch=True), st.integers(1, 999_999),
    st.from_regex("[a-zA-Z][a-zA-Z0-9_]{1,9}", fullmatch=True)
)  # fmt: skip
def test_a_load_id_written_and_read_is_the_same(product, major, table):
    load = LoadId(TableRef(product, major, table), STAMP)
    assert parse_load(str(load)) == load


@pytest.mark.parametrize(("product", "table"), [("../x", "march"), ("spend", "a/b"), ("spend", 'a"b'), ("", "march")])
def test_a_table_is_never_named_by_what_is_no_name(product, table):
    with pytest.raises(InvalidName):
        TableRef(product, 1, table)


def test_loads_of_a_table_sort_by_time():
    stamps = ["20260201T000000Z", "20251231T235959Z", "20260131T235959Z"]
    loads = sorted(LoadId(TableRef("spend", 1, "march"), stamp) for stamp in stamps)
    assert [load.stamp for load in loads] == sorted(stamps)


def test_a_receipt_knows_its_load():
    assert RECEIPT.load == LoadId(TableRef("spend", 1, "march"), STAMP)


OUTPUTS = st.builds(OutputFile, key=st.text(), rows=st.integers(0), bytes=st.integers(0))
ERRORS = st.fixed_dictionaries(
    {
        "total": st.integers(1),
        "by_code": st.dictionaries(st.text(), st.integers(1)),
        "first": st.text(),
        "report": st.text(),
    },
    optional={"annotated": st.text()},
).map(lambda fields: ErrorSummary(**fields))
RECEIPTS = st.fixed_dictionaries(
    {
        "product": st.just("spend"), "major": st.integers(1, 99), "table": st.just("march"),
        "load_timestamp": st.just(STAMP),
        "file_id": st.text(), "status": st.sampled_from(LoadStatus), "actor": st.text(), "source_name": st.text(),
    },
    optional={
        "kind": st.sampled_from(["table", "file"]), "extension": st.sampled_from(["csv", "pdf"]),
        "schema_version": st.just("v1.2"),
        "bytes": st.integers(0), "content_hash": st.text(), "rows_read": st.integers(0), "rows_written": st.integers(0),
        "output_files": st.lists(OUTPUTS, max_size=3).map(tuple), "errors": ERRORS,
        "timings": st.dictionaries(st.text(), st.floats(0, 1e6)),
        "engine": st.builds(EngineNote, name=st.text(), version=st.text(), path=st.none() | st.text()),
        "curated_by": st.builds(CuratorNote, name=st.text(), version=st.text(), reason=st.none() | st.text()),
        "reached": st.dictionaries(st.sampled_from(LoadStatus), st.datetimes(timezones=st.just(UTC))),
    },
).map(lambda fields: Receipt(**fields))  # fmt: skip


@given(RECEIPTS)
def test_a_receipt_written_and_read_is_the_same(receipt):
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt
    assert Receipt.model_validate_json(receipt.model_dump_json(exclude_defaults=True)) == receipt


def test_a_receipt_is_written_in_camel_case():
    written = RECEIPT.model_dump(mode="json", exclude_defaults=True)
    assert written == {
        "product": "spend", "major": 1, "table": "march", "loadTimestamp": STAMP, "fileId": "0a1b", "status": "landed",
        "actor": "ann", "sourceName": "März 2026.csv",
    }  # fmt: skip


def test_a_receipt_is_never_changed_in_place():
    with pytest.raises(ValidationError):
        RECEIPT.status = LoadStatus.CURATED


def test_a_receipt_holds_nothing_unknown():
    with pytest.raises(ValidationError, match="color"):
        Receipt.model_validate(RECEIPT.model_dump() | {"color": "red"})


@pytest.mark.parametrize(("kind", "done"), [("table", LoadStatus.CURATED), ("file", LoadStatus.ARCHIVED)])
def test_a_load_is_final_where_nothing_is_left_to_do(kind, done):
    final = {done, LoadStatus.FAILED, LoadStatus.EXPIRED}
    for status in LoadStatus:
        receipt = RECEIPT.model_copy(update={"status": status, "kind": kind})
        assert receipt.is_final == (status in final)


def test_a_load_id_has_the_digits_of_ascii_alone():
    with pytest.raises(InvalidName):
        parse_load(f"spend/v1٣/march/{STAMP}")
