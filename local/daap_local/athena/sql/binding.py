"""Giving a long expression a name for the time of a call.

DuckDB puts a macro's arguments in wherever the macro names them, so that nested calls would grow without bound; an
argument that is long is therefore computed once, as the only element of a list that a lambda is applied to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from daap_local.athena.sql.scopes import Typed

_LONG = 90
"""Shorter texts are repeated: that is cheaper to run, and easier to read."""
_NAME = re.compile(r"\bb(\d+)_\b")


def bound(values: list[Typed], make: Callable[[list[Typed]], Typed | None]) -> Typed | None:
    """What `make` makes of the values, with the long ones under a short name."""
    long = [at for at, value in enumerate(values) if len(value.sql) > _LONG and not value.literal]
    if not long:
        return make(values)
    name = _fresh([values[at].sql for at in long])
    named = [
        replace(value, sql=f"struct_extract({name}, 'a{at}')") if at in long else value
        for at, value in enumerate(values)
    ]
    made = make(named)
    if made is None:
        return None
    packed = ", ".join(f"a{at} := {values[at].sql}" for at in long)
    return replace(made, sql=f"list_transform([struct_pack({packed})], lambda {name}: {made.sql})[1]")


def bound_sql(sql: str, make: Callable[[str], str]) -> str:
    """What `make` makes of one expression, under a short name if it is long."""
    if len(sql) <= _LONG:
        return make(sql)
    name = _fresh([sql])
    return f"list_transform([{sql}], lambda {name}: {make(name)})[1]"


def _fresh(texts: list[str]) -> str:
    numbers = [int(found) for text in texts for found in _NAME.findall(text)]
    return f"b{max(numbers, default=0) + 1}_"
