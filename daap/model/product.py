"""A data product as its owner writes it: metadata, tables and files components."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from daap.model.names import ProductName, TableName
from daap.model.table import SpecModel, TableSchema, Text

Status = Literal["draft", "published", "retired"]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]

GENERATED = frozenset({"version", "id", "lastUpdated", "creationDate", "s3Location", "rowCount", "schemas"})
"""Fields that daap sets; a spec that holds one is refused."""


class Metadata(SpecModel):
    """What is said of a product; `retention_period` is in days."""

    name: ProductName
    description: Text
    domain: Text
    data_product_owner: Text
    data_product_owner_display_name: Text
    email: EmailStr
    status: Status
    dpia_required: bool
    retention_period: Annotated[int, Field(ge=1, le=36_500)]
    data_product_maintainer: Text | None = None
    data_product_maintainer_display_name: Text | None = None
    dpia_location: Text | None = None
    tags: dict[Tag, str] = {}

    @field_validator("dpia_required", "retention_period", mode="before")
    @classmethod
    def _no_lookalikes(cls, value: object, info: ValidationInfo) -> object:
        if info.field_name == "dpia_required" and not isinstance(value, bool):
            raise ValueError(f"is {value!r}; allowed are true and false")
        if info.field_name == "retention_period" and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"is {value!r}; give a whole number of days")
        return value


class FilesComponent(SpecModel):
    """A place for files of any kind, kept as they come and never curated."""

    description: Text


class Product(Metadata):
    """A whole spec: the metadata with `tables` and `files` by name."""

    tables: dict[TableName, TableSchema] = {}
    files: dict[TableName, FilesComponent] = {}

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        seen: dict[str, str] = {}
        for name in (*self.tables, *self.files, *(f"{table}_latest" for table in self.tables)):
            # Glue and DuckDB fold the case of names, and every table brings its {table}_latest view.
            if twin := seen.get(name.lower()):
                raise ValueError(
                    f"the names {twin} and {name} clash (case does not count, and "
                    "{table}_latest is the view of a table)"
                )
            seen[name.lower()] = name
        return self

    @property
    def metadata(self) -> Metadata:
        """The metadata alone."""
        return Metadata.model_validate({k: v for k, v in self.dump().items() if k not in ("tables", "files")})
