"""Every exception daap raises on purpose, in one hierarchy.

Vendors' errors are translated into these at the edge. Each carries a message for a person: what is
wrong, where, and what to do. What is wrong *inside a file* is not an exception but a
:class:`daap.model.verdict.DataError`, collected in a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class DaapError(Exception):
    """Base of all; `str(error)` is fit to be shown to a person."""


class InvalidName(DaapError):
    """A product, table, column or key is not named as the rules allow."""


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """One wrong field of a spec: `path` as in `tables.march.columns[2].type`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidSpec(DaapError):
    """A product file or schema is wrong; holds every problem found, not only the first."""

    def __init__(self, problems: list[SpecProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class NotRegistered(DaapError):
    """The named product or table is not in the registry."""


class AlreadyRegistered(DaapError):
    """The product exists with a different definition."""


class TableExists(DaapError):
    """The product has a table of this name already; its schema is changed in another way."""


class InvalidChange(DaapError):
    """A product may not be changed so; says which field, or which rows of which load, stand against it."""

    def __init__(self, message: str, errors: Sequence[object] = ()) -> None:
        self.errors = tuple(errors)
        super().__init__(message)


class VersionConflict(DaapError):
    """Another change came first; `version` is the one that won."""

    def __init__(self, product: str, version: str) -> None:
        self.version = version
        super().__init__(f"{product} was changed meanwhile: it is {version} now. Look at it, and try again")


class UnderLegalHold(DaapError):
    """Nothing of the product may be deleted now."""


class UnknownLoad(DaapError):
    """No receipt has this load id."""


class ObjectMissing(DaapError):
    """The object store holds nothing under this key."""


class ObjectConflict(DaapError):
    """A conditional write lost: the object is not what the caller expected it to be."""


class StoreUnavailable(DaapError):
    """The store cannot be read or written now (full disk, no permission, no network); try again."""


class EngineFailed(DaapError):
    """The engine could not do its work for a reason that is not in the file."""


class InvalidQuery(DaapError):
    """The SQL cannot be run: syntax, unknown names, or a statement that is not allowed."""


class Busy(DaapError):
    """Another process works on this table now; the same call later will go through."""


class Cancelled(DaapError):
    """The person stopped the work; everything is as a restart expects it."""


class Unauthenticated(DaapError):
    """There is no token, or it is not one that is valid now."""


class Forbidden(DaapError):
    """The principal may not do this; the message tells nothing of what it may not see."""
