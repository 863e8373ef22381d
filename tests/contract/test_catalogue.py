"""What every catalogue does, held to the words of daap.ports.catalogue."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daap.errors import DaapError, NotRegistered
from daap.model.loads import LoadId, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written, WrittenFile
from daap.ports.catalogue import Catalogue, TableEntry
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from tests.support.shelves import FolderShelf, Shelf, folder_shelf, glue_shelf, memory_shelf

CATALOGUES: dict[str, Callable[[Path], Shelf]] = {
    "folder": folder_shelf,
    "memory": memory_shelf,
    "glue": glue_shelf,
}
"""A catalogue joins the suite by one line: how to make an empty one, given a folder it may use."""

MARCH = TableRef("spend", 1, "March")
LOAD = LoadId(MARCH, "20260131T235959Z")


@pytest.fixture(params=CATALOGUES)
def shelf(request, tmp_path) -> Shelf:
    folder = tmp_path / "lake"
    folder.mkdir()
    return CATALOGUES[request.param](folder)


@pytest.fixture
def catalogue(shelf) -> Catalogue:
    return shelf.catalogue


def make_entry(ref: TableRef = MARCH, *columns: str) -> TableEntry:
    listed = [{"name": name, "type": "int"} for name in columns or ("id",)]
    return TableEntry(ref, TableSchema.model_validate({"tableDescription": "a table", "columns": listed}))


def write_rows(shelf: Shelf, load: LoadId = LOAD, *rows: int) -> Written:
    """What an engine does: Parquet below a new target."""
    target = shelf.catalogue.new_target(load)
    listed = [rows[:1], rows[1:]] if len(rows) > 1 else [rows]
    files = []
    for place, part in enumerate(listed):
        out = io.BytesIO()
        pq.write_table(pa.table({"id": pa.array(part, pa.int32())}), out)
        shelf.write(target, f"part-{place}.parquet", out.getvalue())
        files.append(WrittenFile(f"part-{place}.parquet", len(part), len(out.getvalue())))
    return Written(target, tuple(files))


class TestTables:
    def test_a_new_catalogue_knows_no_tables(self, catalogue):
        assert list(catalogue.tables()) == []

    def test_a_table_that_was_put_is_found(self, catalogue):
        catalogue.put_table(make_entry())
        assert catalogue.table("spend_v1", "March") == make_entry()

    def test_the_same_table_again_is_no_error_and_one_table(self, catalogue):
        for _ in range(3):
            catalogue.put_table(make_entry())
        assert list(catalogue.tables()) == [make_entry()]

    def test_a_table_with_another_schema_is_the_newer_one(self, catalogue):
        catalogue.put_table(make_entry())
        catalogue.put_table(make_entry(MARCH, "id", "amount"))
        assert list(catalogue.tables()) == [make_entry(MARCH, "id", "amount")]

    @pytest.mark.parametrize(
        ("database", "table"), [("SPEND_v1", "march"), ("spend_V1", "MARCH"), ("spend_v1", "mArCh")]
    )
    def test_case_does_not_count(self, catalogue, database, table):
        catalogue.put_table(make_entry())
        assert catalogue.table(database, table) == make_entry()

    @pytest.mark.parametrize(
        ("database", "table"), [("spend_v1", "april"), ("spend_v2", "march"), ("other_v1", "march")]
    )
    def test_what_was_not_put_is_not_registered(self, catalogue, database, table):
        catalogue.put_table(make_entry())
        with pytest.raises(NotRegistered, match=f"{database}.{table}"):
            catalogue.table(database, table)

    @pytest.mark.parametrize(
        ("database", "table"),
        [("..", "march"), ("spend_v1", "../spend_v1/march"), ("", ""), ("a/b", "c"), ("a\0", "b"), ("spend_v1", "é")],
    )
    def test_what_is_no_name_is_not_registered_either(self, catalogue, database, table):
        # Names come as a person typed them into SQL.
        with pytest.raises(NotRegistered):
            catalogue.table(database, table)

    def test_tables_come_in_order(self, catalogue):
        refs = [
            TableRef("spend", 2, "aa"),
            TableRef("spend", 1, "bb"),
            TableRef("spend", 1, "aa"),
            TableRef("a", 1, "zz"),
        ]
        for ref in refs:
            catalogue.put_table(make_entry(ref))
        found = [entry.ref for entry in catalogue.tables()]
        assert found == sorted(refs)


class TestSnapshots:
    def test_there_are_none_before_the_first(self, catalogue):
        catalogue.put_table(make_entry())
        assert list(catalogue.snapshots(MARCH)) == []

    def test_what_is_written_and_not_published_is_no_snapshot(self, shelf, catalogue):
        write_rows(shelf, LOAD, 1, 2)
        assert list(catalogue.snapshots(MARCH)) == []

    def test_what_is_published_is_a_snapshot_with_all_its_files(self, shelf, catalogue):
        written = write_rows(shelf, LOAD, 1, 2, 3)
        files = catalogue.publish(LOAD, written)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        prefix = "curated/spend/v1/March/load_timestamp=20260131T235959Z/"
        assert all(file.key.startswith(prefix) for file in files)
        told = [(file.key.rpartition("/")[2], file.rows) for file in files]
        assert told == [("part-0.parquet", 1), ("part-1.parquet", 2)]
        assert shelf.ids(LOAD) == [1, 2, 3]
        assert [file.bytes for file in files] == [file.size for file in written.files]
        assert shelf.names() == ["part-0.parquet", "part-1.parquet"]

    def test_a_snapshot_may_hold_no_rows(self, shelf, catalogue):
        files = catalogue.publish(LOAD, write_rows(shelf))
        assert [file.rows for file in files] == [0]
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]

    def test_published_twice_the_first_stays_and_the_second_is_dropped(self, shelf, catalogue):
        first, second = write_rows(shelf, LOAD, 1), write_rows(shelf, LOAD, 7, 8, 9)
        visible = catalogue.publish(LOAD, first)
        assert catalogue.publish(LOAD, second) == visible
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert not shelf.has(second.target)

    def test_the_same_result_published_again_changes_nothing(self, shelf, catalogue):
        # A worker that was cut off behind publishing comes back with what it had.
        written = write_rows(shelf, LOAD, 1)
        visible = catalogue.publish(LOAD, written)
        assert catalogue.publish(LOAD, written) == visible

    def test_a_result_that_another_worker_discarded_yields_to_what_is_visible(self, shelf, catalogue):
        mine, theirs = write_rows(shelf, LOAD, 1), write_rows(shelf, LOAD, 1)
        visible = catalogue.publish(LOAD, theirs)
        catalogue.discard(LOAD)
        assert catalogue.publish(LOAD, mine) == visible

    def test_a_result_that_is_gone_is_not_published(self, shelf, catalogue):
        written = write_rows(shelf, LOAD, 1)
        shelf.remove(written.target)
        with pytest.raises(DaapError):
            catalogue.publish(LOAD, written)
        assert list(catalogue.snapshots(MARCH)) == []

    def test_of_many_that_publish_at_once_one_wins(self, shelf, catalogue):
        results = [write_rows(shelf, LOAD, *range(n + 1)) for n in range(8)]
        start = threading.Barrier(8)

        def publish(written: Written):
            start.wait()
            return catalogue.publish(LOAD, written)

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(publish, results))
        assert len({tuple((file.rows, file.bytes) for file in files) for files in told}) == 1
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert len(shelf.names()) == len(told[0])

    def test_snapshots_are_ordered_by_time_however_they_came(self, shelf, catalogue):
        stamps = ["20260301T000000Z", "20251231T235959Z", "20260131T235959Z", "20260131T235958Z"]
        for stamp in stamps:
            load = LoadId(MARCH, stamp)
            catalogue.publish(load, write_rows(shelf, load, 1))
        assert list(catalogue.snapshots(MARCH)) == sorted(stamps)

    def test_tables_and_majors_have_snapshots_of_their_own(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        for other in (TableRef("spend", 1, "april"), TableRef("spend", 11, "March"), TableRef("spend2", 1, "March")):
            assert list(catalogue.snapshots(other)) == []


class TestTargets:
    def test_each_target_is_new_and_not_there_yet(self, shelf, catalogue):
        targets = [catalogue.new_target(LOAD) for _ in range(20)]
        assert len(set(targets)) == 20
        assert not any(shelf.has(target) for target in targets)

    def test_discarding_removes_what_was_not_published(self, shelf, catalogue):
        targets = [write_rows(shelf, LOAD, 1).target for _ in range(2)]
        catalogue.discard(LOAD)
        assert not any(shelf.has(target) for target in targets)

    def test_discarding_leaves_what_was_published(self, shelf, catalogue):
        visible = catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        catalogue.discard(LOAD)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert catalogue.publish(LOAD, write_rows(shelf, LOAD, 2, 3)) == visible

    def test_discarding_leaves_other_loads(self, shelf, catalogue):
        other = LoadId(MARCH, "20260201T000000Z")
        written = write_rows(shelf, other, 1)
        catalogue.discard(LOAD)
        catalogue.publish(other, written)
        assert list(catalogue.snapshots(MARCH)) == [other.stamp]

    def test_discarding_nothing_is_no_error(self, catalogue):
        catalogue.discard(LOAD)
        catalogue.discard(LOAD)


class TestWidening:
    def test_a_table_is_not_widened_at_first_nor_by_the_same_again(self, catalogue):
        for _ in range(2):
            catalogue.put_table(make_entry(MARCH, "id", "b"))
        assert not catalogue.table("spend_v1", "march").widened

    def test_another_order_or_fewer_columns_do_not_widen_it(self, catalogue):
        for columns in (("id", "b"), ("b", "id"), ("id",)):
            catalogue.put_table(make_entry(MARCH, *columns))
        assert not catalogue.table("spend_v1", "march").widened

    def test_an_added_column_widens_it_for_good(self, catalogue):
        for columns in (("id",), ("id", "b"), ("b", "id"), ("id",)):
            catalogue.put_table(make_entry(MARCH, *columns))
        assert catalogue.table("spend_v1", "march").widened
        assert [entry.widened for entry in catalogue.tables()] == [True]

    def test_an_entry_that_was_lost_and_comes_again_over_snapshots_counts_as_widened(self, shelf, catalogue):
        # Nobody knows any more by which schemas they were made.
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        catalogue.put_table(make_entry(MARCH, "id", "b"))
        assert catalogue.table("spend_v1", "march").widened


class TestReplacing:
    def test_what_was_written_takes_the_place_of_what_is_visible(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        written = write_rows(shelf, LOAD, 7)
        files = catalogue.replace(LOAD, written)
        assert shelf.ids(LOAD) == [7]
        assert [(file.rows, file.bytes) for file in files] == [(1, written.files[0].size)]
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert shelf.names() == ["part-0.parquet"]

    @pytest.mark.parametrize(("before", "after"), [((1, 2), (7, 8)), ((1,), (7, 8)), ((1, 2), (7,)), ((), (7,))])
    def test_the_numbers_of_files_may_differ(self, shelf, catalogue, before, after):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, *before))
        files = catalogue.replace(LOAD, write_rows(shelf, LOAD, *after))
        assert shelf.ids(LOAD) == list(after)
        assert sum(file.rows for file in files) == len(after)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]

    def test_a_snapshot_that_is_gone_is_published(self, shelf, catalogue):
        files = catalogue.replace(LOAD, write_rows(shelf, LOAD, 7))
        assert shelf.ids(LOAD) == [7]
        assert [file.rows for file in files] == [1]

    def test_other_snapshots_stay(self, shelf, catalogue):
        other = LoadId(MARCH, "20260201T000000Z")
        for load in (LOAD, other):
            catalogue.publish(load, write_rows(shelf, load, 1))
        catalogue.replace(LOAD, write_rows(shelf, LOAD, 7))
        assert shelf.ids(other) == [1]

    @pytest.mark.parametrize("rows", [(7,), (7, 8)])
    def test_a_result_that_is_gone_leaves_what_is_visible(self, shelf, catalogue, rows):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        written = write_rows(shelf, LOAD, *rows)
        shelf.remove(written.target)
        with pytest.raises(DaapError):
            catalogue.replace(LOAD, written)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert shelf.ids(LOAD) == [1]

    def test_nothing_is_left_of_what_was_replaced(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1, 2))
        catalogue.replace(LOAD, write_rows(shelf, LOAD, 7))
        assert shelf.names() == ["part-0.parquet"]

    def test_a_snapshot_that_is_replaced_again_and_again_is_always_there(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        written = [write_rows(shelf, LOAD, n) for n in range(30)]
        done = threading.Event()

        def look() -> set[tuple[str, ...]]:
            seen = set()
            while not done.is_set():
                seen.add(tuple(catalogue.snapshots(MARCH)))
            return seen

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            for one in written:
                catalogue.replace(LOAD, one)
            done.set()
            assert looking.result() == {(LOAD.stamp,)}


class TestWithdrawing:
    def test_a_snapshot_that_is_withdrawn_is_gone_with_its_files(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1, 2))
        catalogue.withdraw(LOAD)
        assert list(catalogue.snapshots(MARCH)) == []
        assert shelf.names() == []

    def test_other_snapshots_and_the_table_stay(self, shelf, catalogue):
        catalogue.put_table(make_entry())
        other = LoadId(MARCH, "20260201T000000Z")
        for load in (LOAD, other):
            catalogue.publish(load, write_rows(shelf, load, 1))
        catalogue.withdraw(LOAD)
        assert list(catalogue.snapshots(MARCH)) == [other.stamp]
        assert list(catalogue.tables()) == [make_entry()]

    def test_it_may_be_published_again(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        catalogue.withdraw(LOAD)
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 7))
        assert shelf.ids(LOAD) == [7]

    def test_what_is_not_there_is_no_error_and_leaves_no_trace(self, shelf, catalogue):
        before = shelf.everything()
        catalogue.withdraw(LOAD)
        catalogue.withdraw(LOAD)
        assert shelf.everything() == before

    def test_what_was_written_and_not_published_goes_too(self, shelf, catalogue):
        # A try that was cut short may have left what it had taken out of sight.
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        write_rows(shelf, LOAD, 2)
        catalogue.withdraw(LOAD)
        write_rows(shelf, LOAD, 3)
        catalogue.withdraw(LOAD)
        assert shelf.names() == []

    def test_withdrawn_by_many_at_once_it_is_gone(self, shelf, catalogue):
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _n: catalogue.withdraw(LOAD), range(8)))
        assert list(catalogue.snapshots(MARCH)) == []


class TestDropping:
    def test_a_table_goes_with_its_snapshots_and_what_was_never_published(self, shelf, catalogue):
        catalogue.put_table(make_entry())
        for stamp in ("20260101T000000Z", "20260102T000000Z"):
            load = LoadId(MARCH, stamp)
            catalogue.publish(load, write_rows(shelf, load, 1))
        write_rows(shelf, LOAD, 1)
        catalogue.drop_table(MARCH)
        assert list(catalogue.tables()) == list(catalogue.snapshots(MARCH)) == []
        with pytest.raises(NotRegistered):
            catalogue.table("spend_v1", "March")
        assert shelf.names() == []

    def test_no_empty_folder_is_left_of_the_last_table(self, shelf, catalogue):
        catalogue.put_table(make_entry())
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        catalogue.drop_table(MARCH)
        assert shelf.traces(MARCH) == []

    def test_other_tables_stay(self, shelf, catalogue):
        others = [TableRef("spend", 1, "april"), TableRef("spend", 2, "March"), TableRef("spend2", 1, "March")]
        for ref in (MARCH, *others):
            catalogue.put_table(make_entry(ref))
            catalogue.publish(LoadId(ref, LOAD.stamp), write_rows(shelf, LoadId(ref, LOAD.stamp), 1))
        catalogue.drop_table(MARCH)
        assert {entry.ref for entry in catalogue.tables()} == set(others)
        assert [list(catalogue.snapshots(ref)) for ref in others] == [[LOAD.stamp]] * 3

    def test_a_table_that_is_not_there_is_no_error(self, catalogue):
        catalogue.drop_table(MARCH)
        catalogue.drop_table(MARCH)

    def test_a_table_that_is_put_again_starts_clean(self, shelf, catalogue):
        for columns in (("id",), ("id", "b")):
            catalogue.put_table(make_entry(MARCH, *columns))
        catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        catalogue.drop_table(MARCH)
        catalogue.put_table(make_entry(MARCH, "id", "b"))
        assert list(catalogue.snapshots(MARCH)) == []
        assert not catalogue.table("spend_v1", "march").widened

    def test_snapshots_may_be_listed_while_they_come_and_go(self, shelf, catalogue):
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.05):
                list(catalogue.snapshots(MARCH))
                list(catalogue.tables())

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            for n in range(60):
                load = LoadId(MARCH, f"20260131T2359{n:02}Z")
                catalogue.put_table(make_entry(TableRef("spend", 1, f"table{n}")))
                catalogue.publish(load, write_rows(shelf, load, 1))
                if n % 2:
                    catalogue.withdraw(load)
                    catalogue.drop_table(TableRef("spend", 1, f"table{n}"))
            done.set()
            looking.result()


class TestFolders:
    """What only folders can get wrong."""

    def test_a_published_file_lies_under_its_key(self, tmp_path):
        store = FolderStore(tmp_path)
        shelf = FolderShelf(FolderCatalogue(store), tmp_path)
        catalogue = shelf.catalogue
        for file in catalogue.publish(LOAD, write_rows(shelf, LOAD, 1, 2)):
            assert pq.read_metadata(store.path(file.key)).num_rows == file.rows

    def test_what_is_not_published_is_hidden_from_store_and_glob(self, tmp_path):
        store = FolderStore(tmp_path)
        write_rows(FolderShelf(FolderCatalogue(store), tmp_path), LOAD, 1)
        assert list(store.list("curated/")) == []
        assert list(Path(store.locate("curated/")).glob("*/*/*/load_timestamp=*/*.parquet")) == []

    def test_what_lies_in_the_folder_of_a_snapshot_and_is_none_goes_with_it(self, tmp_path):
        store = FolderStore(tmp_path)
        shelf = FolderShelf(FolderCatalogue(store), tmp_path)
        catalogue = shelf.catalogue
        (file,) = catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        for stray in (".hidden", "notes.txt"):
            store.path(file.key).with_name(stray).write_text("stray")
        (again,) = catalogue.replace(LOAD, write_rows(shelf, LOAD, 7))
        assert again.key == file.key
        assert [path.name for path in store.path(file.key).parent.iterdir()] == ["part-0.parquet"]

    def test_a_snapshot_whose_file_is_gone_is_replaced(self, tmp_path):
        store = FolderStore(tmp_path)
        shelf = FolderShelf(FolderCatalogue(store), tmp_path)
        catalogue = shelf.catalogue
        (file,) = catalogue.publish(LOAD, write_rows(shelf, LOAD, 1))
        store.path(file.key).unlink()
        catalogue.replace(LOAD, write_rows(shelf, LOAD, 7))
        assert shelf.ids(LOAD) == [7]
