"""Calls of functions: by name, from the tables of what Trino has. A name in none of them is refused."""

from __future__ import annotations

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.aggregation import aggregate_call, grouping, is_aggregate
from daap_local.athena.sql.binding import bound
from daap_local.athena.sql.casts import cast
from daap_local.athena.sql.functions.formatting import format_text
from daap_local.athena.sql.functions.lambdas import LAMBDAS, array_sort
from daap_local.athena.sql.functions.regular import REGULAR
from daap_local.athena.sql.functions.scalars import SCALARS
from daap_local.athena.sql.functions.signatures import call, described
from daap_local.athena.sql.functions.special import SPECIALS
from daap_local.athena.sql.functions.temporal import TEMPORAL
from daap_local.athena.sql.scopes import Env, Typed, fault, only

_REFUSED = frozenset({
    "bar", "beta_cdf", "bing_tile", "bing_tile_at", "classify", "color", "combinations", "cosine_similarity", "fail",
    "from_geojson_geometry", "from_unixtime_nanos", "geometry_from_hadoop_shape", "hash_counts", "inverse_beta_cdf",
    "intersection_cardinality", "inverse_normal_cdf", "jaccard_index", "json_array", "json_exists", "json_object",
    "json_query", "json_value", "make_set_digest", "murmur3", "ngrams", "normal_cdf", "parse_data_size",
    "parse_presto_data_size", "render", "rgb", "shuffle", "spooky_hash_v2_32", "spooky_hash_v2_64", "st_point",
    "version", "wilson_interval_lower", "wilson_interval_upper", "word_stem", "xxhash64",
})  # fmt: skip
"""Functions that Trino has and this translation does not."""


def function_call(env: Env, node: exp.Anonymous) -> Typed:
    """name(arguments). Raises FUNCTION_NOT_FOUND for a name or arguments that no function has."""
    name = node.name.lower()
    if is_aggregate(name):
        return aggregate_call(env, node)
    if name == "grouping":
        return grouping(env, node.expressions)
    if any(isinstance(part, exp.Lambda) for part in node.expressions):
        return _with_lambda(env, name, node)
    if any(isinstance(part, exp.Star | exp.Distinct | exp.Order) for part in node.expressions):
        raise fault("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}", node)
    return _ordinary(env, name, node)


def _with_lambda(env: Env, name: str, node: exp.Anonymous) -> Typed:
    if name == "array_sort":
        array_sort(env, node)
    if name == "regexp_replace":
        raise fault("NOT_SUPPORTED", "regexp_replace with a lambda is not supported here", node)
    maker = LAMBDAS.get(name)
    made = maker(env, node) if maker is not None else None
    if made is None:
        raise _unknown(name, node, [])
    return made


def _ordinary(env: Env, name: str, node: exp.Anonymous) -> Typed:
    special = format_text if name == "format" else SPECIALS.get(name) or TEMPORAL.get(name) or REGULAR.get(name)
    if special is None and name not in SCALARS:
        raise _unknown(name, node, [])
    given = [_as_varchar(env.typed(part), name) for part in node.expressions]

    def make(values: list[Typed]) -> Typed | None:
        made = special(env, node, values) if special is not None else None
        return made or call(SCALARS.get(name, ()), values)

    made = make(given) if name in _LAZY else bound(given, make)
    if made is None:
        raise _unfit(name, node, given)
    return made


def _as_varchar(value: Typed, name: str) -> Typed:
    """char as varchar, padded, for the functions of texts, which know no char of their own."""
    return cast(value, t.varchar(value.type.params[0])) if value.type.name == "char" and name in _TEXTS else value


_TEXTS = frozenset({"length", "strpos", "replace", "split", "split_part", "starts_with", "regexp_like", "to_utf8"})
_LAZY = frozenset({"try", "coalesce", "row", "concat"})
"""Functions that do not evaluate all arguments, or name each of them once."""


def _unknown(name: str, node: exp.Anonymous, _given: list[Typed]) -> Exception:
    if name in _REFUSED:
        return fault("NOT_SUPPORTED", f"Function {name} is not supported here", node)
    return fault("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", node)


def _unfit(name: str, node: exp.Anonymous, given: list[Typed]) -> Exception:
    kinds = ", ".join(str(value.type) for value in given)
    known = described(SCALARS.get(name, ()), name) or name
    return fault("FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function {name}. Expected: {known}", node)


def _renamed(env: Env, name: str, node: exp.Expr, parts: list[exp.Expr]) -> Typed:
    """A function with a syntax of its own, as an ordinary call."""
    made = exp.Anonymous(this=name, expressions=parts)
    made.meta.update(node.meta)
    given = [env.typed(part) for part in parts]
    found = call(SCALARS[name], given)
    if found is None:
        raise _unfit(name, node if isinstance(node, exp.Anonymous) else made, given)
    return found


def substring(env: Env, node: exp.Substring) -> Typed:
    """SUBSTRING(text FROM start FOR length)."""
    only(node, "this", "start", "length", "zero_start")
    parts = [node.this, node.args["start"]] + ([node.args["length"]] if node.args.get("length") else [])
    return _renamed(env, "substr", node, parts)


def position(env: Env, node: exp.StrPosition) -> Typed:
    """POSITION(text IN text)."""
    only(node, "this", "substr")
    return _renamed(env, "strpos", node, [node.this, node.args["substr"]])


def trim(env: Env, node: exp.Trim) -> Typed:
    """TRIM([LEADING | TRAILING | BOTH] [characters] FROM text)."""
    only(node, "this", "expression", "position")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get((node.args.get("position") or "BOTH").upper(), "trim")
    parts = [node.this] + ([node.expression] if node.args.get("expression") is not None else [])
    return _renamed(env, name, node, parts)


def normalize(env: Env, node: exp.Normalize) -> Typed:
    """NORMALIZE(text [, form])."""
    form = node.args.get("form")
    name = form.name.upper() if form is not None else "NFC"
    if name not in {"NFC", "NFD", "NFKC", "NFKD"}:
        raise fault("SYNTAX_ERROR", f"mismatched input '{name}'", node)
    value = cast(env.typed(node.this), t.VARCHAR)
    return Typed(f"athena_normalize({value.sql}, '{name}')", t.VARCHAR)


def json_literal(env: Env, node: exp.ParseJSON) -> Typed:
    """JSON '...'."""
    return _renamed(env, "json_parse", node, [node.this])


def adjacent(env: Env, node: exp.Concat) -> Typed:
    """Two string literals side by side are no part of Trino's SQL."""
    del env
    raise fault("SYNTAX_ERROR", "mismatched input between string literals", node)
