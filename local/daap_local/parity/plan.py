"""What is compared: a product, and files for its tables in the order in which they come."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daap.errors import InvalidName, NotRegistered
from daap.model.keys import Zone, file_key
from daap.model.loads import LoadId, TableRef
from daap.model.product import Product
from daap.model.stamps import format_stamp
from daap.model.table import TableSchema
from daap.model.versions import FIRST

_PLAIN = "bin"
_MAX_EXTENSION = 16


@dataclass(frozen=True, slots=True)
class Upload:
    """One file for one table; with the same load timestamp and id on either side, so that keys and reports are too."""

    load: LoadId
    file_id: str
    path: Path

    @property
    def table(self) -> str:
        """The table, or files component."""
        return self.load.ref.table

    def key(self, zone: Zone) -> str:
        """The file's key in a zone."""
        suffix = self.path.suffix.lower().lstrip(".")
        plain = suffix.isascii() and suffix.isalnum() and len(suffix) <= _MAX_EXTENSION
        return file_key(zone, self.load, self.file_id, suffix if plain else _PLAIN)


@dataclass(frozen=True, slots=True)
class Plan:
    """A product, under the name that it has for the comparison, and the uploads of its files."""

    product: Product
    uploads: tuple[Upload, ...]

    @property
    def refs(self) -> tuple[TableRef, ...]:
        """The tables that files are for, in the spec's order; files components apart."""
        used = {upload.table for upload in self.uploads}
        return tuple(make_ref(self.product, table) for table in self.product.tables if table in used)

    def schema(self, table: str) -> TableSchema | None:
        """The schema of a table; None of a files component."""
        return self.product.tables.get(table)

    def uploads_of(self, ref: TableRef) -> list[Upload]:
        """The uploads for one table."""
        return [upload for upload in self.uploads if upload.load.ref == ref]


def make_ref(product: Product, table: str) -> TableRef:
    """The first major version of a table: a comparison begins with a new product."""
    return TableRef(product.name, FIRST.major, table)


def rename_product(product: Product) -> Product:
    """The product under a name that no other one has, for a place where others may be."""
    return product.model_copy(update={"name": f"{product.name[:100]}_parity_{uuid.uuid4().hex[:8]}"})


def make_plan(product: Product, pairs: Iterable[tuple[str, Path]]) -> Plan:
    """A plan that brings each file (of a table) a second after the one before it."""
    listed = list(pairs)
    first = datetime.now(UTC) - timedelta(seconds=len(listed))
    uploads = (
        Upload(LoadId(make_ref(product, table), format_stamp(first + timedelta(seconds=n))), str(uuid.uuid4()), path)
        for n, (table, path) in enumerate(listed)
    )
    return Plan(product, tuple(uploads))


def pair_files(product: Product, texts: Sequence[str], table: str | None = None) -> list[tuple[str, Path]]:
    """The table that each file is for, in order.

    A text is `table=file`, or a file alone: that is for `table`, else for the table that its folder is called after (as
    in landing), else for the one that the product has. Raises NotRegistered for a table that the product lacks,
    InvalidName where it cannot be told or the file is none.
    """
    names = [*product.tables, *product.files]
    if table is not None and table not in names:
        raise NotRegistered(_no_table(product, table, names))
    return [_pair_file(product, text, table, names) for text in texts]


def _pair_file(product: Product, text: str, table: str | None, names: list[str]) -> tuple[str, Path]:
    given, mark, rest = text.partition("=")
    path = Path(text)
    if mark and (given in names or not path.exists()):
        if given not in names:
            raise NotRegistered(_no_table(product, given, names))
        table, path = given, Path(rest)
    if not path.is_file():
        raise InvalidName(f"{path} is no file" if path.exists() else f"there is no file {path}")
    folder = path.absolute().parent.name
    found = table or (folder if folder in names else None) or (names[0] if len(names) == 1 else None)
    if found is None:
        raise InvalidName(f"which table is {path} for? Write {names[0] if names else 'TABLE'}={path}, or give --table")
    return found, path


def _no_table(product: Product, table: str, names: list[str]) -> str:
    return f"{product.name} has no table {table}; it has {', '.join(names) or 'none'}"
