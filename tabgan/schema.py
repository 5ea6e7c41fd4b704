"""What each column of a table is: inferred from the values, shown, edited by hand, kept in the model file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, model_validator

from tabgan.column import Column, labels_as_codes
from tabgan.errors import DataError, SchemaError, meant
from tabgan.facts import Fact
from tabgan.factsearch import find_facts
from tabgan.kinds import infer_column, is_text
from tabgan.prepared import pooled, prepared
from tabgan.schemafile import Wishes


class Schema(BaseModel):
    """The columns of a table, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    facts: tuple[Fact, ...] = ()
    """What holds in every row."""

    @model_validator(mode="after")
    def _facts_name_columns(self) -> Schema:
        names = set(self.names)
        for fact in self.facts:
            for name in fact.columns:
                if name not in names:
                    hint = meant(name, self.names)
                    raise ValueError(f"the fact '{fact}' names a column {name!r} that is not there{hint}")
        return self

    @classmethod
    def infer(cls, data: Any, wishes: Any = None) -> Schema:
        """Look at every column of `data`, a path or a frame; what `wishes` say of it is taken as it is said.

        `wishes` are a YAML file of some columns and some of their settings, or the same as a dict. Raises `DataError`
        for types that no column of rows can be learned from, and `SchemaError` for wishes that the table does not fit.
        """
        table = data
        if not isinstance(data, pa.Table):
            from tabgan.tables import to_arrow

            table = to_arrow(data)[0]
        if table.num_rows == 0:
            raise DataError("the table has no rows; at least one row is needed.")
        wishes = Wishes.given(wishes)
        wishes.check_names(table.column_names)
        labelled = {field.name: labels_as_codes(table[field.name]) for field in table.schema if is_text(field.type)}
        labels = [codes for codes in labelled.values() if 2 <= codes.max() + 1 < table.num_rows / 2]
        columns = []
        for field in table.schema:
            try:
                columns.append(infer_column(field, table[field.name], labels, wishes.columns.get(field.name, {})))
            except (SchemaError, DataError) as error:
                where = wishes.where(field.name)
                if not where:
                    raise
                raise SchemaError(f"{where}{error}") from None
        found = cls(columns=tuple(columns))
        facts = wishes.facts
        wishes.check_facts(columns, found.types(table.schema))
        if facts is None:
            learned = [column for column in columns if column.is_learned]
            facts = find_facts(found.pool(found.prepare(table)), learned)
        return cls(columns=tuple(columns), facts=facts)

    def __getitem__(self, name: str) -> Column:
        if (found := self._by_name.get(name)) is None:
            raise SchemaError(f"no column {name!r}{meant(name, self.names)}")
        return found

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def __iter__(self) -> Iterator[Column]:  # type: ignore[override]
        return iter(self.columns)

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    @property
    def kept(self) -> list[str]:
        """The names of the columns that new rows have, in order."""
        return [column.name for column in self.columns if column.kind != "drop"]

    def notes(self) -> list[str]:
        """What a user should know of columns that are made up and not learned."""
        found = []
        for column in self:
            what = f"personal ({column.pii})" if column.kind == "pii" else "free text"
            why = f": {column.reason}" if column.reason else ""
            if column.kind in ("pii", "text"):
                found.append(
                    f"column {column.name!r} is {what}{why}; new values are made up, none is learned or copied"
                )
        return found

    def prepare(self, table: pa.Table) -> pa.Table:
        """The kept columns of `table` as they are encoded: numbers that are text as numbers, all within their bounds.

        Raises `MisfitError` for a column that does not hold what the schema says."""
        return pa.table({column.name: prepared(column, table[column.name]) for column in self if column.kind != "drop"})

    def pool(self, table: pa.Table) -> pa.Table:
        """A prepared table whose rare labels are replaced, where they are to be pooled."""
        for i, name in enumerate(table.column_names):
            if self[name].rare == "pool" and self[name].kind in ("category", "boolean"):
                table = table.set_column(i, name, pooled(self[name], table[name]))
        return table

    def types(self, arrow_schema: pa.Schema) -> pa.Schema:
        """The schema of what `prepare` makes of tables of `arrow_schema`."""
        fields = [
            arrow_schema.field(column.name).with_type(pa.float64())
            if column.kind == "number" and column.format is not None
            else arrow_schema.field(column.name)
            for column in self
            if column.kind != "drop"
        ]
        return pa.schema(fields)

    def finish(self, table: pa.Table, arrow_schema: pa.Schema) -> pa.Table:
        """Undo `prepare`: a table of `arrow_schema`, numbers written as text where they were."""
        cells = []
        for field in arrow_schema:
            values, column = table[field.name], self[field.name]
            if column.kind == "number" and column.format is not None:
                values = column.write_numbers(values.combine_chunks()).cast(field.type)
            cells.append(values)
        return pa.Table.from_arrays(cells, schema=arrow_schema)

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The schema as YAML text, one mapping a column and one a fact; also written to `path` where one is given."""
        import yaml

        content: dict[str, Any] = {
            "columns": {column.name: column.model_dump(exclude={"name"}, exclude_defaults=True) for column in self}
        }
        if self.facts:
            content["facts"] = [
                fact.model_dump(mode="json", exclude_defaults=True) | {"keep": fact.keep} for fact in self.facts
            ]
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        if path is not None:
            from tabgan.tables.files import WholeFile

            with WholeFile(path) as file:
                file.write(text.encode())
        return text
