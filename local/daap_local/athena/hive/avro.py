"""Avro tables, block by block through fastavro, which is slow to import: whoever has no Avro table does without.

Sources: https://avro.apache.org/docs/1.11.1/specification/#object-container-files and
https://docs.aws.amazon.com/athena/latest/ug/compression-support-hive.html
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap.errors import DaapError
from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.avro_matching import Matching, plain_schema
from daap_local.athena.hive.avro_schema import LITERAL, Schema, is_given, schema_of
from daap_local.athena.hive.columnar import value_of
from daap_local.athena.hive.files import DataFile, FileList
from daap_local.athena.hive.scalars import arrow_type
from daap_local.athena.hive.streams import FileRows, Rows
from daap_local.athena.hive.types import parse_type
from daap_local.athena.tables import ColumnDef

if TYPE_CHECKING:
    from fastavro.read import block_reader

_CODECS = {"DEFLATE": "deflate", "SNAPPY": "snappy", "ZSTD": "zstandard", "BZIP2": "bzip2", "NONE": "null"}
_BLOCK_BYTES = 64_000
_CRC_BYTES, _MARK_BYTES = 4, 16
_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Z"})


def avro_scans(listed: FileList) -> Sequence[str]:
    """One SELECT for all files. Raises AthenaFault."""
    columns, types = listed.wanted.columns, listed.wanted.types()
    properties = {**listed.storage.serde_properties, **listed.table.parameters}
    schema = _given_schema(properties[LITERAL], columns) if is_given(properties) else schema_of(columns)
    row = _row_type(columns, pa.timestamp("ms"))

    def read(file: DataFile) -> Iterator[Rows]:
        with contextlib.closing(listed.opener(file.url)) as stream, _translated(file.url):
            yield from _blocks(stream, schema, row)

    values = [
        value_of(f"d.{identifier(field.name)}", field.type, type_) for field, type_ in zip(row, types, strict=True)
    ]
    return [listed.select(listed.register("rows", FileRows(list(row), listed.files, read)), values)]


def _row_type(columns: Sequence[ColumnDef], moment: pa.DataType) -> pa.StructType:
    return pa.struct([(column.name, arrow_type(parse_type(column.type), moment)) for column in columns])


def _given_schema(literal: str, columns: Sequence[ColumnDef]) -> Schema:
    """The table's own schema, as far as it is wanted. Raises AthenaFault, also where it does not fit the columns."""
    from fastavro.schema import SchemaParseException, expand_schema  # noqa: PLC0415 - slow

    names = [column.name for column in columns]
    try:
        schema: Schema = expand_schema(json.loads(literal))
        Matching({}, own=True).schema(schema, schema_of(columns))
        return {**schema, "fields": [field for field in schema["fields"] if field["name"] in names]}
    except (SchemaParseException, KeyError, TypeError, ValueError) as error:
        raise AthenaFault("HIVE_CANNOT_OPEN_SPLIT", f"Unable to load or parse schema: {error}") from error


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    """What is wrong with a file, in Athena's terms."""
    try:
        yield
    except DaapError:
        raise
    except Exception as error:  # a broken file fails in any way that fastavro's and the codecs' code can
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise AthenaFault("HIVE_BAD_DATA", f"Malformed Avro file. {problem} [{url}]") from error


def _blocks(stream: BinaryIO, schema: Schema, row: pa.StructType) -> Iterator[Rows]:
    from fastavro import block_reader, is_avro  # noqa: PLC0415 - slow

    if not is_avro(stream):
        raise ValueError("it does not begin as a container")
    stream.seek(0)
    opened = block_reader(stream)
    _check_header(opened)
    read = _row_reader(opened.writer_schema, schema)
    for block in opened:
        content = block.bytes_  # type: ignore[attr-defined]  # the stub leaves it out
        if opened.codec == "snappy":
            _check_sum(stream, content.getvalue(), block.offset + block.size)
        rows = [read(content) for _ in range(block.num_records)] if row.num_fields else []
        yield block.num_records, pa.array(rows, row).flatten()


def _check_header(opened: block_reader) -> None:
    zone = opened.metadata.get("writer.time.zone", "UTC")
    if zone not in _UTC:
        raise unsupported(f"an Avro file of the time zone {zone}")
    if opened.codec not in _CODECS.values():
        raise unsupported(f"Avro's codec {opened.codec}")


def _row_reader(found: Schema, wanted: Schema) -> Callable[[BinaryIO], Any]:
    """What reads the next row of a block. Raises AthenaFault."""
    from fastavro import parse_schema, schemaless_reader  # noqa: PLC0415 - slow

    named: dict[str, Any] = {}
    parse_schema(found, named)
    reader = parse_schema(Matching(named).schema(found, wanted))
    writer = parse_schema(plain_schema(found))
    return lambda block: schemaless_reader(block, writer, reader)


def _check_sum(stream: BinaryIO, data: bytes, end: int) -> None:
    """fastavro passes over the checksum of a block in snappy."""
    stream.seek(end - _MARK_BYTES - _CRC_BYTES)
    checksum = stream.read(_CRC_BYTES)
    stream.seek(end)
    if zlib.crc32(data) != int.from_bytes(checksum, "big"):
        raise ValueError("a block's checksum differs")


class AvroWriter:
    """A file being written, as Arrow's writers are."""

    def __init__(self, columns: Sequence[ColumnDef], compression: str, stream: BinaryIO) -> None:
        from fastavro.write import Writer  # noqa: PLC0415 - slow

        # A moment without a zone would be taken for one of the machine's.
        self._schema = pa.schema(list(_row_type(columns, pa.timestamp("ms", "UTC"))))
        self._writer = Writer(stream, schema_of(columns), _CODECS[compression], _BLOCK_BYTES)

    def write(self, table: pa.Table) -> None:
        """Adds rows. Raises AthenaFault for values that Avro, or Python on the way, cannot hold."""
        try:
            rows = table.cast(self._schema).to_pylist(maps_as_pydicts="strict")
        except (OverflowError, ValueError) as error:
            raise unsupported(f"writing as Avro a fraction of milliseconds or a year beyond 9999 ({error})") from error
        for row in rows:
            self._writer.write(row)

    def close(self) -> None:
        """Ends the last block."""
        self._writer.flush()
