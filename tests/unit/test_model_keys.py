"""Keys: where everything lies, and how a key in landing is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.errors import InvalidName
from daap.model import keys
from daap.model.loads import LoadId, TableRef

FILE_ID = "0a1b2c3d-0000-4000-8000-0123456789ab"
LOAD = LoadId(TableRef("spend", 1, "march"), "20260131T235959Z")


def test_a_load_has_its_place_in_every_zone():
    folder = "spend/v1/march/load_timestamp=20260131T235959Z/"
    assert keys.file_key("raw", LOAD, FILE_ID) == f"raw/{folder}{FILE_ID}.csv"
    assert keys.partition_prefix("curated", LOAD) == f"curated/{folder}"
    assert keys.table_prefix("fail", LOAD.ref) == "fail/spend/v1/march/"
    assert keys.report_key(LOAD, FILE_ID) == f"fail/{folder}{FILE_ID}.errors.json"
    assert keys.annotated_key(LOAD, FILE_ID) == f"fail/{folder}{FILE_ID}.errors.csv"


def test_every_key_that_is_made_is_a_key():
    made = [
        *(keys.file_key(zone, LOAD, FILE_ID) for zone in keys.ZONES), keys.report_key(LOAD, FILE_ID),
        keys.annotated_key(LOAD, FILE_ID), keys.receipt_key(LOAD), keys.claim_key(FILE_ID), keys.clock_key(LOAD.ref),
        keys.head_key("spend"), keys.version_key("spend", "v1.0", "metadata.json"),
        keys.version_key("spend", "v1.0", "march", "schema.json"),
    ]  # fmt: skip
    assert [keys.check_key(key) for key in made] == made
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("product", ["load-receipts", "load-claims", "load-clocks"])
def test_no_product_can_take_the_folders_that_records_lie_in(product):
    with pytest.raises(InvalidName):
        keys.head_key(product)


@pytest.mark.parametrize("key", ["raw/a", "landing/x/y/a b.csv", "logs/é", "curated/a/..b/c", "metadata/x.json"])
def test_a_key_is_a_zone_and_a_plain_path(key):
    assert keys.check_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "", "raw", "raw/", "/raw/a", "raw//a", "raw/a/", "raw/..", "raw/../a", "raw/a/../b", "raw/./a", "tmp/a",
        "RAW/a", "raw\\a",
        "raw/a\\b", "raw/a\0", "raw/a\nb", "raw/" + "a" * 256, "../raw/a", "raw/\x1f",
    ],
)  # fmt: skip
def test_anything_else_is_no_key(key):
    with pytest.raises(InvalidName, match="is no key"):
        keys.check_key(key)


def test_a_file_put_down_by_hand_is_a_drop():
    assert keys.read_landing("landing/spend/March/My file (1).CSV") == keys.Drop("spend", "March", "My file (1).CSV")


def test_a_file_in_the_full_layout_is_an_upload():
    upload = keys.read_landing(keys.file_key("landing", LOAD, FILE_ID))
    assert upload == keys.Upload(LOAD, FILE_ID, "csv")


def test_an_upload_may_be_of_any_kind_and_any_major_version():
    load = LoadId(TableRef("spend", 10, "march"), LOAD.stamp)
    assert keys.read_landing(keys.file_key("landing", load, FILE_ID, "pdf")) == keys.Upload(load, FILE_ID, "pdf")


FULL = "landing/spend/v1/march/load_timestamp=20260131T235959Z"


@pytest.mark.parametrize(
    "key",
    [
        "landing/a.csv", "landing/spend/a.csv", "landing/spend/v1/march/a.csv", "raw/spend/march/a.csv",
        "landing/Spend/march/a.csv",
        "landing/spend/1march/a.csv", f"{FULL}/a.csv", f"{FULL}/{FILE_ID}", f"{FULL}/{FILE_ID}.CSV",
        f"{FULL}/{FILE_ID.upper()}.csv",
        f"{FULL}/x/{FILE_ID}.csv", f"{FULL.replace('v1', 'v0')}/{FILE_ID}.csv",
        f"{FULL.replace('v1', '1')}/{FILE_ID}.csv",
        f"{FULL.replace('v1', 'v01')}/{FILE_ID}.csv", f"{FULL.replace('31T', '32T')}/{FILE_ID}.csv",
        f"{FULL.replace('load_timestamp=', '')}/{FILE_ID}.csv", f"{FULL.replace('load_', '')}/{FILE_ID}.csv",
        f"{FULL.replace('landing', 'raw')}/{FILE_ID}.csv",
    ],
)  # fmt: skip
def test_a_key_of_neither_layout_is_refused_by_its_name(key):
    with pytest.raises(InvalidName) as caught:
        keys.read_landing(key)
    assert key in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_landing_key_or_refused(text):
    try:
        read = keys.read_landing(f"landing/{text}")
    except InvalidName:
        return
    assert isinstance(read, keys.Drop | keys.Upload)


@given(
    st.from_regex("[a-z0-9_]{1,20}", fullmatch=True),
    st.from_regex("[a-zA-Z][a-zA-Z0-9_]{1,20}", fullmatch=True),
    st.integers(1, 999_999),
    st.uuids(),
    st.sampled_from(["csv", "pdf", "7z"]),
)
def test_an_upload_written_and_read_is_the_same(product, table, major, file_id, extension):
    load = LoadId(TableRef(product, major, table), LOAD.stamp)
    key = keys.file_key("landing", load, str(file_id), extension)
    assert keys.read_landing(key) == keys.Upload(load, str(file_id), extension)


@pytest.mark.parametrize(
    "key", [f"{FULL.replace('v1', 'v1٣')}/{FILE_ID}.csv", f"{FULL.replace('2026', '２026')}/{FILE_ID}.csv"]
)
def test_a_landing_key_has_the_digits_of_ascii_alone(key):
    """Else two keys would name one load."""
    with pytest.raises(InvalidName):
        keys.read_landing(key)
