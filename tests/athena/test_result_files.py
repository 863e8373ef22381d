"""The small formats of results: CSV pages and protobuf metadata."""

import io

from hypothesis import given
from hypothesis import strategies as st

from daap_local.athena.execution.csvfile import read_rows, write_row
from daap_local.athena.execution.metafile import ColumnInfo, decode, encode

TEXT = st.none() | st.text(alphabet=st.sampled_from('ab",\n\r é€😀'), max_size=6)
ROWS = st.lists(st.lists(TEXT, min_size=2, max_size=3), min_size=1, max_size=8)


@given(rows=ROWS, count=st.integers(1, 4))
def test_what_is_written_is_read_back_in_pages_of_any_size(rows, count):
    data = b"".join(map(write_row, rows))
    found, place = [], 0
    while place is not None:
        page, place = read_rows(io.BytesIO(data), place, count)
        found += page
    assert found == rows


def test_metadata_has_the_bytes_that_athena_writes():
    """The example that was found in the wild: https://stackoverflow.com/questions/55991018"""
    written = encode("20190423_125128_00001_ehtur", [ColumnInfo("ary", "array")])
    assert written == bytes.fromhex(
        "0a1b32303139303432335f3132353132385f30303030315f6568747572"
        "2219 0a0468697665 2203617279 2a03617279 32056172726179 4803"
    )


@given(
    st.lists(st.builds(ColumnInfo, st.text(), st.text(), st.integers(0, 1 << 31), st.integers(0, 40), st.booleans()))
)
def test_metadata_is_read_back(columns):
    assert decode(encode("id", columns)) == columns
