"""StatementType and SubstatementType of statements.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from __future__ import annotations

from daap_local.athena import statements as s

_KINDS: dict[type, tuple[str, str]] = {
    s.Query: ("DML", "SELECT"),
    s.Explain: ("UTILITY", "EXPLAIN"),
    s.CreateTable: ("DDL", "CREATE_TABLE"),
    s.CreateTableAs: ("DDL", "CREATE_TABLE_AS_SELECT"),
    s.InsertInto: ("DML", "INSERT"),
    s.Unload: ("DML", "UNLOAD"),
    s.CreateView: ("DDL", "CREATE_VIEW"),
    s.DropTable: ("DDL", "DROP_TABLE"),
    s.DropView: ("DDL", "DROP_VIEW"),
    s.AddPartitions: ("DDL", "ALTER_TABLE_ADD_PARTITION"),
    s.DropPartitions: ("DDL", "ALTER_TABLE_DROP_PARTITION"),
    s.RenamePartition: ("DDL", "ALTER_TABLE_RENAME_PARTITION"),
    s.AddColumns: ("DDL", "ALTER_TABLE_ADD_COLUMNS"),
    s.ReplaceColumns: ("DDL", "ALTER_TABLE_REPLACE_COLUMNS"),
    s.ChangeColumn: ("DDL", "ALTER_TABLE_CHANGE_COLUMN"),
    s.SetLocation: ("DDL", "ALTER_TABLE_SET_LOCATION"),
    s.SetTableProperties: ("DDL", "ALTER_TABLE_SET_PROPERTIES"),
    s.RepairTable: ("DDL", "MSCK_REPAIR_TABLE"),
    s.CreateDatabase: ("DDL", "CREATE_DATABASE"),
    s.DropDatabase: ("DDL", "DROP_DATABASE"),
    s.SetDatabaseProperties: ("DDL", "ALTER_DATABASE_SET_PROPERTIES"),
    s.ShowDatabases: ("UTILITY", "SHOW_DATABASES"),
    s.ShowTables: ("UTILITY", "SHOW_TABLES"),
    s.ShowViews: ("UTILITY", "SHOW_VIEWS"),
    s.ShowColumns: ("UTILITY", "SHOW_COLUMNS"),
    s.ShowPartitions: ("UTILITY", "SHOW_PARTITIONS"),
    s.ShowCreateTable: ("UTILITY", "SHOW_CREATE_TABLE"),
    s.ShowCreateView: ("UTILITY", "SHOW_CREATE_VIEW"),
    s.ShowTableProperties: ("UTILITY", "SHOW_TBLPROPERTIES"),
    s.Describe: ("UTILITY", "DESCRIBE_TABLE"),
    s.DescribeView: ("UTILITY", "DESCRIBE_VIEW"),
    s.Prepare: ("UTILITY", "PREPARE"),
    s.Execute: ("UTILITY", "EXECUTE"),
    s.Deallocate: ("UTILITY", "DEALLOCATE"),
}


def kind_of(statement: s.Statement) -> tuple[str, str]:
    """The two kinds of a statement."""
    return _KINDS[type(statement)]
