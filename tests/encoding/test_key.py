import re
import string
import uuid

import numpy as np
import pyarrow as pa
import pytest

from tabgan import Synthesizer, TrainConfig
from tabgan.column import Column
from tabgan.encoding.base import Draw
from tabgan.encoding.key import KeyEncoder
from tabgan.errors import ConfigError, DataError
from tabgan.schema import Schema

RNG = np.random.default_rng(3)
MANY = 100_000
KEYS = {
    "numbered": [f"C-{i:05d}" for i in range(42)],
    "numbered twice": [f"AB12-{i}" for i in range(10, 99)],
    "codes": [f"AB{i % 23 + 10}-{i + 10}" for i in range(80)],
    "UUIDs": [str(uuid.UUID(bytes=RNG.bytes(16))) for _ in range(50)],
    "upper UUIDs": [str(uuid.UUID(bytes=RNG.bytes(16))).upper() for _ in range(50)],
    "cards": [f"{a}-{b}-{c}-{d}" for a, b, c, d in RNG.integers(1000, 9999, (50, 4))],
    "mail": [f"{a}.{b}@mail" for a in "abcdefg" for b in ["lee", "ray", "zoe"]],
    "single letters": list(string.ascii_uppercase),
    "names of another script": [a + b for a in "АБВГД" for b in ("нна", "льга", "ера", "лена", "рина")],
    "symbols": [chr(0x1F600 + i) for i in range(30)],
    "digits of no end": [str(10**30 + i * i) for i in range(30)],
    "whole numbers": list(range(1_000, 1_090)),
}
LOOKS = {
    "numbered": r"C-\d{5,}",
    "numbered twice": r"AB12-\d+",
    "codes": r"[A-Z]{2}\d{2}-\d{2}",
    "UUIDs": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "upper UUIDs": r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}",
    "cards": r"\d{4}-\d{4}-\d{4}-\d{4}",
    "mail": r"[a-z]\.[a-z]{3}@[a-z]{4}",
    "single letters": r"[A-Z]",
    "names of another script": r"[A-Z][a-z]{3,4}",
    "digits of no end": r"\d{31}",
}


def fitted(keys: list, kind: pa.DataType | None = None) -> KeyEncoder:
    table = pa.table({"x": pa.array(keys, kind)})
    column = Schema.infer(table)["x"]
    assert column.kind == "key"
    return KeyEncoder(column, table["x"].type).fit(table["x"])


def made_by(encoder: KeyEncoder, rows: range, seed: int = 0) -> list:
    codes = np.ones((len(rows), len(encoder.codes_)), dtype=np.int64)
    return encoder.decode(codes, Draw(np.array(rows), np.zeros(codes.shape), seed)).to_pylist()


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_unique(name: str) -> None:
    encoder = fitted(KEYS[name])
    many = min(MANY, encoder.most or MANY)
    assert many >= len(KEYS[name])
    assert len(set(made_by(encoder, range(many)))) == many


@pytest.mark.parametrize("name", sorted(set(KEYS) - {"single letters"}))
def test_keys_are_equal_whatever_block_they_are_made_in(name: str) -> None:
    encoder = fitted(KEYS[name])
    assert made_by(encoder, range(3_000))[1_000:1_500] == made_by(encoder, range(1_000, 1_500))


@pytest.mark.parametrize("name", LOOKS)
def test_keys_look_like_the_real_ones(name: str) -> None:
    encoder = fitted(KEYS[name])
    made = made_by(encoder, range(min(2_000, encoder.most or 2_000)))
    assert [key for key in made if not re.fullmatch(LOOKS[name], key)] == []


@pytest.mark.parametrize("name", ["numbered", "numbered twice", "digits of no end", "whole numbers"])
def test_numbered_keys_go_on_after_the_last_one(name: str) -> None:
    first = made_by(fitted(KEYS[name]), range(2))
    after = {
        "numbered": ["C-00042", "C-00043"],
        "numbered twice": ["AB12-99", "AB12-100"],
        "digits of no end": [str(10**30 + 842), str(10**30 + 843)],
        "whole numbers": [1_090, 1_091],
    }
    assert first == after[name]
    assert not set(KEYS[name]) & set(made_by(fitted(KEYS[name]), range(MANY)))


def test_random_keys_depend_on_the_seed_and_on_the_column() -> None:
    keys = pa.chunked_array([KEYS["UUIDs"]])
    left, right = (
        KeyEncoder(Column(name=name, kind="key", dtype="string"), pa.string()).fit(keys) for name in ("left", "right")
    )
    assert not set(made_by(left, range(500))) & set(made_by(right, range(500)))
    assert not set(made_by(left, range(500))) & set(made_by(left, range(500), seed=-1))
    assert made_by(left, range(500), seed=5) == made_by(left, range(500), seed=5)


def test_every_key_of_a_small_room_is_met_and_more_are_an_error() -> None:
    keys = [f"{digit}{letter}" for digit in range(10) for letter in "ABC"]
    encoder = fitted(keys)
    for seed in range(30):
        made = made_by(encoder, range(260), seed)
        assert set(made) == {f"{digit}{letter}" for digit in range(10) for letter in string.ascii_uppercase}
    table = pa.table({"code": keys, "x": list(range(15)) * 2})
    synthesizer = Synthesizer(train=TrainConfig(warmup_steps=1, game_steps=0)).fit(table)
    assert synthesizer.sample(260).num_rows == 260
    with pytest.raises(ConfigError, match=r"'code' has a pattern of 260 keys, and n is 261"):
        synthesizer.sample(261)


def test_no_word_of_another_script_stays_in_a_key() -> None:
    made = "".join(made_by(fitted(KEYS["names of another script"]), range(1_000)))
    assert not set(made) & set("".join(KEYS["names of another script"]))


def test_missing_keys_are_a_code() -> None:
    encoder = fitted([None, *KEYS["numbered"]])
    values = pa.chunked_array([pa.array(["C-00001", None, "C-00002"])])
    codes = encoder.encode(values)
    assert codes.tolist() == [[1], [0], [1]]
    made = encoder.decode(codes, Draw(np.arange(3), np.zeros((3, 1)), 0)).to_pylist()
    assert made == ["C-00042", None, "C-00044"]


def test_keys_that_outgrow_their_type_are_an_error() -> None:
    encoder = fitted(list(range(40, 80)), pa.int8())
    assert made_by(encoder, range(48))[-1] == 127
    with pytest.raises(DataError, match="column 'x': int8 has no room for so many new values"):
        made_by(encoder, range(49))


def test_unsigned_keys_may_pass_the_end_of_int64() -> None:
    encoder = fitted(list(range(2**63 - 10, 2**63 + 30)), pa.uint64())
    assert made_by(encoder, range(2)) == [2**63 + 30, 2**63 + 31]
