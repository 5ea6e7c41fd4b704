from __future__ import annotations

import json
import math
import os
import pty
import subprocess

import pytest

from tabgan.progress import Progress
from tabgan_cli import progress as module
from tabgan_cli.progress import shown


def _event(stage: str, step: int, **more: float) -> Progress:
    return Progress(stage=stage, step=step, steps=10, **more)


def test_lines_come_first_at_stage_ends_and_last(capsys):
    with shown(quiet=False) as show:
        for step in range(1, 9):
            show(_event("warm-up", step, loss=2.0 / step, seconds_left=125.0))
        for step in range(1, 8):
            show(_event("game", step, held_out=0.5))
    assert capsys.readouterr().err.splitlines() == [
        "warm-up: step 1/10, loss 2, 2 min 05 s left",
        "warm-up: step 8/10, loss 0.25",
        "game: step 7/10, held-out error 0.5",
    ]


def test_lines_come_again_after_a_while(capsys, monkeypatch):
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    with shown(quiet=False) as show:
        for step in (1, 2, 3):
            show(_event("sample", step))
    assert capsys.readouterr().err.splitlines() == [f"sample: {step}/10 rows" for step in (1, 2, 3)]


def test_quiet_shows_nothing_and_still_logs(capsys, tmp_path):
    log = tmp_path / "log.jsonl"
    with shown(quiet=True, log=log) as show:
        assert not log.exists()
        show(_event("warm-up", 1, loss=math.nan))
        # Whoever watches the file sees each line when it is written.
        event = json.loads(log.read_text(encoding="utf-8"))
    assert event.pop("seconds") >= 0
    assert event == {"stage": "warm-up", "step": 1, "steps": 10, "loss": None, "held_out": None, "seconds_left": None}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("terminal", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_bar_is_drawn_on_a_terminal_that_can(command, model, tmp_path, terminal, drawn):
    main, side = pty.openpty()
    environment = os.environ | {"TERM": terminal, "COLUMNS": "100"}
    arguments = [command, "sample", str(model), "-n", "50", "-o", str(tmp_path / "rows.csv")]
    subprocess.run(arguments, stderr=side, stdout=subprocess.DEVNULL, env=environment, check=True)
    os.close(side)
    text = b""
    try:
        while part := os.read(main, 65536):
            text += part
    except OSError:  # Linux says so when the other side is closed and everything was read
        pass
    os.close(main)
    assert "50/50 rows" in text.decode()
    assert ("━" in text.decode()) == drawn
