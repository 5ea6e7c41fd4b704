"""A small made table, a model fitted on it once, and the command run in this process."""

from __future__ import annotations

import signal
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tabgan_cli.app import main

ROWS = 300


class Ran(NamedTuple):
    status: int
    out: str
    err: str


class Fitted(NamedTuple):
    model: Path
    log: Path
    ran: Ran


@pytest.fixture(scope="session")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 300 rows: a key, two categories, a price with missing cells, a date and a boolean."""
    rng = np.random.default_rng(7)
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    lines = ["order_id,product,size,price,ordered,paid"]
    for i in range(ROWS):
        product = rng.choice(["tea", "coffee", "cocoa, dark"])
        price = f"{rng.gamma(4.0, 2.0 if product == 'tea' else 5.0):.2f}" if rng.random() > 0.1 else ""
        day = np.datetime64("2024-01-01") + int(rng.integers(0, 365))
        lines.append(f'{i + 1},"{product}",{rng.choice(["S", "M", "L"])},{price},{day},{rng.random() > 0.3}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session", autouse=True)
def _interrupts_reach_the_command() -> None:
    """Tests that a shell runs in the background ignore Ctrl-C, and so would the commands that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def command() -> str:
    """The installed command, as a user runs it."""
    return str(Path(sysconfig.get_path("scripts"), "tabgan"))


@pytest.fixture(scope="session")
def fitted(command: str, orders: Path, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """A model of the table, fitted once by the installed command as a user would, away from a terminal."""
    folder = tmp_path_factory.mktemp("model")
    model, log = folder / "orders.tabgan", folder / "log.jsonl"
    arguments = [command, "fit", str(orders), "-o", str(model), "--log", str(log), "--time-limit", "5s"]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return Fitted(model, log, Ran(ran.returncode, ran.stdout, ran.stderr))


@pytest.fixture(scope="session")
def model(fitted: Fitted) -> Path:
    assert fitted.ran.status == 0, fitted.ran.err
    return fitted.model


@pytest.fixture
def tabgan(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in this process and return its status and what it printed."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return run
