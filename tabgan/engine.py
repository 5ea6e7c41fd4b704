"""Ray (extra `ray`): an instance that runs, or one of this machine's cores for a while; quiet."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tabgan.errors import ConfigError

STORE_BYTES = 2**28
"""Shared memory of an instance of our own: what passes through it is a model, or the codes of some million rows."""
KNOCK_SECONDS = 10.0


def needed_ray() -> Any:
    """The package, or a `ConfigError` that says how to get it."""
    try:
        import ray
    except ModuleNotFoundError:
        raise ConfigError("engine ray needs Ray; install it by pip install 'tabgan-wgan[ray]'.") from None
    return ray


@contextmanager
def connected() -> Iterator[None]:
    """Ray, quiet: the instance that this process has, else that of RAY_ADDRESS, else one of its own for the block."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # tables may be private: nothing is told to anybody
    ray = needed_ray()
    begun = not ray.is_initialized()
    if begun:
        address = os.environ.get("RAY_ADDRESS") or "local"
        own = {"object_store_memory": STORE_BYTES, "include_dashboard": False} if address == "local" else {}
        try:
            _knock(address)
            with _own_signals():
                ray.init(address=address, log_to_driver=False, logging_level="error", **own)
        except OSError:
            if address == "local":
                raise
            raise ConfigError(f"no Ray answers at RAY_ADDRESS={address}; start it, or unset the variable.") from None
    try:
        with _quiet():
            yield
    finally:
        if begun:
            ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does: Ray would print where each of its threads is, and end with a status of its own."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():  # no other can set it, and Ray does not there
        signal.signal(signal.SIGTERM, before)


def _knock(address: str) -> None:
    """Raise an `OSError` where nobody listens at `host:port`: Ray itself would try for a quarter of an hour."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither progress bars nor messages of Ray's libraries inside the block."""
    from ray.data import DataContext

    context, loggers = DataContext.get_current(), [logging.getLogger(f"ray.{name}") for name in ("data", "train")]
    bars, levels = context.enable_progress_bars, [logger.level for logger in loggers]
    context.enable_progress_bars = False
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = bars
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
