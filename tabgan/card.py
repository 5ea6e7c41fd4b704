"""What whoever uses a model must know of it, in the words of `tabgan info`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tabgan.private.budget import Spending
from tabgan.schema import Schema

_SMALL = (
    "fitted on {rows:,} rows only. The fewer there are, the more each one weighs, and the easier it is to tell who was "
    "among them, even by synthetic rows alone. Do not take rows of this model for anonymous."
)
_NOT_PROMISED = {
    "privacy": (
        "there is no differential privacy, and what only a few rows share may come back. Not learned are keys, "
        "personal columns and free text; no number or moment of one row alone is copied into rows."
    ),
    "this file": (
        "it holds quantiles, which are values of the table. Whoever has it can tell better than by chance who was in "
        "the table, the better the smaller it is: AUC 0.61 for 172 rows, 0.59 for 2,000, 0.53 to 0.57 for 6,000 to "
        "16,000; with synthetic rows alone 0.54, 0.53, and 0.50 to 0.52. Give away rows instead."
    ),
}
"""The figures are those of benchmarks/membership.py."""
_NOT_PROMISED_PRIVATELY = {
    "privacy": (
        "the promise is about one row: for somebody who has k rows in the table, epsilon is k times as large. What is "
        "true of all rows comes out. Taken as known to all: names, types, kinds and order of the columns, how dates "
        "and numbers in texts are written, and what a schema says."
    ),
    "reports": "a report that compares rows with the real table is worked out from the real table without noise.",
}
_TRUTH = {"truth": "rows are drawn from a model; look with `tabgan report` whether what matters to you is right."}


def of_privacy(spending: Spending | None) -> Any:
    """What is promised, and what was asked of the rows for it."""
    if spending is None:
        return "none"
    asked = spending.as_json()
    promised = asked.pop("budget")
    return {**promised, "for": "adding or removing one row", "accountant": "dp-accounting, PLD", "asked": asked}


FEW_ROWS = 5_000
"""Of a table of fewer rows the card warns: in those that were measured rows alone gave away a little, too."""


def not_promised(rows: int, spending: Spending | None) -> dict[str, str]:
    """What nobody may rely on, of a model fitted on so many rows."""
    if spending is not None:
        return _NOT_PROMISED_PRIVATELY | _TRUTH
    small = {"a small table": _SMALL.format(rows=rows)} if rows < FEW_ROWS else {}
    return small | _NOT_PROMISED | _TRUTH


def of_schema(schema: Schema) -> dict[str, Any]:
    """What the columns are, and which facts are kept."""
    return {
        "columns": {column.name: f"{column.kind}, {column.dtype}" for column in schema},
        "facts": [str(fact) + ("" if fact.keep else " (left out)") for fact in schema.facts] or "none found",
    }


def last_figures(history: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The last record of each stage, as text."""
    return {record["stage"]: _as_text(record) for record in history}


def _as_text(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in record.items() if name != "stage")
