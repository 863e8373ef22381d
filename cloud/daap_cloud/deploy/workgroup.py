"""Work group and databases where Athena and Glue are not the emulator's own: CloudFormation does not reach there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from daap.errors import ObjectConflict
from daap_cloud.deploy.target import Target
from daap_cloud.faults import translated
from daap_cloud.glue.calls import GlueCalls
from daap_cloud.glue.logs import ensure_logs

if TYPE_CHECKING:
    from mypy_boto3_athena.type_defs import WorkGroupConfigurationTypeDef


def copy_workgroup(target: Target, name: str, results_bucket: str, cutoff: int, url: str) -> None:
    """Makes the template's work group at another address; one that is there already stays as it is."""
    settings: WorkGroupConfigurationTypeDef = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": f"s3://{results_bucket}/queries/"},
        "BytesScannedCutoffPerQuery": cutoff,
    }
    athena = target.athena_at(url)
    with translated(f"make the work group {name} at {url}"):
        try:
            athena.create_work_group(Name=name, Configuration=settings)
        except ClientError as error:
            known = {one["Name"] for one in athena.list_work_groups()["WorkGroups"]}
            if name not in known:
                raise error from None


def copy_databases(target: Target, logs_bucket: str, url: str) -> None:
    """Makes the template's databases and the table of the audit log in the Glue at another address, if they are not."""
    glue = target.glue_at(url)
    with suppress(ObjectConflict):
        GlueCalls(glue).create_database("daap_work", "tables of a moment")
    ensure_logs(glue, logs_bucket)
