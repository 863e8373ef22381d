"""Functions that have no form in SQL, in Python: for what is rare, or for what a quick way in SQL leaves over.

A failure is told by an exception whose text begins like that of a macro's failing cast (see runtime.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from types import MappingProxyType
from typing import Any

import duckdb
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import BIGINT, BLOB, BOOLEAN, DATE, DOUBLE, INTEGER, TIMESTAMP, VARCHAR, DuckDBPyType

from daap_local.athena.sql.python import addresses, dates, formatting, json_values, numbers, texts, urls


def install_functions(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Make those of the named functions that are Python's known to a connection that does not know them yet."""
    for name in names:
        if name not in FUNCTIONS:
            continue
        function, parameters, result = FUNCTIONS[name]
        with suppress(duckdb.CatalogException, duckdb.NotImplementedException):
            connection.create_function(name, _null_safe(function), [*parameters], result, null_handling=_NULLS)


_NULLS = FunctionNullHandling.SPECIAL


def _null_safe(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, answering NULL where an argument is NULL; unlike DuckDB's own way it may answer NULL besides."""

    @wraps(function)
    def called(*given: object) -> object:
        for value in given:
            if value is None:
                return None
        return function(*given)

    return called


def _functions() -> dict[str, tuple[Callable[..., Any], list[DuckDBPyType], DuckDBPyType]]:
    many = duckdb.list_type(VARCHAR)
    pairs = duckdb.list_type(duckdb.struct_type({"k": VARCHAR, "v": VARCHAR}))
    return {
        "athena_exact": (numbers.exact, [VARCHAR, VARCHAR, VARCHAR, INTEGER], VARCHAR),
        "athena_exact_round": (numbers.round_to, [VARCHAR, BIGINT], VARCHAR),
        "athena_exact_truncate": (numbers.truncate_to, [VARCHAR, BIGINT], VARCHAR),
        "athena_power": (numbers.power, [DOUBLE, DOUBLE], DOUBLE),
        "athena_from_base": (numbers.from_base, [VARCHAR, BIGINT], BIGINT),
        "athena_to_base": (numbers.to_base, [BIGINT, BIGINT], VARCHAR),
        "athena_bit_count": (numbers.bit_count, [BIGINT, BIGINT], BIGINT),
        "athena_shift": (numbers.shift, [BIGINT, BIGINT, INTEGER, VARCHAR], BIGINT),
        "athena_pack": (numbers.pack, [BIGINT, VARCHAR], BLOB),
        "athena_unpack": (numbers.unpack, [BLOB, VARCHAR], BIGINT),
        "athena_pack_double": (numbers.pack, [DOUBLE, VARCHAR], BLOB),
        "athena_unpack_double": (numbers.unpack, [BLOB, VARCHAR], DOUBLE),
        "athena_read_date": (dates.read_date, [VARCHAR], DATE),
        "athena_read_timestamp": (dates.read_timestamp, [VARCHAR], TIMESTAMP),
        "athena_zoned_of": (dates.read_zoned, [VARCHAR], VARCHAR),
        "athena_zone": (dates.zone_name, [VARCHAR], VARCHAR),
        "athena_date_parse": (dates.date_parse, [VARCHAR, VARCHAR], TIMESTAMP),
        "athena_parse_datetime": (dates.parse_datetime, [VARCHAR, VARCHAR], VARCHAR),
        "athena_format_datetime": (dates.format_datetime, [TIMESTAMP, VARCHAR, BIGINT, VARCHAR], VARCHAR),
        "athena_iso_date": (dates.iso_date, [VARCHAR], DATE),
        "athena_read_iso_timestamp": (dates.iso_timestamp, [VARCHAR], VARCHAR),
        "athena_parse_duration": (dates.parse_duration, [VARCHAR], BIGINT),
        "athena_readable_seconds": (dates.readable_seconds, [DOUBLE], VARCHAR),
        "athena_format_value": (formatting.format_value, [VARCHAR, VARCHAR, INTEGER, INTEGER, VARCHAR], VARCHAR),
        "athena_reverse": (texts.reverse, [VARCHAR], VARCHAR),
        "athena_reverse_bytes": (texts.reverse_bytes, [BLOB], BLOB),
        "athena_substr_bytes": (texts.substr_bytes, [BLOB, BIGINT, BIGINT], BLOB),
        "athena_pad_bytes": (texts.pad_bytes, [BLOB, BIGINT, BLOB, BOOLEAN], BLOB),
        "athena_nth_position": (texts.nth_position, [VARCHAR, VARCHAR, BIGINT], BIGINT),
        "athena_translate": (texts.translate, [VARCHAR, VARCHAR, VARCHAR], VARCHAR),
        "athena_edit_distance": (texts.edit_distance, [VARCHAR, VARCHAR], BIGINT),
        "athena_soundex": (texts.soundex, [VARCHAR], VARCHAR),
        "athena_luhn": (texts.luhn, [VARCHAR], BOOLEAN),
        "athena_normalize": (texts.normalize, [VARCHAR, VARCHAR], VARCHAR),
        "athena_from_utf8": (texts.from_utf8, [BLOB, VARCHAR], VARCHAR),
        "athena_format_number": (texts.format_number, [BIGINT], VARCHAR),
        "athena_sha512": (texts.sha512, [BLOB], BLOB),
        "athena_crc32": (texts.crc32, [BLOB], BIGINT),
        "athena_hmac": (texts.keyed_digest, [BLOB, BLOB, VARCHAR], BLOB),
        "athena_from_hex": (texts.from_hex, [VARCHAR], BLOB),
        "athena_from_base64": (texts.from_base64, [VARCHAR], BLOB),
        "athena_to_base32": (texts.to_base32, [BLOB], VARCHAR),
        "athena_from_base32": (texts.from_base32, [VARCHAR], BLOB),
        "athena_java_regexp_like": (texts.regexp_like, [VARCHAR, VARCHAR], BOOLEAN),
        "athena_java_regexp_extract": (texts.regexp_extract, [VARCHAR, VARCHAR, INTEGER], VARCHAR),
        "athena_java_regexp_extract_all": (texts.regexp_extract_all, [VARCHAR, VARCHAR, INTEGER], many),
        "athena_java_regexp_split": (texts.regexp_split, [VARCHAR, VARCHAR], many),
        "athena_java_regexp_count": (texts.regexp_count, [VARCHAR, VARCHAR], BIGINT),
        "athena_java_regexp_position": (texts.regexp_position, [VARCHAR, VARCHAR, BIGINT, BIGINT], INTEGER),
        "athena_java_regexp_replace": (texts.regexp_replace, [VARCHAR, VARCHAR, VARCHAR], VARCHAR),
        "athena_text_ipaddress": (addresses.read, [VARCHAR], BLOB),
        "athena_ipaddress_of": (addresses.of_bytes, [BLOB], BLOB),
        "athena_ipaddress_text": (addresses.show, [BLOB], VARCHAR),
        "athena_network_contains": (addresses.contains, [VARCHAR, BLOB], BOOLEAN),
        "athena_url_encode": (urls.encode, [VARCHAR], VARCHAR),
        "athena_url_decode": (urls.decode, [VARCHAR], VARCHAR),
        "athena_url_part": (urls.part, [VARCHAR, VARCHAR], VARCHAR),
        "athena_url_parameter": (urls.parameter, [VARCHAR, VARCHAR], VARCHAR),
        "athena_json_parse": (json_values.parse, [VARCHAR], VARCHAR),
        "athena_json_extract": (json_values.extract, [VARCHAR, VARCHAR], VARCHAR),
        "athena_json_scalar": (json_values.scalar, [VARCHAR, VARCHAR], VARCHAR),
        "athena_json_length": (json_values.length, [VARCHAR], BIGINT),
        "athena_json_get": (json_values.element, [VARCHAR, BIGINT], VARCHAR),
        "athena_json_contains": (json_values.contains, [VARCHAR, VARCHAR], BOOLEAN),
        "athena_json_size": (json_values.size, [VARCHAR, VARCHAR], BIGINT),
        "athena_is_json_scalar": (json_values.is_scalar, [VARCHAR], BOOLEAN),
        "athena_json_quote": (json_values.quote, [VARCHAR], VARCHAR),
        "athena_json_double": (json_values.of_double, [DOUBLE], VARCHAR),
        "athena_json_real": (json_values.of_real, [duckdb.sqltypes.FLOAT], VARCHAR),
        "athena_from_json_varchar": (json_values.to_varchar, [VARCHAR], VARCHAR),
        "athena_from_json_boolean": (json_values.to_boolean, [VARCHAR], BOOLEAN),
        "athena_from_json_double": (json_values.to_double, [VARCHAR], DOUBLE),
        "athena_from_json_real": (json_values.to_double, [VARCHAR], duckdb.sqltypes.FLOAT),
        "athena_from_json_bigint": (json_values.to_bigint, [VARCHAR], BIGINT),
        "athena_from_json_integer": (json_values.to_integer, [VARCHAR], INTEGER),
        "athena_from_json_smallint": (json_values.to_smallint, [VARCHAR], duckdb.sqltypes.SMALLINT),
        "athena_from_json_tinyint": (json_values.to_tinyint, [VARCHAR], duckdb.sqltypes.TINYINT),
        "athena_from_json_decimal": (json_values.to_decimal, [VARCHAR, BIGINT, BIGINT], VARCHAR),
        "athena_json_elements": (json_values.elements, [VARCHAR], many),
        "athena_json_members": (json_values.members, [VARCHAR], pairs),
        "athena_json_fields": (json_values.fields, [VARCHAR, many], many),
    }


FUNCTIONS = MappingProxyType(_functions())
"""Each function with the types of its parameters and of its result."""
