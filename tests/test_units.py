"""Units: text and integers convert into each other without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.units import (
    S,
    format_duration,
    format_rate,
    format_share,
    format_size,
    millicores,
    parse_duration,
    parse_quantity,
    parse_rate,
    parse_share,
    parse_size,
    seconds,
    whole,
)


@given(st.integers(0, 10**19))
def test_every_duration_reads_back(time):
    assert parse_duration(format_duration(time)) == time


@given(st.integers(0, 10**15))
def test_every_size_reads_back(size):
    assert parse_size(format_size(size)) == size


@given(st.floats(1e-6, 1e9))
def test_every_rate_reads_back(rate):
    assert parse_rate(format_rate(rate)) == rate


@given(st.floats(0, 1))
def test_every_share_reads_back(share):
    assert parse_share(format_share(share)) == share


@given(st.integers(-(10**20), 10**20))
def test_seconds_are_exact(time):
    whole_part, _, rest = seconds(time).partition(".")
    assert len(rest) == 9
    assert abs(int(whole_part)) * S + int(rest) == abs(time)
    assert seconds(time).startswith("-") == (time < 0)


@pytest.mark.parametrize("text", ["", "5", "5 parsecs", "1.5", "-3s", "1s1", "0.5ns", "s", "1e3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"duration|nanosecond"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1Ki", 1024), ("1500m", 1.5), ("2e3", 2000), ("1E", 10**18), (".5", 0.5), (3, 3), ("1Mi", 2**20)],
)
def test_quantities_are_kubernetes(text, number):
    assert parse_quantity(text) == number


def test_quantities_round_up_where_the_scheduler_does():
    assert (millicores("1.0001"), whole("1500m")) == (1001, 2)


@pytest.mark.parametrize("text", ["", "1x", "1 Mi", "--1", "1mi"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="quantities must match"):
        parse_quantity(text)
