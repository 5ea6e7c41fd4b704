"""A `Report` as JUnit XML, which continuous integration shows as tests."""

from __future__ import annotations

from xml.etree import ElementTree

from tabgan.report.charts import printable
from tabgan.report.report import Report
from tabgan.report.verdict import ABOUT


def junit(report: Report, fail_under: float | None = None) -> str:
    """One test for each kind of alarm and, with `fail_under`, one for the scores; the numbers are properties."""
    tests = {kind: [alarm.text for alarm in report.alarms if alarm.about == kind] for kind in ABOUT}
    if fail_under is not None:
        tests["scores"] = report.below(fail_under)
    failed = sum(map(bool, tests.values()))
    suite = ElementTree.Element("testsuite", name="tabgan report", tests=str(len(tests)), failures=str(failed))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in ({"overall": report.verdict.score} | report.scores).items():
        ElementTree.SubElement(properties, "property", name=name, value=f"{value:.6g}")
    for name, texts in tests.items():
        of = printable(report.tables["synthetic"].name)
        case = ElementTree.SubElement(suite, "testcase", classname=f"tabgan.{of}", name=name)
        if texts:
            ElementTree.SubElement(case, "failure", message=printable(texts[0])).text = printable("\n".join(texts))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"
