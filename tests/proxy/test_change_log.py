"""What lies between two revisions is told by sums; walking from one to the other would say the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netsim.proxy.change_log import ChangeLog, Changes

PORTS = [("default", name, "http", protocol, 4) for name in "abc" for protocol in ("TCP", "UDP")]
ENTRIES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(PORTS), st.integers(0, 9), st.booleans()), max_size=60
)


def walked(entries, since, until):
    """By the definition: the latest change of each port in the window."""
    between = [entry for entry in entries if since < entry[0] <= until]
    sizes = {port: size for _, port, size, _ in between}
    return Changes(len(sizes), sum(sizes.values()), any(udp for *_, udp in between))


@given(ENTRIES, st.integers(0, 130), st.integers(0, 130))
def test_every_window_says_what_walking_through_it_says(steps, since, until):
    log, entries, revision = ChangeLog(), [], 1
    for step, port, size, udp in steps:
        revision += step  # several ports may change in one revision
        log.append(revision, port, size, udp=udp)
        entries.append((revision, port, size, udp))
        assert log.between(since, revision) == walked(entries, since, revision)
    assert log.between(since, until) == walked(entries, since, until)


def test_a_port_that_changes_again_and_again_counts_once():
    log = ChangeLog()
    for revision in range(2, 1000):
        log.append(revision, PORTS[revision % 2], revision % 7, udp=False)
    assert log.between(1, 999) == Changes(2, 999 % 7 + 998 % 7, False)
    assert log.between(1, 997) == Changes(2, 997 % 7 + 996 % 7, False)
