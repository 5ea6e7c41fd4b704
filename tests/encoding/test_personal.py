"""Personal values and free text are made up: none is a real one, and those of a row are of one person."""

import re
import sys
from ipaddress import ip_address

import numpy as np
import pyarrow as pa
import pytest

from tabgan import Synthesizer, TrainConfig
from tabgan.errors import SchemaError
from tabgan.schema import Schema

QUICK = TrainConfig(warmup_steps=1, folds=1, game_steps=0)
ROWS = 400
RNG = np.random.default_rng(5)
FIRST, LAST = ["Anna", "Karl", "José", "Maria", "Sarah"], ["Lee", "Müller", "Okafor", "Silva"]
PEOPLE = [(FIRST[i % 5], LAST[i % 4] + "abcdefghijklmnopqrst"[i % 20] * (1 + i // 20)) for i in range(ROWS)]
TABLE = pa.table(
    {
        "customer name": [f"{first} {last}" for first, last in PEOPLE],
        "passenger name": [f"{last.upper()}, {first.upper()}" for first, last in PEOPLE],
        "first name": [first for first, _ in PEOPLE],
        "e-mail": [f"{first}.{last}{i}@example.com".lower() for i, (first, last) in enumerate(PEOPLE)],
        "phone": [f"+49 30 {n}" for n in RNG.integers(10**6, 10**7, ROWS)],
        "address": [f"{i % 90 + 1} Elm Street, Springfield {i}" for i in range(ROWS)],
        "iban": [
            f"DE{n % 90 + 10} 3704 0044 0{n % 1000:03d} {n % 10_000:04d} {n % 90 + 10}" for n in range(7, 7 + ROWS)
        ],
        "ip": [f"81.{i % 7}.{i % 200}.{i % 13}" for i in range(ROWS)],
        "host ip": [f"fe80::{i:x}:1" for i in range(ROWS)],
        "site": [f"https://shop.org/items/{i}" for i in range(ROWS)],
        "ssn": [f"{100 + i}-{i % 90 + 10}-{1000 + i}" for i in range(ROWS)],
        "login": [f"{first[0]}{last}{i}" for i, (first, last) in enumerate(PEOPLE)],
        "remarks": [f"The parcel {i} came late, and it was wet as well." for i in range(ROWS)],
        "size": RNG.integers(1, 9, ROWS),
    }
)
LOOKS = {
    "customer name": r"[\w'-]+ [\w' -]+",
    "passenger name": r"[A-Z' -]+, [A-Z' -]+",
    "first name": r"[\w'-]+",
    "e-mail": r"[a-z]+\.[a-z]+\d+@example\.(org|net)",
    "phone": r"\+49 30 \d{7}",
    "address": r"\d+ [\w' .]+, [\w' .]+",
    "iban": r"DE\d\d 3704 0044 0\d{3} \d{4} \d\d",
    "site": r"https://www\.example\.com/[a-z]+/\d+",
    "ssn": r"\d{3}-\d{2}-\d{4}",
    "login": r"[a-z]+\d+",
    "remarks": r"[A-Z][a-z ]+\.",
}


@pytest.fixture(scope="module")
def made() -> pa.Table:
    assert {column.kind for column in Schema.infer(TABLE)} == {"pii", "text", "number"}
    return Synthesizer(train=QUICK).fit(TABLE).sample(1_000)


def test_values_look_like_the_real_ones(made: pa.Table) -> None:
    for name, look in LOOKS.items():
        assert [cell for cell in made[name].to_pylist() if not re.fullmatch(look, cell)] == [], name
    assert all(ip_address(cell).is_private for cell in made["ip"].to_pylist())
    assert all(ip_address(cell).version == 6 for cell in made["host ip"].to_pylist())


@pytest.mark.parametrize("name", sorted({*TABLE.column_names} - {"size", "first name", "ssn", "phone"}))
def test_no_real_value_is_made(made: pa.Table, name: str) -> None:
    assert not set(made[name].to_pylist()) & set(TABLE[name].to_pylist())


@pytest.mark.parametrize("name", ["e-mail", "login", "site"])
def test_what_was_unique_is_unique(made: pa.Table, name: str) -> None:
    assert len(set(made[name].to_pylist())) == 1_000


def test_a_row_is_of_one_person(made: pa.Table) -> None:
    for row in made.to_pylist():
        first, _, last = row["customer name"].partition(" ")
        letters = [re.sub("[^a-z]", "", part.lower()) for part in (first, last)]
        assert row["first name"] == first or len({*TABLE["first name"].to_pylist()}) < ROWS / 2
        assert row["passenger name"] == f"{last}, {first}".upper()
        assert row["e-mail"].startswith(f"{letters[0]}.{letters[1]}")
        assert row["login"].startswith(letters[0][0] + letters[1])


def test_check_digits_of_an_iban_are_right(made: pa.Table) -> None:
    for iban in made["iban"].to_pylist():
        bare = iban.replace(" ", "")
        assert int("".join(str(int(mark, 36)) for mark in bare[4:] + bare[:4])) % 97 == 1


def test_texts_are_about_as_long(made: pa.Table) -> None:
    lengths = [np.mean([len(cell) for cell in table["remarks"].to_pylist()]) for table in (made, TABLE)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.25)


def test_persons_who_come_again_come_again() -> None:
    names = [f"{FIRST[i % 5]} {LAST[i % 3]}{chr(97 + i % 7)}" for i in range(105)]
    table = pa.table({"customer name": names * 2 + names[:10], "x": range(220)})
    schema = {"columns": {"customer name": {"kind": "pii", "pii": "name"}}}
    rows = Synthesizer(train=QUICK).fit(table, schema=schema).sample(5_000)
    assert 80 <= len(set(rows["customer name"].to_pylist())) <= 105


def test_the_locale_is_chosen_and_a_wrong_one_answered() -> None:
    table = TABLE.select(["customer name", "size"])
    schema = {"columns": {"customer name": {"locale": "ru_RU"}}}
    names = Synthesizer(train=QUICK).fit(table, schema=schema).sample(50)["customer name"].to_pylist()
    assert all(re.search("[а-яА-Я]", name) for name in names)
    schema = {"columns": {"customer name": {"locale": "de_DEE"}}}
    with pytest.raises(SchemaError, match=r"no locale 'de_DEE'; did you mean 'de_DE'\?"):
        Synthesizer(train=QUICK).fit(table, schema=schema)


def test_without_faker_plain_patterns_stand_in_and_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.warns(UserWarning, match=r"pip install 'tabgan-wgan\[pii\]'"):
        rows = Synthesizer(train=QUICK).fit(TABLE).sample(20)
    assert rows["customer name"].to_pylist()[3] == "First3 Last3"
    assert rows["e-mail"].to_pylist()[3] in ("first3.last33@example.org", "first3.last33@example.net")


def test_rows_do_not_depend_on_the_size_of_the_sample(made: pa.Table) -> None:
    again = Synthesizer(train=QUICK).fit(TABLE).sample(40_000)
    assert again.slice(0, 1_000).equals(made)
