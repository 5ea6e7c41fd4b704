"""Damaged model files, and files that were made to do harm: one line, at once, in little memory; and stored files of
every format keep loading."""

from __future__ import annotations

import copy
import json
import random
import struct
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from tabgan import Synthesizer, load
from tabgan.errors import TabganError
from tabgan.modelfile import FORMAT

FIXTURES = Path(__file__).parent / "fixtures"
STORED = FIXTURES / f"format{FORMAT}.tabgan"
LIMIT_SECONDS, LIMIT_MIB = 1.0, 200.0


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.tabgan")), ids=lambda path: path.stem)
def test_a_stored_file_of_every_format_loads_and_makes_rows(path: Path) -> None:
    made = load(path, device="cpu").sample(300)
    assert [str(made.dtypes[name]) for name in ("price", "age", "day", "paid")] == [
        "float64",
        "float64",
        "datetime64[ns]",
        "bool",
    ]
    assert list(made.columns) == ["order", "size", "class", "price", "tip", "total", "age", "day", "paid", "email"]
    assert made["size"].isin(["S", "M", "L"]).all()
    assert (made["class"] == np.where(made["size"] == "L", "large", "small")).all()
    assert np.allclose(made["total"], made["price"] + made["tip"], atol=1e-6)
    assert made["order"].is_unique
    assert made["age"].isna().any()


def test_there_is_a_stored_file_of_the_format_of_today() -> None:
    assert STORED.exists()


def members(path: Path = STORED) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def content_of(synthesizer: Synthesizer) -> tuple[Any, ...]:
    tensors = {name: tensor.tolist() for name, tensor in synthesizer._networks.tensors().items()}  # type: ignore[union-attr]
    return tensors, synthesizer.schema, synthesizer._encoder.state(), synthesizer.history_, synthesizer.rows_


def unless_refused(call: Callable[[], Any]) -> Any:
    """What `call` gives; None if it raises a `TabganError`, which must be one line."""
    said = ""
    try:
        return call()
    except TabganError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    return None


def mutated(content: bytes, rng: random.Random) -> bytes:
    """`content` with one thing wrong: bits, bytes, a piece lost, doubled, moved or made zero, or the end cut off."""
    at = rng.randrange(len(content))
    if rng.random() < 0.3:  # the list of parts, which is short, has its share
        at = len(content) - 1 - rng.randrange(400)
    size = rng.choice([1, 2, 4, 8, 100])
    piece = content[at : at + size]
    to = rng.randrange(len(content))
    return rng.choice(
        [
            content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :],
            content[:at] + rng.randbytes(len(piece)) + content[at + size :],
            content[:at] + bytes(len(piece)) + content[at + size :],
            content[:at] + b"\xff" * len(piece) + content[at + size :],
            content[:at] + content[at + size :],
            content[:at] + piece + content[at:],
            content[:at] + rng.randbytes(size) + content[at:],
            content[:to] + piece + content[to + size :],
            content[:at],
        ]
    )


def test_two_thousand_damaged_files_load_to_the_same_or_are_refused(tmp_path: Path) -> None:
    rng, content, path = random.Random(0), STORED.read_bytes(), tmp_path / "m.tabgan"
    same, slowest, whole = content_of(load(STORED, device="cpu")), 0.0, 0
    for _ in range(2_000):
        path.write_bytes(mutated(content, rng))
        start = time.process_time()
        found = unless_refused(lambda: load(path, device="cpu"))
        slowest = max(slowest, time.process_time() - start)
        if found is not None:
            whole += 1
            assert content_of(found) == same
    assert slowest < LIMIT_SECONDS
    assert 0 < whole < 700  # what is changed may be a date or a mark that nothing reads


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from leaves(each, (*path, key))


NASTY = [
    None,
    -1,
    0,
    10**30,
    "x",
    "",
    [],
    {},
    1e308,
    float("nan"),
    True,
    [[]],
    {"a": 1},
    2**63,
    3.5,
    "../../x",
    "int64",
]


def lying(value: Any, rng: random.Random) -> Any:
    """JSON in which one thing is missing or another."""
    *parents, last = rng.choice(list(leaves(value))[1:])
    value = at = copy.deepcopy(value)
    for key in parents:
        at = at[key]
    if rng.random() < 0.2:
        del at[last]
    else:
        at[last] = rng.choice(NASTY)
    return value


def test_parts_that_lie_are_refused_or_do_no_harm(tmp_path: Path) -> None:
    rng, parts, path = random.Random(0), members(), tmp_path / "m.tabgan"
    refused = 0
    for _ in range(200):
        name = rng.choice(["config.json", "schema.json", "encoders.json"])
        write(path, parts | {name: json.dumps(lying(json.loads(parts[name]), rng)).encode()})
        refused += unless_refused(lambda: load(path, device="cpu").sample(5)) is None
    assert refused > 70  # the others are settings that nothing reads, and labels that are as good as the true ones


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> dict[str, bytes]:
    found = safetensors.torch.load(members()["model.safetensors"])
    change(found)
    return {"model.safetensors": safetensors.torch.save({key: each.contiguous() for key, each in found.items()})}


def part(name: str, **change: object) -> dict[str, bytes]:
    return {name: json.dumps(json.loads(members()[name]) | change).encode()}


def header(shape: list[int]) -> bytes:
    """Tensors whose header promises more than there is."""
    text = json.dumps({"information": {"dtype": "F32", "shape": shape, "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


MODEL = json.loads(members()["config.json"])["model"]
LIES: dict[str, Callable[[], dict[str, bytes]]] = {
    "a weight that is no number": lambda: tensors(lambda found: found["conditional.bias"].fill_(float("nan"))),
    "a weight without end": lambda: tensors(lambda found: found["joint.unknown"][0].fill_(float("inf"))),
    "a lost tensor": lambda: tensors(lambda found: found.pop("conditional.bias")),
    "no tensors": lambda: tensors(lambda found: found.clear()),
    "a tensor too many": lambda: tensors(lambda found: found.update({"other.bias": torch.ones(1)})),
    "a tensor of another shape": lambda: tensors(
        lambda found: found.update({"conditional.norm.bias": found["conditional.norm.bias"][:4]})
    ),
    "a tensor of another type": lambda: tensors(
        lambda found: found.update({"conditional.bias": found["conditional.bias"].double()})
    ),
    "a ratio of another shape": lambda: tensors(
        lambda found: found.update({"ratio.values": found["ratio.values"][:-1]})
    ),
    "half a ratio": lambda: tensors(lambda found: found.pop("ratio.offsets")),
    "information of another shape": lambda: tensors(lambda found: found.update({"information": torch.ones(2, 2)})),
    "excluded values that are none": lambda: tensors(lambda found: found.update({"impossible.0.99": torch.ones(2, 2)})),
    "a shape beyond all memory": lambda: {"model.safetensors": header([2**31, 2**31])},
    "a shape that overflows": lambda: {"model.safetensors": header([2**63, 2])},
    "a width beyond all memory": lambda: part("config.json", model=MODEL | {"width": 10**9}),
    "blocks without end": lambda: part("config.json", model=MODEL | {"blocks": 10**9}),
    "noise without end": lambda: part("config.json", model=MODEL | {"noise": 10**9}),
    "rounds without end": lambda: part("config.json", rounds=10**12),
    "rounds of another kind": lambda: part("config.json", rounds=True),
    "a seed that is none": lambda: part("config.json", seed=[1]),
    "a later version": lambda: part("config.json", format=FORMAT + 1),
    "a version of many lines": lambda: part("config.json", format="1\n2\n3" * 1000),
    "deep JSON": lambda: {"encoders.json": b"[" * 200_000 + b"]" * 200_000},
    "many small lists": lambda: {"encoders.json": b"[" + b"[]," * 2_000_000 + b"[]]"},
    "many small numbers": lambda: {"encoders.json": b"[" + b"1.5," * 4_000_000 + b"1.5]"},
    "a long number": lambda: {"config.json": b'{"format": ' + b"1" * 6_000_000 + b"}"},
    "zeros beyond the limit": lambda: {"model.safetensors": bytes(2**28)},
    "blanks beyond the limit": lambda: {"config.json": b" " * 2**28},
    "a history that is none": lambda: {"history.jsonl": b"1\n2\n"},
    "columns that are none": lambda: part("schema.json", columns=[]),
    "columns of another kind": lambda: part("schema.json", columns=[{"name": 3}]),
    "no Arrow schema": lambda: part("schema.json", arrow="AAAA"),
    "another file beside": lambda: {"../../etc/cron.d/x": b"* * * * * root true"},
    "a pickle beside": lambda: {"model.pkl": b"cos\nsystem\n(S'true'\ntR."},
}


def peak_mib(call: Callable[[], object]) -> float:
    """What `call` took of memory at its highest, beyond what was taken before; 0 where the system does not tell."""

    def status(name: str) -> int:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        before = status("VmRSS:")
    except OSError:
        call()
        return 0.0
    call()
    return (status("VmHWM:") - before) / 1024


@pytest.mark.parametrize("lie", LIES)
def test_a_file_made_to_do_harm_is_refused_at_once_and_in_little_memory(tmp_path: Path, lie: str) -> None:
    path = write(tmp_path / "m.tabgan", members() | LIES[lie](), zipfile.ZIP_DEFLATED)
    load(STORED, device="cpu")  # what is loaded once is not counted
    before, said = sorted(tmp_path.rglob("*")), []

    def refused() -> None:
        with pytest.raises(TabganError) as caught:
            load(path, device="cpu")
        said.append(str(caught.value))

    start = time.process_time()
    peak = peak_mib(refused)
    assert time.process_time() - start < LIMIT_SECONDS
    assert peak < LIMIT_MIB
    assert path.name in said[0]
    assert "\n" not in said[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_part_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tabgan"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in [*members().items(), ("encoders.json", b"{}")]:
            archive.writestr(name, content)
    with pytest.raises(TabganError, match="is not a tabgan model, or it is damaged"):
        load(path)


def test_a_list_of_a_million_parts_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tabgan", members())
    content = bytearray(path.read_bytes())
    struct.pack_into("<HH", content, len(content) - 14, 60_000, 60_000)
    path.write_bytes(content)
    with pytest.raises(TabganError, match="is not a tabgan model, or it is damaged"):
        load(path)
