"""What Parquet files say themselves, where nothing else tells it any more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from daap.errors import EngineFailed
from daap_cloud.faults import translated
from daap_cloud.glue.tables import GlueColumn
from daap_cloud.s3_store import S3Store

if TYPE_CHECKING:
    import pyarrow as pa
    from mypy_boto3_s3 import S3Client

_LENGTH_BYTES = 8
_TAIL_BYTES = 1 << 16
_HIVE = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float",
    "double": "double", "string": "string", "large_string": "string", "date32[day]": "date",
}  # fmt: skip


class Footers:
    """The footers of files in a store."""

    def __init__(self, store: S3Store, client: S3Client) -> None:
        self._store, self._client = store, client

    def count_rows(self, key: str) -> int:
        """The rows in a file; raises ObjectMissing."""
        return int(self._read(key).num_rows)

    def read_columns(self, key: str) -> tuple[GlueColumn, ...]:
        """The columns of a file, by Hive's types; raises ObjectMissing."""
        schema = self._read(key).schema.to_arrow_schema()
        return tuple(GlueColumn(field.name, _hive_type(field)) for field in schema)

    def _read(self, key: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        """A footer, without the data before it: its length stands in the file's last eight bytes."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import, and seldom needed

        tail = self._read_tail(key, _TAIL_BYTES)
        needed = int.from_bytes(tail[-_LENGTH_BYTES:-4], "little") + _LENGTH_BYTES
        if needed > len(tail):
            tail = self._read_tail(key, needed)
        return pq.read_metadata(io.BytesIO(tail))

    def _read_tail(self, key: str, size: int) -> bytes:
        bucket, name = self._store.place(key)
        with translated(f"read {key}"):
            return self._client.get_object(Bucket=bucket, Key=name, Range=f"bytes=-{size}")["Body"].read()


def _hive_type(field: pa.Field) -> str:
    name = str(field.type)
    if name.startswith("timestamp"):
        return "timestamp"
    if name.startswith("decimal"):
        return f"decimal({field.type.precision},{field.type.scale})"
    if name not in _HIVE:
        raise EngineFailed(f"column {field.name} is {name}, which no daap engine writes")
    return _HIVE[name]
