from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the wheel holds, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ran = subprocess.run(build, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (wheel,) = folder.glob("tabgan_wgan-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_installs_two_packages_and_no_module_named_cli(names):
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"tabgan", "tabgan_cli"}


def test_the_wheel_holds_every_module_and_says_that_they_are_typed(names):
    for shelf, package in ((ROOT, "tabgan"), (ROOT / "cli", "tabgan_cli")):
        modules = {path.relative_to(shelf).as_posix() for path in (shelf / package).rglob("*.py")}
        assert modules | {f"{package}/py.typed"} <= names


def test_the_wheel_holds_the_templates_of_the_report(names):
    templates = [path for path in (ROOT / "tabgan/report/templates").iterdir() if path.is_file()]
    assert templates
    assert {path.relative_to(ROOT).as_posix() for path in templates} <= names


def test_the_wheel_holds_the_licence_and_no_tests_or_data(names):
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith((".csv", ".tabgan", ".pyc")) or "/tests/" in name]
