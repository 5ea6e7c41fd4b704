"""The README's snippets run as they stand, on a small table under the name that they use."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    lines = (ROOT / "sample_data" / "reviews.csv").read_text().splitlines(keepends=True)
    (folder / "orders.csv").write_text("".join(lines[:301]))
    return folder


def test_the_shell_lines_run(folder):
    (block,) = snippets("sh")
    commands = [line for line in block.splitlines() if line.startswith("tabgan ")]
    assert len(commands) == 3
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        subprocess.run(command, shell=True, cwd=folder, check=True, env={**os.environ, "PATH": path})
    assert (folder / "synthetic.parquet").exists()
    assert "<html" in (folder / "report.html").read_text()


def test_the_python_lines_run(folder):
    (block,) = snippets("python")
    subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=folder, check=True)
    assert (folder / "orders.tabgan").exists()


def test_the_opening_holds_what_a_stranger_needs():
    opening = "\n".join(README.splitlines()[:30])
    for needed in ("pip install", "tabgan fit", "from tabgan import", "report.png", "not promised"):
        assert needed in opening


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
