"""Errors as Athena's API answers them.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/CommonErrors.html and each operation's page.
"""

from __future__ import annotations

from daap.errors import DaapError

BAD_REQUEST = 400


class ApiFault(DaapError):
    """An error answer: `code` is the exception's name, `fields` what it carries besides its message."""

    def __init__(self, code: str, message: str, status: int = BAD_REQUEST, **fields: str) -> None:
        self.code, self.status, self.fields = code, status, fields
        super().__init__(message)


def invalid_request(message: str, code: str = "INVALID_INPUT") -> ApiFault:
    """InvalidRequestException with its AthenaErrorCode."""
    return ApiFault("InvalidRequestException", message, AthenaErrorCode=code)


def not_found(message: str, resource: str) -> ApiFault:
    """ResourceNotFoundException."""
    return ApiFault("ResourceNotFoundException", message, ResourceName=resource)


def metadata_fault(message: str) -> ApiFault:
    """MetadataException: what the catalogue said."""
    return ApiFault("MetadataException", message)
