"""What SHOW CREATE and DESCRIBE print, line by line, in Hive's layout.

Source: Hive's DDLTask and MetaDataFormatUtils (Apache Hive, ql module), whose text Athena passes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from daap_local.athena.hive.formats import HIVE_JSON, LAZY_SIMPLE, OPEN_CSV, OPENX_JSON
from daap_local.athena.hive.views import decode_view
from daap_local.athena.tables import ColumnDef, GlueTable, Storage

_WIDTH = 20
_BLANK = "\t \t "
_FROM_DESERIALIZER = frozenset({OPEN_CSV, HIVE_JSON, OPENX_JSON})
_DELIMITERS = (
    ("field.delim", "FIELDS TERMINATED BY"),
    ("escape.delim", "ESCAPED BY"),
    ("collection.delim", "COLLECTION ITEMS TERMINATED BY"),
    ("mapkey.delim", "MAP KEYS TERMINATED BY"),
    ("line.delim", "LINES TERMINATED BY"),
    ("serialization.null.format", "NULL DEFINED AS"),
)
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def show_create_table(table: GlueTable, qualified: bool = False) -> list[str]:
    """The lines of SHOW CREATE TABLE; `qualified` where the statement named the database too."""
    name = f"{table.database}.{table.name}" if qualified else table.name
    lines = [f"CREATE EXTERNAL TABLE `{name}`(", *_columns(table.columns, table.storage.serde)]
    if table.comment is not None:
        lines += ["COMMENT " + _quoted(table.comment)]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *_columns(table.partition_keys, "")]
    lines += _clustered(table.storage) + _row_format(table.storage) + _stored(table.storage)
    lines += ["LOCATION", "  " + _quoted(table.storage.location), "TBLPROPERTIES ("]
    return lines + _pairs({key: value for key, value in table.parameters.items() if key not in ("EXTERNAL", "comment")})


def show_create_view(table: GlueTable, view_original_text: str) -> list[str]:
    """The lines of SHOW CREATE VIEW. Raises AthenaFault for a view that Athena did not make."""
    sql, _, _ = decode_view(view_original_text)
    return [f"CREATE VIEW {table.database}.{table.name} AS", *sql.split("\n")]


def describe_rows(table: GlueTable, form: str | None = None) -> list[str]:
    """The lines of DESCRIBE; `form` is None, 'extended' or 'formatted'."""
    formatted = form == "formatted"
    lines = [_HEADER, _BLANK] if formatted else []
    lines += [_row(one.name, one.type, _comment(one, table.storage.serde)) for one in table.columns]
    lines += [_row(key.name, key.type, key.comment or "") for key in (() if formatted else table.partition_keys)]
    if table.partition_keys:
        lines += [_BLANK, f"# Partition Information{_BLANK}", _HEADER, _BLANK]
        lines += [_row(key.name, key.type, key.comment or "") for key in table.partition_keys]
    if formatted:
        lines += [_BLANK, *_details(table)]
    if form == "extended":
        lines += [_BLANK, f"Detailed Table Information\t{_summary(table)}\t"]
    return lines


def describe_column(table: GlueTable, name: str) -> list[str]:
    """The lines of DESCRIBE for one column; none where there is no such column."""
    columns = (*table.columns, *table.partition_keys)
    return [_row(one.name, one.type, _comment(one, table.storage.serde)) for one in columns if one.name == name.lower()]


def padded(*cells: str) -> str:
    """Cells side by side as DESCRIBE prints them."""
    return "\t".join(cell.ljust(_WIDTH) for cell in cells)


_HEADER = padded("# col_name", "data_type", "comment")


def _row(*cells: str) -> str:
    return padded(*cells)


def _comment(column: ColumnDef, serde: str) -> str:
    if column.comment is None:
        return "from deserializer" if serde in _FROM_DESERIALIZER else ""
    return column.comment


def _columns(columns: Sequence[ColumnDef], serde: str) -> list[str]:
    texts = [f"  `{one.name}` {one.type}{_comment_clause(one, serde)}" for one in columns]
    return _joined(texts, ")")


def _comment_clause(column: ColumnDef, serde: str) -> str:
    if column.comment is None and serde not in _FROM_DESERIALIZER:
        return ""
    return f" COMMENT {_quoted(_comment(column, serde))}"


def _joined(texts: Sequence[str], end: str) -> list[str]:
    return [text + (", " if at < len(texts) - 1 else end) for at, text in enumerate(texts)]


def _pairs(properties: dict[str, str], end: str = ")") -> list[str]:
    return _joined([f"  {_quoted(key)}={_quoted(value)}" for key, value in sorted(properties.items())], end)


def _clustered(storage: Storage) -> list[str]:
    if not storage.bucket_columns:
        return []
    return [
        "CLUSTERED BY ( ",
        *_joined([f"  {name}" for name in storage.bucket_columns], ") "),
        f"INTO {storage.buckets} BUCKETS",
    ]


def _row_format(storage: Storage) -> list[str]:
    properties = {key: value for key, value in storage.serde_properties.items() if key != "serialization.format"}
    if storage.serde == LAZY_SIMPLE and properties and properties.keys() <= dict(_DELIMITERS).keys():
        clauses = [f"  {words} {_quoted(properties[key])} " for key, words in _DELIMITERS if key in properties]
        return ["ROW FORMAT DELIMITED ", *clauses]
    lines = ["ROW FORMAT SERDE ", f"  {_quoted(storage.serde)} "]
    if properties:
        lines += ["WITH SERDEPROPERTIES ( ", *_pairs(properties, ") ")]
    return lines


def _stored(storage: Storage) -> list[str]:
    return [
        "STORED AS INPUTFORMAT ", f"  {_quoted(storage.input_format)} ",
        "OUTPUTFORMAT ", f"  {_quoted(storage.output_format)}",
    ]  # fmt: skip


def _quoted(text: str) -> str:
    return "'" + "".join(_escaped(char) for char in text) + "'"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\u{ord(char):04X}" if char < " " else char


def _details(table: GlueTable) -> Iterable[str]:
    storage = table.storage
    facts = (("Database:", table.database), ("Owner:", "hadoop"), ("Protect Mode:", "None"), ("Retention:", "0"),
             ("Location:", storage.location), ("Table Type:", table.table_type))  # fmt: skip
    yield f"# Detailed Table Information{_BLANK}"
    yield from (f"{key.ljust(_WIDTH)}\t{value.ljust(_WIDTH)}\t " for key, value in facts)
    yield f"Table Parameters:{_BLANK}"
    yield from (f"\t{key.ljust(_WIDTH)}\t{value.ljust(_WIDTH)}" for key, value in sorted(table.parameters.items()))
    yield from (_BLANK, f"# Storage Information{_BLANK}")
    classes = (("SerDe Library:", storage.serde), ("InputFormat:", storage.input_format),
               ("OutputFormat:", storage.output_format), ("Compressed:", "No"), ("Num Buckets:", str(storage.buckets)),
               ("Bucket Columns:", f"[{', '.join(storage.bucket_columns)}]"), ("Sort Columns:", "[]"))  # fmt: skip
    yield from (f"{key.ljust(_WIDTH)}\t{value.ljust(_WIDTH)}\t " for key, value in classes)
    yield f"Storage Desc Params:{_BLANK}"
    yield from (
        f"\t{key.ljust(_WIDTH)}\t{value.ljust(_WIDTH)}" for key, value in sorted(storage.serde_properties.items())
    )


def _summary(table: GlueTable) -> str:
    columns = ", ".join(
        f"FieldSchema(name:{one.name}, type:{one.type}, comment:{one.comment})" for one in table.columns
    )
    keys = ", ".join(
        f"FieldSchema(name:{one.name}, type:{one.type}, comment:{one.comment})" for one in table.partition_keys
    )
    parameters = ", ".join(f"{key}={value}" for key, value in sorted(table.parameters.items()))
    storage = table.storage
    return (
        f"Table(tableName:{table.name}, dbName:{table.database}, sd:StorageDescriptor(cols:[{columns}], "
        f"location:{storage.location}, inputFormat:{storage.input_format}, outputFormat:{storage.output_format}, "
        f"serdeInfo:SerDeInfo(serializationLib:{storage.serde})), partitionKeys:[{keys}], parameters:{{{parameters}}}, "
        f"tableType:{table.table_type})"
    )
