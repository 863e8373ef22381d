"""The work group where Athena is not the emulator's own: CloudFormation made it there, and not where queries go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from daap_cloud.deploy.target import Target
from daap_cloud.faults import translated

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
