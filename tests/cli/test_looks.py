"""The commands that only look: schema, info, doctor and --version."""

from __future__ import annotations

import re

import yaml

from tabgan import __version__

KINDS = {"order_id": "key", "product": "category", "price": "number", "ordered": "datetime", "paid": "boolean"}


def test_schema_shows_every_column(tabgan, orders):
    ran = tabgan("schema", orders)
    assert ran.status == 0
    found = {line.split()[0]: line.split()[1] for line in ran.out.splitlines()[1:]}
    assert found.items() >= KINDS.items()
    assert "2 decimals" in ran.out
    assert "cocoa" not in ran.out


def test_schema_is_written_as_yaml(tabgan, orders, tmp_path):
    path = tmp_path / "schema.yaml"
    assert tabgan("schema", orders, "-o", path).status == 0
    columns = yaml.safe_load(path.read_text(encoding="utf-8"))["columns"]
    assert {name: columns[name]["kind"] for name in KINDS} == KINDS


def test_info_shows_what_was_fitted(tabgan, model):
    ran = tabgan("info", model)
    assert ran.status == 0
    assert "300" in ran.out
    assert "price" in ran.out
    assert "cocoa" not in ran.out
    assert re.search(r"^hash of the table +[0-9a-f]{64}$", ran.out, re.MULTILINE)
    assert re.search(r"^  warm-up +step \d+, loss [\d.]+, held_out [\d.]+$", ran.out, re.MULTILINE)
    assert "there is no differential privacy" in ran.out
    assert "fitted on 300 rows only" in ran.out


def test_the_version_is_shown(tabgan):
    assert tabgan("--version") == (0, f"tabgan {__version__}\n", "")


def test_doctor_passes_its_self_test(tabgan):
    ran = tabgan("doctor")
    assert ran.status == 0
    assert f"tabgan-wgan {__version__}" in ran.out
    assert re.search(r"^device cpu: \d+ threads(, \d+ GiB)?$", ran.out, re.MULTILINE)
    assert re.search(r"^faker ", ran.out, re.MULTILINE)
    assert "work" in ran.out.splitlines()[-1]
