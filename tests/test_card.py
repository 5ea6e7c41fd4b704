from tabgan.card import FEW_ROWS, not_promised


def test_a_small_table_is_warned_of_first_and_a_large_one_is_not() -> None:
    few, many = not_promised(344, None), not_promised(FEW_ROWS, None)
    assert next(iter(few)) == "a small table"
    assert few["a small table"].startswith("fitted on 344 rows only.")
    assert few.items() >= many.items()
    assert "a small table" in not_promised(FEW_ROWS - 1, None)
    assert "a small table" not in many


def test_the_card_says_the_measured_figures_that_are_above_the_aim() -> None:
    text = " ".join(not_promised(FEW_ROWS, None).values())
    assert "AUC 0.61 for 172 rows" in text
    assert "0.53 to 0.57 for 6,000 to 16,000" in text
    assert "with synthetic rows alone 0.54, 0.53, and 0.50 to 0.52" in text
