"""What every catalogue does, held to the words of daap.ports.catalogue."""

from __future__ import annotations

import shutil
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
from daap.testing.memory_catalogue import MemoryCatalogue
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore

CATALOGUES: dict[str, Callable[[Path], Catalogue]] = {
    "folder": lambda folder: FolderCatalogue(FolderStore(folder)),
    "memory": MemoryCatalogue,
}
"""A catalogue joins the suite by one line: how to make an empty one, given a folder it may use."""

MARCH = TableRef("spend", 1, "March")
LOAD = LoadId(MARCH, "20260131T235959Z")


@pytest.fixture(params=CATALOGUES)
def catalogue(request, tmp_path) -> Catalogue:
    folder = tmp_path / "lake"
    folder.mkdir()
    return CATALOGUES[request.param](folder)


def make_entry(ref: TableRef = MARCH, *columns: str) -> TableEntry:
    listed = [{"name": name, "type": "int"} for name in columns or ("id",)]
    return TableEntry(ref, TableSchema.model_validate({"tableDescription": "a table", "columns": listed}))


def write_rows(catalogue: Catalogue, load: LoadId = LOAD, *rows: int) -> Written:
    """What an engine does: Parquet below a new target, told by its footer."""
    folder = Path(catalogue.new_target(load))
    folder.mkdir(parents=True)
    listed = [rows[:1], rows[1:]] if len(rows) > 1 else [rows]
    for place, part in enumerate(listed):
        pq.write_table(pa.table({"id": pa.array(part, pa.int32())}), folder / f"part-{place}.parquet")
    files = tuple(
        WrittenFile(path.name, pq.read_metadata(path).num_rows, path.stat().st_size)
        for path in sorted(folder.iterdir())
    )
    return Written(str(folder), files)


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

    def test_what_is_written_and_not_published_is_no_snapshot(self, catalogue):
        write_rows(catalogue, LOAD, 1, 2)
        assert list(catalogue.snapshots(MARCH)) == []

    def test_what_is_published_is_a_snapshot_with_all_its_files(self, catalogue):
        written = write_rows(catalogue, LOAD, 1, 2, 3)
        files = catalogue.publish(LOAD, written)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        prefix = "curated/spend/v1/March/load_timestamp=20260131T235959Z/"
        assert [(file.key, file.rows) for file in files] == [
            (f"{prefix}part-0.parquet", 1),
            (f"{prefix}part-1.parquet", 2),
        ]
        assert [file.bytes for file in files] == [file.size for file in written.files]
        assert not Path(written.target).exists()

    def test_a_snapshot_may_hold_no_rows(self, catalogue):
        files = catalogue.publish(LOAD, write_rows(catalogue))
        assert [file.rows for file in files] == [0]
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]

    def test_published_twice_the_first_stays_and_the_second_is_dropped(self, catalogue):
        first, second = write_rows(catalogue, LOAD, 1), write_rows(catalogue, LOAD, 7, 8, 9)
        visible = catalogue.publish(LOAD, first)
        assert catalogue.publish(LOAD, second) == visible
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert not Path(second.target).exists()

    def test_the_same_result_published_again_changes_nothing(self, catalogue):
        # A worker that was cut off behind publishing comes back with what it had.
        written = write_rows(catalogue, LOAD, 1)
        visible = catalogue.publish(LOAD, written)
        assert catalogue.publish(LOAD, written) == visible

    def test_a_result_that_another_worker_discarded_yields_to_what_is_visible(self, catalogue):
        mine, theirs = write_rows(catalogue, LOAD, 1), write_rows(catalogue, LOAD, 1)
        visible = catalogue.publish(LOAD, theirs)
        catalogue.discard(LOAD)
        assert catalogue.publish(LOAD, mine) == visible

    def test_a_result_that_is_gone_is_not_published(self, catalogue):
        written = write_rows(catalogue, LOAD, 1)
        shutil.rmtree(written.target)
        with pytest.raises(DaapError):
            catalogue.publish(LOAD, written)
        assert list(catalogue.snapshots(MARCH)) == []

    def test_of_many_that_publish_at_once_one_wins(self, catalogue):
        results = [write_rows(catalogue, LOAD, *range(n + 1)) for n in range(8)]
        start = threading.Barrier(8)

        def publish(written: Written):
            start.wait()
            return catalogue.publish(LOAD, written)

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(publish, results))
        assert len({tuple((file.rows, file.bytes) for file in files) for files in told}) == 1
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert not any(Path(written.target).exists() for written in results)

    def test_snapshots_are_ordered_by_time_however_they_came(self, catalogue):
        stamps = ["20260301T000000Z", "20251231T235959Z", "20260131T235959Z", "20260131T235958Z"]
        for stamp in stamps:
            load = LoadId(MARCH, stamp)
            catalogue.publish(load, write_rows(catalogue, load, 1))
        assert list(catalogue.snapshots(MARCH)) == sorted(stamps)

    def test_tables_and_majors_have_snapshots_of_their_own(self, catalogue):
        catalogue.publish(LOAD, write_rows(catalogue, LOAD, 1))
        for other in (TableRef("spend", 1, "april"), TableRef("spend", 11, "March"), TableRef("spend2", 1, "March")):
            assert list(catalogue.snapshots(other)) == []


class TestTargets:
    def test_each_target_is_new_and_not_there_yet(self, catalogue):
        targets = [catalogue.new_target(LOAD) for _ in range(20)]
        assert len(set(targets)) == 20
        assert not any(Path(target).exists() for target in targets)

    def test_discarding_removes_what_was_not_published(self, catalogue):
        targets = [write_rows(catalogue, LOAD, 1).target for _ in range(2)]
        catalogue.discard(LOAD)
        assert not any(Path(target).exists() for target in targets)

    def test_discarding_leaves_what_was_published(self, catalogue):
        visible = catalogue.publish(LOAD, write_rows(catalogue, LOAD, 1))
        catalogue.discard(LOAD)
        assert list(catalogue.snapshots(MARCH)) == [LOAD.stamp]
        assert catalogue.publish(LOAD, write_rows(catalogue, LOAD, 2, 3)) == visible

    def test_discarding_leaves_other_loads(self, catalogue):
        other = LoadId(MARCH, "20260201T000000Z")
        written = write_rows(catalogue, other, 1)
        catalogue.discard(LOAD)
        catalogue.publish(other, written)
        assert list(catalogue.snapshots(MARCH)) == [other.stamp]

    def test_discarding_nothing_is_no_error(self, catalogue):
        catalogue.discard(LOAD)
        catalogue.discard(LOAD)


class TestFolders:
    """What only folders can get wrong."""

    def test_a_published_file_lies_under_its_key(self, tmp_path):
        store = FolderStore(tmp_path)
        catalogue = FolderCatalogue(store)
        for file in catalogue.publish(LOAD, write_rows(catalogue, LOAD, 1, 2)):
            assert pq.read_metadata(store.path(file.key)).num_rows == file.rows

    def test_what_is_not_published_is_hidden_from_store_and_glob(self, tmp_path):
        store = FolderStore(tmp_path)
        write_rows(FolderCatalogue(store), LOAD, 1)
        assert list(store.list("curated/")) == []
        assert list(Path(store.locate("curated/")).glob("*/*/*/load_timestamp=*/*.parquet")) == []
