"""Names of products, tables and columns, and how a file's header is turned into one.

A name is validated here before it touches a path, an identifier or SQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from daap.errors import InvalidName

LOAD_TIMESTAMP = "load_timestamp"

_PRODUCT = re.compile(r"[a-z0-9_]{1,128}")
_TABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{1,127}")
_COLUMN = re.compile(r"[a-z0-9_]{1,128}")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def check_product(name: str) -> str:
    """Returns `name`; raises InvalidName unless it is a product name."""
    if not _PRODUCT.fullmatch(name):
        raise InvalidName(f"product name {name!r} is not allowed: use a-z, 0-9 and _, at most 128 characters")
    return name


def check_table(name: str) -> str:
    """Returns `name`; raises InvalidName unless it is a table name."""
    if not _TABLE.fullmatch(name):
        raise InvalidName(
            f"table name {name!r} is not allowed: begin with a letter, then letters, digits and _, 2 to 128 characters"
        )
    return name


def check_column(name: str) -> str:
    """Returns `name`; raises InvalidName unless it is a column name."""
    if name == LOAD_TIMESTAMP:
        raise InvalidName(f"column name {name!r} is reserved: daap adds it to every row")
    if not _COLUMN.fullmatch(name):
        raise InvalidName(f"column name {name!r} is not allowed: use a-z, 0-9 and _, at most 128 characters")
    if not standardise(name):
        raise InvalidName(f"column name {name!r} is not allowed: it needs a letter or a digit")
    return name


def standardise(header: str) -> str:
    """A header as a column name: lower case, accents dropped, runs of anything else one `_`, none at the ends.

    >>> standardise(" Net Amount (£) ")
    'net_amount'
    >>> standardise("Côte d'Or")
    'cote_d_or'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", header) if not unicodedata.combining(c))
    return _NOT_WORD.sub("_", plain.casefold()).strip("_")


def name_header(header: str, position: int) -> str:
    """The standard name of the header at `position` (from 1); one with no text at all is `column_{position}`."""
    return standardise(header) if header.strip() else f"column_{position}"


def _documented(pattern: re.Pattern[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern.pattern}$"})


def _valid(check: Callable[[str], str]) -> AfterValidator:
    def validate(name: str) -> str:
        try:
            return check(name)
        except InvalidName as error:
            raise ValueError(str(error)) from None

    return AfterValidator(validate)


ProductName = Annotated[str, _valid(check_product), _documented(_PRODUCT)]
TableName = Annotated[str, _valid(check_table), _documented(_TABLE)]
ColumnName = Annotated[str, _valid(check_column), _documented(_COLUMN)]
