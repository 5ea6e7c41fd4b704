"""The `.tabgan` file: a zip of safetensors and JSON. Nothing in it is executed: a stranger's file is safe."""

from __future__ import annotations

import base64
import json
import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import safetensors.torch
from torch import Tensor

from tabgan.errors import FileError, ModelFileError
from tabgan.tables.files import WholeFile, check_output, not_there

FORMAT, READ = 5, (1, 2, 3, 4, 5)
"""The version of the file's format, which rises when older readers would misread a file, and those that are read."""

PARTS = ("config.json", "schema.json", "encoders.json", "history.jsonl", "model.safetensors")

# What a stranger's file may make us hold in memory is bounded before it is unpacked. Weights hardly pack, JSON packs to
# a fifth; only tables of zeros pack much better.
MOST_JSON, MOST_TENSORS = 2**23, 2**25
"""Bytes that a part of JSON and that of tensors may unpack to, and beside them ..."""
MOST_PACKED = 20
"""... so many times the bytes that the part has in the file."""
MOST_NESTED = 500_000
"""Lists and objects in a part, and one more for each byte that it has in the file: small ones take much memory."""
MOST_PARTS, MOST_LISTED = 16, 4096
"""Parts of a file of any version, and bytes of their list."""

_STAMP = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes


@dataclass(frozen=True)
class Content:
    """What a model file holds."""

    tensors: dict[str, Tensor]
    schema: dict[str, Any]
    """`columns` as in `Schema`, and `arrow`: the Arrow schema of the table that was fitted on."""
    encoders: dict[str, Any]
    config: dict[str, Any]
    history: list[dict[str, Any]]


def write_model(path: str | Path, content: Content, *, force: bool) -> None:
    """Write `content` to `path`, whole or not at all."""
    check_output(path, force=force, endings=())
    config = {"format": FORMAT, **content.config}
    parts: dict[str, str | bytes] = {
        "config.json": json.dumps(config, indent=1),
        "schema.json": json.dumps(content.schema, indent=1),
        "encoders.json": json.dumps(content.encoders),
        "history.jsonl": "".join(json.dumps(record) + "\n" for record in content.history),
        "model.safetensors": safetensors.torch.save(content.tensors),
    }
    with WholeFile(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), part, zipfile.ZIP_DEFLATED)


def read_model(path: str | Path) -> Content:
    """Read what `write_model` wrote. Raises `FileError` and `ModelFileError`."""
    if not Path(path).is_file():
        raise not_there(path)
    try:
        file = open(path, "rb")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        try:
            return _unpack(file, path)
        except ModelFileError:
            raise
        except Exception:  # whatever a damaged or made up file makes zipfile, zlib, json or safetensors raise
            raise ModelFileError(f"{path} is not a tabgan model, or it is damaged; fit one with: tabgan fit.") from None


def _unpack(file: BinaryIO, path: str | Path) -> Content:
    _check_end(file)
    with zipfile.ZipFile(file) as archive:
        config = _json(archive, "config.json")
        if config.get("format") not in READ:
            raise ModelFileError(
                f"{path} has format {repr(config.get('format'))[:20]}, and this tabgan reads {READ[0]} to {FORMAT}; "
                "upgrade tabgan-wgan."
            )
        if sorted(archive.namelist()) != sorted(PARTS):
            raise ValueError
        return Content(
            tensors=safetensors.torch.load(_part(archive, "model.safetensors")),
            schema=_json(archive, "schema.json"),
            encoders=_json(archive, "encoders.json"),
            config=config,
            history=_json(archive, "history.jsonl"),
        )


def _check_end(file: BinaryIO) -> None:
    """Raise `ValueError` where the list of parts at the end is longer than any of ours: zipfile reads all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 42))
    tail = file.read()
    mark, parts, length, comment = struct.unpack("<4s6xHI4xH", tail[-22:])
    large = tail[:4] == b"PK\x06\x07"  # where a second list of another length may be
    if mark != b"PK\x05\x06" or parts > MOST_PARTS or length > MOST_LISTED or comment or large:
        raise ValueError


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    """One part of JSON; a history is a list of its lines."""
    text = _part(archive, name)
    if text.count(b"[") + text.count(b"{") > MOST_NESTED + archive.getinfo(name).compress_size:
        raise ValueError
    return json.loads(b"[" + b",".join(text.splitlines()) + b"]" if name.endswith(".jsonl") else text)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part, if it is no larger than such a part can be: this is known before it is unpacked, and no more than is
    said there is ever unpacked. Its CRC is checked."""
    found = archive.getinfo(name)
    least = MOST_TENSORS if name.endswith(".safetensors") else MOST_JSON
    if found.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError
    if found.file_size > least + MOST_PACKED * found.compress_size:
        raise ValueError
    return archive.read(found)


def arrow_to_text(schema: pa.Schema) -> str:
    """An Arrow schema, pandas' metadata included, as text for JSON."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def arrow_from_text(text: str) -> pa.Schema:
    """Undo `arrow_to_text`."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
