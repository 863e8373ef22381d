"""Reading a product file: every problem is told with its path, and nothing is taken for what it is not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from daap.errors import InvalidSpec
from daap.model.product import GENERATED
from daap.registry.spec import build_product, parse_spec

TEXT = """\
name: spend
description: Payments
domain: Finance
dataProductOwner: finance
dataProductOwnerDisplayName: Finance Team
email: finance@example.org
status: published
dpiaRequired: false
retentionPeriod: 365
tables:
  march:
    tableDescription: Payments of March
    columns:
      - {name: ref, type: string}
      - {name: paid_on, type: date}
      - {name: amount, type: "decimal(18,2)"}
files:
  maps: {description: Plans}
"""


def set_at(path: str, value: object) -> dict[str, Any]:
    """The spec with one value changed, added, or (for `...`) taken away; `path` as in a problem."""
    spec: Any = deepcopy(yaml.safe_load(TEXT))
    place = spec
    *parents, last = [
        int(part) if part.isdigit() else part for part in path.replace("[", ".").replace("]", "").split(".")
    ]
    for part in parents:
        place = place[part] if isinstance(place, list) else place.setdefault(part, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return spec


def list_problems(spec: object) -> dict[str, str]:
    """The problems of a spec by their paths."""
    with pytest.raises(InvalidSpec) as caught:
        build_product(spec)
    return {problem.path: problem.message for problem in caught.value.problems}


def read_problem(text: str | bytes) -> str:
    """The one problem that a text has as YAML."""
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(text)
    (problem,) = caught.value.problems
    return str(problem)


def test_right_spec_is_a_product():
    product = parse_spec(TEXT)
    assert [str(column.type) for column in product.tables["march"].columns] == ["string", "date", "decimal(18,2)"]


def test_spec_is_the_same_as_bytes_and_after_a_round_trip():
    product = parse_spec(TEXT)
    assert parse_spec(TEXT.encode()) == parse_spec("\ufeff" + TEXT) == product
    assert build_product(product.dump()) == product


# --- YAML ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TEXT + "name: other\n", 19),
        (TEXT.replace("    tableDescription", "    columns: []\n    tableDescription"), 14),
        (TEXT.replace("{name: ref, type: string}", "{name: ref, type: string, name: x}"), 14),
        (TEXT.replace("files:", "  march: {}\nfiles:"), 17),
    ],
    ids=["product", "table", "column", "tables"],
)
def test_key_that_stands_twice_is_refused_with_its_line(text, line):
    told = read_problem(text)
    assert "stands twice" in told
    assert f"in line {line}" in told


@pytest.mark.parametrize(
    ("text", "line"),
    [("name: [a\n", 2), ("name: a\n  b: c\n", 2), ("a: 'b\n", 2), ("a: *b\n", 1), ("\tname: a\n", 1), ("a: !!x b", 1)],
)
def test_yaml_error_is_told_with_its_line(text, line):
    told = read_problem(text)
    assert told.startswith("this is no YAML: ")
    assert f"in line {line}, column " in told


@pytest.mark.parametrize("text", [b"\xff\xfe\x00bad", b"\x00", b"\x80", b"[" * 5000, b"a: !!python/name:os.system x"])
def test_what_is_no_yaml_is_told_in_words(text):
    assert read_problem(text)


@pytest.mark.parametrize("text", ["", "- a\n", "just text", "42", "null", "--- # empty\n"])
def test_yaml_that_is_no_mapping_is_told_what_a_spec_is(text):
    assert "a spec is a mapping of fields" in read_problem(text)


def test_second_document_is_refused():
    assert read_problem(TEXT + "---\n" + TEXT)


@pytest.mark.parametrize("text", ["? [a, b]\n: c\n", "? {a: b}\n: c\n"])
def test_key_that_is_no_text_is_told(text):
    assert read_problem(text)


def test_spec_that_is_too_large_is_refused_unread():
    assert "larger than 8 MiB" in read_problem(b"#" * ((8 << 20) + 1))


def test_aliases_that_multiply_are_no_danger():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(9)]
    with pytest.raises(InvalidSpec) as caught:
        parse_spec("\n".join(lines))
    assert len(str(caught.value)) < 10_000


# --- what YAML takes for something else ------------------------------------------------------------


def test_date_in_yaml_stays_text():
    product = parse_spec(
        TEXT.replace("Payments\n", "2025-01-31\n") + "tags: {since: 2025-01-31, at: 2025-01-31 10:00:00}\n"
    )
    assert product.description == "2025-01-31"
    assert product.tags == {"since": "2025-01-31", "at": "2025-01-31 10:00:00"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("description", 2025),
        ("description", 1.5),
        ("description", True),
        ("domain", None),
        ("dataProductOwner", ["finance"]),
        ("name", 2025),
        ("tags.year", 2025),
        ("tags.open", True),
        ("tables.march.tableDescription", 1),
        ("tables.march.columns[1].description", 1),
        ("tables.march.columns[1].format", 1234.5),
        ("tables.march.columns[1].name", 1),
        ("files.maps.description", 7),
    ],
)
def test_number_or_the_like_where_text_is_wanted_is_refused(path, value):
    assert list(list_problems(set_at(path, value))) == [path]


@pytest.mark.parametrize("value", ["yes please", "true", 1, 0, None])
def test_only_true_and_false_say_whether_a_dpia_is_required(value):
    assert list(list_problems(set_at("dpiaRequired", value))) == ["dpiaRequired"]


@pytest.mark.parametrize("value", ["365", 1.5, True, 0, -1, 36_501, "7 years", None])
def test_retention_is_a_whole_number_of_days(value):
    assert list(list_problems(set_at("retentionPeriod", value))) == ["retentionPeriod"]


def test_word_that_yaml_takes_for_no_is_told_as_it_was_taken():
    assert "is False" in list_problems(set_at("status", False))["status"]


# --- every problem with its path -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("name", "Spend 2025", "is not allowed"),
        ("name", ..., "is missing"),
        ("description", "  ", "is empty"),
        ("email", "finance", "not a valid email address"),
        ("status", "live", "allowed are 'draft', 'published' or 'retired'"),
        ("owner", "x", "is no field here; allowed are name, description"),
        ("data_product_owner", "x", "is no field here"),
        ("tables.march.columns[2].type", "money", "'money' is not a type"),
        ("tables.march.columns[2].type", "decimal", "needs a precision and a scale"),
        ("tables.march.columns[2].type", "decimal(39,2)", "precision is 1 to 38"),
        ("tables.march.columns[2].type", 7, "a type is text"),
        ("tables.march.columns[0].type", "varchar", "needs a length"),
        ("tables.march.columns[0].type", "int(3)", "takes no length"),
        ("tables.march.columns[0].type", ..., "is missing"),
        ("tables.march.columns[0].name", "Ref", "is not allowed"),
        ("tables.march.columns[0].name", "load_timestamp", "is reserved"),
        ("tables.march.columns[0].colour", "red", "allowed are name, type"),
        ("tables.march.columns[0].required", "maybe", "true and false"),
        ("tables.march.columns", [], ""),
        ("tables.march.dialect", {"delimiter": ";", "quote": ";"}, "must be different"),
        ("tables.march.dialect.delimiter", ";;", "one plain character"),
        ("tables.march.dialect.encoding", "utf8", "allowed are 'utf-8'"),
        ("tables.march.dialect.skipLines", -1, ""),
        ("tables.march.dialect.sep", ",", "allowed are delimiter, quote"),
        ("tables.march.tableDescription", ..., "is missing"),
        ("tables.x", {"tableDescription": "x", "columns": [{"name": "a", "type": "int"}]}, "table name 'x'"),
        ("files.maps.size", 1, "allowed are description"),
        ("files.maps.description", ..., "is missing"),
    ],
)  # fmt: skip
def test_problem_is_told_with_its_path(path, value, told):
    problems = list_problems(set_at(path, value))
    assert list(problems) == [path]
    assert told in problems[path]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ({"name": "a", "type": "date", "format": "%d/%m"}, "does not name a whole date"),
        ({"name": "a", "type": "date", "format": "%d/%m/%Q"}, "%Q is not allowed"),
        ({"name": "a", "type": "int", "format": "abc"}, "no example of a number"),
        ({"name": "a", "type": "decimal(18,2)", "format": "1.234"}, "can be read in two ways"),
        ({"name": "a", "type": "string", "format": "1"}, "format is for dates, timestamps and numbers"),
        ({"name": "a", "type": "date", "fraction": "drop"}, "fraction is for timestamp columns"),
    ],
)
def test_format_that_does_not_fit_is_told_with_the_column(column, told):
    problems = list_problems(set_at("tables.march.columns[2]", column))
    (path,) = problems
    assert path.startswith("tables.march.columns[2]")
    assert told in problems[path]


def test_all_problems_are_told_at_once():
    spec = set_at("tables.march.columns[2].type", "money") | {"email": "x", "status": "live", "version": "v1.0"}
    assert set(list_problems(spec)) == {"tables.march.columns[2].type", "email", "status", "version"}


def test_columns_of_one_standard_name_are_refused():
    problems = list_problems(set_at("tables.march.columns[2].name", "paid__on"))
    assert "paid_on and paid__on have the same standard name" in problems["tables.march.columns"]


def test_names_that_clash_with_a_table_or_its_latest_view_are_refused():
    table = yaml.safe_load(TEXT)["tables"]["march"]
    for twin in ("March", "march_latest"):
        (message,) = list_problems(set_at(f"tables.{twin}", table)).values()
        assert "clash" in message
    (message,) = list_problems(set_at("files.march", {"description": "x"})).values()
    assert "clash" in message


def test_columns_that_are_all_wrong_are_not_told_to_be_missing():
    problems = list_problems(set_at("tables.march.columns", [{"name": "a", "type": "money"}]))
    assert list(problems) == ["tables.march.columns[0].type"]


# --- generated fields ------------------------------------------------------------------------------


@pytest.mark.parametrize("field", sorted(GENERATED))
def test_field_that_daap_sets_is_refused(field):
    assert list_problems(set_at(field, "x")) == {field: "is set by daap; remove it"}


def test_field_that_daap_sets_is_refused_further_down_too():
    assert list_problems(set_at("tables.march.rowCount", 7)) == {"tables.march.rowCount": "is set by daap; remove it"}
