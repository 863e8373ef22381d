"""The Glue catalogue: what readers see at every moment, whatever is killed, and what it costs."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from daap.errors import NotRegistered, StoreUnavailable
from daap.model.loads import LoadId, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written, WrittenFile
from daap.ports.catalogue import TableEntry
from daap_cloud.glue import again
from daap_cloud.glue.targets import GRACE
from tests.athena.serving import serving
from tests.support.emulator import CREDENTIALS, make_settings
from tests.support.shelves import GlueShelf, account_clients, glue_shelf

MARCH = TableRef("spend", 1, "March")
OLD, LOAD, NEW = (LoadId(MARCH, f"202601{day}T235959Z") for day in (29, 30, 31))
RAW = "spend_v1_raw"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def shelf(tmp_path) -> GlueShelf:
    # What a publisher left behind counts as left at once: here nobody is on the way but who was killed.
    return glue_shelf(tmp_path)


@pytest.fixture
def strict(tmp_path, monkeypatch) -> Iterator[GlueShelf]:
    """Over daap's own Glue, which takes no partition without its table, as AWS."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with serving(tmp_path) as served:
        clients = account_clients(served.url)
        yield GlueShelf(clients, make_settings(clients))


def entry_of(*columns: str, **more: Any) -> TableEntry:
    listed = [{"name": name, "type": "int"} for name in columns or ("id",)]
    return TableEntry(MARCH, TableSchema.model_validate({"tableDescription": "a table", "columns": listed, **more}))


def write_rows(shelf: GlueShelf, load: LoadId, *rows: int) -> Written:
    target, files = shelf.catalogue.new_target(load), []
    for place, row in enumerate(rows):
        out = io.BytesIO()
        pq.write_table(pa.table({"id": pa.array([row], pa.int32())}), out)
        shelf.write(target, f"part-{place}", out.getvalue())
        files.append(WrittenFile(f"part-{place}", 1, len(out.getvalue())))
    return Written(target, tuple(files))


def view_of(shelf: GlueShelf) -> dict[str, Any]:
    """What the view holds, as Athena reads it."""
    text = shelf.clients.glue.get_table(DatabaseName="spend_v1", Name="march_latest")["Table"]["ViewOriginalText"]
    found: dict[str, Any] = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    return found


def shown_by(shelf: GlueShelf) -> str | None:
    """The stamp that the view selects."""
    condition = view_of(shelf)["originalSql"].partition(" WHERE ")[2]
    return None if condition == "false" else condition.removeprefix('"load_timestamp" = \'').removesuffix("'")


def partitions_of(shelf: GlueShelf, database: str = "spend_v1") -> dict[str, dict[str, Any]]:
    found = shelf.clients.glue.get_partitions(DatabaseName=database, TableName="march")["Partitions"]
    return {one["Values"][0]: one["StorageDescriptor"] for one in found}


@contextmanager
def watching(shelf: GlueShelf, act: Callable[[str], None]) -> Iterator[None]:
    """Calls `act` with the name of each call to AWS, once that is answered."""
    clients = (shelf.clients.s3, shelf.clients.glue)

    def react(model: Any, **_given: Any) -> None:
        act(model.name)

    for client in clients:
        client.meta.events.register("after-call", react)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("after-call", react)


def killing(shelf: GlueShelf, work: Callable[[], object], place: int) -> bool:
    """Kills `work` behind its call number `place`; false if it has fewer."""
    left = place

    def count(_name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    with watching(shelf, count):
        try:
            work()
        except Killed:
            return True
    return False


def check_readers(shelf: GlueShelf, known: dict[LoadId, list[int]]) -> None:
    """Each snapshot that is visible is whole, and the view shows one of them, if it shows any."""
    visible = shelf.catalogue.snapshots(MARCH)
    for load, ids in known.items():
        if load.stamp in visible:
            assert shelf.ids(load) == ids
    assert shown_by(shelf) in {*visible, None}


@pytest.mark.parametrize("every", [pytest.param(4, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
class TestKilled:
    """After every fourth call to AWS, or each; then the same again, as a worker's next try does it."""

    def publish(self, shelf: GlueShelf, load: LoadId, *rows: int) -> None:
        shelf.catalogue.put_table(entry_of())
        shelf.catalogue.publish(load, write_rows(shelf, load, *rows))
        shelf.catalogue.discard(load)

    def steps(
        self, shelf: GlueShelf, every: int, prepare: Callable[[], None], work: Callable[[], None]
    ) -> Iterator[None]:
        """Gives the moments behind each kill; the work is done again after each."""
        for place in range(1, 200, every):
            prepare()
            if not killing(shelf, work, place):
                assert place > 5
                return
            yield
            work()
        pytest.fail("the work never ends")

    def test_making_a_table(self, shelf, every):
        for place in range(1, 50, every):
            if not killing(shelf, lambda: shelf.catalogue.put_table(entry_of()), place):
                break
            shelf.catalogue.put_table(entry_of())
            assert shelf.catalogue.table("spend_v1", "march") == entry_of()
            assert shown_by(shelf) is None
            assert shelf.clients.glue.get_table(DatabaseName=RAW, Name="march")
            shelf.catalogue.drop_table(MARCH)
        assert place > 10

    def test_publishing(self, shelf, every):
        self.publish(shelf, OLD, 0)
        for _ in self.steps(
            shelf, every, lambda: shelf.catalogue.withdraw(LOAD), lambda: self.publish(shelf, LOAD, 1, 2)
        ):
            check_readers(shelf, {OLD: [0], LOAD: [1, 2]})
        assert shelf.catalogue.snapshots(MARCH) == [OLD.stamp, LOAD.stamp]
        assert shelf.ids(LOAD) == [1, 2]
        assert shown_by(shelf) == LOAD.stamp
        assert shelf.names() == ["march.json", "part-0", "part-0", "part-1"]

    def test_replacing(self, shelf, every):
        rows = [1, 2]
        self.publish(shelf, LOAD, *rows)

        def replace() -> None:
            shelf.catalogue.replace(LOAD, write_rows(shelf, LOAD, *rows))
            shelf.catalogue.discard(LOAD)

        for _ in self.steps(shelf, every, lambda: None, replace):
            assert shelf.catalogue.snapshots(MARCH) == [LOAD.stamp]
            check_readers(shelf, {LOAD: rows})
        assert shown_by(shelf) == LOAD.stamp
        assert shelf.names() == ["march.json", "part-0", "part-1"]

    def test_withdrawing_the_newest(self, shelf, every):
        self.publish(shelf, OLD, 0)
        for _ in self.steps(
            shelf, every, lambda: self.publish(shelf, LOAD, 1, 2), lambda: shelf.catalogue.withdraw(LOAD)
        ):
            check_readers(shelf, {OLD: [0], LOAD: [1, 2]})
            assert shown_by(shelf) is not None
        assert shelf.catalogue.snapshots(MARCH) == [OLD.stamp]
        assert shown_by(shelf) == OLD.stamp
        assert list(partitions_of(shelf, RAW)) == [OLD.stamp]
        assert shelf.names() == ["march.json", "part-0"]

    def test_dropping(self, shelf, every):
        for _ in self.steps(
            shelf, every, lambda: self.publish(shelf, LOAD, 1, 2), lambda: shelf.catalogue.drop_table(MARCH)
        ):
            if LOAD.stamp in shelf.catalogue.snapshots(MARCH):  # its files go once nobody can find it
                assert shelf.ids(LOAD) == [1, 2]
        assert shelf.everything() == []


class TestViews:
    def test_before_the_first_snapshot_it_has_no_rows(self, shelf):
        shelf.catalogue.put_table(entry_of())
        assert view_of(shelf) == {
            "originalSql": 'SELECT "id", "load_timestamp" FROM "spend_v1"."march" WHERE false',
            "catalog": "awsdatacatalog", "schema": "spend_v1",
            "columns": [{"name": "id", "type": "integer"}, {"name": "load_timestamp", "type": "varchar"}],
        }  # fmt: skip

    def test_it_shows_the_newest_however_snapshots_came(self, shelf):
        shelf.catalogue.put_table(entry_of())
        for load in (LOAD, OLD, NEW):
            shelf.catalogue.publish(load, write_rows(shelf, load, 1))
        assert shown_by(shelf) == NEW.stamp

    def test_many_that_publish_at_once_leave_it_at_the_newest(self, shelf):
        shelf.catalogue.put_table(entry_of())
        loads = [LoadId(MARCH, f"2026013{day}T00000{second}Z") for day in (0, 1) for second in range(8)]
        written = [write_rows(shelf, load, 1) for load in loads]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(shelf.catalogue.publish, loads, written))
        assert shown_by(shelf) == loads[-1].stamp
        assert len(shelf.catalogue.snapshots(MARCH)) == 16

    def test_it_goes_back_when_the_newest_is_withdrawn_and_stays_when_another_is(self, shelf):
        for load in (OLD, LOAD, NEW):
            shelf.catalogue.put_table(entry_of())
            shelf.catalogue.publish(load, write_rows(shelf, load, 1))
        shelf.catalogue.withdraw(LOAD)
        assert shown_by(shelf) == NEW.stamp
        shelf.catalogue.withdraw(NEW)
        assert shown_by(shelf) == OLD.stamp
        shelf.catalogue.withdraw(OLD)
        assert shown_by(shelf) is None

    def test_it_leaves_a_snapshot_that_is_gone_when_any_other_is_withdrawn(self, shelf):
        # Another worker was cut off between the two.
        shelf.catalogue.put_table(entry_of())
        for load in (OLD, LOAD, NEW):
            shelf.catalogue.publish(load, write_rows(shelf, load, 1))
        shelf.clients.glue.delete_partition(DatabaseName="spend_v1", TableName="march", PartitionValues=[NEW.stamp])
        shelf.catalogue.withdraw(LOAD)
        assert shown_by(shelf) == OLD.stamp

    @pytest.mark.parametrize("behind", ["GetTable", "GetPartitions", "UpdateTable", "DeletePartition"])
    def test_a_snapshot_published_while_the_newest_is_withdrawn_is_not_passed_over(self, shelf, behind):
        shelf.catalogue.put_table(entry_of())
        for load in (OLD, NEW):
            shelf.catalogue.publish(load, write_rows(shelf, load, 1))
        written = write_rows(shelf, LOAD, 1)
        other = GlueShelf(shelf.clients, shelf.settings)
        pending = [written]

        def publish(name: str) -> None:
            if name == behind and pending:
                other.catalogue.publish(LOAD, pending.pop())

        with watching(shelf, publish):
            shelf.catalogue.withdraw(NEW)
        assert not pending
        assert shown_by(shelf) == LOAD.stamp

    def test_one_that_others_change_all_the_time_is_given_up(self, shelf, monkeypatch):
        shelf.catalogue.put_table(entry_of())
        shelf.catalogue.publish(OLD, write_rows(shelf, OLD, 1))
        written = write_rows(shelf, NEW, 1)
        monkeypatch.setattr(again, "time", SimpleNamespace(sleep=lambda _seconds: None))

        def refuse(**_given: Any) -> None:
            raise ClientError({"Error": {"Code": "ConcurrentModificationException"}}, "UpdateTable")

        with monkeypatch.context() as patch:
            patch.setattr(shelf.clients.glue, "update_table", refuse)
            with pytest.raises(StoreUnavailable, match="others change it all the time"):
                shelf.catalogue.publish(NEW, written)
            assert shown_by(shelf) == OLD.stamp
        shelf.catalogue.publish(NEW, written)
        assert shown_by(shelf) == NEW.stamp

    def test_added_columns_are_shown_and_it_stays_with_its_snapshot(self, shelf):
        shelf.catalogue.put_table(entry_of())
        shelf.catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        shelf.catalogue.put_table(entry_of("id", "amount"))
        assert [column["name"] for column in view_of(shelf)["columns"]] == ["id", "amount", "load_timestamp"]
        assert shown_by(shelf) == LOAD.stamp
        shelf.catalogue.publish(NEW, write_rows(shelf, NEW, 1))
        assert shown_by(shelf) == NEW.stamp
        assert len(view_of(shelf)["columns"]) == 3


class TestTwoWorkers:
    def test_what_is_about_to_be_shown_is_not_discarded_by_another(self, tmp_path):
        shelf = glue_shelf(tmp_path, GRACE)
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1, 2)
        other = GlueShelf(shelf.clients, shelf.settings)
        done = []

        def discard(name: str) -> None:
            if name == "PutObject" and not done:  # the mark
                done.append(name)
                other.catalogue.discard(LOAD)

        with watching(shelf, discard):
            shelf.catalogue.publish(LOAD, written)
        assert done
        assert shelf.ids(LOAD) == [1, 2]

    def test_what_another_discards_is_not_shown_in_part(self, shelf):
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1, 2)
        place = 1
        while killing(shelf, lambda: shelf.catalogue.discard(LOAD), place):
            visible = False
            try:
                shelf.catalogue.publish(LOAD, written)
                visible = True
            except StoreUnavailable:
                assert shelf.catalogue.snapshots(MARCH) == []
            if visible:
                assert shelf.ids(LOAD) == [1, 2]
                shelf.catalogue.withdraw(LOAD)
            shelf.catalogue.discard(LOAD)
            assert shelf.names() == ["march.json"]
            written = write_rows(shelf, LOAD, 1, 2)
            place += 1
        assert place > 4

    def test_a_query_that_began_before_a_replacement_finds_its_files(self, shelf):
        careful = GlueShelf(shelf.clients, shelf.settings, GRACE)
        careful.catalogue.put_table(entry_of())
        careful.catalogue.publish(LOAD, write_rows(careful, LOAD, 1, 2))
        before = partitions_of(careful)[LOAD.stamp]["Location"]
        careful.catalogue.replace(LOAD, write_rows(careful, LOAD, 7))
        careful.catalogue.discard(LOAD)
        assert careful.ids(LOAD) == [7]
        assert careful.has(f"{before}part-0")
        assert careful.has(f"{before}part-1")
        shelf.catalogue.discard(LOAD)  # much later
        assert not shelf.has(before)
        assert shelf.ids(LOAD) == [7]

    def test_two_that_replace_at_once_leave_one_of_them_whole(self, shelf):
        shelf.catalogue.put_table(entry_of())
        shelf.catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        careful = GlueShelf(shelf.clients, shelf.settings)

        def replace(number: int) -> None:
            careful.catalogue.replace(LOAD, write_rows(careful, LOAD, number, number))
            careful.catalogue.discard(LOAD)

        for _ in range(5):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(replace, range(4)))
            first, second = careful.ids(LOAD)
            assert first == second
        shelf.catalogue.discard(LOAD)  # once nobody can be on the way any more, nothing else is left
        assert shelf.names() == ["march.json", "part-0", "part-1"]


class TestTables:
    def test_the_raw_table_reads_files_as_the_dialect_says(self, shelf):
        shelf.catalogue.put_table(entry_of(dialect={"delimiter": ";", "quote": "'", "skipLines": 2}))
        shelf.catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        table = shelf.clients.glue.get_table(DatabaseName=RAW, Name="march")["Table"]
        assert table["Parameters"]["skip.header.line.count"] == "3"
        storage = partitions_of(shelf, RAW)[LOAD.stamp]
        marks = {"separatorChar": ";", "quoteChar": "'", "escapeChar": "\u0001"}
        assert storage["SerdeInfo"]["Parameters"] == marks
        bucket = shelf.settings.data_bucket
        assert storage["Location"] == f"s3://{bucket}/raw/spend/v1/March/load_timestamp={LOAD.stamp}/"
        assert storage["Columns"] == [{"Name": "id", "Type": "string"}]

    def test_texts_that_are_too_long_for_glue_are_cut_there_and_whole_in_the_entry(self, shelf):
        wide = entry_of()
        column = wide.schema.columns[0].model_copy(update={"description": "é" * 1_000 + "\n2"})
        schema = wide.schema.model_copy(update={"columns": (column,), "table_description": "ü" * 5_000})
        shelf.catalogue.put_table(TableEntry(MARCH, schema))
        table = shelf.clients.glue.get_table(DatabaseName="spend_v1", Name="march")["Table"]
        assert table["Description"] == "ü" * 1024
        assert table["StorageDescriptor"]["Columns"][0]["Comment"] == "é" * 127
        assert shelf.catalogue.table("spend_v1", "march").schema == schema

    def test_a_snapshot_has_the_columns_of_its_table_at_its_time(self, shelf):
        for columns, load in ((("id",), OLD), (("id", "amount"), NEW)):
            shelf.catalogue.put_table(entry_of(*columns))
            shelf.catalogue.publish(load, write_rows(shelf, load, 1))
        found = partitions_of(shelf)
        assert [column["Name"] for column in found[OLD.stamp]["Columns"]] == ["id"]
        assert [column["Name"] for column in found[NEW.stamp]["Columns"]] == ["id", "amount"]

    def test_other_files_beside_those_that_an_engine_told_of_are_not_shown(self, shelf):
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1, 2)
        told = Written(written.target, written.files[:1])
        with pytest.raises(Exception, match="no engine told of"):
            shelf.catalogue.publish(LOAD, told)
        assert shelf.catalogue.snapshots(MARCH) == []

    def test_a_file_that_was_cut_is_not_shown(self, shelf):
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1)
        shelf.write(written.target, "part-0", b"PAR1")
        with pytest.raises(StoreUnavailable):
            shelf.catalogue.publish(LOAD, written)
        assert shelf.catalogue.snapshots(MARCH) == []

    def test_the_files_of_a_snapshot_without_a_mark_tell_their_rows_themselves(self, shelf):
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1, 2)
        files = shelf.catalogue.publish(LOAD, written)
        shelf.store.delete(files[0].key.replace("part-0", "_daap.json"))
        assert shelf.catalogue.publish(LOAD, write_rows(shelf, LOAD, 7)) == files

    def test_a_snapshot_that_lies_as_in_folders_is_described_and_replaced(self, shelf):
        # A lake that was copied to S3: files directly in the folder of the load, whose partition points there.
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1)
        (here,) = shelf.catalogue.publish(LOAD, written)
        base = f"curated/{LOAD.ref}/load_timestamp={LOAD.stamp}/"
        shelf.store.put(f"{base}part-0.parquet", shelf.store.read(here.key)[0])
        storage = {**partitions_of(shelf)[LOAD.stamp], "Location": shelf.store.locate(base).rstrip("/")}
        shelf.clients.glue.batch_update_partition(
            DatabaseName="spend_v1", TableName="march",
            Entries=[{"PartitionValueList": [LOAD.stamp],
                      "PartitionInput": {"Values": [LOAD.stamp], "StorageDescriptor": storage}}],
        )  # fmt: skip
        shelf.catalogue.discard(LOAD)
        (found,) = shelf.catalogue.publish(LOAD, write_rows(shelf, LOAD, 7, 8))
        assert (found.key, found.rows) == (f"{base}part-0.parquet", 1)
        shelf.catalogue.replace(LOAD, write_rows(shelf, LOAD, 9))
        assert shelf.ids(LOAD) == [9]
        assert shelf.names() == ["march.json", "part-0"]


class TestAsOnAws:
    """Where Glue is as strict as AWS."""

    def test_tables_that_somebody_removed_come_again_with_the_next_snapshot(self, strict):
        strict.catalogue.put_table(entry_of())
        strict.catalogue.publish(OLD, write_rows(strict, OLD, 0))
        for database, table in (("spend_v1", "march"), ("spend_v1", "march_latest"), (RAW, "march")):
            strict.clients.glue.delete_table(DatabaseName=database, Name=table)
        strict.catalogue.publish(LOAD, write_rows(strict, LOAD, 1))
        assert strict.catalogue.snapshots(MARCH) == [LOAD.stamp]
        assert shown_by(strict) == LOAD.stamp

    def test_the_view_alone_comes_again_too(self, strict):
        strict.catalogue.put_table(entry_of())
        strict.clients.glue.delete_table(DatabaseName="spend_v1", Name="march_latest")
        strict.catalogue.publish(LOAD, write_rows(strict, LOAD, 1))
        assert shown_by(strict) == LOAD.stamp

    def test_a_snapshot_comes_too_late_for_a_table_that_is_being_dropped(self, strict):
        strict.catalogue.put_table(entry_of())
        written = write_rows(strict, LOAD, 1)
        dropped = []

        def drop(name: str) -> None:
            if name == "CreatePartition" and not dropped:  # that of the raw table
                dropped.append(name)
                strict.catalogue.drop_table(MARCH)

        with watching(strict, drop), pytest.raises(NotRegistered):
            strict.catalogue.publish(LOAD, written)
        assert strict.everything() == ["default"]

    def test_a_snapshot_without_an_entry_has_the_columns_that_its_files_tell(self, strict):
        strict.catalogue.publish(LOAD, write_rows(strict, LOAD, 1))
        strict.catalogue.publish(NEW, write_rows(strict, NEW, 1))
        assert partitions_of(strict)[NEW.stamp]["Columns"] == [{"Name": "id", "Type": "int"}]
        assert shown_by(strict) == NEW.stamp

    def test_it_goes_its_whole_way(self, strict):
        strict.catalogue.put_table(entry_of())
        for load in (OLD, LOAD):
            strict.catalogue.publish(load, write_rows(strict, load, 1, 2))
        strict.catalogue.put_table(entry_of("id", "amount"))
        strict.catalogue.replace(LOAD, write_rows(strict, LOAD, 7))
        assert strict.ids(LOAD) == [7]
        strict.catalogue.withdraw(LOAD)
        assert shown_by(strict) == OLD.stamp
        strict.catalogue.drop_table(MARCH)
        assert strict.everything() == ["default"]


class TestCost:
    def count(self, shelf: GlueShelf, history: int) -> Counter[str]:
        shelf.catalogue.put_table(entry_of())
        storage = {"Columns": [], "Location": "s3://nowhere/"}
        given = [
            {"Values": [f"2025{n // 1000 + 10:02}{n // 100 % 10 + 10:02}T00{n % 100 // 60:02}{n % 60:02}Z"],
             "StorageDescriptor": storage} for n in range(history)
        ]  # fmt: skip
        for start in range(0, history, 100):
            shelf.clients.glue.batch_create_partition(
                DatabaseName="spend_v1", TableName="march", PartitionInputList=given[start : start + 100]
            )
        shelf.catalogue.publish(OLD, write_rows(shelf, OLD, 1))
        assert len(shelf.catalogue.snapshots(MARCH)) == history + 1
        written = write_rows(shelf, LOAD, 1, 2)
        calls: Counter[str] = Counter()
        with watching(shelf, lambda name: calls.update([name])):
            shelf.catalogue.put_table(entry_of())
            shelf.catalogue.publish(LOAD, written)
            shelf.catalogue.discard(LOAD)
            shelf.catalogue.replace(LOAD, write_rows(shelf, LOAD, 3))
            shelf.catalogue.withdraw(OLD)
        return calls

    def test_it_is_the_same_with_5_and_with_2000_snapshots(self, tmp_path):
        few, many = (self.count(glue_shelf(tmp_path), history) for history in (5, 2_000))
        assert few == many
        assert few["GetPartitions"] == 0

    def test_publishing_takes_few_calls(self, shelf):
        shelf.catalogue.put_table(entry_of())
        written = write_rows(shelf, LOAD, 1)
        calls: Counter[str] = Counter()
        with watching(shelf, lambda name: calls.update([name])):
            shelf.catalogue.put_table(entry_of())
            shelf.catalogue.publish(LOAD, written)
            shelf.catalogue.discard(LOAD)
        assert calls == {
            "GetObject": 2, "PutObject": 1, "ListObjectsV2": 2,
            "CreatePartition": 2, "GetTable": 1, "UpdateTable": 1, "GetPartition": 1,
        }  # fmt: skip
