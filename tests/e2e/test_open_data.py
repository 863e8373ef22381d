"""Real files of public bodies, registered, ingested and queried by the command line.

Each is compared, row by row and in its totals, with a reading that shares nothing with daap. Totals
that were checked by hand are pinned besides, so that the two cannot go astray together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from fixtures.lake import Lake
from fixtures.reading import (
    MONEY,
    TEXT,
    TRUTH,
    WHOLE,
    Layout,
    Reading,
    Totals,
    compare_rows,
    day_kind,
    read_file,
    sum_up,
)

SPECS = Path(__file__).parent / "open_data"
FILES = Path(__file__).parents[2].parent / "shared" / "data" / "open-data"

SLASHED_DAY = day_kind("%d/%m/%Y")


@dataclass(frozen=True)
class Sample:
    """A file, the product it belongs to, how to read it, and what is known to be in it."""

    spec: str
    file: str
    layout: Layout
    pinned: Totals

    @property
    def table(self) -> tuple[str, str]:
        """The names of the product and of its one table."""
        product = yaml.safe_load((SPECS / f"{self.spec}.yaml").read_text(encoding="utf-8"))
        (table,) = product["tables"]
        return product["name"], table


SAMPLES = [
    Sample(
        "moj_spending",
        "moj-aramis-data-march-11.csv",
        Layout({"date": day_kind("%d-%b-%y"), "transaction_number": WHOLE, "amount": MONEY}),
        {"rows": 871, "amount sum": Decimal("428603933.54"), "date max": date(2011, 3, 31)},
    ),
    Sample(
        "hmrc_spending",
        "HMRC_spending_over_25000_for_September_2018.csv",
        Layout({"date": SLASHED_DAY, "transaction_number": WHOLE, "amount": MONEY}),
        {"rows": 406, "amount sum": Decimal("118461709.02"), "contract_number count": 0},
    ),
    Sample(
        "wakefield_procurement_cards",
        "Wakefield Council Procurement Card Transactions 2018-19 Q2.csv",
        Layout(
            {
                "effective_date": SLASHED_DAY,
                "transno": SLASHED_DAY,
                "seq_no": WHOLE,
                "payment_date": WHOLE,
                "net_amount": MONEY,
            },
            preamble=2,
        ),
        {
            "rows": 4602,
            "net_amount count": 4469,
            "net_amount sum": Decimal("396266.66"),
            "column_23 count": 1,
        },
    ),
    Sample(
        "planning_applications",
        "planning-application-aug-17.csv",
        Layout(
            {
                "case_date": SLASHED_DAY,
                "decision_target_date": SLASHED_DAY,
                "geo_x": WHOLE,
                "geo_y": WHOLE,
                "decision_date": SLASHED_DAY,
                "decision_notice_date": SLASHED_DAY,
                "appeal_decision_date": SLASHED_DAY,
                "public_consultation_start_date": SLASHED_DAY,
                "public_consultation_end_date": SLASHED_DAY,
                "ward": WHOLE,
            }
        ),
        {"rows": 2146, "decision_date count": 1452, "geo_x count": 2126, "geo_x sum": 873127609},
    ),
    Sample(
        "ppo_senior_posts",
        "prison-and-probation-ombudsman__30-09-2014__justice_PPO-September-Return-senior.csv",
        Layout(
            {
                "salary_cost_of_reports": MONEY,
                "fte": MONEY,
                "actual_pay_floor": MONEY,
                "actual_pay_ceiling": MONEY,
                "valid": TRUTH,
            }
        ),
        {
            "rows": 3,
            "salary_cost_of_reports sum": Decimal(3414761),
            "actual_pay_ceiling sum": Decimal(289997),
        },
    ),
    Sample(
        "epc_travel_stationery",
        "20170320-ePC_Data-Travel-Stationery.csv",
        Layout(
            {"sum_of_transaction_billing_amount": MONEY},
            nulls=frozenset({"Sum of Transaction - Billing Amount"}),
            preamble=2,
        ),
        {
            "rows": 14,
            "sum_of_transaction_billing_amount count": 10,
            "sum_of_transaction_billing_amount sum": Decimal("21500653.38"),
        },
    ),
    Sample(
        "consular_cases",
        "Consular_cases_April_2016.csv",
        Layout({"apr_16": TEXT}, default=WHOLE, nulls=frozenset({"<=5", "#N/A"})),
        {"rows": 309, "consular_enquiries sum": 23630, "etds count": 237, "etds sum": 2191},
    ),
]


@dataclass(frozen=True)
class Loaded:
    """A sample that has been ingested, and the independent reading of it."""

    sample: Sample
    lake: Lake
    expected: Reading

    @property
    def table(self) -> str:
        """The table as queries name it."""
        product, table = self.sample.table
        return f"{product}_v1.{table}"


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda sample: sample.spec)
def loaded(request, tmp_path_factory) -> Loaded:
    """Each sample in a lake of its own."""
    sample: Sample = request.param
    if not FILES.is_dir():
        pytest.skip("../shared/data/open-data is not beside the checkout")
    lake = Lake(tmp_path_factory.mktemp(sample.spec))
    lake.register(SPECS / f"{sample.spec}.yaml")
    lake.ingest(FILES / sample.file, *sample.table)
    return Loaded(sample, lake, read_file(FILES / sample.file, sample.layout))


def test_rows_are_those_of_the_file(loaded):
    found = loaded.lake.read_table(loaded.table, loaded.expected, loaded.sample.layout)
    assert compare_rows(loaded.expected.rows, found) == {}


def test_totals_are_those_of_the_file(loaded):
    found = loaded.lake.sum_up(loaded.table, loaded.expected, loaded.sample.layout)
    assert found == sum_up(loaded.expected, loaded.sample.layout)


def test_totals_are_those_checked_by_hand(loaded):
    found = loaded.lake.sum_up(loaded.table, loaded.expected, loaded.sample.layout)
    assert {name: found[name] for name in loaded.sample.pinned} == loaded.sample.pinned


def test_every_spec_has_its_file():
    assert {path.stem for path in SPECS.glob("*.yaml")} == {sample.spec for sample in SAMPLES}
