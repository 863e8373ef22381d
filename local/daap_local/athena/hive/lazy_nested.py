"""Arrays, maps and structs in LazySimpleSerDe: the deeper, the later the delimiter.

Source: the behaviour of Trino's reader (trino-hive-formats, encodings/text: ListEncoding, MapEncoding, StructEncoding).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.delimiters import SimpleOptions
from daap_local.athena.hive.scalars import arrow_type, scalar
from daap_local.athena.hive.types import HiveType

_Value = Any
_Reader = Callable[[bytes], _Value]
_TEXTS = frozenset({"string", "varchar", "char"})


class NestedReader:
    """A column of texts into a column of nested values."""

    def __init__(self, type_: HiveType, options: SimpleOptions) -> None:
        self._null, self._escape, self._separators = options.null.encode(), options.escape, options.separators
        self._type = arrow_type(type_)
        self._read = self._reader(type_, 1)

    def __call__(self, column: pa.Array) -> pa.Array:
        """The values; NULL where the text is NULL."""
        texts = column.to_pylist()
        return pa.array([None if text is None else self._read(text.encode()) for text in texts], self._type)

    def _reader(self, type_: HiveType, depth: int) -> _Reader:
        if type_.nested and depth + (type_.kind == "map") >= len(self._separators):
            raise unsupported(f"LazySimpleSerDe with more than {len(self._separators)} levels")
        if type_.kind == "array":
            return self._array(self._nullable(self._reader(type_.parts[0], depth + 1)), depth)
        if type_.kind == "map":
            key, value = (self._nullable(self._reader(part, depth + 2)) for part in type_.parts)
            return self._map(key, value, depth)
        if type_.kind == "struct":
            parts = [self._nullable(self._reader(part, depth + 1)) for part in type_.parts]
            return self._struct(type_.names, parts, depth)
        return self._leaf(type_)

    def _leaf(self, type_: HiveType) -> _Reader:
        read = scalar(type_)

        def value(text: bytes) -> _Value:
            try:
                return read((self._unescaped(text) if type_.kind in _TEXTS else text).decode())
            except ValueError:
                return None

        return value

    def _nullable(self, read: _Reader) -> _Reader:
        return lambda text: None if text == self._null else read(text)

    def _array(self, read: _Reader, depth: int) -> _Reader:
        return lambda text: [read(part) for part in self._split(text, self._separators[depth])] if text else []

    def _struct(self, names: tuple[str, ...], readers: list[_Reader], depth: int) -> _Reader:
        def value(text: bytes) -> dict[str, Any]:
            parts = self._split(text, self._separators[depth])
            values = [read(part) for read, part in zip(readers, parts, strict=False)]
            return dict(zip(names, values, strict=False))

        return value

    def _map(self, key: _Reader, value: _Reader, depth: int) -> _Reader:
        def entries(text: bytes) -> list[tuple[Any, Any]]:
            found: dict[Any, Any] = {}
            for entry in self._split(text, self._separators[depth]) if text else ():
                name, *rest = self._split(entry, self._separators[depth + 1], most=1)
                made = key(name)
                if made is not None:
                    found.setdefault(made, value(rest[0]) if rest else None)
            return list(found.items())

        return entries

    def _split(self, text: bytes, separator: int, most: int = -1) -> list[bytes]:
        if self._escape is None or self._escape not in text:
            return text.split(bytes((separator,)), most)
        parts, start, at = [], 0, 0
        while at < len(text) and most:
            if text[at] == separator:
                parts.append(text[start:at])
                start = at + 1
                most -= 1
            at += 2 if text[at] == self._escape else 1
        return [*parts, text[start:]]

    def _unescaped(self, text: bytes) -> bytes:
        if self._escape is None or self._escape not in text:
            return text
        kept, at = bytearray(), 0
        while at < len(text):
            at += text[at] == self._escape and at + 1 < len(text)
            kept.append(text[at])
            at += 1
        return bytes(kept)
