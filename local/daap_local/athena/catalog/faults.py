"""What Glue says when something is not as a call expects it.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-exceptions.html
"""

from __future__ import annotations

from daap.errors import DaapError


class GlueFault(DaapError):
    """An error of the catalogue; `code` is the name of Glue's exception."""

    code = "InternalServiceException"


class EntityMissing(GlueFault):
    """There is no such database, table, partition or version."""

    code = "EntityNotFoundException"


class EntityExists(GlueFault):
    """It exists already."""

    code = "AlreadyExistsException"


class InvalidEntity(GlueFault):
    """The request makes no sense."""

    code = "InvalidInputException"


class EntityRefused(GlueFault):
    """The entity is not to be changed from here: it is the lake's own."""

    code = "AccessDeniedException"
