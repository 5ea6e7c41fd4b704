from __future__ import annotations

import csv
import io
import re

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


def test_rows_fulfil_conditions(tabgan, model, tmp_path):
    out = tmp_path / "rows.csv"
    where = ["--where", 'product == "cocoa, dark"', "--where", "price > 3", "--where", "size in [S, M]"]
    ran = tabgan("sample", model, "-n", 50, "-o", out, *where, "--where", "paid is not null")
    assert ran.status == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    for row in rows:
        assert row["product"] == "cocoa, dark"
        assert float(row["price"]) > 3
        assert row["size"] in ("S", "M")


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("prize > 3", "there is no column 'prize'; did you mean 'price'?"),
        (
            "product == coffe",
            "'coffe' does not occur in the table that the model was fitted on; did you mean 'coffee'",
        ),
        ("price between 3", "cannot be read; write COLUMN == VALUE"),
    ],
)
def test_a_condition_that_none_can_fulfil_is_one_line_and_no_file(tabgan, model, tmp_path, where, says):
    ran = tabgan("sample", model, "-n", 5, "-o", tmp_path / "rows.csv", "--where", where)
    assert ran.status == 1
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err
    assert list(tmp_path.iterdir()) == []


def test_given_rows_are_completed(tabgan, model, tmp_path):
    given = tmp_path / "given.csv"
    given.write_text("product,size\ntea,S\ncoffee,\n", encoding="utf-8")
    ran = tabgan("sample", model, "--given", given, "-o", tmp_path / "rows.csv")
    assert ran.status == 0
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["product"] for row in rows] == ["tea", "coffee"]
    assert rows[0]["size"] == "S"
    assert rows[1]["size"] in ("S", "M", "L")


def test_either_n_or_given(tabgan, model, tmp_path):
    for arguments in ([], ["-n", 3, "--given", "x.csv"]):
        ran = tabgan("sample", model, "-o", tmp_path / "rows.csv", *arguments)
        assert ran.status == 2
        assert "give either -n or --given" in ran.err


def test_ways_that_exclude_each_other(tabgan, model, orders, tmp_path):
    ran = tabgan("sample", model, "-n", 5, "-o", tmp_path / "x.csv", "--like", orders, "--balance", "size")
    assert ran.status == 2
    assert "only one of --given, --like and --balance" in ran.err


def test_labels_are_balanced_and_rows_varied(tabgan, model, orders, tmp_path):
    ran = tabgan("sample", model, "-n", 300, "-o", tmp_path / "x.csv", "--balance", "size")
    assert ran == (0, f"wrote 300 rows to {tmp_path / 'x.csv'}\n", ran.err)  # no report of rows that are to be unlike
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        sizes = [row["size"] for row in csv.DictReader(file)]
    assert min(sizes.count(size) for size in "SML") > 85
    assert tabgan("sample", model, "-n", 300, "-o", tmp_path / "y.csv", "--like", orders).status == 0
    real, made = (path.read_text(encoding="utf-8").splitlines() for path in (orders, tmp_path / "y.csv"))
    same = [a.split(",")[-1] == b.split(",")[-1] for a, b in zip(real, made, strict=True)]
    assert sum(same) > 200


def test_missing_cells_are_filled(tabgan, model, orders, tmp_path):
    ran = tabgan("impute", model, orders, "-o", tmp_path / "full.csv")
    assert ran.status == 0
    before, after = (path.read_text(encoding="utf-8").splitlines() for path in (orders, tmp_path / "full.csv"))
    holes = sum(",," in line for line in before)
    assert holes > 0
    assert ran.out == f"filled {holes} cells, wrote 300 rows to {tmp_path / 'full.csv'}\n"
    assert not any(",," in line for line in after)
    assert [line.split(",")[0] for line in after] == [line.split(",")[0] for line in before]


def test_formulas_are_escaped_on_request(tabgan, tmp_path):
    table, model = tmp_path / "t.csv", tmp_path / "m.tabgan"
    table.write_text("a,b\n" + "".join(f"{i % 7},=cmd{i % 2}()\n" for i in range(60)), encoding="utf-8")
    assert tabgan("fit", table, "-o", model, "--time-limit", "1s").status == 0
    sample = ("sample", model, "-n", 20, "--escape-formulas", "-o")
    assert tabgan(*sample, tmp_path / "rows.csv").status == 0
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert all(re.fullmatch(r"[0-6],'=cmd[01]\(\)", line) for line in lines)
    assert tabgan(*sample, tmp_path / "rows.parquet").status == 2


def test_shards_are_written_one_by_one_and_make_the_whole(tabgan, model, tmp_path):
    assert tabgan("sample", model, "-n", 1_500, "-o", tmp_path / "whole.csv", "--quiet").status == 0
    header, *whole = (tmp_path / "whole.csv").read_text(encoding="utf-8").splitlines()
    rows = []
    for shard in (1, 2, 3, 4):
        part = tmp_path / f"{shard}.csv"
        ran = tabgan("sample", model, "-n", 1_500, "-o", part, "--shard", f"{shard}/4")
        assert ran.status == 0
        first, *some = part.read_text(encoding="utf-8").splitlines()
        assert first == header
        assert f"wrote {len(some):,} rows to {part}" in ran.out
        rows += some
    assert rows == whole


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0"])
def test_a_shard_that_is_none_is_refused(tabgan, model, tmp_path, shard):
    ran = tabgan("sample", model, "-n", 10, "-o", tmp_path / "rows.csv", "--shard", shard)
    assert ran.status == 2
    assert "write K/M, such as 3/16" in ran.err
