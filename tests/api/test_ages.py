"""Ages as kubectl shows them: every example of the published ranges, and both ends of each range."""

import pytest

from netsim.api.tables.ages import age, human_duration, micro_age
from netsim.units import MS, US, S

EXAMPLES = [
    # seconds, text
    (0, "0s"),
    (1, "1s"),
    (59, "59s"),
    (60, "60s"),
    (119, "119s"),
    (119.9, "119s"),
    (120, "2m"),
    (121, "2m1s"),
    (179, "2m59s"),
    (180, "3m"),
    (599, "9m59s"),
    (600, "10m"),
    (659, "10m"),
    (10_799, "179m"),
    (10_800, "3h"),
    (10_859, "3h"),
    (10_860, "3h1m"),
    (28_799, "7h59m"),
    (28_800, "8h"),
    (172_799, "47h"),
    (172_800, "2d"),
    (176_399, "2d"),
    (176_400, "2d1h"),
    (691_199, "7d23h"),
    (691_200, "8d"),
    (63_071_999, "729d"),
    (63_072_000, "2y"),
    (63_158_399, "2y"),
    (63_158_400, "2y1d"),
    (252_287_999, "7y364d"),
    (252_288_000, "8y"),
    (946_080_000, "30y"),
]


@pytest.mark.parametrize(("seconds", "text"), EXAMPLES)
def test_a_duration_is_told_in_two_units_at_most_and_never_rounded(seconds: float, text: str) -> None:
    assert human_duration(int(seconds * S)) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [(-1, "0s"), (-1 * S, "0s"), (-2 * S + 1, "0s"), (-2 * S, "<invalid>"), (-300 * S, "<invalid>")],
)
def test_what_is_still_to_come_is_zero_for_a_second_and_then_invalid(duration: int, text: str) -> None:
    assert human_duration(duration) == text


def test_a_timestamp_is_cut_to_its_second_before_the_age_is_counted() -> None:
    assert age(900 * MS, 35 * S) == "35s"
    assert age(1 * S, 35 * S + 999 * MS) == "34s"


def test_an_object_made_in_this_very_second_is_zero_seconds_old() -> None:
    assert age(5 * S + 700 * MS, 5 * S + 700 * MS) == "0s"


def test_a_time_with_microseconds_is_not_cut_to_its_second() -> None:
    assert micro_age(900 * MS, 35 * S) == "34s"
    assert micro_age(1 * US - 1, 120 * S) == "2m"


def test_what_has_no_timestamp_has_an_unknown_age_and_the_first_instant_is_a_timestamp() -> None:
    assert age(None, 35 * S) == "<unknown>"
    assert micro_age(None, 35 * S) == "<unknown>"
    assert age(0, 35 * S) == "35s"
