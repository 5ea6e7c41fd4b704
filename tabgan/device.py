"""Which device computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


def fastest_precision(device: str) -> torch.dtype:
    """bfloat16 where a CPU multiplies such numbers two to five times as fast as others (AVX-512 BF16, AMX); else
    float32."""
    can = torch.cpu.get_capabilities() if device == "cpu" else {}
    return torch.bfloat16 if can.get("amx_bf16") or can.get("avx512_bf16") else torch.float32


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one CPU thread inside the block: its work here is many small steps, which waiting for a second
    thread makes slower (adult, two cores: nearly twice), and whose results must not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
