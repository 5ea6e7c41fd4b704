import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tabgan.encoding.base import Draw
from tabgan.encoding.dates import DateEncoder
from tabgan.schema import Schema

RNG = np.random.default_rng(5)


def encoder_for(values: pa.Array) -> tuple[DateEncoder, pa.ChunkedArray]:
    table = pa.table({"day": values})
    column = Schema.infer(table)["day"]
    assert column.kind == "datetime"
    return DateEncoder(column, values.type).fit(table["day"]), table["day"]


def round_trip(values: pa.Array) -> pa.Array:
    encoder, chunked = encoder_for(values)
    codes = encoder.encode(chunked)
    twin = DateEncoder(encoder.column, values.type).restore(json.loads(json.dumps(encoder.state())))
    made = twin.decode(codes, Draw(np.arange(len(codes)), np.random.default_rng(0).random(codes.shape), 0))
    assert made.type == values.type
    return made


def days(first: str, count: int, step: int = 1) -> np.ndarray:
    return np.datetime64(first, "D") + np.arange(count) * step


def code_names(values: pa.Array) -> list[str]:
    return [code.name for code in encoder_for(values)[0].codes_]


def test_days_that_come_often_come_back_exactly() -> None:
    values = pa.array(np.repeat(days("2024-01-01", 365), 10))
    assert code_names(values) == ["day (week)", "day (weekday)"]
    assert round_trip(values).equals(values)


def test_weekdays_and_hours_survive_a_span_of_many_years() -> None:
    working = [day for day in days("1950-01-01", 20_000) if day.astype(object).weekday() < 5]
    hours = np.array(working, dtype="datetime64[h]") + RNG.integers(9, 17, len(working))
    values = pa.array(hours.astype("datetime64[s]"))
    made = round_trip(values)
    assert pc.day_of_week(made).equals(pc.day_of_week(values))
    ends = pc.is_in(made, pa.array([pc.min(values).as_py(), pc.max(values).as_py()], values.type))
    same_hour = pc.equal(pc.hour(made), pc.hour(values))
    assert pc.all(pc.or_(ends, same_hour)).as_py()  # what would pass an end is the end
    assert pc.sum(same_hour).as_py() >= len(values) - 5
    assert not pc.any(pc.not_equal(pc.minute(made), 0)).as_py()
    gap = np.abs(made.to_numpy() - values.to_numpy()).max()
    assert gap < np.timedelta64(3 * 365, "D")


def test_month_starts_stay_month_starts() -> None:
    months = np.arange("1900-01", "2020-01", dtype="datetime64[M]")
    values = pa.array(RNG.choice(months, 3_000).astype("datetime64[D]"))
    assert code_names(values) == ["day (month)"]
    made = round_trip(values)
    assert pc.all(pc.equal(pc.day(made), 1)).as_py()


def test_month_ends_stay_month_ends_where_a_month_has_a_code_of_its_own() -> None:
    months = np.arange("2018-01", "2026-01", dtype="datetime64[M]")
    ends = (RNG.choice(months, 5_000) + 1).astype("datetime64[D]") - 1
    assert code_names(pa.array(ends)) == ["day (month)", "day (day)"]
    assert round_trip(pa.array(ends)).equals(pa.array(ends))


def test_no_day_of_the_month_leaves_its_month() -> None:
    months = np.arange("2018-01", "2026-01", dtype="datetime64[M]")
    encoder, _ = encoder_for(pa.array((RNG.choice(months, 5_000) + 1).astype("datetime64[D]") - 1))
    month, day = (code.cardinality for code in encoder.codes_)
    codes = np.array([[i, j] for i in range(1, month) for j in range(1, day)])  # 31 April among them
    made = encoder.decode(codes, Draw(np.arange(len(codes)), np.zeros(codes.shape), 0))
    assert made.to_numpy(zero_copy_only=False).astype("datetime64[M]").tolist() == np.repeat(months, day - 1).tolist()


def test_a_time_of_day_that_many_rows_share_comes_back() -> None:
    seconds = RNG.choice([0, 9 * 3600 + 30 * 60, 17 * 3600 + 45 * 60], 2_000)
    values = pa.array(RNG.choice(days("2024-01-01", 60), 2_000).astype("datetime64[s]") + seconds, pa.timestamp("us"))
    made = round_trip(values)
    assert pc.hour(made).equals(pc.hour(values))
    assert pc.minute(made).equals(pc.minute(values))


def test_times_of_a_short_table_vary() -> None:
    values = pa.array(np.datetime64("2024-01-01T00:00:00") + np.arange(30) * 3_607)
    assert "day (time)" in code_names(values)
    made = round_trip(values)
    assert len(pc.unique(pc.hour(made))) > 10


def test_the_finest_step_in_use_is_kept() -> None:
    values = pa.array(np.datetime64("2024-01-01T00:00:00.000") + np.arange(2_000) * 61_000, pa.timestamp("ms"))
    assert not pc.any(pc.not_equal(pc.millisecond(round_trip(values)), 0)).as_py()
    finer = pa.array(np.datetime64("2024-01-01T00:00:00.000") + np.arange(2_000) * 61_001, pa.timestamp("ms"))
    assert pc.any(pc.not_equal(pc.millisecond(round_trip(finer)), 0)).as_py()


FORMATS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d/%m/%Y %H:%M",
]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("form", FORMATS)
def test_text_dates_come_back_letter_by_letter(form: str, kind: pa.DataType) -> None:
    stamps = [dt.datetime(2024, 1, 1) + dt.timedelta(days=i % 180, hours=i % 24) for i in range(180 * 24)]
    values = pa.array([None, *(stamp.strftime(form) for stamp in stamps)], pa.string())
    assert Schema.infer(pa.table({"day": values}))["day"].format == form
    assert round_trip(values.cast(kind)).to_pylist() == values.to_pylist()


@pytest.mark.parametrize(("digits", "form"), [(3, "%Y-%m-%d %H:%M:%S.%3f"), (6, "%Y-%m-%dT%H:%M:%S.%6f")])
def test_text_dates_keep_the_fractions_of_their_seconds(digits: int, form: str) -> None:
    rng = np.random.default_rng(0)
    stamps = [dt.datetime(2024, 1, 1) + dt.timedelta(microseconds=int(x)) for x in rng.integers(0, 9 * 10**12, 3_000)]
    separator = form[8]
    texts = [stamp.isoformat(separator, "milliseconds" if digits == 3 else "microseconds") for stamp in stamps]
    column = Schema.infer(pa.table({"at": texts}))["at"]
    assert (column.kind, column.format) == ("datetime", form)
    made = round_trip(pa.array([None, *texts])).to_pylist()
    assert made[0] is None
    assert all(len(text) == len(texts[0]) and min(texts) <= text <= max(texts) for text in made[1:])
    assert len({text[-digits:] for text in made[1:]}) > 500  # the fractions are drawn too


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "+02:00", "UTC"])
def test_time_zones_keep_the_wall_clock(zone: str) -> None:
    local = np.repeat(days("2024-01-01", 360).astype("datetime64[s]") + np.timedelta64(9, "h"), 6)
    values = pc.assume_timezone(pa.array(local), zone)
    made = round_trip(values)
    assert pc.local_timestamp(made).equals(pa.array(local))


def test_a_wall_clock_that_a_zone_skips_or_repeats_is_no_error() -> None:
    hours = np.arange("2024-03-30", "2024-04-02", dtype="datetime64[h]").astype("datetime64[s]")
    utc = np.repeat(np.concatenate([hours, hours + np.timedelta64(210, "D")]), 6)
    values = pa.array(utc).cast(pa.timestamp("s", "Europe/Berlin"))
    encoder, _ = encoder_for(values)
    sizes = [code.cardinality for code in encoder.codes_]
    codes = np.stack(np.meshgrid(*[np.arange(1, size) for size in sizes]), axis=-1).reshape(-1, len(sizes))
    made = encoder.decode(codes, Draw(np.arange(len(codes)), np.zeros(codes.shape), 0))
    assert made.null_count == 0
    assert pc.min(made).as_py() >= pc.min(values).as_py()
    assert pc.max(made).as_py() <= pc.max(values).as_py()
