"""Random numbers keyed by seed and block: what a row looks like depends on the seed and its number alone."""

from __future__ import annotations

import hashlib

import torch


def generator(*key: int | str, device: str = "cpu") -> torch.Generator:
    """A generator whose state is a hash of `key`; different keys give independent streams."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)
