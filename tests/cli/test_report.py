from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def synthetic(model, tmp_path_factory):
    from tabgan_cli.app import main

    path = tmp_path_factory.mktemp("synthetic") / "rows.csv"
    assert main(["sample", str(model), "-n", "300", "-o", str(path), "--quiet"]) == 0
    return path


def test_report_writes_the_page_and_the_scores(tabgan, orders, synthetic, tmp_path):
    page, scores = tmp_path / "report.html", tmp_path / "report.json"
    ran = tabgan("report", orders, synthetic, "-o", page, "--json", scores)
    assert ran.status == 0
    assert str(page) in ran.out
    assert "shape 0." in ran.out
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    content = json.loads(scores.read_text(encoding="utf-8"))
    assert 0 < content["scores"]["shape"] <= 1
    assert {"holdout", "independent"} <= set(content["baselines"])
    assert sorted(tmp_path.iterdir()) == [page, scores]


def test_quiet_prints_nothing(tabgan, orders, synthetic, tmp_path):
    assert tabgan("report", orders, synthetic, "-o", tmp_path / "r.html", "--holdout", orders, "--quiet") == (0, "", "")


def test_fail_under_that_is_not_met_is_status_3_with_the_page_written(tabgan, orders, synthetic, tmp_path):
    page = tmp_path / "report.html"
    ran = tabgan("report", orders, synthetic, "-o", page, "--fail-under", 1, "--quiet")
    assert ran.status == 3
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert "--fail-under 1" in ran.err
    assert page.exists()


def test_fail_under_that_is_met_is_status_0(tabgan, orders, synthetic, tmp_path):
    assert tabgan("report", orders, synthetic, "-o", tmp_path / "r.html", "--fail-under", "0.1", "--quiet").status == 0


def test_fail_under_works_for_a_table_of_one_column(tabgan, tmp_path):
    table = tmp_path / "one.csv"
    table.write_text("size\n" + "S\nM\nL\n" * 40)
    assert tabgan("report", table, table, "-o", tmp_path / "r.html", "--fail-under", "0.99", "--quiet").status == 0


def test_an_alarm_fails_whatever_the_mean_scores_are(tabgan, orders, tmp_path):
    ran = tabgan("report", orders, orders, "-o", tmp_path / "r.html", "--fail-under", "0.5", "--quiet")
    assert ran == (3, "", "error: --fail-under 0.5 is not met: alarm on privacy.\n")


def test_several_tables_a_model_and_files_for_a_pipeline(tabgan, orders, synthetic, model, tmp_path):
    page, summary, tests = tmp_path / "r.html", tmp_path / "r.md", tmp_path / "r.xml"
    ran = tabgan(
        *["report", orders, synthetic, orders, "--holdout", synthetic, "--model", model],
        *["-o", page, "--markdown", summary, "--junit", tests],
    )
    assert ran.status == 0
    assert f"wrote {page} and {summary} and {tests}" in ran.out
    assert "the worst of 2" in ran.out
    assert "alarm, privacy: " in ran.out
    assert "detection: step" in ran.err
    assert "Over 2 synthetic tables" in page.read_text(encoding="utf-8")
    assert "Membership by the model, AUC" in page.read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8").startswith("### Poor")
    assert '<failure message="' in tests.read_text(encoding="utf-8")
