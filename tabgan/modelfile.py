"""The `.tabgan` file: a zip of safetensors and JSON. Nothing in it is executed: a stranger's file is safe."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import safetensors
import safetensors.torch
from torch import Tensor

from tabgan.errors import FileError, ModelFileError
from tabgan.tables.files import WholeFile, check_output

FORMAT = 1
"""The version of the file's format; it rises when older readers would misread a file."""

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
        raise FileError(f"{path}: no such file; check the path.")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return _unpack(content, path)
    except ModelFileError:
        raise
    # AttributeError: no mapping. RuntimeError: encrypted, packed by other means, or nested too deeply.
    except (
        zipfile.BadZipFile,
        zlib.error,
        safetensors.SafetensorError,
        EOFError,
        ValueError,
        LookupError,
        AttributeError,
        RuntimeError,
    ):
        raise ModelFileError(f"{path} is not a tabgan model, or it is damaged; fit one with: tabgan fit.") from None


def _unpack(content: bytes, path: str | Path) -> Content:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        config = json.loads(archive.read("config.json"))
        if config.get("format") != FORMAT:
            raise ModelFileError(
                f"{path} has format {config.get('format')!r}, and this tabgan reads {FORMAT}; upgrade tabgan-wgan."
            )
        return Content(
            tensors=safetensors.torch.load(archive.read("model.safetensors")),
            schema=json.loads(archive.read("schema.json")),
            encoders=json.loads(archive.read("encoders.json")),
            config=config,
            history=[json.loads(line) for line in archive.read("history.jsonl").splitlines()],
        )


def arrow_to_text(schema: pa.Schema) -> str:
    """An Arrow schema, pandas' metadata included, as text for JSON."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def arrow_from_text(text: str) -> pa.Schema:
    """Undo `arrow_to_text`."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
