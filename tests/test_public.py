import subprocess
import sys

import tabgan


def test_all_is_sorted_and_is_what_the_module_shows():
    assert tabgan.__all__ == sorted(tabgan.__all__)
    assert dir(tabgan) == tabgan.__all__
    assert all(getattr(tabgan, name) is not None for name in tabgan.__all__)


def loaded_by(statement: str, modules: tuple[str, ...]) -> str:
    code = f"import sys\n{statement}\nprint([m for m in {modules!r} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_nothing_heavy():
    assert loaded_by("import tabgan", ("torch", "sklearn", "altair", "pandas", "pyarrow")) == "[]"


def test_the_library_never_imports_the_command_line():
    assert loaded_by("import tabgan.synthesizer, tabgan.report", ("typer", "rich", "tabgan_cli")) == "[]"
