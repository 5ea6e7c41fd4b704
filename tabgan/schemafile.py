"""A schema as a user writes it: YAML with some of the columns and some of their settings; the rest is inferred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pyarrow as pa
import pydantic
import yaml

from tabgan.column import Column
from tabgan.errors import FileError, SchemaError, meant, some_of
from tabgan.facts import Fact
from tabgan.written import NumberFormat

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Wishes:
    """What the user says of columns, by their names, and the facts, if any are given."""

    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: tuple[Fact, ...] | None = None
    source: str = ""
    lines: Mapping[Place, int] = field(default_factory=dict)
    """The line of every place in the source, by the names on the way there."""

    @classmethod
    def read(cls, path: str | Path) -> Wishes:
        """The wishes in a YAML file. Raises `FileError` or `SchemaError`."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SchemaError(f"{path} is no UTF-8 text; write it as YAML, for example with tabgan schema.") from None
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SchemaError(f"{path}, line {line}: this is no YAML: {error.problem}.") from None
        except yaml.YAMLError:
            raise SchemaError(f"{path} is no YAML; write it anew, for example with tabgan schema.") from None
        lines: dict[Place, int] = {}
        return cls.of(_plain(node, (), lines, str(path)), str(path), lines)

    @classmethod
    def of(cls, content: Any, source: str = "the schema", lines: Mapping[Place, int] | None = None) -> Wishes:
        """The wishes in a mapping such as `{"columns": {"zip": {"kind": "category"}}}`. Raises `SchemaError`."""
        found = cls(source=source, lines=lines or {})
        content = {} if content is None else content
        if not isinstance(content, Mapping):
            raise SchemaError(f"{found.at()}a mapping with `columns` and `facts` is expected.")
        found._check_words(content, ["columns", "facts"], ())
        columns = content.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise SchemaError(f"{found.at('columns')}a mapping of columns by their names is expected.")
        wishes = {str(name): found._column(str(name), settings) for name, settings in columns.items()}
        facts = content.get("facts")
        return cls(wishes, None if facts is None else found._facts(facts), source, found.lines)

    @classmethod
    def given(cls, wishes: Any) -> Wishes:
        """Wishes as a user may give them: a path, a mapping, or none."""
        if isinstance(wishes, Wishes):
            return wishes
        return cls.read(wishes) if isinstance(wishes, str | Path) else cls.of(wishes)

    def where(self, name: str) -> str:
        """Where the column is spoken of, for the beginning of an error; "" where it is not."""
        return self.at("columns", name) if name in self.columns else ""

    def at(self, *place: str | int) -> str:
        """`schema.yaml, line 7: `; without a line where the source has none."""
        line = next((self.lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.lines), None)
        return f"{self.source}, line {line}: " if line else f"{self.source}: "

    def check_names(self, names: Iterable[str]) -> None:
        """Raise `SchemaError` where a column is spoken of that is not among `names`."""
        names = list(names)
        for name in self.columns:
            if name not in names:
                raise SchemaError(f"{self.at('columns', name)}the table has no column {name!r}{meant(name, names)}")
        for i, fact in enumerate(self.facts or ()):
            for name in fact.columns:
                if name not in names:
                    raise SchemaError(f"{self.at('facts', i)}the table has no column {name!r}{meant(name, names)}")

    def check_facts(self, columns: Sequence[Column], types: pa.Schema) -> None:
        """Raise `SchemaError` where arithmetic is asked of columns that have none; `types`: as they are encoded."""
        dates = {column.name for column in columns if column.kind == "datetime"}
        numbers = {each.name for each in types if _is_number(each.type)} - dates
        for i, fact in enumerate(self.facts or ()):
            allowed = [numbers, dates] if fact.kind in ("at_least", "at_most") else [numbers]
            if (fact.derives or fact.kind == "order") and not any(each.issuperset(fact.columns) for each in allowed):
                name = next((name for name in fact.columns if name not in numbers), fact.column)
                what = "numbers, or of dates alone" if dates in allowed else "numbers"
                raise SchemaError(
                    f"{self.at('facts', i)}a fact of kind {fact.kind} is of {what}, and column {name!r} is not; "
                    "leave the fact out."
                )

    def _column(self, name: str, settings: Any) -> Mapping[str, Any]:
        place = ("columns", name)
        if isinstance(settings, str):
            settings = {"kind": settings}
        if not isinstance(settings, Mapping):
            raise SchemaError(f"{self.at(*place)}column {name!r} has no settings; give some, such as `kind: category`.")
        allowed = [each for each in Column.model_fields if each != "name"]
        self._check_words(settings, allowed, place)
        found = {str(key): value for key, value in settings.items() if value is not None}
        for end in ("minimum", "maximum"):
            if end in found and not isinstance(found[end], int | float | str):
                found[end] = str(found[end])  # YAML reads dates
        self._validated(Column, {"kind": "category", "dtype": "", **found, "name": name}, place)
        form = found.get("format")
        if form is not None and "%" not in form.removesuffix("%"):
            try:
                NumberFormat.parse(form)
            except ValueError as error:
                raise SchemaError(f"{self.at(*place, 'format')}column {name!r}: {error}") from None
        return found

    def _facts(self, facts: Any) -> tuple[Fact, ...]:
        if not isinstance(facts, list):
            raise SchemaError(f"{self.at('facts')}a list of facts is expected.")
        found = []
        for i, fact in enumerate(facts):
            if not isinstance(fact, Mapping):
                raise SchemaError(f"{self.at('facts', i)}a fact is a mapping with `kind`, `column` and `of`.")
            self._check_words(fact, list(Fact.model_fields), ("facts", i))
            found.append(self._validated(Fact, fact, ("facts", i)))
        return tuple(found)

    def _check_words(self, content: Mapping[str, Any], allowed: list[str], place: Place) -> None:
        for word in content:
            if word not in allowed:
                raise SchemaError(
                    f"{self.at(*place, word)}there is no setting {str(word)!r}"
                    + meant(str(word), allowed, f". Settings are {', '.join(allowed)}.")
                )

    def _validated(self, model: Any, content: Mapping[str, Any], place: Place) -> Any:
        try:
            return model(**content)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            path = first["loc"]
            given = content.get(str(path[0])) if path else None
            words = _words(model, str(path[0])) if path else []
            what = f"{path[0]} is {given!r}" if path else "this is no fact"
            if words and first["type"] == "literal_error":
                how = f"it must be one of {', '.join(words)}{meant(str(given), words)}"
            else:
                how = first["msg"][0].lower() + first["msg"][1:] + "."
            if first["type"] == "missing":
                what = f"{path[0]!r} is missing"
                how = f"a {model.__name__.lower()} has it."
            about = f"column {content['name']!r}: " if model is Column else ""
            raise SchemaError(f"{self.at(*place, *path)}{about}{what}; {how}") from None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _words(model: type[pydantic.BaseModel], name: str) -> list[str]:
    """The words that a setting can be."""
    annotation = model.model_fields[name].annotation
    options = [annotation, *get_args(annotation)]
    return [str(word) for each in options if get_origin(each) is Literal for word in get_args(each)]


def _plain(node: yaml.Node | None, place: Place, lines: dict[Place, int], source: str) -> Any:
    """The content of a YAML node; names are text, whatever they look like, and none occurs twice."""
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(getattr(key, "value", "")), key.start_mark.line + 1
            if name in found:
                raise SchemaError(f"{source}, line {line}: {some_of([name])} occurs twice; keep one of them.")
            lines[*place, name] = line
            found[name] = _plain(value, (*place, name), lines, source)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, (*place, i), lines, source) for i, each in enumerate(node.value)]
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError):
        raise SchemaError(f"{source}, line {node.start_mark.line + 1}: this value cannot be read; quote it.") from None
    finally:
        loader.dispose()
