"""Each odd file works, or gives one clear line."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest

from tabgan import Synthesizer, TrainConfig
from tabgan.errors import TabganError
from tabgan.tables import read_table, write_table

_SPEC = importlib.util.spec_from_file_location("make", Path(__file__).with_name("make.py"))
make = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make)
QUICK = TrainConfig(warmup_steps=1, folds=1, game_steps=0)


@pytest.mark.parametrize("odd", make.ODD, ids=lambda odd: odd.name)
def test_an_odd_file_works_or_gives_one_line(tmp_path: Path, odd) -> None:
    path = tmp_path / odd.name
    path.write_bytes(odd.content)
    if isinstance(odd.gives, str):
        with pytest.raises(TabganError) as caught:
            Synthesizer(train=QUICK).fit(path)
        assert odd.gives in str(caught.value)
        assert "\n" not in str(caught.value)
        return
    synthesizer = Synthesizer(train=QUICK).fit(path)
    assert {name: synthesizer.schema[name].kind for name in odd.gives} == odd.gives
    out = tmp_path / f"rows-{odd.name}"
    write_table(pa.concat_tables(synthesizer.sample_tables(40)), out)
    assert read_table(out).column_names == read_table(path).column_names
    assert list(tmp_path.iterdir()) == [path, out] or list(tmp_path.iterdir()) == [out, path]


def test_the_page_of_odd_files_is_up_to_date() -> None:
    assert make.DOCS.read_text(encoding="utf-8") == make.page()


def test_there_are_forty_of_them() -> None:
    assert len(make.ODD) >= 40
