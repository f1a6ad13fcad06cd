"""Lower than 30 days ago, or than before? (pure)"""

from datetime import datetime, timedelta
from decimal import Decimal

from bot.insights.model import Availability
from bot.insights.prices import Change, Price, change, was

NOW = datetime(2026, 11, 26, 12)  # noqa: DTZ001 (as stored)


def history(*said: tuple[int, str]) -> list[Price]:
    """(days ago, price) each; an empty price is none."""
    return [
        Price(NOW - timedelta(days=days), Decimal(price) if price else None, "USD", Availability.IN_STOCK) for days, price in said
    ]


def test_a_price_that_fell_is_lower_than_it_was() -> None:
    found = change(history((90, "24"), (3, "19")), NOW)
    assert found == Change(now=Decimal(19), before=Decimal(24), lowest=Decimal(24), lowest_in_days=90)
    assert found.lower


def test_a_sale_in_between_counts() -> None:
    found = change(history((90, "24"), (20, "15"), (3, "19")), NOW)
    assert found == Change(now=Decimal(19), before=Decimal(24), lowest=Decimal(15), lowest_in_days=0)
    assert not found.lower


def test_what_never_changed_is_not_lower() -> None:
    found = change(history((90, "24")), NOW)
    assert found
    assert not found.lower


def test_a_young_offer_and_one_without_price_say_nothing() -> None:
    assert change(history((3, "19")), NOW) is None
    assert change(history((20, "24"), (3, "19")), NOW) is None
    assert change(history((90, "24"), (3, "")), NOW) is None
    assert change([], NOW) is None


def test_another_currency_is_another_price() -> None:
    euros = Price(NOW - timedelta(days=90), Decimal(10), "EUR", None)
    assert change([euros, *history((3, "9"))], NOW) is None


def test_how_long_it_has_not_been_so_cheap() -> None:
    def days(*said: tuple[int, str]) -> int:
        found = change(history(*said), NOW)
        assert found
        return found.lowest_in_days

    assert days((200, "9"), (150, "24"), (60, "19"), (3, "12")) == 150
    assert days((200, "12"), (150, "24"), (3, "12")) == 150
    assert days((200, "24"), (60, "12"), (3, "12")) == 200  # something else changed three days ago
    assert days((200, "12"), (90, "12"), (3, "12")) == 0
    assert days((90, "12"), (3, "24")) == 0


# ---------------------------------------------------------------- what it was


def test_what_became_cheaper_was_dearer() -> None:
    assert was(history((90, "24"), (3, "19")), NOW) == Decimal(24)
    assert was(history((20, "24"), (3, "19")), NOW) == Decimal(24)  # young, but both prices are known
    assert was(history((90, "30"), (20, "24"), (3, "19")), NOW) == Decimal(24)


def test_it_is_said_for_thirty_days() -> None:
    assert was(history((90, "24"), (29, "19")), NOW) == Decimal(24)
    assert was(history((90, "24"), (31, "19")), NOW) is None


def test_what_else_changes_does_not_matter() -> None:
    assert was(history((90, "24"), (10, "19"), (3, "19")), NOW) == Decimal(24)


def test_what_is_dearer_now_or_never_changed_says_nothing() -> None:
    assert was(history((90, "19"), (3, "24")), NOW) is None
    assert was(history((90, "24")), NOW) is None
    assert was(history((90, "24"), (3, "")), NOW) is None
    assert was([], NOW) is None


def test_a_price_put_up_to_come_down_again_is_no_bargain() -> None:
    assert was(history((90, "19"), (5, "24"), (3, "19")), NOW) is None
    assert was(history((90, "15"), (5, "24"), (3, "19")), NOW) is None
    assert was(history((90, "15"), (40, "24"), (3, "19")), NOW) == Decimal(24)  # what was cheap is long ago


def test_what_it_cost_before_it_was_gone_for_long_does_not_count() -> None:
    assert was(history((90, "24"), (60, ""), (3, "19")), NOW) is None
    assert was(history((90, "24"), (10, ""), (3, "19")), NOW) == Decimal(24)


def test_what_it_was_in_another_currency_is_not_said() -> None:
    euros = Price(NOW - timedelta(days=10), Decimal(24), "EUR", None)
    assert was([euros, *history((3, "9"))], NOW) is None
