"""How close a synthetic table comes to the real one: `evaluate` gives numbers and one page. Two tables are enough."""

from tabgan.report.evaluate import evaluate
from tabgan.report.report import Report

__all__ = ["Report", "evaluate"]
