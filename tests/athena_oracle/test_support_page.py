"""docs/athena-support.md says what the tests find."""

from __future__ import annotations

from fixtures.trino import report


def test_the_support_page_is_current(lab):
    page = report.render_page(report.judge_all(lab))
    assert report.PAGE.read_text(encoding="utf-8") == page, "write it anew: python -m fixtures.trino.report"
