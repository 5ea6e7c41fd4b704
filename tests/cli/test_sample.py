from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest


@pytest.mark.parametrize("n", [1, 7, 300])
def test_sample_writes_exactly_n_rows(tabgan, model, orders, tmp_path, n):
    out = tmp_path / "rows.csv"
    ran = tabgan("sample", model, "-n", n, "-o", out)
    assert ran.status == 0
    assert str(out) in ran.out
    assert "tabgan report" in ran.out
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert rows[0] == orders.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert len(rows) == n + 1


def test_rows_on_standard_output_are_csv_and_nothing_else(tabgan, model, tmp_path):
    out = tmp_path / "rows.csv"
    assert tabgan("sample", model, "-n", 40, "-o", out, "--seed", 3).status == 0
    ran = tabgan("sample", model, "-n", 40, "-o", "-", "--seed", 3)
    assert ran.status == 0
    assert ran.out == out.read_text(encoding="utf-8")
    assert "40 rows" in ran.err


def test_quiet_prints_nothing(tabgan, model, tmp_path):
    assert tabgan("sample", model, "-n", 5, "-o", tmp_path / "rows.parquet", "--quiet") == (0, "", "")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_rows(tabgan, model, tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert tabgan("sample", model, "-n", 200, "-o", tmp_path / f"{name}.parquet", "--seed", seed).status == 0
    a, b, c = (tmp_path / f"{name}.parquet" for name in "abc")
    assert a.read_bytes() == b.read_bytes()
    assert not pq.read_table(a).equals(pq.read_table(c))


def test_rounds_are_passed_on(tabgan, model, tmp_path):
    for rounds in (1, 6):
        ran = tabgan("sample", model, "-n", 200, "-o", tmp_path / f"{rounds}.csv", "--seed", 1, "--rounds", rounds)
        assert ran.status == 0
    assert (tmp_path / "1.csv").read_bytes() != (tmp_path / "6.csv").read_bytes()


def test_labels_come_only_from_the_table_and_keys_are_unique(tabgan, model):
    ran = tabgan("sample", model, "-n", 500, "-o", "-", "--quiet")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert {row["product"] for row in rows} <= {"tea", "coffee", "cocoa, dark"}
    assert {row["paid"] for row in rows} <= {"True", "False"}
    assert len({row["order_id"] for row in rows}) == 500
