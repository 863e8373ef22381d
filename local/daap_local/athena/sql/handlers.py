"""Which function translates which kind of expression: what is not listed is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from daap_local.athena.sql import aggregation, calls, columns, literals, moments, operators, predicates
from daap_local.athena.sql.dialect import TypedLiteral
from daap_local.athena.sql.scopes import Handler

HANDLERS: Mapping[type[exp.Expr], Handler] = MappingProxyType({
    exp.Literal: literals.literal, exp.Boolean: literals.boolean, exp.Null: literals.null,
    exp.HexString: literals.hex_string, exp.UnicodeString: literals.unicode_string, exp.Interval: literals.interval,
    TypedLiteral: literals.typed_literal,
    exp.Column: columns.column,
        exp.Identifier: columns.argument, exp.Dot: columns.dot, exp.Bracket: columns.bracket,
    exp.Paren: operators.paren, exp.Neg: operators.negative, exp.Not: operators.negation, exp.Is: operators.nullness,
    exp.And: operators.connective, exp.Or: operators.connective, exp.Between: operators.between,
    exp.Case: operators.case, exp.If: operators.if_then, exp.Cast: operators.explicit_cast,
    exp.TryCast: operators.try_cast, exp.DPipe: operators.concatenation,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), operators.arithmetic),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
                    operators.comparison),
    exp.Like: predicates.like, exp.Escape: predicates.escaped_like, exp.In: predicates.within,
    exp.Exists: predicates.exists, exp.Subquery: predicates.scalar_subquery, exp.Tuple: predicates.row_value,
    exp.Array: predicates.array, exp.AtTimeZone: predicates.at_time_zone, exp.Placeholder: predicates.parameter,
    exp.Anonymous: calls.function_call, exp.Substring: calls.substring, exp.StrPosition: calls.position,
    exp.Trim: calls.trim, exp.Normalize: calls.normalize, exp.ParseJSON: calls.json_literal,
    exp.Concat: calls.adjacent, exp.Extract: moments.extract,
    exp.Window: aggregation.windowed, exp.Filter: aggregation.filtered, exp.GroupConcat: aggregation.listagg,
})  # fmt: skip
