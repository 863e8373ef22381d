"""Text tables as DuckDB scans them: streams of record batches, cut by the table's serde."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.delimiters import simple_options
from daap_local.athena.hive.files import DataFile, FileList, Opener
from daap_local.athena.hive.formats import OPENX_JSON
from daap_local.athena.hive.lines import decompressed, text_blocks
from daap_local.athena.hive.scalars import arrow_type
from daap_local.athena.hive.serde_csv import CsvDecoder, csv_options
from daap_local.athena.hive.serde_json import JsonDecoder
from daap_local.athena.hive.serde_simple import SimpleDecoder, simple_value
from daap_local.athena.hive.streams import FileRows, Rows
from daap_local.athena.hive.values import csv_value

Decoder = Callable[[bytes], tuple[int, list[pa.Array]]]


def text_scans(listed: FileList, kind: str) -> Sequence[str]:
    """The SELECT of a text table's files; `kind` is TEXTFILE, CSV or JSON. Raises AthenaFault."""
    decoder, values = _DECODERS[kind](listed)
    plain = kind == "CSV"
    fields = [
        pa.field(column.name, arrow_type(type_) if not plain and (type_.nested or kind == "JSON") else pa.string())
        for column, type_ in zip(listed.wanted.columns, listed.wanted.types(), strict=True)
    ]
    parameters = listed.table.parameters
    skipped = (_count(parameters, "skip.header.line.count"), _count(parameters, "skip.footer.line.count"))
    source = FileRows(fields, listed.files, _reader(listed.opener, decoder, skipped))
    return [listed.select(listed.register("rows", source), values)]


def _reader(opener: Opener, decoder: Decoder, skipped: tuple[int, int]) -> Callable[[DataFile], Iterator[Rows]]:
    """What reads a file's rows; `skipped` are numbers of lines at its head and its foot."""

    def read(file: DataFile) -> Iterator[Rows]:
        with closing(opener(file.url)) as stream:
            for block in text_blocks(decompressed(stream, file.url), *skipped):
                yield decoder(block)

    return read


def _count(parameters: Mapping[str, str], key: str) -> int:
    text = parameters.get(key, "0").strip()
    if not text.isdecimal():
        raise AthenaFault("HIVE_INVALID_METADATA", f"Invalid value for {key} property: {text}")
    return int(text)


def _csv(listed: FileList) -> tuple[Decoder, list[str]]:
    options = csv_options(listed.storage.serde_properties)
    forgiving = listed.table.parameters.get("use.null.for.invalid.data", "").lower() == "true"
    wanted = listed.wanted
    values = [
        csv_value(f"d.{identifier(column.name)}", type_, place, forgiving)
        for column, type_, place in zip(wanted.columns, wanted.types(), wanted.places, strict=True)
    ]
    return CsvDecoder(options, wanted.places, len(listed.table.columns)), values


def _simple(listed: FileList) -> tuple[Decoder, list[str]]:
    options = simple_options(listed.storage.serde_properties)
    wanted = listed.wanted
    values = [
        simple_value(f"d.{identifier(column.name)}", type_)
        for column, type_ in zip(wanted.columns, wanted.types(), strict=True)
    ]
    return SimpleDecoder(options, list(zip(wanted.places, wanted.types(), strict=True))), values


def _json(listed: FileList) -> tuple[Decoder, list[str]]:
    wanted = listed.wanted
    columns = [
        (place, column.name, type_)
        for place, column, type_ in zip(wanted.places, wanted.columns, wanted.types(), strict=True)
    ]
    decoder = JsonDecoder(listed.storage.serde == OPENX_JSON, listed.storage.serde_properties, columns)
    return decoder, [f"d.{identifier(column.name)}" for column in wanted.columns]


_DECODERS: dict[str, Callable[[FileList], tuple[Decoder, list[str]]]] = {
    "TEXTFILE": _simple,
    "CSV": _csv,
    "JSON": _json,
}
