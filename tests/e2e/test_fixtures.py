"""The sample products of `fixtures/`, registered, ingested and queried by the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from fixtures import generate
from fixtures.lake import Lake, name_load
from fixtures.reading import (
    COMMA_MONEY,
    MOMENT,
    MONEY,
    REAL,
    TEXT,
    TRUTH,
    WHOLE,
    Layout,
    compare_rows,
    day_kind,
    read_file,
    sum_up,
)

FOLDER = generate.FOLDER

ISO_DAY = day_kind("%Y-%m-%d")
SLASHED_DAY = day_kind("%d/%m/%Y")


@dataclass(frozen=True)
class Sample:
    """A good file of a product, and how to read it."""

    product: str
    table: str
    layout: Layout = field(default_factory=Layout)

    @property
    def file(self) -> Path:
        """The file itself."""
        return FOLDER / self.product / f"{self.table}-good.csv"

    @property
    def spec(self) -> Path:
        """The spec of its product."""
        return FOLDER / self.product / "product.yaml"


GOOD = [
    Sample("spend", "march", Layout({"date": day_kind("%d-%b-%y"), "amount": MONEY})),
    Sample(
        "difficult",
        "preamble",
        Layout(
            {"purchase_date": SLASHED_DAY, "net_amount": MONEY},
            nulls=frozenset({"Not Yet Available"}),
            preamble=2,
        ),
    ),
    Sample("difficult", "linebreaks", Layout({"case_date": ISO_DAY, "ward": WHOLE})),
    Sample("difficult", "wide", Layout({"jan_25": TEXT}, default=WHOLE, nulls=frozenset({"<=5", "#N/A"}))),
    Sample("difficult", "grouped", Layout({"paid_on": SLASHED_DAY, "amount": MONEY, "units": WHOLE})),
    Sample(
        "difficult",
        "semicolon",
        Layout({"datum": day_kind("%d.%m.%Y"), "betrag": COMMA_MONEY}, encoding="cp1252", delimiter=";"),
    ),
    Sample(
        "difficult",
        "utf16",
        Layout({"measured_at": MOMENT, "reading": REAL, "valid": TRUTH}, encoding="utf-16", delimiter="\t"),
    ),
]
EVENTS = Layout(
    {
        "event_id": WHOLE,
        "happened_on": ISO_DAY,
        "happened_at": MOMENT,
        "amount": MONEY,
        "quantity": WHOLE,
        "ratio": REAL,
        "active": TRUTH,
    }
)
# The line counts the header and the line break in quotes; None is the record as a whole.
BAD_MARCH = [
    ("type_error", 3, "date"),  # 31 February
    ("type_error", 4, "amount"),  # a third decimal would be lost
    ("too_few_fields", 5, None),
    ("type_error", 8, "date"),  # not the declared format
    ("type_error", 8, "amount"),  # a letter O for a nought
    ("broken_quote", 9, None),
    ("missing_value", 10, "entity"),
    ("too_many_fields", 11, None),
    ("too_long", 12, "transaction_number"),
    ("type_error", 12, "amount"),  # four digits behind a thousands separator
]


@pytest.fixture
def lake(tmp_path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "lake")


@pytest.mark.parametrize("name", generate.FILES)
def test_file_is_what_its_generator_makes(name):
    assert (FOLDER / name).read_bytes() == generate.FILES[name]()


def test_every_file_has_a_generator():
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.csv")} == set(generate.FILES)


def test_every_good_file_is_tried():
    assert {sample.file for sample in GOOD} == set(FOLDER.glob("*/*-good.csv"))


@pytest.mark.parametrize("product", ["spend", "difficult"])
def test_every_table_has_a_good_file(product):
    tables = yaml.safe_load((FOLDER / product / "product.yaml").read_text(encoding="utf-8"))["tables"]
    assert set(tables) == {sample.table for sample in GOOD if sample.product == product}


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: f"{sample.product}-{sample.table}")
def test_good_file_becomes_the_rows_it_holds(lake, sample):
    lake.register(sample.spec)
    lake.ingest(sample.file, sample.product, sample.table)
    _compare_table(lake, f"{sample.product}_v1.{sample.table}", sample.file, sample.layout)


def test_generated_rows_become_the_rows_they_hold(lake, tmp_path):
    file = tmp_path / "events.csv"
    generate.main(["rows", "3000", str(file)])
    lake.register(FOLDER / "speed" / "product.yaml")
    lake.ingest(file, "speed", "events")
    _compare_table(lake, "speed_v1.events", file, EVENTS)


def test_generated_rows_are_as_many_as_asked_for(tmp_path):
    generate.main(["rows", "7", str(tmp_path / "events.csv")])
    assert len(read_file(tmp_path / "events.csv", EVENTS).rows) == 7


def test_bad_file_is_refused_with_every_mistake_where_it_is(lake):
    lake.register(FOLDER / "spend" / "product.yaml")
    lake.ingest(FOLDER / "spend" / "march-bad.csv", "spend", "march", ends=1)
    (receipt,) = lake.list_loads()
    report = lake.report_errors(name_load(receipt))
    found = [(error["code"], error["line"], error["column"]) for error in report["errors"]]
    assert receipt["status"] == "failed"
    assert sorted(found, key=str) == sorted(BAD_MARCH, key=str)
    assert report["total"] == len(BAD_MARCH)
    assert report["byCode"] == {code: [at[0] for at in BAD_MARCH].count(code) for code in {at[0] for at in BAD_MARCH}}


def test_comma_too_many_at_the_end_of_a_line_is_refused(lake, tmp_path):
    file = tmp_path / "march.csv"
    file.write_bytes(GOOD[0].file.read_bytes().removesuffix(b"\n") + b",\n")
    lake.register(GOOD[0].spec)
    lake.ingest(file, "spend", "march", ends=1)
    (receipt,) = lake.list_loads()
    (error,) = lake.report_errors(name_load(receipt))["errors"]
    assert (error["code"], error["line"]) == ("too_many_fields", 13)


def test_refused_file_leaves_the_snapshot_before_it(lake):
    good = GOOD[0]
    lake.register(good.spec)
    lake.ingest(good.file, good.product, good.table)
    lake.ingest(FOLDER / "spend" / "march-bad.csv", "spend", "march", ends=1)
    _compare_table(lake, "spend_v1.march", good.file, good.layout)


def _compare_table(lake: Lake, table: str, file: Path, layout: Layout) -> None:
    expected = read_file(file, layout)
    assert compare_rows(expected.rows, lake.read_table(table, expected, layout)) == {}
    assert lake.sum_up(table, expected, layout) == sum_up(expected, layout)
