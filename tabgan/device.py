"""Which device computes."""

from __future__ import annotations

import torch

from tabgan.errors import ConfigError


def pick_device(name: str) -> str:
    """`name` where it works here; for "auto" the first of CUDA, MPS and CPU that does. Raises `ConfigError`."""
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        if not name.startswith(("cpu", "cuda", "mps")):
            raise RuntimeError
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ConfigError(f"device {name!r} is not to be had here; use auto, cpu, cuda, cuda:1 or mps.") from None
    return name
