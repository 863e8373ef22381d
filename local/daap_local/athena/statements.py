"""What a statement asks for: one frozen dataclass each. The parser makes them, the executor carries them out.

Queries inside are kept as Athena SQL text; the translation to DuckDB happens when they are run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from daap_local.athena.tables import ColumnDef, TableName

PartitionSpec = dict[str, str]
"""Partition values by key."""


@dataclass(frozen=True, slots=True)
class Query:
    """SELECT, WITH, VALUES, TABLE."""

    sql: str


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN [ANALYZE] [(option value, ...)] of another statement."""

    sql: str
    analyze: bool = False
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE EXTERNAL TABLE, as Hive's DDL has it."""

    name: TableName
    columns: tuple[ColumnDef, ...]
    partitioned_by: tuple[ColumnDef, ...] = ()
    clustered_by: tuple[str, ...] = ()
    buckets: int | None = None
    comment: str | None = None
    row_format: dict[str, str] = field(default_factory=dict)
    """ROW FORMAT DELIMITED as the LazySimpleSerDe properties it stands for (field.delim, escape.delim, ...)."""
    serde: str | None = None
    serde_properties: dict[str, str] = field(default_factory=dict)
    stored_as: str | None = None
    input_format: str | None = None
    output_format: str | None = None
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """CREATE TABLE name [WITH (...)] AS query [WITH [NO] DATA]. Values are texts, or tuples of texts for ARRAY[...]."""

    name: TableName
    query: str
    properties: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    with_data: bool = True
    if_not_exists: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class InsertInto:
    """INSERT INTO name [(columns)] query."""

    name: TableName
    query: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unload:
    """UNLOAD (query) TO 's3://...' WITH (...)."""

    query: str
    to: str
    properties: dict[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE [OR REPLACE] VIEW name AS query."""

    name: TableName
    query: str
    or_replace: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class DropTable:
    """DROP TABLE [IF EXISTS] name."""

    name: TableName
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropView:
    """DROP VIEW [IF EXISTS] name."""

    name: TableName
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """ALTER TABLE name ADD [IF NOT EXISTS] PARTITION (...) [LOCATION '...'] ..."""

    name: TableName
    partitions: tuple[tuple[PartitionSpec, str | None], ...]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropPartitions:
    """ALTER TABLE name DROP [IF EXISTS] PARTITION (...), ...; each condition is (key, operator, value)."""

    name: TableName
    partitions: tuple[tuple[tuple[str, str, str], ...], ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenamePartition:
    """ALTER TABLE name PARTITION (...) RENAME TO PARTITION (...)."""

    name: TableName
    old: PartitionSpec
    new: PartitionSpec


@dataclass(frozen=True, slots=True)
class AddColumns:
    """ALTER TABLE name ADD COLUMNS (...)."""

    name: TableName
    columns: tuple[ColumnDef, ...]


@dataclass(frozen=True, slots=True)
class ReplaceColumns:
    """ALTER TABLE name REPLACE COLUMNS (...)."""

    name: TableName
    columns: tuple[ColumnDef, ...]


@dataclass(frozen=True, slots=True)
class ChangeColumn:
    """ALTER TABLE name CHANGE [COLUMN] old new type [COMMENT '...']."""

    name: TableName
    old: str
    column: ColumnDef


@dataclass(frozen=True, slots=True)
class SetLocation:
    """ALTER TABLE name [PARTITION (...)] SET LOCATION '...'."""

    name: TableName
    location: str
    partition: PartitionSpec | None = None


@dataclass(frozen=True, slots=True)
class SetTableProperties:
    """ALTER TABLE name SET TBLPROPERTIES (...)."""

    name: TableName
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class RepairTable:
    """MSCK REPAIR TABLE name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE|SCHEMA [IF NOT EXISTS] name ..."""

    name: str
    if_not_exists: bool = False
    comment: str | None = None
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE|SCHEMA [IF EXISTS] name [RESTRICT|CASCADE]."""

    name: str
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class SetDatabaseProperties:
    """ALTER DATABASE name SET DBPROPERTIES (...)."""

    name: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class ShowDatabases:
    """SHOW DATABASES|SCHEMAS [LIKE 'regular expression']."""

    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class ShowTables:
    """SHOW TABLES [IN database] ['regular expression']."""

    database: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class ShowViews:
    """SHOW VIEWS [IN database] [LIKE 'regular expression']."""

    database: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class ShowColumns:
    """SHOW COLUMNS FROM|IN name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class ShowPartitions:
    """SHOW PARTITIONS name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class ShowCreateTable:
    """SHOW CREATE TABLE name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class ShowCreateView:
    """SHOW CREATE VIEW name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class ShowTableProperties:
    """SHOW TBLPROPERTIES name [('key')]."""

    name: TableName
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """DESCRIBE [EXTENDED|FORMATTED] name [PARTITION (...)] [column]."""

    name: TableName
    form: str | None = None
    partition: PartitionSpec | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class DescribeView:
    """DESCRIBE VIEW name."""

    name: TableName


@dataclass(frozen=True, slots=True)
class Prepare:
    """PREPARE name FROM statement."""

    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class Execute:
    """EXECUTE name [USING value, ...]; values are SQL literals as text."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deallocate:
    """DEALLOCATE PREPARE name."""

    name: str


Statement = (
    Query | Explain | CreateTable | CreateTableAs | InsertInto | Unload | CreateView | DropTable | DropView
    | AddPartitions | DropPartitions | RenamePartition | AddColumns | ReplaceColumns | ChangeColumn | SetLocation
    | SetTableProperties | RepairTable | CreateDatabase | DropDatabase | SetDatabaseProperties | ShowDatabases
    | ShowTables | ShowViews | ShowColumns | ShowPartitions | ShowCreateTable | ShowCreateView
    | ShowTableProperties | Describe | DescribeView | Prepare | Execute | Deallocate
)  # fmt: skip
