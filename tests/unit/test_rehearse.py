"""Rehearsing a schema: how many uploads it would have refused, which and why, with nothing changed."""

from __future__ import annotations

import pytest

from daap.errors import NotRegistered
from daap.model.verdict import MASK
from daap.pipeline.rehearse import Rehearsal, rehearse_schema
from tests.support.lakes import AMOUNT, BAD, CUSTOMER, ID, PRODUCT, TABLE, Bench, make_csv, make_table


def stamp(day: int) -> str:
    return f"202601{day:02}T000000Z"


def rehearse(bench: Bench, *columns: str | dict, table: str = TABLE, **options) -> Rehearsal:
    return rehearse_schema(bench.lake, PRODUCT, table, make_table(*columns), **options)


def found(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    return [(refusal.receipt.load_timestamp, str(refusal.verdict.errors[0])) for refusal in rehearsal.refusals]


def test_a_table_without_uploads_has_none_refused(bench):
    assert str(rehearse(bench, "id date")) == "0 of 0 uploads would be refused"
    assert str(rehearse(bench, "id date", table="nothing")) == "0 of 0 uploads would be refused"


def test_the_schema_of_now_refuses_nothing(bench):
    for day in (1, 2, 3):
        bench.load(stamp(day), make_csv())
    assert str(rehearse(bench)) == "0 of 3 uploads would be refused"


def test_it_tells_which_uploads_and_why_the_newest_first(bench):
    bench.load(stamp(1), b"id,customer,amount\n1,Ann,\n")
    bench.load(stamp(2), b"id,customer,amount\n1,Ann,1.00\n2,Bob,\n3,Eve,\n")
    bench.load(stamp(3), b"id,customer,amount\n1,Ann,1.00\n")
    rehearsal = rehearse(bench, ID, CUSTOMER, AMOUNT | {"required": True})
    assert str(rehearsal) == "2 of 3 uploads would be refused"
    assert [(where, why.partition(": ")[0]) for where, why in found(rehearsal)] == [
        (stamp(2), "line 3, column amount"), (stamp(1), "line 2, column amount"),
    ]  # fmt: skip
    assert [refusal.verdict.total for refusal in rehearsal.refusals] == [2, 1]


def test_one_upload_is_told_in_the_singular(bench):
    bench.load(stamp(1), make_csv())
    assert str(rehearse(bench, "id date", CUSTOMER, AMOUNT)) == "1 of 1 upload would be refused"


def test_refused_uploads_do_not_count(bench):
    bench.load(stamp(1), make_csv())
    bench.load(stamp(2), BAD)
    assert rehearse(bench).uploads == 1


@pytest.mark.parametrize(("newest", "checked", "refused"), [(1, 1, 0), (2, 2, 1), (3, 3, 2), (9, 3, 2)])
def test_only_the_newest_may_be_checked(bench, newest, checked, refused):
    for day, name in ((1, "Annabelle"), (2, "Bernadette"), (3, "Eve")):
        bench.load(stamp(day), f"id,customer,amount\n1,{name},1.00\n".encode())
    bench.load(stamp(4), BAD)
    rehearsal = rehearse(bench, ID, CUSTOMER | {"type": "varchar(3)"}, AMOUNT, newest=newest)
    assert (rehearsal.uploads, len(rehearsal.refusals)) == (checked, refused)


def test_nothing_is_changed(bench):
    bench.load(stamp(1), make_csv())
    before = {zone: bench.contents(zone) for zone in ("raw/", "curated/", "fail/", "metadata/", "logs/", "landing/")}
    rehearse(bench, "id date")
    assert {zone: bench.contents(zone) for zone in before} == before
    assert bench.snapshots() == [stamp(1)]


def test_progress_is_told(bench):
    for day in (1, 2, 3):
        bench.load(stamp(day), make_csv())
    told: list[tuple[int, int]] = []
    rehearse(bench, told=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_columns_the_old_files_have_or_lack_are_seen(bench):
    bench.load(stamp(1), make_csv())
    assert "extra_column" in found(rehearse(bench, ID, CUSTOMER))[0][1]
    assert "missing_column" in found(rehearse(bench, ID, CUSTOMER, AMOUNT, "extra int"))[0][1]


def test_values_of_personal_columns_are_masked_whatever_is_proposed(bench):
    bench.load(stamp(1), b"id,customer,amount\n1,Annabelle,1.00\n")
    for proposed in ("customer varchar(3)", CUSTOMER | {"type": "varchar(3)"}):
        (refusal,) = rehearse(bench, ID, proposed, AMOUNT).refusals
        assert refusal.verdict.errors[0].value == MASK


def test_uploads_of_each_version_are_checked_by_what_is_proposed(bench):
    bench.load(stamp(1), make_csv())
    bench.change(ID, CUSTOMER, AMOUNT, "extra int")
    bench.load(stamp(2), b"id,customer,amount,extra\n1,Ann,1.00,7\n")
    assert [where for where, _ in found(rehearse(bench, ID, CUSTOMER, AMOUNT, "extra int"))] == [stamp(1)]


def test_a_carried_snapshot_is_checked_as_it_would_be_carried_on(bench):
    bench.load(stamp(1), make_csv())
    bench.change(ID, AMOUNT)
    assert str(rehearse(bench, ID, AMOUNT)) == "0 of 1 upload would be refused"
    assert str(rehearse(bench, "id string", "extra int")) == "0 of 1 upload would be refused"
    assert found(rehearse(bench, "amount date"))[0][1].startswith("line 2, column amount")


def test_a_raw_file_that_is_gone_refuses_nothing(bench):
    bench.load(stamp(1), make_csv())
    bench.lake.store.delete(bench.keys("raw/")[0])
    assert found(rehearse(bench, "id date")) == []


def test_an_unknown_product_is_told_so(bench):
    with pytest.raises(NotRegistered, match="nobody"):
        rehearse_schema(bench.lake, "nobody", TABLE, make_table())
