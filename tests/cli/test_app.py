from __future__ import annotations

import inspect
import os
import resource
import signal
import subprocess
import sys

import pytest

from tabgan_cli.fit import fit
from tabgan_cli.report import report
from tabgan_cli.sample import sample

HEAVY = {"altair", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "torch"}


BARE = """
import typer

def bare(option: str = ""): "A command of the library's that does nothing."

app = typer.Typer()
app.command()(bare)
app(["--help"])
"""


def cpu_seconds(command):
    """What `command` takes, whatever else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["fit"], ["report", "--help"]])
def test_help_and_wrong_usage_answer_within_half_a_second(command, arguments):
    # On the slowest machines the library of the command line alone takes nearly that; there, not much more than it.
    times = [(cpu_seconds([command, *arguments]), cpu_seconds([sys.executable, "-c", BARE])) for _ in range(3)]
    ours, bare = (min(each) for each in zip(*times, strict=True))
    assert ours < max(0.5, 1.5 * bare)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["sample", "--help"], ["report", "--help"], ["fit"], ["sample", "m", "-o", "x", "-n", "0"]],
)
def test_help_and_wrong_usage_load_nothing_heavy(arguments):
    script = f"import sys; from tabgan_cli.app import main; main({arguments}); print('loaded', *sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in ran.stdout.splitlines()[-1].split()}
    assert "tabgan_cli" in loaded
    assert not loaded & HEAVY


def test_no_arguments_show_the_help(tabgan):
    ran = tabgan()
    assert ran.status == 0
    assert "doctor" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fit"], "DATA"),
        (["fit", "data.csv"], "'-o'"),
        (["smaple"], "Did you mean 'sample'? See 'tabgan --help'."),
        (["fit", "data.csv", "-o", "m.tabgan", "--sede", "1"], "--seed"),
        (["fit", "data.csv", "-o", "m.tabgan", "--seed", "one"], "--seed"),
        (["fit", "data.csv", "-o", "m.tabgan", "--time-limit", "soon"], "1h30m"),
        (["sample", "m.tabgan", "-o", "rows.csv"], "-n"),
        (["sample", "m.tabgan", "-n", "0", "-o", "rows.csv"], "-n"),
        (["sample", "m.tabgan", "-n", "-3", "-o", "rows.csv"], "-n"),
        (["sample", "m.tabgan", "-n", "5", "-o", "rows.csv", "--rounds", "0"], "--rounds"),
        (["sample", "m.tabgan", "-n", "5", "-o", "rows", "--engine", "spark"], "--engine"),
        (["sample", "m.tabgan", "-n", "5", "-o", "rows", "--engine", "ray", "--balance", "size"], "--balance"),
        (["sample", "m.tabgan", "-n", "5", "-o", "-", "--engine", "ray"], "-o"),
        (["sample", "m.tabgan", "-n", "5", "-o", "rows.csv", "--shards", "2"], "--shards"),
        (["report", "-", "-", "-o", "report.html"], "standard input"),
        (["report", "a.csv", "b.csv", "-o", "report.html", "--fail-under", "95"], "--fail-under"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(tabgan, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    ran = tabgan(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err
    assert "--help" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_defaults_are_those_of_the_library():
    import tabgan

    for function, library, names in (
        (fit, tabgan.Synthesizer.__init__, ["seed", "device", "time_limit", "epsilon", "delta"]),
        (sample, tabgan.load, ["device"]),
        (sample, tabgan.Synthesizer.sample_tables, ["seed", "rounds", "shard"]),
        (report, tabgan.evaluate, ["seed", "holdout", "target", "model"]),
    ):
        offered, given = (inspect.signature(each).parameters for each in (function, library))
        assert [offered[name].default for name in names] == [given[name].default for name in names]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_fit_that_is_stopped_leaves_nothing_behind(command, orders, tmp_path, number, status):
    arguments = [command, "fit", str(orders), "-o", str(tmp_path / "m.tabgan"), "--time-limit", "2m"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(number)
        rest = process.stderr.read()
    assert "step" in first
    assert process.returncode == status
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


SHELLS = {
    "bash": ({"COMP_WORDS": "{words}", "COMP_CWORD": "{last}"}, "complete -o default -F _tabgan_completion tabgan"),
    "zsh": ({"_TYPER_COMPLETE_ARGS": "{words}"}, "#compdef tabgan"),
    "fish": (
        {"_TYPER_COMPLETE_ARGS": "{words}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        "complete --command tabgan",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "completed"), [("tabgan sam", "sample"), ("tabgan fit --see", "--seed"), ("tabgan --vers", "--version")]
)
def test_the_shell_completes_commands_and_options(command, shell, words, completed):
    variables = {name: value.format(words=words, last=words.count(" ")) for name, value in SHELLS[shell][0].items()}
    ran = subprocess.run(
        [command],
        env={**os.environ, **variables, "_TABGAN_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
    )
    assert completed in ran.stdout
    assert ran.stdout.count("\n") <= 2
    assert ran.stderr == ""


def test_completion_installs_itself(command, tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    for shell, (_, script) in SHELLS.items():
        ran = subprocess.run(
            [command, "--install-completion", shell], env=environment, capture_output=True, text=True, check=True
        )
        assert f"{shell} completion installed" in ran.stdout
        written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
        assert any(script in text for text in written)


def test_a_closed_pipe_ends_the_command_without_a_traceback(command, model):
    arguments = [command, "sample", str(model), "-n", "20000", "-o", "-", "--quiet"]
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
