"""Tables over the API: schemas and their changes, rehearsal, preview, removal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from daap.model.versions import parse_version
from daap.registry.heads import Change
from tests.api.site import BAD, GOOD, HOME, PAYMENTS, TABLE, Site, make_schema, message_of

SCHEMA = f"{PAYMENTS}/schema"
REHEARSE = f"{SCHEMA}/rehearse"
PREVIEW = f"{PAYMENTS}/preview"
NO_COLUMNS = {
    "removed_columns": None, "added_columns": None, "types_changed": None, "descriptions_changed": None,
    "rules_changed": None,
}  # fmt: skip


def put_schema(site: Site, *columns: tuple[str, str], **more: object) -> dict:
    answer = site.admin.put(SCHEMA, {"schema": make_schema(*columns, **more)})
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestCreating:
    def test_the_first_table_keeps_the_version(self, empty):
        empty.register()
        answer = empty.admin.post(SCHEMA, {"schema": make_schema()})
        assert (answer.status_code, answer.json()) == (200, {"message": "table payments registered in spend v1.0"})

    def test_later_ones_are_minor_versions(self, site):
        path = f"{HOME}/table/refunds/schema"
        answer = site.admin.post(path, {"schema": make_schema()})
        assert (answer.status_code, answer.json()) == (200, {"message": "table refunds registered in spend v1.1"})

    def test_one_that_exists_is_forbidden(self, site):
        before = site.snapshot()
        for schema in (make_schema(), make_schema(("other", "int"))):
            assert "payments" in message_of(site.admin.post(SCHEMA, {"schema": schema}), 403)
        assert site.snapshot() == before

    def test_an_unknown_product_is_not_found(self, empty):
        message_of(empty.admin.post(SCHEMA, {"schema": make_schema()}), 404)

    @pytest.mark.parametrize(("schema", "path"), [
        (make_schema(("Name", "string")), "columns[0].name"),
        (make_schema(("a", "text")), "columns[0].type"),
        (make_schema(("a", "decimal")), "columns[0].type"),
        (make_schema(("load_timestamp", "string")), "columns[0].name"),
        (make_schema(("ab", "int"), ("ab", "int")), "columns"),
        (make_schema(("a", "int"), ("a", "int")), "columns"),
        ({"tableDescription": "x", "columns": []}, "columns"),
        ({"tableDescription": "x"}, "columns"),
        ({"columns": [{"name": "a", "type": "int"}]}, "tableDescription"),
        (make_schema(more=1), "more"),
        ({}, "columns"),
    ])  # fmt: skip
    def test_a_wrong_schema_is_told_with_its_place(self, empty, schema, path):
        empty.register()
        answer = empty.admin.post(SCHEMA, {"schema": schema})
        message_of(answer, 400)
        assert path in [problem["path"] for problem in answer.json()["error"]["problems"]]
        assert empty.admin.get(HOME).json()["tables"] == {}

    @pytest.mark.parametrize("table", ["Payments", "payments_latest", "papers"])
    def test_a_name_that_clashes_is_refused(self, still, table):
        path = f"{HOME}/table/{table}/schema"
        assert table in message_of(still.admin.post(path, {"schema": make_schema()}), 400)

    @pytest.mark.parametrize("table", ["1a", "a", "a-b", "_a", "a" * 129, "a b", "é1"])
    def test_a_wrong_name_is_refused(self, still, table):
        message_of(still.admin.post(f"{HOME}/table/{table}/schema", {"schema": make_schema()}), 400)

    @pytest.mark.parametrize("body", [{}, {"schema": []}, {"schema": "x"}, {"schema": None}, [], {"table_schema": {}}])
    def test_a_body_without_a_schema_is_refused(self, still, body):
        message_of(still.admin.post(f"{HOME}/table/fresh/schema", body), 400)

    def test_of_many_at_once_all_tables_come_or_their_makers_know(self, site):
        def add(number: int) -> int:
            path = f"{HOME}/table/table_{number}/schema"
            return site.admin.post(path, {"schema": make_schema()}).status_code

        with ThreadPoolExecutor(6) as pool:
            codes = list(pool.map(add, range(6)))
        assert set(codes) <= {200, 409}
        made = {f"table_{number}" for number, code in enumerate(codes) if code == 200}
        found = site.admin.get(HOME).json()
        assert found["tables"].keys() == made | {TABLE}
        assert found["version"] == f"v1.{len(made)}"


class TestReading:
    def test_the_latest_schema(self, site):
        assert site.admin.get(SCHEMA).json() == make_schema()
        put_schema(site, ("supplier", "string"), ("amount", "decimal(18,2)"), ("note", "string"))
        assert [column["name"] for column in site.admin.get(SCHEMA).json()["columns"]] == ["supplier", "amount", "note"]

    def test_that_of_a_version(self, site):
        put_schema(site, ("supplier", "string"), ("amount", "decimal(18,2)"), ("note", "string"))
        put_schema(site, ("supplier", "string"))
        widths = [
            len(site.admin.get(SCHEMA, version=version).json()["columns"]) for version in ("v1.0", "v1.1", "v2.0")
        ]
        assert widths == [2, 3, 1]

    def test_what_was_answered_can_be_sent_again(self, site):
        schema = make_schema(dialect={"delimiter": ";", "encoding": "cp1252", "quote": ""})
        schema["columns"][1] |= {"required": True, "format": "£1,234.50", "nullValues": ["-"]}
        schema["columns"][0] = {"name": "supplier", "type": "varchar(20)", "personal": True}
        site.admin.put(SCHEMA, {"schema": schema})
        found = site.admin.get(SCHEMA).json()
        assert found == schema | {"columns": [schema["columns"][0] | {"description": ""}, schema["columns"][1]]}
        assert "nothing changes" in message_of(site.admin.put(SCHEMA, {"schema": found}), 400)

    @pytest.mark.parametrize(("path", "params", "status"), [
        ("/data-product/nothing/table/payments/schema", {}, 404), (f"{HOME}/table/nothing/schema", {}, 404),
        (f"{HOME}/table/papers/schema", {}, 404), (SCHEMA, {"version": "v9.0"}, 404),
        (f"{HOME}/table/refunds/schema", {"version": "v1.0"}, 404), (SCHEMA, {"version": "1.0"}, 400),
        (SCHEMA, {"version": "../v1.0"}, 400), (SCHEMA, {"version": ""}, 400),
    ])  # fmt: skip
    def test_what_is_not_there(self, still, path, params, status):
        message_of(still.admin.get(path, **params), status)


class TestChanging:
    def test_an_added_column_is_minor(self, site):
        answer = put_schema(site, ("supplier", "string"), ("amount", "decimal(18,2)"), ("note", "string"))
        assert answer == {
            "version": "v1.1", "increment_type": "minor",
            "changes": {TABLE: {"columns": NO_COLUMNS | {"added_columns": ["note"]}, "non_column_fields": None}},
            "carried": {}, "empty": {},
        }  # fmt: skip

    def test_descriptions_are_minor(self, site):
        schema = make_schema(described="Other words")
        schema["columns"][0]["description"] = "who got it"
        answer = site.admin.put(SCHEMA, {"schema": schema}).json()
        assert (answer["version"], answer["increment_type"]) == ("v1.1", "minor")
        assert answer["changes"][TABLE] == {
            "columns": NO_COLUMNS | {"descriptions_changed": ["supplier"]}, "non_column_fields": ["tableDescription"],
        }  # fmt: skip

    def test_a_removed_column_is_major_and_data_are_carried(self, site):
        stamp = site.take()
        answer = put_schema(site, ("supplier", "string"))
        assert answer == {
            "version": "v2.0", "increment_type": "major",
            "changes": {TABLE: {"columns": NO_COLUMNS | {"removed_columns": ["amount"]}, "non_column_fields": None}},
            "carried": {TABLE: f"spend/v1/payments/{stamp}"}, "empty": {},
        }  # fmt: skip
        assert site.admin.get(PREVIEW).text == (
            f"| supplier | load_timestamp |\n| Lantern | {stamp} |\n| Moss | {stamp} |"
        )

    def test_the_old_major_version_stays_readable(self, site):
        site.take()
        before = site.admin.get(PREVIEW).text
        put_schema(site, ("supplier", "string"))
        assert site.admin.get(PREVIEW, major=1).text == before
        assert len(site.admin.get(f"{PAYMENTS}/loads", major=1).json()["loads"]) == 1

    def test_a_changed_type_is_major(self, site):
        answer = put_schema(site, ("supplier", "string"), ("amount", "double"))
        assert (answer["version"], answer["increment_type"]) == ("v2.0", "major")
        assert answer["changes"][TABLE]["columns"]["types_changed"] == ["amount"]
        assert answer["empty"] == {TABLE: "it has no snapshot yet"}

    def test_a_type_that_the_data_do_not_fit_is_refused_with_the_rows(self, site):
        site.take()
        before = site.snapshot()
        answer = site.admin.put(SCHEMA, {"schema": make_schema(("supplier", "int"), ("amount", "decimal(18,2)"))})
        assert "2 values do not fit" in message_of(answer, 400)
        errors = answer.json()["error"]["errors"]
        assert [(error["line"], error["column"], error["value"]) for error in errors] == [
            (2, "supplier", "Lantern"), (3, "supplier", "Moss"),
        ]  # fmt: skip
        assert site.snapshot() == before

    def test_no_change_is_refused(self, still):
        assert "nothing changes" in message_of(still.admin.put(SCHEMA, {"schema": make_schema()}), 400)

    def test_an_unknown_table_is_a_wrong_request(self, still):
        said = message_of(still.admin.put(f"{HOME}/table/nothing/schema", {"schema": make_schema()}), 400)
        assert "no table nothing" in said

    def test_an_unknown_product_is_not_found(self, empty):
        message_of(empty.admin.put(SCHEMA, {"schema": make_schema()}), 404)

    def test_a_wrong_schema_is_told_with_its_place(self, still):
        answer = still.admin.put(SCHEMA, {"schema": make_schema(("a", "int"), ("b", "blob"))})
        message_of(answer, 400)
        assert [problem["path"] for problem in answer.json()["error"]["problems"]] == ["columns[1].type"]

    def test_of_two_at_once_one_wins_and_the_other_learns_which(self, site):
        registry = site.lake.registry
        replaced = type(registry).replace_head

        def late(self, head, amended):
            found = registry.read("spend")
            first = replace(found.registered, version=parse_version("v1.1"), change=Change("x", "eve"))
            replaced(registry, found, first)
            return replaced(self, head, amended)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(registry), "replace_head", late)
            answer = site.admin.put(SCHEMA, {"schema": make_schema(described="lost")})
        message_of(answer, 409)
        assert answer.json()["error"]["version"] == "v1.1"
        assert site.admin.get(SCHEMA).json() == make_schema()


class TestRehearsing:
    def test_tells_which_uploads_would_be_refused_and_why(self, site):
        first = site.take(b"supplier,amount\nLantern,12.50\n", "first.csv")
        site.take(b"supplier,amount\n7,7.00\n", "second.csv")
        third = site.take(b"supplier,amount\n8,1.00\nFern,2.00\n", "third.csv")
        before = site.snapshot()
        answer = site.admin.post(REHEARSE, {"schema": make_schema(("supplier", "int"), ("amount", "decimal(18,2)"))})
        assert answer.status_code == 200
        found = answer.json()
        assert (found["message"], found["uploads"]) == ("2 of 3 uploads would be refused", 3)
        assert [(one["load"], one["sourceName"], one["total"], one["byCode"]) for one in found["refused"]] == [
            (f"spend/v1/payments/{third}", "third.csv", 1, {"type_error": 1}),
            (f"spend/v1/payments/{first}", "first.csv", 1, {"type_error": 1}),
        ]  # fmt: skip
        assert found["refused"][0]["errors"][0]["value"] == "Fern"
        assert site.snapshot() == before

    def test_may_be_asked_of_the_newest_alone(self, site):
        site.take(b"supplier,amount\nLantern,12.50\n", "first.csv")
        site.take(b"supplier,amount\n7,7.00\n", "second.csv")
        schema = make_schema(("supplier", "int"), ("amount", "decimal(18,2)"))
        found = site.admin.post(REHEARSE, {"schema": schema, "newest": 1}).json()
        assert found == {"message": "0 of 1 upload would be refused", "uploads": 1, "refused": []}

    def test_a_schema_that_fits_refuses_nothing(self, still):
        found = still.admin.post(REHEARSE, {"schema": make_schema()}).json()
        assert found == {"message": "0 of 2 uploads would be refused", "uploads": 2, "refused": []}

    def test_personal_values_are_masked(self, site):
        site.take()
        schema = make_schema(("supplier", "int"), ("amount", "decimal(18,2)"))
        schema["columns"][0]["personal"] = True
        answer = site.admin.post(REHEARSE, {"schema": schema})
        assert "Lantern" not in answer.text
        assert answer.json()["refused"][0]["errors"][0]["value"] == "***"

    @pytest.mark.parametrize("newest", [0, -1, 100_001, "1", 1.5, True])
    def test_a_wrong_number_is_refused(self, still, newest):
        body = {"schema": make_schema(), "newest": newest}
        assert "newest" in message_of(still.admin.post(REHEARSE, body), 400)

    def test_an_unknown_table_or_product(self, still):
        body = {"schema": make_schema()}
        message_of(still.admin.post(f"{HOME}/table/nothing/schema/rehearse", body), 400)
        message_of(still.admin.post("/data-product/nothing/table/payments/schema/rehearse", body), 404)


class TestPreview:
    def test_is_a_text_table(self, site):
        stamp = site.take()
        answer = site.admin.get(PREVIEW)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == (
            "| supplier | amount | load_timestamp |\n"
            f"| Lantern | 12.50 | {stamp} |\n"
            f"| Moss | 7.00 | {stamp} |"
        )  # fmt: skip

    def test_has_ten_rows_of_the_newest_snapshot_in_the_files_order(self, site):
        site.take(b"supplier,amount\nold,1\n")
        rows = "".join(f"s{number},{number}\n" for number in range(50, 0, -1))
        site.take(f"supplier,amount\n{rows}".encode(), "b.csv")
        lines = site.admin.get(PREVIEW).text.split("\n")
        assert [line.split(" | ")[0] for line in lines[1:]] == [f"| s{number}" for number in range(50, 40, -1)]

    def test_without_a_snapshot_says_so(self, site):
        answer = site.admin.get(PREVIEW)
        assert (answer.status_code, answer.text) == (200, "No data to display")
        site.take(BAD)
        assert site.admin.get(PREVIEW).text == "No data to display"

    def test_of_a_snapshot_without_rows_says_so(self, site):
        site.take(b"supplier,amount\n")
        assert site.admin.get(PREVIEW).text == "No data to display"

    def test_of_a_files_component_says_so(self, still):
        assert still.admin.get(f"{HOME}/table/papers/preview").text == "No data to display"

    @pytest.mark.parametrize("path", ["/data-product/nothing/table/payments/preview", f"{HOME}/table/nothing/preview"])
    def test_of_what_is_not_there(self, still, path):
        message_of(still.admin.get(path), 404)

    @pytest.mark.parametrize(("major", "status"), [(2, 404), (999_999, 404), (0, 400), ("x", 400), (10**6, 400)])
    def test_of_a_major_version_that_is_not_there(self, still, major, status):
        message_of(still.admin.get(PREVIEW, major=major), status)

    @pytest.mark.parametrize(("text", "shown"), [
        ("a|b", r"a\|b"), ('"a\nb"', r"a\nb"), ('"a\r\nb"', r"a\r\nb"), ("a\\b", r"a\\b"), (r"a\|b", r"a\\\|b"),
        (r"a\nb", r"a\\nb"), ("", ""), ("NULL", "NULL"), ("x" * 5000, "x" * 5000),
        ('"say ""hi"""', 'say "hi"'), ("a\u2028b", r"a\u2028b"), ("a\u0085b", r"a\u0085b"), ("a\x0cb", r"a\fb"),
        ("  a  ", "  a  "), ("<b>Grüße 🎉</b>", "<b>Grüße 🎉</b>"),
    ])  # fmt: skip
    def test_every_row_stays_one_line_and_every_cell_one_cell(self, site, text, shown):
        stamp = site.take(f"supplier,amount\n{text},1\n".encode())
        lines = site.admin.get(PREVIEW).text.splitlines()
        assert lines == ["| supplier | amount | load_timestamp |", f"| {shown} | 1.00 | {stamp} |"]

    @pytest.mark.parametrize(("type_", "texts", "shown"), [
        ("boolean", ["true", "0", ""], ["true", "false", ""]),
        ("tinyint", ["-128", "127"], ["-128", "127"]),
        ("smallint", ["-32768"], ["-32768"]),
        ("int", ["007"], ["7"]),
        ("bigint", ["-9223372036854775808"], ["-9223372036854775808"]),
        ("float", ["0.1", "-3.5", "16777216"], ["0.1", "-3.5", "16777216"]),
        ("double", ["0.1", "1e300", "NaN", "-Infinity"], ["0.1", "1e+300", "nan", "-inf"]),
        ("decimal(18,2)", ["0", "-1.5"], ["0.00", "-1.50"]),
        ("decimal(38,10)", ["0", "0.0000000001", "9999999999999999999999999999.0"],
         ["0.0000000000", "0.0000000001", "9999999999999999999999999999.0000000000"]),
        ("decimal(38,38)", ["0.1"], ["0.1" + "0" * 37]),
        ("string", ["x", "é"], ["x", "é"]),
        ("varchar(3)", ["abc"], ["abc"]),
        ("char(5)", ["ab"], ["ab"]),
        ("date", ["0001-01-01", "2026-01-31", "9999-12-31"], ["0001-01-01", "2026-01-31", "9999-12-31"]),
        ("timestamp", ["2026-01-31 23:59:59", "0001-01-01 00:00:00.5", "9999-12-31T23:59:59.999"],
         ["2026-01-31 23:59:59.000", "0001-01-01 00:00:00.500", "9999-12-31 23:59:59.999"]),
    ])  # fmt: skip
    def test_every_type_shows_as_it_is_read(self, empty, type_, texts, shown):
        empty.register()
        empty.add_table(make_schema(("line", "int"), ("value", type_)))
        rows = "".join(f"{line},{text}\n" for line, text in enumerate(texts))
        empty.take(f"line,value\n{rows}".encode())
        lines = empty.admin.get(PREVIEW).text.split("\n")[1:]
        assert [line.split(" | ")[1] for line in lines] == shown

    def test_null_is_an_empty_cell(self, site):
        stamp = site.take(b"supplier,amount\n,\n")
        assert site.admin.get(PREVIEW).text.split("\n")[1] == f"|  |  | {stamp} |"

    def test_a_table_may_be_wide(self, empty):
        names = [f"c{number}" for number in range(1500)]
        empty.register()
        empty.add_table(make_schema(*((name, "int") for name in names)))
        empty.take(f"{','.join(names)}\n{','.join(map(str, range(1500)))}\n".encode())
        header, row = empty.admin.get(PREVIEW).text.split("\n")
        assert header == f"| {' | '.join(names)} | load_timestamp |"
        assert row.startswith(f"| {' | '.join(map(str, range(1500)))} | ")

    @pytest.mark.parametrize("name", ["select", "order", "table", "drop", "latest", "group_by"])
    def test_words_of_sql_may_be_names(self, empty, name):
        empty.register(name)
        empty.add_table(make_schema((name, "string")), table=name, product=name)
        empty.take(f"{name}\nx\n".encode(), table=name, product=name)
        lines = empty.admin.get(f"/data-product/{name}/table/{name}/preview").text.split("\n")
        assert lines[0] == f"| {name} | load_timestamp |"

    def test_a_column_of_an_older_snapshot_is_empty(self, site):
        stamp = site.take()
        put_schema(site, ("supplier", "string"), ("amount", "decimal(18,2)"), ("note", "string"))
        assert site.admin.get(PREVIEW).text.split("\n")[1] == f"| Lantern | 12.50 |  | {stamp} |"

    @pytest.mark.parametrize("cut", [4, 200])
    def test_a_damaged_snapshot_is_no_fault_of_the_caller_nor_of_the_server(self, site, cut, capfd):
        site.take(b"supplier,amount\n" + b"x,1\n" * 1000)
        (path,) = (site.root / "curated").rglob("*.parquet")
        data = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(data[:4] + b"\xff" * cut + data[4 + cut :])
        answer = site.admin.get(PREVIEW)
        assert str(site.root) not in message_of(answer, 503)
        assert "retry-after" in answer.headers
        assert capfd.readouterr().err


class TestRemoving:
    def test_is_a_major_version_without_the_table(self, site):
        site.add_table(table="refunds")
        site.take()
        answer = site.admin.delete(PAYMENTS)
        assert answer.status_code == 200
        assert answer.json() == {"message": "table payments and its data removed; spend is v2.0 now"}
        found = site.admin.get(HOME).json()
        assert (found["version"], list(found["tables"])) == ("v2.0", ["refunds"])

    def test_removes_its_data_of_every_version(self, site):
        site.take()
        put_schema(site, ("supplier", "string"))
        site.take(b"supplier\nLantern\n", "b.csv")
        site.take(b"supplier\nLantern,1\n", "c.csv")
        site.admin.delete(PAYMENTS)
        zones = ("landing/", "raw/", "fail/", "curated/", "metadata/load-")
        assert not [name for name in site.snapshot() if name.startswith(zones)]
        message_of(site.admin.get(PREVIEW), 404)

    def test_other_tables_are_carried(self, site):
        site.add_table(table="refunds")
        stamp = site.take(table="refunds")
        site.admin.delete(PAYMENTS)
        assert stamp in site.admin.get(f"{HOME}/table/refunds/preview").text

    def test_a_table_that_is_not_there_is_a_wrong_request(self, still):
        for table in ("nothing", "papers"):
            message_of(still.admin.delete(f"{HOME}/table/{table}"), 400)

    def test_an_unknown_product_is_not_found(self, empty):
        message_of(empty.admin.delete(PAYMENTS), 404)

    def test_the_last_table_may_go_and_come_again(self, site):
        site.take(GOOD)
        site.admin.delete(PAYMENTS)
        site.add_table()
        assert site.admin.get(HOME).json()["version"] == "v2.1"
        assert site.admin.get(PREVIEW).text == "No data to display"
        site.take()
        assert "Lantern" in site.admin.get(PREVIEW).text
