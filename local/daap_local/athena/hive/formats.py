"""The storage formats by name: the classes that Glue keeps for each.

Source: https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html and Hive's StorageFormatDescriptors.
"""

from __future__ import annotations

from dataclasses import dataclass

from daap_local.athena.faults import AthenaFault

LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
ORC_SERDE = "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
AVRO_SERDE = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
_IO = "org.apache.hadoop.hive.ql.io"
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_SEQUENCE_INPUT = "org.apache.hadoop.mapred.SequenceFileInputFormat"
_COLUMNAR_SERDE = "org.apache.hadoop.hive.serde2.columnar.ColumnarSerDe"
TEXT_OUTPUT = f"{_IO}.HiveIgnoreKeyTextOutputFormat"
OPENX_OUTPUT = f"{_IO}.IgnoreKeyTextOutputFormat"
"""What Athena notes for OpenX's JSON serde where a table names no format."""


@dataclass(frozen=True, slots=True)
class Format:
    """The classes of a storage format."""

    input_format: str
    output_format: str
    serde: str


FORMATS = {
    "TEXTFILE": Format(TEXT_INPUT, TEXT_OUTPUT, LAZY_SIMPLE),
    "PARQUET": Format(
        f"{_IO}.parquet.MapredParquetInputFormat", f"{_IO}.parquet.MapredParquetOutputFormat", PARQUET_SERDE
    ),
    "ORC": Format(f"{_IO}.orc.OrcInputFormat", f"{_IO}.orc.OrcOutputFormat", ORC_SERDE),
    "AVRO": Format(f"{_IO}.avro.AvroContainerInputFormat", f"{_IO}.avro.AvroContainerOutputFormat", AVRO_SERDE),
    "JSON": Format(TEXT_INPUT, TEXT_OUTPUT, HIVE_JSON),
    "SEQUENCEFILE": Format(_SEQUENCE_INPUT, f"{_IO}.HiveSequenceFileOutputFormat", LAZY_SIMPLE),
    "RCFILE": Format(f"{_IO}.RCFileInputFormat", f"{_IO}.RCFileOutputFormat", _COLUMNAR_SERDE),
}  # fmt: skip
_SAME = {"PARQUETFILE": "PARQUET", "ORCFILE": "ORC", "JSONFILE": "JSON", "TEXT": "TEXTFILE"}


def format_named(name: str) -> Format:
    """The format that STORED AS or a property names. Raises AthenaFault."""
    try:
        return FORMATS[_SAME.get(name.upper(), name.upper())]
    except KeyError:
        raise AthenaFault("INVALID_TABLE_PROPERTY", f"Unrecognized file format '{name}'") from None


def format_of_serde(serde: str) -> str:
    """The name of the format that a serde reads: PARQUET, ORC, AVRO, JSON, CSV, TEXTFILE, or the serde itself."""
    if serde == OPEN_CSV:
        return "CSV"
    if serde in (HIVE_JSON, OPENX_JSON):
        return "JSON"
    return next((name for name, one in FORMATS.items() if one.serde == serde), serde)
