"""The sdist, the wheel made from it, an environment with nothing but that wheel, and the Dockerfile."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tabgan import __version__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def build(source: Path, folder: Path, *kinds: str) -> Path:
    """Build without a network what `python -m build` does: an sdist and from it a wheel; with `kinds` only these."""
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"tabgan_wgan-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """What the wheel holds."""
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


def test_the_sdist_holds_what_builds_documents_and_tests_it(built):
    with tarfile.open(built / f"tabgan_wgan-{__version__}.tar.gz") as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "Dockerfile"} <= held
    assert {"docs/design.md", "sample_data/reviews.csv", "tests/test_packaging.py"} <= held
    assert not [name for name in held if name.startswith((".venv", "demo")) or name.endswith(".pyc")]


def test_the_wheel_works_in_an_environment_of_its_own(wheel, tmp_path):
    venv.create(tmp_path / "env", symlinks=True)
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(tmp_path / "env")}))
    python = scripts / Path(sys.executable).name
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, capture_output=True, check=True)
    # torch and the others take minutes to install: they are borrowed by their path, without what is installed there as
    # editable. That all of them are declared is the next test.
    library = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path / "env")}))
    (library / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

    def run(*command: str | Path) -> str:
        ran = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    where = run(python, "-W", "error", "-c", "import tabgan, tabgan_cli; print(tabgan.__file__, tabgan_cli.__file__)")
    assert all(Path(path).is_relative_to(library) for path in where.split())
    assert run(scripts / "tabgan", "--version") == f"tabgan {__version__}\n"
    assert "fit, sample, save and load work" in run(scripts / "tabgan", "doctor")


def test_every_package_that_is_imported_is_declared():
    extras = [
        line for extra in ("augment", "pii", "privacy", "ray") for line in PROJECT["optional-dependencies"][extra]
    ]
    declared = {re.split(r"[><=\[]", line)[0].lower() for line in [*PROJECT["dependencies"], *extras]}
    imported = set()
    for path in [*(ROOT / "tabgan").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    homes = packages_distributions()
    foreign = imported - set(sys.stdlib_module_names) - {"tabgan", "tabgan_cli"}
    assert "torch" in foreign
    undeclared = {name for name in foreign if not declared & {home.lower() for home in homes[name]}}
    assert undeclared == {"duckdb", "markupsafe", "polars"}  # of users who hand in such tables; jinja2's own


def test_what_the_dockerfile_copies_builds_the_wheel(tmp_path, names):
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            goal = tmp_path / target.removeprefix("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, goal, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                goal.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, goal)
    (made,) = build(tmp_path / "src", tmp_path / "dist", "--wheel").iterdir()
    assert set(zipfile.ZipFile(made).namelist()) == names


def test_the_dockerfile_ends_as_somebody_who_is_not_root_and_the_readme_says_how_to_run_it():
    steps = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, re.MULTILINE)
    names = [name for name, _ in steps]
    assert dict(steps)["USER"] not in ("root", "0")
    assert max(i for i, name in enumerate(names) if name == "RUN") < names.index("USER") < names.index("ENTRYPOINT")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^#   (docker .*)$", DOCKERFILE, re.MULTILINE)
    assert len(commands) == 2
    assert all(command in readme for command in commands)


def test_the_changelog_begins_with_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == __version__
