import pytest

from tabgan import errors
from tabgan.errors import FileError, NotFittedError, TabganError, nearest, some_of


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        (["a"], "'a'"),
        (["a", "b", "c"], "'a', 'b', 'c'"),
        (["a", "b", "c", "d"], "'a', 'b', 'c' and 1 more"),
        (iter(range(7)), "'0', '1', '2' and 4 more"),
        (["x" * 50, "two\nlines"], f"'{'x' * 40}', 'two\\nlines'"),
    ],
)
def test_a_list_shows_three_values_in_one_line(values: list[object], text: str) -> None:
    assert some_of(values) == text


def test_the_nearest_spelling_is_found_or_none() -> None:
    assert nearest("raiting", ["price", "rating"]) == "rating"
    assert nearest("RATING", ["price", "rating"]) == "rating"
    assert nearest("hours", ["price", "Hours-per-week"]) == "Hours-per-week"
    assert nearest("zzz", ["price", "rating"]) is None
    assert nearest("", ["price"]) is None


def test_every_error_is_caught_as_tabgan_error_and_as_a_built_in() -> None:
    built_in = {
        "ConfigError": ValueError,
        "DataError": ValueError,
        "DivergenceError": ArithmeticError,
        "FileError": OSError,
        "MisfitError": ValueError,
        "ModelFileError": ValueError,
        "NotFittedError": AttributeError,
        "ProcessError": RuntimeError,
        "SchemaError": ValueError,
    }
    found = {name: each for name, each in vars(errors).items() if name.endswith("Error") and each is not TabganError}
    assert found.keys() == built_in.keys()
    for name, error in found.items():
        assert issubclass(error, TabganError)
        assert issubclass(error, built_in[name])
    assert issubclass(NotFittedError, ValueError)
    assert str(FileError("one line")) == "one line"
