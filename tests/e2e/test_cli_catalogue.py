"""The catalogue on the command line, with OpenMetadata up, down, slow and broken: registering goes on as ever."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner, Result
from starlette.responses import HTMLResponse

from daap_local import catalogue
from daap_local.cli import main
from tests.support.lakes import make_product
from tests.support.openmetadata import TOKEN, running_openmetadata


@pytest.fixture
def service(monkeypatch):
    with running_openmetadata() as service:
        monkeypatch.setenv("DAAP_CATALOGUE", "openmetadata")
        monkeypatch.setenv("DAAP_OPENMETADATA_URL", service.url)
        monkeypatch.setenv("DAAP_OPENMETADATA_TOKEN", TOKEN)
        yield service


@pytest.fixture
def run(tmp_path):
    def run(*words: object, ends: int = 0) -> Result:
        result = CliRunner().invoke(main, ["--root", str(tmp_path), *map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code == ends, result.output
        return result

    return run


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "product.yaml"
    path.write_text(json.dumps(make_product().dump()))
    return path


def test_it_follows_what_is_done(service, run, spec):
    assert run("register", spec).stderr == ""
    assert service.names("databaseSchemas") == ["daap.shop.shop_v1"]
    spec.write_text(json.dumps(make_product().dump() | {"description": "Other words"}))
    run("amend", spec)
    assert service.held["databases"]["daap.shop"]["description"].startswith("Other words")
    run("delete", "shop", "sales", "--yes")
    assert service.names("tables") == [
        f"daap.shop.shop_v{major}.{table}" for major in (1, 2) for table in ("orders", "returns")
    ]
    run("delete", "shop", "--yes")
    assert not service.names("databases")


def test_a_wrong_token_is_a_note_and_told_again_later(service, run, spec, monkeypatch):
    monkeypatch.setenv("DAAP_OPENMETADATA_TOKEN", "another")
    result = run("register", spec)
    assert result.stdout.startswith("Registered shop v1.0")
    assert "Note: the catalogue was not told: OpenMetadata at" in result.stderr
    assert "another" not in result.output
    run("catalogue", ends=3)
    monkeypatch.setenv("DAAP_OPENMETADATA_TOKEN", TOKEN)
    assert run("resync").stdout == "catalogue: shop  mended\n"
    assert service.names("databases") == ["daap.shop"]
    assert run("resync").stdout == "Everything is as it should be.\n"


@pytest.mark.parametrize("trouble", ["rubbish", "hang", "gone"])
def test_registering_goes_on_whatever_is_wrong(service, run, spec, monkeypatch, trouble):
    monkeypatch.setattr(catalogue, "AFTER_SECONDS", 0.5)
    if trouble == "rubbish":
        service.rubbish = HTMLResponse("<html>")
    elif trouble == "hang":
        service.hang = 20.0
    else:
        monkeypatch.setenv("DAAP_OPENMETADATA_URL", "http://127.0.0.1:1")
    began = time.monotonic()
    result = run("register", spec)
    assert time.monotonic() - began < 10
    assert result.stdout.startswith("Registered shop v1.0")
    assert result.stderr.startswith("Note: the catalogue was not told: ")
    assert len(result.output.splitlines()) == 2
    assert "shop" in run("products").stdout


def test_a_deletion_that_was_not_told_is_mended(service, run, spec, monkeypatch):
    run("register", spec)
    monkeypatch.setenv("DAAP_OPENMETADATA_URL", "nowhere")
    assert "DAAP_OPENMETADATA_URL has to be" in run("delete", "shop", "--yes").stderr
    monkeypatch.setenv("DAAP_OPENMETADATA_URL", service.url)
    assert service.names("databases") == ["daap.shop"]
    assert run("resync").stdout == "catalogue: shop  mended\n"
    assert not service.names("databases")


def test_an_unknown_catalogue_is_wrong_use(run, monkeypatch):
    monkeypatch.setenv("DAAP_CATALOGUE", "atlas")
    result = run("catalogue", ends=2)
    assert result.stderr == "Error: DAAP_CATALOGUE: is 'atlas'; allowed are none, openmetadata, files\n"
