"""What can go wrong, said in one line: what, where, how to mend. Every error of tabgan derives from `TabganError`."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable


class TabganError(Exception):
    """The parent of every error that tabgan raises on purpose."""


class DataError(TabganError, ValueError):
    """A table that cannot be learned from or compared."""


class SchemaError(TabganError, ValueError):
    """A table that does not fit its schema, or a schema that fits no table."""


class MisfitError(DataError, SchemaError):
    """A column that does not hold what its schema says."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column = column


class ConfigError(TabganError, ValueError):
    """A setting outside its range."""


class FileError(TabganError, OSError):
    """A path that cannot be read or written."""


class ModelFileError(TabganError, ValueError):
    """A file that is not a tabgan model, or a damaged one."""


class NotFittedError(TabganError, ValueError, AttributeError):
    """A synthesizer that was asked for rows before `fit`."""


class DivergenceError(TabganError, ArithmeticError):
    """Training met numbers that are not finite and could not go on."""


class ProcessError(TabganError, RuntimeError):
    """One of several processes that fit together ended before its time."""


LEAST_PART = 3
"""A part of a word is taken for a word that was meant if it has so many letters."""


def some_of(values: Iterable[object], limit: int = 3) -> str:
    """The first few values, quoted, then how many more there are: `'a', 'b', 'c' and 4 more`."""
    listed = list(values)
    shown = ", ".join(repr(str(value)[:40]) for value in listed[:limit])
    return shown if len(listed) <= limit else f"{shown} and {len(listed) - limit} more"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of `words` that is spelled most like `word`, whatever the case of letters, or else one that holds it;
    None where nothing is close."""
    written = {each.casefold(): each for each in words}
    found = difflib.get_close_matches(word.casefold(), written, n=1, cutoff=0.6)
    if not found and len(word) >= LEAST_PART:
        found = [each for each in written if word.casefold() in each][:1]
    return written[found[0]] if found else None


def meant(word: str, words: Iterable[str], otherwise: str = ".") -> str:
    """The end of an error about a wrong word: the nearest right one, or else `otherwise`."""
    close = nearest(word, words)
    return f"; did you mean {close!r}?" if close else otherwise


def other_type(name: str, here: object, fitted: object) -> SchemaError:
    """What is wrong with a column whose cells cannot be turned into the type that the model was fitted on."""
    return SchemaError(
        f"column {name!r} holds {here} here and {fitted} where the model was fitted, "
        "and not every cell can be turned into the latter; give it that type."
    )


def check_names(names: Iterable[str], of: str = "") -> None:
    """Raise `DataError` where a name of a column occurs twice; `of`: what the columns are of, for the error."""
    counts = Counter(names)
    twice = sorted(name for name, times in counts.items() if times > 1)
    if twice:
        raise DataError(f"{f'{of}: ' if of else ''}column name(s) occur more than once: {some_of(twice)}. Rename them.")
