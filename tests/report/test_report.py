import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan.errors import DataError, FileError
from tabgan.report import Report, evaluate


def test_json_has_the_promised_shape(orders: pd.DataFrame) -> None:
    synthetic = orders.assign(weight=np.nan, pieces=4)
    report = evaluate(orders, synthetic)
    content = json.loads(report.to_json())
    assert list(content)[:4] == ["scores", "baselines", "columns", "pairs"]
    assert content["scores"] == report.scores
    assert content["baselines"] == report.baselines
    assert set(content["baselines"]) == {"holdout", "independent"}
    assert list(content["columns"]) == list(orders)
    measures = content["columns"]["price"].pop("measures")
    assert measures["wasserstein"] == 0
    assert measures["range_coverage"] == 1
    assert content["columns"]["price"] == {
        "kind": "number",
        "metric": "ks",
        "similarity": 1.0,
        "missing_real": 0.0,
        "missing_synthetic": 0.0,
        "note": None,
    }
    assert content["columns"]["weight"]["similarity"] is None
    assert len(content["pairs"]) == 9 * 8 / 2
    undefined = {"columns": ["price", "pieces"], "metric": "correlation", "similarity": None, "synthetic": None}
    assert any(undefined.items() <= pair.items() for pair in content["pairs"])
    assert not {"NaN", "Infinity"} & set(re.findall(r"\w+", report.to_json()))  # which are no JSON


def test_files_hold_what_is_returned_without_a_path(same: Report, tmp_path: Path) -> None:
    same.to_json(tmp_path / "report.json")
    same.to_html(str(tmp_path / "report.html"))
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == same.to_json()
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == same.to_html()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_cannot_be_written_leaves_nothing_behind(same: Report, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"report\.json cannot be written"):
        same.to_json(tmp_path / "absent" / "report.json")
    (tmp_path / "report.html").mkdir()
    with pytest.raises(FileError, match=r"report\.html cannot be written"):
        same.to_html(tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(same: Report) -> None:
    shown = same._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts" ')
    assert shown.count("<") == 2  # the frame's own tags; the page within is escaped


def test_a_column_is_drawn_in_a_notebook_in_colours_of_its_own(same: Report) -> None:
    chart = same.figure("price").to_dict(validate=True)
    assert chart["title"] == "price"
    assert "var(" not in json.dumps(chart)
    assert same.figure("size").to_dict(validate=True)["layer"]


def test_a_column_that_is_not_drawn_is_answered_with_its_neighbour(same: Report) -> None:
    with pytest.raises(DataError, match="there is no column 'prise' to draw; did you mean 'price'"):
        same.figure("prise")
