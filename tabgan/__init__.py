"""Synthetic tables: learn a real, mixed-type table with a conditional GAN, and write as many new rows as asked.

The promised names are loaded when they are first used, so that `import tabgan` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabgan.config import ModelConfig, TrainConfig
    from tabgan.errors import TabganError
    from tabgan.report import Report, evaluate
    from tabgan.schema import Schema
    from tabgan.synthesizer import Synthesizer, load

__version__ = "1.0.0"

_HOME = {
    "ModelConfig": "tabgan.config",
    "Report": "tabgan.report",
    "Schema": "tabgan.schema",
    "Synthesizer": "tabgan.synthesizer",
    "TabganError": "tabgan.errors",
    "TrainConfig": "tabgan.config",
    "evaluate": "tabgan.report",
    "load": "tabgan.synthesizer",
}

__all__ = [
    "ModelConfig",
    "Report",
    "Schema",
    "Synthesizer",
    "TabganError",
    "TrainConfig",
    "__version__",
    "evaluate",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tabgan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
