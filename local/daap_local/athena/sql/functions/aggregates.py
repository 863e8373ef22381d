"""Aggregate functions, also as window functions.

Sources: https://trino.io/docs/current/functions/aggregate.html and https://trino.io/docs/current/functions/window.html.
"""

from __future__ import annotations

from types import MappingProxyType

from daap_local.athena.sql.functions.signatures import read_signatures

_COUNTS = {
    "count(T) -> bigint": "count({d}{0}){w}",
    "count_if(boolean) -> bigint": "CAST(count_if({d}{0}){w} AS BIGINT)",
    "approx_distinct(E) -> bigint": "count(DISTINCT {0}){w}",
    "approx_distinct(E, double) -> bigint": "count(DISTINCT {0}){w}",
    "bool_and(boolean) -> boolean": "bool_and({d}{0}){w}",
    "bool_or(boolean) -> boolean": "bool_or({d}{0}){w}",
    "every(boolean) -> boolean": "bool_and({d}{0}){w}",
}
_SUMS = {
    "sum(bigint) -> bigint": "CAST(sum({d}{0}){w} AS BIGINT)",
    "sum(double) -> double": "sum({d}{0}){w}",
    "sum(real) -> real": "CAST(sum({d}{0}){w} AS FLOAT)",
    "sum(interval day to second) -> interval day to second": "CAST(sum({d}{0}){w} AS BIGINT)",
    "sum(interval year to month) -> interval year to month": "CAST(sum({d}{0}){w} AS INTEGER)",
    "avg(bigint) -> double": "avg({d}{0}){w}",
    "avg(double) -> double": "avg({d}{0}){w}",
    "avg(real) -> real": "CAST(avg({d}{0}){w} AS FLOAT)",
    "avg(interval day to second) -> interval day to second": "CAST(trunc(avg({d}{0}){w}) AS BIGINT)",
    "geometric_mean(double) -> double": "exp(avg({d}ln({0})){w})",
    "bitwise_and_agg(bigint) -> bigint": "bit_and({d}{0}){w}",
    "bitwise_or_agg(bigint) -> bigint": "bit_or({d}{0}){w}",
    "bitwise_xor_agg(bigint) -> bigint": "bit_xor({d}{0}){w}",
}
_STATISTICS = {
    **{f"{name}(double) -> double": f"{name}({{d}}{{0}}){{w}}"
       for name in ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")},
    **{f"{name}(real, real) -> real": f"CAST({name}({{d}}{{args}}){{w}} AS FLOAT)"
       for name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")},
    **{f"{name}(double, double) -> double": f"{name}({{d}}{{args}}){{w}}"
       for name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")},
}  # fmt: skip
_CHOICES = {
    "min(T) -> T": "min({d}{0}){w}",
    "max(T) -> T": "max({d}{0}){w}",
    "arbitrary(T) -> T": "any_value({0}){w}",
    "any_value(T) -> T": "any_value({0}){w}",
}
_NESTED = {
    "array_agg(T) -> array(T)": "list({d}{0}{o}){w}",
    "map_agg(E, V) -> map(E, V)": "athena_map_agg(list(struct_pack(k := {0}, v := {1}){o}){w})",
    "multimap_agg(E, V) -> map(E, array(V))": "athena_multimap_agg(list(struct_pack(k := {0}, v := {1}){o}){w})",
    "map_union(map(E, V)) -> map(E, V)": (
        "athena_map_agg(list_transform(flatten(list(map_entries({0})){w}), "
        "lambda e_: struct_pack(k := (e_).key, v := (e_).value)))"
    ),
}

AGGREGATES = MappingProxyType(read_signatures({**_COUNTS, **_SUMS, **_STATISTICS, **_CHOICES, **_NESTED}))
"""Signatures by name; in a template `{d}` is DISTINCT, `{o}` ORDER BY, `{w}` FILTER and OVER."""

AGGREGATE_NAMES = frozenset(AGGREGATES) | {"min_by", "max_by", "approx_percentile", "listagg", "reduce_agg", "grouping",
                                           "skewness", "kurtosis", "checksum"}  # fmt: skip

_ORDERED_ONLY = {
    "row_number() -> bigint": "row_number(){w}",
    "rank() -> bigint": "rank(){w}",
    "dense_rank() -> bigint": "dense_rank(){w}",
    "percent_rank() -> double": "percent_rank(){w}",
    "cume_dist() -> double": "cume_dist(){w}",
    "ntile(bigint) -> bigint": "ntile({0}){w}",
    "first_value(T) -> T": "first_value({0}{n}){w}",
    "last_value(T) -> T": "last_value({0}{n}){w}",
    "nth_value(T, bigint) -> T": "nth_value({0}, {1}{n}){w}",
    "lag(T) -> T": "lag({0}{n}){w}",
    "lag(T, bigint) -> T": "lag({0}, {1}{n}){w}",
    "lag(T, bigint, T) -> T": "lag({0}, {1}, {2}{n}){w}",
    "lead(T) -> T": "lead({0}{n}){w}",
    "lead(T, bigint) -> T": "lead({0}, {1}{n}){w}",
    "lead(T, bigint, T) -> T": "lead({0}, {1}, {2}{n}){w}",
}
WINDOWED = MappingProxyType(read_signatures(_ORDERED_ONLY))
"""Functions that need OVER; `{n}` is IGNORE NULLS."""
