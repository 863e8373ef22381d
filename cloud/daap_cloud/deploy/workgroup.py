"""Work group and databases where Athena and Glue are not the emulator's own: CloudFormation does not reach there."""

from __future__ import annotations

from contextlib import suppress

from botocore.exceptions import ClientError

from daap.errors import ObjectConflict
from daap_cloud.deploy.target import Target
from daap_cloud.faults import code_of, translated
from daap_cloud.glue.calls import GlueCalls
from daap_cloud.glue.logs import ensure_logs

_TAKEN = "InvalidRequestException"
"""What Athena says of a name that is taken, and of much else; then the update tells what it is."""


def copy_workgroup(target: Target, name: str, results_bucket: str, cutoff: int, url: str) -> None:
    """Makes the template's work group at another address, or brings it to what it is now: its bucket may be another."""
    athena, location = target.athena_at(url), f"s3://{results_bucket}/queries/"
    with translated(f"make the work group {name} at {url}"):
        try:
            athena.create_work_group(
                Name=name,
                Configuration={
                    "EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": cutoff,
                    "ResultConfiguration": {"OutputLocation": location},
                },
            )  # fmt: skip
        except ClientError as error:
            if code_of(error) != _TAKEN:
                raise
            athena.update_work_group(
                WorkGroup=name,
                ConfigurationUpdates={
                    "EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": cutoff,
                    "ResultConfigurationUpdates": {"OutputLocation": location},
                },
            )  # fmt: skip


def copy_databases(target: Target, logs_bucket: str, url: str) -> None:
    """Makes the template's databases and the table of the audit log in the Glue at another address, if they are not."""
    glue = target.glue_at(url)
    with suppress(ObjectConflict):
        GlueCalls(glue).create_database("daap_work", "tables of a moment")
    ensure_logs(glue, logs_bucket)
