"""What a deployment decides: buckets, engine, limits. Read from the environment by an entry point, never at import."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from daap.errors import InvalidSpec, SpecProblem
from daap.model.keys import Zone
from daap.publishers.choice import CatalogueChoice
from daap_cloud.s3_store import Place

PREFIX = "DAAP_"

Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class EngineChoice(StrEnum):
    """Which engine curates: Athena, DuckDB in the Lambda, or DuckDB as long as the file is small enough for it."""

    ATHENA = "athena"
    DUCKDB = "duckdb"
    AUTO = "auto"


class Settings(BaseModel):
    """Each field is read from `DAAP_` and its name in capitals; sizes are in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    landing_bucket: Bucket
    data_bucket: Bucket
    metadata_bucket: Bucket
    logs_bucket: Bucket
    results_bucket: Bucket
    work_group: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,128}$")] = "primary"
    work_database: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,255}$")] = "daap_work"
    """Where Athena's tables of a moment are made."""
    engine: EngineChoice = EngineChoice.ATHENA
    duckdb_max_bytes: Annotated[int, Field(gt=0)] = 1 << 30
    """Up to which size `auto` takes DuckDB."""
    memory: str = "2GB"
    """What DuckDB may use."""
    scratch: str = "/tmp/daap"  # noqa: S108 - the one folder that a Lambda may write to
    query_seconds: Annotated[float, Field(gt=0)] = 600.0
    """How long a query in Athena may take before it is stopped."""
    stage: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_]{0,128}$")] = ""
    """The stage of the API in API Gateway, which is the first part of its paths."""
    public_s3_url: Annotated[str, Field(pattern=r"^(https?://[^/?#]+)?$")] = ""
    """S3's address as those see it who upload, where that is not the deployment's own: an emulator's in containers."""
    quoted_events: bool = False
    """Whether events of EventBridge have objects' names with percent signs, as LocalStack's do and S3's do not."""
    reload_function: str = ""
    resync_function: str = ""
    """The Lambdas that do what takes longer than an API may."""
    catalogue: CatalogueChoice = CatalogueChoice.NONE
    """Which other catalogue shows the products."""
    openmetadata_url: str = ""
    openmetadata_secret: str = ""
    """The ARN of the secret in Secrets Manager that holds the token of OpenMetadata's bot."""
    openmetadata_token: SecretStr = SecretStr("")
    """The token itself: for emulators."""

    @property
    def zones(self) -> dict[Zone, Place]:
        """Where each zone lies."""
        return {
            "landing": Place(self.landing_bucket),
            "raw": Place(self.data_bucket, "raw/"),
            "curated": Place(self.data_bucket, "curated/"),
            "fail": Place(self.data_bucket, "fail/"),
            "metadata": Place(self.metadata_bucket),
            "logs": Place(self.logs_bucket),
        }

    @property
    def results(self) -> str:
        """Where Athena puts the results of queries."""
        return f"s3://{self.results_bucket}/queries/"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment names; raises InvalidSpec, which names each that is missing or wrong."""
    given = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [SpecProblem(f"{PREFIX}{one['loc'][0]}".upper(), one["msg"]) for one in error.errors()]
        raise InvalidSpec(problems) from None
