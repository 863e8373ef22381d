"""The audit log as a table: `daap_logs.events`, JSON lines, the days projected, so that no event needs a partition.

Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from daap.errors import ObjectConflict
from daap.pipeline.audit import COLUMNS
from daap_cloud.glue.calls import GlueCalls, Json

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

LOGS, EVENTS = "daap_logs", "events"
FIRST_DAY = "2025-01-01"
_DAY = "date"


def logs_table(bucket: str) -> Json:
    """The table over the logs in `bucket`, by Glue's own names."""
    location = f"s3://{bucket}/events/"
    return {
        "Name": EVENTS, "Description": "what happened to the loads", "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": _DAY, "Type": "string"}],
        "Parameters": {
            "EXTERNAL": "TRUE", "classification": "json", "projection.enabled": "true",
            f"projection.{_DAY}.type": "date", f"projection.{_DAY}.format": "yyyy-MM-dd",
            f"projection.{_DAY}.range": f"{FIRST_DAY},NOW", f"projection.{_DAY}.interval": "1",
            f"projection.{_DAY}.interval.unit": "DAYS",
            "storage.location.template": f"{location}{_DAY}=${{{_DAY}}}/",
        },
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": type_} for name, type_ in COLUMNS.items()], "Location": location,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {}},
        },
    }  # fmt: skip


def ensure_logs(client: GlueClient, bucket: str) -> None:
    """Makes database and table where they are not there; raises StoreUnavailable."""
    calls = GlueCalls(client)
    with suppress(ObjectConflict):
        calls.create_database(LOGS, "the audit log")
    with suppress(ObjectConflict):
        calls.create_table(LOGS, logs_table(bucket))
