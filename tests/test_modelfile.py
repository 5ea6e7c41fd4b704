import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from tabgan.errors import FileError, ModelFileError
from tabgan.modelfile import FORMAT, Content, arrow_from_text, arrow_to_text, read_model, write_model

CONTENT = Content(
    tensors={"weight": torch.arange(300.0).reshape(20, 15), "half": torch.ones(3, dtype=torch.float16)},
    schema={"columns": [{"name": "größe"}], "arrow": "x"},
    encoders=[{"labels": ["a", 'say "no"\n'], "last": 10**30}, {"knots": [0.1, 1e-300]}],
    config={"seed": 7, "kind": "pandas"},
    history=[{"stage": "warm-up", "loss": 0.5}, {"stage": "game", "gap": -1.25}],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_model(tmp_path / "t.tabgan", CONTENT, force=False)
    return tmp_path / "t.tabgan"


def assert_refused(
    path: Path, match: str = "is not a tabgan model, or it is damaged; fit one with: tabgan fit"
) -> None:
    with pytest.raises(ModelFileError, match=match) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def rewrite(path: Path, change: dict[str, bytes | None]) -> None:
    """The archive with members replaced, or left out."""
    with zipfile.ZipFile(path) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, **change}.items():
            if content is not None:
                archive.writestr(name, content)


def test_what_is_written_comes_back(path: Path) -> None:
    back = read_model(path)
    assert back.tensors.keys() == CONTENT.tensors.keys()
    for name, tensor in CONTENT.tensors.items():
        assert torch.equal(back.tensors[name], tensor)
        assert back.tensors[name].dtype == tensor.dtype
    assert replace(back, tensors=CONTENT.tensors) == replace(CONTENT, config={"format": FORMAT, **CONTENT.config})


def test_the_members_are_what_the_design_says_and_no_pickle(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {
            "config.json", "schema.json", "encoders.json", "history.jsonl", "model.safetensors",
        }  # fmt: skip


def test_the_same_content_gives_the_same_bytes_at_any_time(path: Path) -> None:
    assert {member.date_time for member in zipfile.ZipFile(path).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    write_model(path.with_name("twin.tabgan"), CONTENT, force=False)
    assert path.with_name("twin.tabgan").read_bytes() == path.read_bytes()


def test_a_file_is_replaced_only_with_force(path: Path) -> None:
    with pytest.raises(FileError, match="exists already"):
        write_model(path, CONTENT, force=False)
    write_model(path, replace(CONTENT, history=[]), force=True)
    assert read_model(path).history == []


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), 23):
        path.write_bytes(content[:length])
        assert_refused(path)


def test_flipped_bytes_are_refused_or_do_no_harm(path: Path) -> None:
    content = path.read_bytes()
    refused = []
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            read_model(path)
        except ModelFileError as error:
            refused.append(str(error))
    assert len(refused) > len(content) / 2  # the rest are dates and other marks of the archive
    assert "\n" not in "".join(refused)


def test_other_files_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"a,b\n1,2\n", b"PK\x03\x04" * 50, np.random.default_rng(0).bytes(500)):
        (tmp_path / "t.tabgan").write_bytes(content)
        assert_refused(tmp_path / "t.tabgan")


def test_a_missing_member_is_refused(path: Path) -> None:
    for name in zipfile.ZipFile(path).namelist():
        write_model(path, CONTENT, force=True)
        rewrite(path, {name: None})
        assert_refused(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_members_that_are_no_json_are_refused(path: Path, content: bytes) -> None:
    rewrite(path, {"config.json": content})
    assert_refused(path, match=r"is not a tabgan model|has format None")


def test_tensors_that_are_none_are_refused(path: Path) -> None:
    rewrite(path, {"model.safetensors": b"\xff" * 100})
    assert_refused(path)


def test_a_newer_format_says_to_upgrade(path: Path) -> None:
    rewrite(path, {"config.json": b'{"format": 99}'})
    assert_refused(path, match=rf"has format 99, and this tabgan reads 1 to {FORMAT}; upgrade")


def test_a_path_without_a_file_is_no_file(tmp_path: Path) -> None:
    for name in ("none.tabgan", "."):
        with pytest.raises(FileError, match="no such file"):
            read_model(tmp_path / name)


def test_an_arrow_schema_with_its_metadata_survives_as_text() -> None:
    field = pa.field("größe", pa.dictionary(pa.int8(), pa.string(), ordered=True), metadata={b"spelling": b"yes/no"})
    schema = pa.schema([field, pa.field("when", pa.timestamp("ns", "Europe/Berlin"))], metadata={b"pandas": b"{}"})
    assert arrow_from_text(arrow_to_text(schema)).equals(schema, check_metadata=True)
