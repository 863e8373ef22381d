"""PyAthena's cursors, unchanged; but for the Arrow cursor: Arrow's own S3 client goes to AWS whatever it is told."""

import threading
from contextlib import closing

import boto3
import pytest
from pyathena import connect
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import Cursor, DictCursor
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor

ROWS = "SELECT * FROM (VALUES (1, 'a'), (2, CAST(NULL AS varchar))) AS t(n, s) ORDER BY n"


@pytest.fixture(scope="module")
def open_cursor(endpoint):
    """Opens cursors of a class."""
    boto3.client("s3").create_bucket(Bucket="pyathena")

    def start(kind):
        connection = connect(
            s3_staging_dir="s3://pyathena/out/", endpoint_url=endpoint, cursor_class=kind, poll_interval=0.05
        )
        return connection.cursor()

    return start


def test_tuples_and_dicts(open_cursor):
    with closing(open_cursor(Cursor)) as cursor:
        assert cursor.execute(ROWS).fetchall() == [(1, "a"), (2, None)]
        assert [column[1] for column in cursor.description] == ["integer", "varchar"]
    with closing(open_cursor(DictCursor)) as cursor:
        assert cursor.execute(ROWS).fetchone() == {"n": 1, "s": "a"}


def test_frames(open_cursor):
    with closing(open_cursor(PandasCursor)) as cursor:
        assert cursor.execute(ROWS).as_pandas()["n"].tolist() == [1, 2]


def test_asynchronously(open_cursor):
    with closing(open_cursor(AsyncCursor)) as cursor:
        _, future = cursor.execute(ROWS)
        assert len(future.result().fetchall()) == 2


def test_rows_are_counted(open_cursor):
    with closing(open_cursor(Cursor)) as cursor:
        cursor.execute("CREATE DATABASE counted")
        cursor.execute("CREATE TABLE counted.t AS SELECT 1 AS a")
        cursor.execute("INSERT INTO counted.t VALUES (2), (3)")
        assert cursor.rowcount == 2
        assert cursor.execute("SELECT count(*) FROM counted.t").fetchall() == [(3,)]


def test_a_query_is_cancelled(open_cursor):
    with closing(open_cursor(Cursor)) as cursor:
        timer = threading.Timer(1, cursor.cancel)
        timer.start()
        many = "UNNEST(sequence(1, 9999))"
        with pytest.raises(OperationalError):
            cursor.execute(f"SELECT count(*) FROM {many} a(x), {many} b(y), {many} c(z) WHERE x * y * z = 7")
        timer.join()
