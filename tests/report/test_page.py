import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from tabgan.report import Report, evaluate
from tabgan.report.catalogue import percent
from tabgan.report.reading import read_shape, read_trend

NASTY = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "\"'><b>&amp;</b>",
    "{{ 7 * 7 }}",
    "</svg></style></title>",
    "datum['a'] + \n",
    "https://example.com/",
    "",
    "(missing)",
]


SCRIPT = resources.files("tabgan.report").joinpath("templates", "report.js").read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Collects the page's elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "script":
            self.scripts.append("")
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.lasttag == "script":
            self.scripts[-1] += data.rstrip() and data


@pytest.fixture(scope="module")
def nasty_page() -> str:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.choice([*NASTY, None], 300) for name in ["plain", *NASTY[:6], "a.b[0]"]})
    table["{{ x }} <i>"] = rng.normal(size=300)
    return evaluate(table, table.sample(frac=1, random_state=0)).to_html()


def test_values_and_names_from_the_data_are_only_text(nasty_page: str) -> None:
    page = Tags(nasty_page)
    assert not page.tags & {"img", "b", "i"}
    assert page.scripts == [SCRIPT]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "</svg></style></title>" in page.text


def test_control_characters_are_shown_as_such_and_do_not_end_the_process() -> None:
    from tabgan.report.charts import svg

    chart = {"data": {"values": [{"x": f"a{chr(i)}b"} for i in (*range(32), 0xFFFF, 0xD800)]}, "mark": "bar"}
    drawn = svg(chart | {"encoding": {"x": {"field": "x", "type": "nominal"}}})
    assert "a\N{REPLACEMENT CHARACTER}b" in drawn


def test_a_label_that_reads_missing_has_a_bar_beside_the_missing_cells(nasty_page: str) -> None:
    charts = re.findall(r'<div class="chart" role="img" aria-label="Shares.*?</svg>', nasty_page, re.DOTALL)
    assert len(charts) == 9
    assert len(re.findall(r">\(missing\)</text>", "".join(charts))) == 2 * 8
    assert len(re.findall(r">\(empty\)</text>", "".join(charts))) == 8


def test_the_page_loads_nothing_and_runs_nothing_but_its_own_script(same: Report) -> None:
    html = same.to_html()
    page = Tags(html)
    assert page.scripts == [SCRIPT]
    assert not page.tags & {"link", "img", "iframe", "object", "image", "use", "base"}
    assert all(value.startswith("#") for name, value in page.attributes if name in {"href", "src", "xlink:href"})
    assert {name for name, value in page.attributes if "://" in value or value[:2] == "//"} <= {"xmlns", "xmlns:xlink"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert html.count("script-src") == 1
    assert f"script-src 'sha256-{digest}'" in html


def test_every_column_is_drawn_and_the_least_alike_comes_first(orders: pd.DataFrame) -> None:
    html = evaluate(orders, orders.assign(price=orders["price"] * 1.5)).to_html()
    names = re.findall(r'<a href="#column-\d+">([^<]+)</a>', html)
    assert sorted(names) == sorted(set(orders) - {"order_id"})
    assert names[0] == "price"
    assert html.count('aria-label="Shares of rows') == html.count('class="spark"') == len(names)
    assert "not scored" in html


def test_the_page_says_where_the_ceiling_comes_from(orders: pd.DataFrame, same: Report) -> None:
    assert "No held-out table was given" in same.to_html()
    given = evaluate(orders, orders, holdout=orders.head(100)).to_html()
    assert "No held-out table was given" not in given
    assert "the holdout table (100 rows)" in given
    assert "Not promised: privacy" in given


def test_alarms_come_first_and_the_overall_score_is_worked_out(same: Report) -> None:
    page = Tags(same.to_html()).text  # every synthetic row is a copy
    places = [page.index(words) for words in ("1 alarm", "are copies of real ones", "Overall", "^(1/5) = ", "Shape")]
    assert places == sorted(places)
    assert same.verdict.worked in page
    assert "1 − (ceiling − shape) / 0.1" in page


def test_a_page_of_50_columns_is_under_3_mb() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"number {i}": rng.normal(size=40) for i in range(25)})
    labels = np.array([f"a label of some length {i}" for i in range(40)])
    table = table.assign(**{f"category {i}": rng.choice(labels, 40) for i in range(25)})
    assert len(evaluate(table, table).to_html().encode()) < 3_000_000


def test_importing_the_report_loads_no_chart_library() -> None:
    code = "import sys, tabgan.report; print(sorted({'altair', 'jinja2', 'vl_convert', 'sklearn'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("similarity", "shown"),
    [(1.0, "100.0%"), (0.9999, "99.9%"), (0.95, "95.0%"), (0.00001, "0.1%"), (0.0, "0.0%"), (None, "–")],
)
def test_only_all_and_nothing_look_like_it(similarity: float | None, shown: str) -> None:
    assert percent(similarity) == shown


@pytest.mark.parametrize(
    ("trend", "ceiling", "floor", "words"),
    [
        (0.70, 0.98, 0.90, "ties between the columns are lost"),
        (0.90, 0.98, 0.90, "ties between the columns are lost"),
        (0.94, 0.98, 0.90, "50% of the way"),
        (0.979, 0.98, 0.90, "as closely as other real rows"),
        (0.95, 0.96, 0.96, "says little about this table"),
    ],
)
def test_trend_is_read_between_its_floor_and_its_ceiling(
    trend: float, ceiling: float, floor: float, words: str
) -> None:
    assert words in read_trend(scored({"trend": trend}, {"trend": ceiling}, {"trend": floor}))


def test_shape_names_the_column_that_falls_short_most(orders: pd.DataFrame, same: Report) -> None:
    report = evaluate(orders, orders.assign(price=orders["price"] * 3))
    assert "“price” the most" in read_shape(report)
    assert "as closely as other real rows" in read_shape(same)


def scored(scores: dict[str, float], holdout: dict[str, float], independent: dict[str, float]) -> Report:
    baselines = {"holdout": holdout, "independent": independent}
    return Report(scores=scores, baselines=baselines, columns={}, pairs=(), marginals={}, tables={})
