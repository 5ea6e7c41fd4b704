"""The README, the tutorials and the notebook run as they stand, on a small table under the names that they use.

One thing is changed: fits are given a second, where a user has minutes.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tabgan import Schema, Synthesizer
from tabgan_cli.app import main

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
TUTORIALS = [README, *(DOCS / name for name in ("test-data.md", "augmentation.md", "sharing.md"))]
ROWS = 400


def run_python(code: str, names: dict[str, object]) -> None:
    short = re.sub(r"time_limit=\d+", "time_limit=1", code).replace("Synthesizer(seed=0)", "Synthesizer(time_limit=1)")
    exec(compile(short, "<docs>", "exec"), names)


def run_shell(block: str) -> None:
    """The `tabgan` lines of a block, each of which must succeed."""
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["pip", "install"]:
            continue
        assert words[0] == "tabgan", line
        short = ["--time-limit", "1s"] if words[1] == "fit" else []
        expected = (0, 3) if "--fail-under" in words else (0,)  # rows of so short a fit need not pass
        assert main([*words[1:], *short]) in expected, line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the blocks run: the sample table, shorter, under the names that they use, and a folder for the notebook."""
    lines = (ROOT / "sample_data" / "reviews.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    for name in ("orders.csv", "reviews.csv", "sample_data/reviews.csv", "docs/empty"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(lines[: ROWS + 1]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks_of(path: Path) -> list[tuple[str, str]]:
    """The language and the text of each block of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run_blocks(path: Path, names: dict[str, object]) -> None:
    """Run the blocks in the current folder, one after the other, those of Python with `names`."""
    runs: dict[str, Callable[[str], object]] = {
        "sh": run_shell,
        "python": lambda code: run_python(code, names),
        "yaml": Path("wishes.yaml").write_text,
    }
    blocks = blocks_of(path)
    assert {language for language, _ in blocks} >= {"sh", "python"}
    for language, block in blocks:
        runs[language](block)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.name)
@pytest.mark.usefixtures("folder")
def test_a_page_runs_from_its_first_block_to_its_last(path: Path) -> None:
    run_blocks(path, {})


@pytest.fixture
def people() -> pd.DataFrame:
    """A table with the columns that the pages on conditions and schemas speak of."""
    rng, rows = np.random.default_rng(0), 300
    age = rng.integers(18, 90, rows)
    return pd.DataFrame(
        {
            "customer": [f"Kim {i}" for i in range(rows)],
            "income": np.where(rng.random(rows) < age / 200, ">50K", "<=50K"),
            "region": rng.choice(["North", "South", "East"], rows),
            "age": age,
            "promo": rng.choice(np.array(["ten", "half", None], dtype=object), rows),
            "zip": rng.integers(10_000, 10_040, rows),
            "comment": "none",
            "order_id": np.arange(rows) // 3,
            "line_no": np.arange(rows) % 3,
        }
    )


@pytest.mark.usefixtures("folder")
def test_the_page_on_conditions_runs(people: pd.DataFrame) -> None:
    synthesizer = Synthesizer(time_limit=1).fit(people)
    synthesizer.save("orders.tabgan")
    run_blocks(DOCS / "conditions.md", {"synthesizer": synthesizer})


def test_the_schemas_of_the_page_on_schemas_are_taken(people: pd.DataFrame) -> None:
    pages = [yaml.safe_load(block) for language, block in blocks_of(DOCS / "schema.md") if language == "yaml"]
    assert len(pages) == 2
    people["income"] = people["age"] * 100.5
    for name in ("quantity", "price", "persons", "total", "net", "tax", "discount", "due", "fat", "carbs", "kcal"):
        people[name] = people["age"] + 0.5
    for wishes in pages:
        found = Schema.infer(people, wishes)
        for name, wish in wishes.get("columns", {}).items():
            assert found[name].kind == (wish if isinstance(wish, str) else wish.get("kind", "number"))
    assert [str(fact) for fact in found.facts] == [
        "order_id and line_no are unique together",
        "total = 1.19 * quantity * price / persons",
        "due = net + tax - discount",
        "kcal = 9 * fat + 4 * carbs + 0.5",
    ]


@pytest.mark.filterwarnings("default:.*lie outside its bounds")  # of a table as short as this one
def test_the_notebook_runs_from_its_first_cell_to_its_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    monkeypatch.chdir(folder / "docs")
    names: dict[str, object] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    for cell in cells:
        run_python("".join(cell["source"]), names)
    assert "<html" in (folder / "docs" / "report.html").read_text(encoding="utf-8")


def test_the_opening_of_the_readme_holds_what_a_stranger_needs() -> None:
    opening = "\n".join(README.read_text(encoding="utf-8").splitlines()[:30])
    for needed in ("pip install", "tabgan fit", "from tabgan import", "report.png", "not promised"):
        assert needed in opening


def _anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("*.md")), DOCS / "tour.ipynb"], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        assert page.exists(), target
        assert not anchor or anchor in _anchors(page), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        found = {(page.parent / link).resolve() for link in links if link.endswith((".md", ".ipynb"))}
        waiting += [each for each in found - reached if each.exists()]
    assert {*DOCS.glob("*.md"), *DOCS.glob("*.ipynb")} <= reached
