"""A product's spec: what it may hold, and what is said of each wrong field."""

from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from daap.model.product import GENERATED, Product

SPEC = {
    "name": "spend",
    "description": "What was spent",
    "domain": "finance",
    "dataProductOwner": "ann",
    "dataProductOwnerDisplayName": "Ann",
    "email": "ann@example.com",
    "status": "draft",
    "dpiaRequired": False,
    "retentionPeriod": 365,
    "tags": {"tier": "gold"},
    "tables": {
        "March": {
            "tableDescription": "Spend in March",
            "columns": [
                {"name": "id", "type": "int", "required": True},
                {"name": "net_amount", "type": "decimal(18,2)", "format": "£1,234.50", "nullValues": ["n/a"]},
                {"name": "paid", "type": "timestamp", "fraction": "drop", "personal": True},
            ],
            "dialect": {"delimiter": ";", "encoding": "cp1252", "skipLines": 2},
        }
    },
    "files": {"papers": {"description": "Scans"}},
}


def change(path: str, value: object) -> dict:
    """The spec with one field set; `...` takes it away."""
    spec = copy.deepcopy(SPEC)
    *parents, last = path.split("/")
    place = spec
    for name in parents:
        place = place[_index(name)]
    if value is ...:
        del place[_index(last)]
    else:
        place[_index(last)] = value
    return spec


def _index(name: str) -> str | int:
    return int(name) if name.isdigit() else name


def test_a_spec_is_read_whole():
    product = Product.model_validate(SPEC)
    table = product.tables["March"]
    assert [str(column.type) for column in table.columns] == ["int", "decimal(18,2)", "timestamp"]
    assert (table.dialect.delimiter, table.dialect.encoding, table.dialect.skip_lines) == (";", "cp1252", 2)
    assert product.files["papers"].description == "Scans"


def test_a_spec_written_and_read_is_the_same():
    product = Product.model_validate(SPEC)
    assert product.dump() == SPEC
    assert Product.model_validate(product.dump()) == product


def test_the_metadata_is_the_spec_without_its_parts():
    assert Product.model_validate(SPEC).metadata.model_dump(mode="json", exclude_defaults=True) == {
        key: value for key, value in SPEC.items() if key not in ("tables", "files")
    }


REQUIRED = [
    "name", "description", "domain", "dataProductOwner", "dataProductOwnerDisplayName", "email", "status",
    "dpiaRequired",
    "retentionPeriod", "tables/March/columns", "tables/March/tableDescription", "tables/March/columns/0/name",
    "tables/March/columns/0/type", "files/papers/description",
]  # fmt: skip


@pytest.mark.parametrize("path", REQUIRED)
def test_a_field_that_is_missing_is_named(path):
    with pytest.raises(ValidationError) as caught:
        Product.model_validate(change(path, ...))
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"][-1]) == ("missing", path.rpartition("/")[2])


COLUMN = "tables/March/columns/0"
DIALECT = "tables/March/dialect"
WRONG = [
    ("name", "Spend", "use a-z, 0-9 and _"), ("name", "a b", "use a-z, 0-9 and _"), ("name", "", "use a-z, 0-9 and _"),
    ("name", 7, "string"), ("description", " ", "at least 1 character"), ("description", None, "string"),
    ("description", "x" * 10_001, "at most 10000"), ("domain", "", "at least 1 character"),
    ("email", "ann", "email"), ("email", "ann@", "email"), ("status", "live", "'draft', 'published' or 'retired'"),
    ("status", "Draft", "'draft', 'published' or 'retired'"), ("dpiaRequired", "yes", "true and false"),
    ("dpiaRequired", 1, "true and false"), ("dpiaRequired", "true", "true and false"),
    ("retentionPeriod", 0, "greater than or equal to 1"),
    ("retentionPeriod", 36_501, "less than or equal to 36500"), ("retentionPeriod", "365", "whole number of days"),
    ("retentionPeriod", 1.5, "whole number of days"), ("retentionPeriod", True, "whole number of days"),
    ("tags", {"": "x"}, "at least 1 character"), ("tags", {"a": 1}, "string"),
    ("color", "red", "Extra inputs are not permitted"),
    ("tables", {"1x": SPEC["tables"]["March"]}, "begin with a letter"),
    ("tables", {"x": SPEC["tables"]["March"]}, "2 to 128"),
    ("tables/march", SPEC["tables"]["March"], "clash"), ("files/march", {"description": "x"}, "clash"),
    ("tables/March_latest", SPEC["tables"]["March"], "clash"), ("files/march_LATEST", {"description": "x"}, "clash"),
    ("tables/March/columns", [], "at least 1 item"), ("tables/March/rows", 1, "Extra inputs"),
    (f"{COLUMN}/name", "Net", "use a-z, 0-9 and _"), (f"{COLUMN}/name", "load_timestamp", "reserved"),
    (f"{COLUMN}/name", "_", "a letter or a digit"), (f"{COLUMN}/name", "net__amount", "same standard name"),
    (f"{COLUMN}/type", "integer", "allowed are boolean"), (f"{COLUMN}/type", 5, "a type is text; allowed are boolean"),
    (f"{COLUMN}/type", "decimal", "such as decimal(18,2)"), (f"{COLUMN}/type", "varchar", "1 to 65535"),
    (f"{COLUMN}/required", "maybe", "boolean"), (f"{COLUMN}/format", "1.234", "two ways"),
    (f"{COLUMN}/format", "%Y", "no example"),
    (f"{COLUMN}/fraction", "drop", "fraction is for timestamp columns; id is int"),
    (f"{COLUMN}/nullValues", "n/a", "tuple"),
    (f"{COLUMN}/null_values", ["x"], "Extra inputs"), (f"{COLUMN}/Type", "int", "Extra inputs"),
    ("tables/March/columns/2/format", "%Y-%m", "whole date"), ("tables/March/columns/2/fraction", "round", "'drop'"),
    (f"{DIALECT}/delimiter", "", "one plain character"), (f"{DIALECT}/delimiter", ",,", "one plain character"),
    (f"{DIALECT}/delimiter", "\n", "one plain character"), (f"{DIALECT}/delimiter", "é", "one plain character"),
    (f"{DIALECT}/delimiter", '"', "must be different"), (f"{DIALECT}/escape", ";", "must be different"),
    (f"{DIALECT}/quote", "''", "one plain character, or nothing"),
    (f"{DIALECT}/escape", "\0", "one plain character, or nothing"),
    (f"{DIALECT}/encoding", "ebcdic", "'utf-8', 'utf-8-sig', 'utf-16', 'cp1252' or 'latin-1'"),
    (f"{DIALECT}/encoding", "UTF-8", "'utf-8'"), (f"{DIALECT}/skipLines", -1, "greater than or equal to 0"),
    (f"{DIALECT}/skipLines", 1_001, "less than or equal to 1000"), (f"{DIALECT}/skip_lines", 1, "Extra inputs"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "says"), WRONG)
def test_a_wrong_field_is_refused_with_what_is_allowed(path, value, says):
    with pytest.raises(ValidationError) as caught:
        Product.model_validate(change(path, value))
    assert says in "\n".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize("field", sorted(GENERATED))
def test_what_daap_sets_itself_is_refused(field):
    with pytest.raises(ValidationError, match="Extra inputs"):
        Product.model_validate(change(field, "x"))


def test_every_wrong_field_is_named_at_once():
    spec = change("name", "Spend") | {"status": "live", "email": "ann"}
    spec["tables"]["March"]["columns"][1]["type"] = "money"
    with pytest.raises(ValidationError) as caught:
        Product.model_validate(spec)
    assert {".".join(map(str, error["loc"])) for error in caught.value.errors()} == {
        "name", "status", "email", "tables.March.columns.1.type",
    }  # fmt: skip


def test_a_format_is_for_dates_timestamps_and_numbers():
    for kind in ("string", "boolean", "varchar(5)", "char(5)"):
        with pytest.raises(ValidationError, match="format is for dates, timestamps and numbers"):
            Product.model_validate(change(COLUMN, {"name": "id", "type": kind, "format": "%Y-%m-%d"}))


def test_a_dialect_without_quotes_has_no_escape():
    with pytest.raises(ValidationError, match="an escape needs a quote"):
        Product.model_validate(change(DIALECT, {"quote": "", "escape": "\\"}))


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t", " ", "~"])
def test_any_plain_character_may_be_the_delimiter(delimiter):
    product = Product.model_validate(change(f"{DIALECT}/delimiter", delimiter))
    assert product.tables["March"].dialect.delimiter == delimiter


def test_a_spec_is_never_changed_in_place():
    with pytest.raises(ValidationError):
        Product.model_validate(SPEC).status = "published"
