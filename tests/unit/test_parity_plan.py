"""Which table each file is for, and what the uploads of a plan are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from daap.errors import InvalidName, NotRegistered
from daap.model.keys import check_key, read_landing
from daap_local.parity.plan import make_plan, pair_files, rename_product
from tests.support.lakes import make_product

ONE = make_product(tables=("orders",), files=())
SEVERAL = make_product(tables=("orders", "sales"), files=("papers",))


@pytest.fixture
def file(tmp_path) -> Path:
    return _file(tmp_path / "any.csv")


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"id\n1\n")
    return path


class TestPairs:
    def test_the_only_table_needs_no_name(self, file):
        assert pair_files(ONE, [str(file)]) == [("orders", file)]

    def test_a_table_before_the_sign_goes_before_the_option_and_the_folder(self, tmp_path):
        file = _file(tmp_path / "orders" / "any.csv")
        assert pair_files(SEVERAL, [f"sales={file}"], "papers") == [("sales", file)]

    def test_the_option_goes_before_the_folder(self, tmp_path):
        file = _file(tmp_path / "orders" / "any.csv")
        assert pair_files(SEVERAL, [str(file)], "sales") == [("sales", file)]

    def test_a_folder_names_the_table_as_in_landing(self, tmp_path):
        file = _file(tmp_path / "sales" / "any.csv")
        assert pair_files(SEVERAL, [str(file)]) == [("sales", file)]

    def test_a_files_component_is_named_alike(self, file):
        assert pair_files(SEVERAL, [f"papers={file}"]) == [("papers", file)]

    def test_a_sign_in_the_name_of_a_file_is_no_table(self, tmp_path):
        file = _file(tmp_path / "load=1.csv")
        assert pair_files(ONE, [str(file)]) == [("orders", file)]

    def test_what_cannot_be_told_is_asked_for(self, file):
        with pytest.raises(InvalidName, match=r"which table .* Write orders=.* or give --table"):
            pair_files(SEVERAL, [str(file)])

    @pytest.mark.parametrize("text", ["returns={file}", "none={file}"])
    def test_a_table_that_is_not_there_is_named_with_those_that_are(self, text, file):
        with pytest.raises(NotRegistered, match=r"has no table \w+; it has orders, sales, papers"):
            pair_files(SEVERAL, [text.format(file=file)])

    def test_an_option_that_is_no_table_is_told_at_once(self, file):
        with pytest.raises(NotRegistered, match="has no table returns"):
            pair_files(SEVERAL, [f"orders={file}"], "returns")

    @pytest.mark.parametrize("name", ["none.csv", "."])
    def test_what_is_no_file_is_told(self, name, tmp_path):
        with pytest.raises(InvalidName, match="no file"):
            pair_files(ONE, [str(tmp_path / name)])


class TestPlan:
    def test_files_come_in_order_each_with_a_load_of_its_own(self, file):
        plan = make_plan(SEVERAL, [("orders", file), ("sales", file), ("orders", file)])
        stamps = [upload.load.stamp for upload in plan.uploads]
        assert stamps == sorted(set(stamps))
        assert len({upload.file_id for upload in plan.uploads}) == 3
        assert [ref.table for ref in plan.refs] == ["orders", "sales"]
        assert [upload.load.stamp for upload in plan.uploads_of(plan.refs[0])] == [stamps[0], stamps[2]]

    @pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a", "a.tar.gz", "a.é", "a.abcdefghijklmnopqrst"])
    def test_keys_are_those_of_landing(self, name, tmp_path):
        (upload,) = make_plan(SEVERAL, [("papers", tmp_path / name)]).uploads
        place = read_landing(check_key(upload.key("landing")))
        assert (place.table, place.extension) == ("papers", "csv" if "csv" in name.lower() else place.extension)

    def test_files_components_are_no_tables_to_query(self, file):
        assert make_plan(SEVERAL, [("papers", file)]).refs == ()

    def test_another_name_is_one_of_a_product_and_new_each_time(self):
        first, second = rename_product(ONE), rename_product(ONE)
        assert first.name.startswith("shop_parity_")
        assert first.name != second.name
        assert first.tables == ONE.tables
        assert len(rename_product(make_product(name="p" * 128)).name) <= 128
