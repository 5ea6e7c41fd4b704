"""`tabgan doctor`: versions, devices, memory and a self-test, for a look at a machine and for bug reports."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from tabgan import __version__

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "scikit-learn", "altair")
EXTRAS = {"faker": "pii", "imbalanced-learn": "augment", "dp-accounting": "privacy", "ray": "ray"}
TEST_ROWS = 300
TEST_SECONDS = 5.0


def doctor() -> None:
    """Show versions, devices and memory, and test on a small made table that fit, sample, save and load work here."""
    typer.echo(f"python {platform.python_version()} on {platform.platform()}")
    typer.echo(", ".join([f"tabgan-wgan {__version__}", *(f"{package} {version(package)}" for package in PACKAGES)]))
    for package, extra in EXTRAS.items():
        missing = f"is not installed, and not needed for most; it comes with 'tabgan-wgan[{extra}]'"
        typer.echo(f"{package} {_found(package) or missing}")
    for line in _devices():
        typer.echo(line)
    start = time.monotonic()
    device = _self_test()
    typer.echo(f"self-test on {device}: fit, sample, save and load work ({time.monotonic() - start:.1f} s)")


def _found(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _memory() -> str:
    """All of the machine's memory, where the system says it."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return ""
    return f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _devices() -> list[str]:
    import torch

    lines = [f"device cpu: {torch.get_num_threads()} threads{_memory()}"]
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        lines.append(f"device cuda:{index}: {card.name}, {card.total_memory / 2**30:.0f} GiB")
    if torch.backends.mps.is_available():
        lines.append("device mps: available")
    return lines


def _self_test() -> str:
    """Fit a made table on the device that `auto` takes, and return its name; whatever is wrong is raised."""
    import numpy as np
    import pyarrow as pa

    from tabgan import Synthesizer, load
    from tabgan.errors import TabganError

    rng = np.random.default_rng(0)
    size = rng.choice(["small", "large"], TEST_ROWS)
    price = np.round(rng.gamma(4.0, np.where(size == "small", 1.0, 3.0)), 2)
    table = pa.table({"size": size, "price": price})
    synthesizer = Synthesizer(seed=0, time_limit=TEST_SECONDS).fit(table)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "test.tabgan")
        synthesizer.save(path)
        loaded = load(path)
    first, second = synthesizer.sample(TEST_ROWS, seed=1), loaded.sample(TEST_ROWS, seed=1)
    if first.schema != table.schema or first.num_rows != TEST_ROWS:
        raise TabganError("self-test: the sampled table has not the columns and rows that it should have.")
    if not first.equals(second):
        raise TabganError("self-test: a saved and loaded model samples other rows than the model itself.")
    return str(synthesizer.device_)
