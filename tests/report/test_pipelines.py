"""What a pipeline reads: Markdown for a comment, JUnit XML for its list of tests."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tabgan.report import Report
from tabgan.report.report import TableFacts
from tabgan.report.verdict import Alarm

NAME = "<script>|`a`\n*b*\0.csv"


@pytest.fixture
def alarmed(same: Report) -> Report:
    columns = {NAME: replace(same.columns["price"], name=NAME, similarity=0.5)} | same.columns
    tables = {"real": TableFacts(name="real.csv", rows=600), "synthetic": TableFacts(name=NAME, rows=600)}
    alarms = (Alarm(about="privacy", text="2% are <copies>."), Alarm(about="privacy", text="Some are remembered."))
    return replace(same, alarms=alarms, scores=same.scores | {"trend": 0.6}, columns=columns, tables=tables)


def test_markdown_shows_the_verdict_the_alarms_and_every_score(alarmed: Report) -> None:
    text = alarmed.to_markdown()
    assert text.startswith(f"### {alarmed.verdict.grade.capitalize()}: {alarmed.verdict.score:.2f} of 1\n")
    assert "> **Alarm, privacy:** Some are remembered." in text
    assert re.search(r"\| Shape \| 100\.0% \| 9\d\.\d% \| 100\.0% \| 100% is best \|", text)
    assert "| Trend | 60.0% |" in text


def test_names_of_the_data_are_only_text_in_markdown(alarmed: Report) -> None:
    text = alarmed.to_markdown()
    assert r"\<script\>\|\`a\` \*b\*�.csv" in text
    assert "<" not in text.replace(r"\<", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 6}  # no cell is cut in two


def test_junit_has_a_test_for_each_kind_of_alarm(alarmed: Report) -> None:
    suite = ElementTree.fromstring(alarmed.to_junit())
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {"privacy"}
    assert {case.get("name") for case in suite.iter("testcase")} == {
        "columns",
        "trend",
        "detection",
        "diversity",
        "privacy",
    }
    assert (suite.get("tests"), suite.get("failures")) == ("5", "1")
    assert [failure.text for failure in suite.iter("failure")] == ["2% are <copies>.\nSome are remembered."]
    assert {each.get("name"): float(each.get("value", "")) for each in suite.iter("property")}["trend"] == 0.6


@pytest.mark.parametrize(("least", "failed"), [(0.5, False), (0.7, True)])
def test_junit_tests_the_scores_where_there_is_a_least_one(alarmed: Report, least: float, failed: bool) -> None:
    suite = ElementTree.fromstring(alarmed.to_junit(fail_under=least))
    case = next(each for each in suite.iter("testcase") if each.get("name") == "scores")
    failure = case.find("failure")
    assert (failure is not None) == failed
    assert failure is None or failure.get("message") == "trend is 0.6000"


def test_files_are_what_is_returned(alarmed: Report, tmp_path: Path) -> None:
    alarmed.to_markdown(tmp_path / "report.md")
    alarmed.to_junit(tmp_path / "report.xml", fail_under=0.7)
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == alarmed.to_markdown()
    assert (tmp_path / "report.xml").read_text(encoding="utf-8") == alarmed.to_junit(fail_under=0.7)
