from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import zipfile

import pytest
from typer import BadParameter

from tabgan_cli.options import duration, seconds


def test_fit_says_where_the_model_is_and_what_to_type_next(fitted):
    assert fitted.ran.status == 0
    assert fitted.ran.out.splitlines() == [
        f"wrote {fitted.model}, learned from 300 rows and 6 columns",
        f"next: tabgan sample {fitted.model} -n 300 -o synthetic.csv",
    ]
    assert sorted(fitted.model.parent.iterdir()) == [fitted.log, fitted.model]


def test_fit_prints_plain_lines_away_from_a_terminal(fitted):
    lines = fitted.ran.err.splitlines()
    assert lines
    for line in lines:
        assert re.match(r"(encode|warm-up|game|choose): step [\d,]+/[\d,]+", line)


def test_log_holds_one_json_line_an_event(fitted):
    events = [json.loads(line) for line in fitted.log.read_text(encoding="utf-8").splitlines()]
    assert len({event["stage"] for event in events}) > 1
    for event in events:
        assert set(event) == {"seconds", "stage", "step", "steps", "loss", "held_out", "seconds_left"}
    assert [event["seconds"] for event in events] == sorted(event["seconds"] for event in events)


def test_a_table_on_stdin_is_fitted_quietly_and_an_old_model_replaced_by_force(tabgan, orders, tmp_path, monkeypatch):
    model = tmp_path / "orders.tabgan"
    model.write_text("old")
    with io.TextIOWrapper(io.BytesIO(orders.read_bytes())) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert tabgan("fit", "-", "-o", model, "--time-limit", "2s", "--quiet", "--force") == (0, "", "")
    assert zipfile.is_zipfile(model)
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("1h1m1s", 3661), ("0h5m", 300)],
)
def test_durations_are_read(text, expected):
    assert seconds(text, "--time-limit") == expected


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "5 m", "5x", "m", "1.5h", "30m1h", "1h30", "5M", "inf", "nan", "٥"]
)
def test_other_durations_are_refused_with_a_right_one(text):
    with pytest.raises(BadParameter, match="1h30m"):
        seconds(text, "--time-limit")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 s"), (-3.0, "0 s"), (44.2, "45 s"), (125, "2 min 05 s"), (5400, "1 h 30 min")]
)
def test_durations_are_written(count, text):
    assert duration(count) == text


def test_an_edited_schema_is_followed_and_a_mistake_in_it_answered(tabgan, orders, tmp_path):
    schema, model = tmp_path / "schema.yaml", tmp_path / "m.tabgan"
    assert tabgan("schema", orders, "-o", schema).status == 0
    written = schema.read_text(encoding="utf-8")
    assert "kind: boolean" in written
    schema.write_text(written.replace("kind: boolean", "kind: bool"), encoding="utf-8")
    ran = tabgan("fit", orders, "-o", model, "--schema", schema)
    line = written.splitlines().index("    kind: boolean") + 1
    assert ran.status == 1
    assert ran.err == (
        f"error: {schema}, line {line}: column 'paid': kind is 'bool'; it must be one of category, number, datetime, "
        "boolean, key, text, pii, constant, drop; did you mean 'boolean'?\n"
    )
    schema.write_text("columns:\n  size: drop\n  price: {maximum: 20}\n", encoding="utf-8")
    ran = tabgan("fit", orders, "-o", model, "--schema", schema, "--time-limit", "2s")
    assert ran.status == 0
    assert "warning: column 'price': " in ran.err
    assert tabgan("sample", model, "-n", 400, "-o", tmp_path / "rows.csv").status == 0
    header, *rows = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert header == "order_id,product,price,ordered,paid"
    prices = [row.rsplit(",", 3)[1] for row in rows]
    assert max(float(price) for price in prices if price) <= 20


def test_personal_columns_are_named_with_the_reason(tabgan, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text("mail,n\n" + "".join(f"kim{i}@mail.org,{i % 7}\n" for i in range(60)), encoding="utf-8")
    ran = tabgan("fit", table, "-o", tmp_path / "m.tabgan", "--time-limit", "2s")
    assert ran.status == 0
    assert "note: column 'mail' is personal (email): its name says so, and 100% of its values look like one" in ran.out


def _begun(orders, model, *options):
    """A fit in a process of its own that has begun to train."""
    command = [sys.executable, "-c", "import sys; from tabgan_cli.app import main; sys.exit(main())"]
    fit = subprocess.Popen([*command, "fit", orders, "-o", model, *options], stderr=subprocess.PIPE, text=True)
    for line in fit.stderr:
        if line.startswith("teacher"):
            return fit
    raise AssertionError(fit.wait())


def test_a_fit_that_is_interrupted_says_how_to_go_on_and_goes_on(tabgan, orders, tmp_path):
    model, part = tmp_path / "m.tabgan", tmp_path / "m.tabgan.part"
    with _begun(orders, model) as fit:
        fit.send_signal(signal.SIGINT)
        said = fit.stderr.read().splitlines()
        assert fit.wait() == 130, said
    again = f"tabgan fit {orders} -o {model} --seed 0 --device auto --resume"
    assert said[-2:] == [f"go on with: {again}", "interrupted"]
    assert list(tmp_path.iterdir()) == [part]
    assert tabgan("fit", orders, "-o", model).err == (
        f"error: {part} holds a fit that was interrupted; go on with it by --resume (in Python: resume=True), or start "
        "anew with --force (in Python: delete it).\n"
    )
    # The time that was spent counts, so this is done at once.
    ran = tabgan(*again.split()[1:], "--time-limit", "1s", "--quiet")
    assert ran == (0, "", "")
    assert list(tmp_path.iterdir()) == [model]
