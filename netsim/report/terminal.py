"""What `netsim run` prints: the question, the story, the numbers, the claims.

Plain text of a given width. Colour is the caller's: `paint(text, role)` may wrap a text in escape codes and
must not change its length; the roles are title, heading, dim, good, bad, warn and rules.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from netsim.report.incident_text import heading, incidents
from netsim.report.reachability import Interval
from netsim.report.statistics import Bin, Statistics, histogram
from netsim.report.timeline import Entry
from netsim.report.wording import count, digits, duration, instant, offset, share, thousandths, wrapped
from netsim.units import MS, S

if TYPE_CHECKING:
    from netsim.report.run import Run

Paint = Callable[[str, str], str]
Lines = Iterator[str]

_BARS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_TONES = {"fault": "bad", "bad": "warn", "good": "good", "turn": "title", "rules": "rules", "plain": "plain"}
_HEADINGS = ("source", "by the", "began s", "detected", "ended", "lasted", "lost", "failed")
_INTERVALS = 6  # so many intervals of one source are printed; the table has them all


def plain(text: str, role: str) -> str:
    """No colour."""
    return text


def report(run: Run, width: int = 80, paint: Paint = plain, wide: bool = False) -> str:
    """Everything about a run. `wide` adds every percentile's histogram and what broke."""
    width = max(width, 60)
    parts = [
        _header(run, width, paint),
        _section("Timeline", story(run.timeline, width, paint), paint),
        _section("Incidents", incidents(run, width, paint, wide), paint),
        _section("Traffic", _traffic(run, width, paint, wide), paint),
        _section("Reachability", _reachability(run, width, paint, wide), paint),
        _section("Checks", claims(run, width, paint), paint),
    ]
    return "\n".join(line.rstrip() for part in parts for line in part) + "\n"


def _section(name: str, lines: Lines, paint: Paint) -> Lines:
    body = list(lines)
    if body:
        yield from ("", paint(name, "heading"), *body)


def _header(run: Run, width: int, paint: Paint) -> Lines:
    metadata = run.scenario.document.metadata
    yield from (paint(line, "title") for line in textwrap.wrap(printable(metadata.title), width))
    yield from (paint(line, "dim") for line in textwrap.wrap(printable(metadata.question), width))
    planned = run.scenario.document.duration
    yield paint(f"{metadata.name}, seed {run.seed}: {_span(run.ended)} simulated, "
                f"{count(run.count, 'request')}", "dim")  # fmt: skip
    if run.partial:
        yield paint(f"Stopped at {_span(run.ended)} of {_span(planned)}: this is a part of the run.", "warn")


def printable(text: str) -> str:
    r"""A text from a scenario, without what a terminal would obey instead of show.

    >>> printable("red\x1b[31m alert")
    'red [31m alert'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _span(time: int) -> str:
    """A whole run's length.

    >>> _span(10_800 * S), _span(1500 * MS)
    ('10,800 s', '1.500 s')
    """
    return f"{time // S:,} s" if time % S == 0 else instant(time)


# the story


def story(entries: Sequence[Entry], width: int = 80, paint: Paint = plain) -> Lines:
    """The timeline: since the run began, since the last fault (or its end), and what happened."""
    if not entries:
        return
    left = max(len(instant(entry.time)) for entry in entries)
    right = max(len(offset(entry.since)) for entry in entries)
    indent = " " * (4 + left + right + (2 if right else 0))
    for entry in entries:
        first, *rest = wrapped(entry.text + _until(entry), max(width - len(indent), 24))
        times = f"  {instant(entry.time):>{left}}" + (f"  {offset(entry.since):>{right}}" if right else "")
        yield f"{paint(times, 'dim')}  {paint(first, _TONES[entry.tone])}"
        yield from (indent + paint(line, _TONES[entry.tone]) for line in rest)


def _until(entry: Entry) -> str:
    if entry.until is None or entry.until - entry.time < MS:
        return ""
    last = instant(entry.until) if entry.since is None else offset(entry.since + entry.until - entry.time)
    return f" at {last}" if entry.tone == "rules" else f" (until {last})"


# the numbers


def _traffic(run: Run, width: int, paint: Paint, wide: bool) -> Lines:
    described = {traffic.name: traffic for traffic in run.scenario.document.traffic}
    for source in run.recording.sources:
        traffic, told = described.get(source), run.statistics(source)
        ends = f"{traffic.source} → {printable(traffic.target)}" if traffic else ""
        yield from heading(source, ends, width, paint)
        yield from (f"    {line}" for line in _numbers(run, source, told, paint))
        latencies, counts = run.latencies(source).weighted()
        if wide:
            yield from bars(histogram(latencies, counts=counts), width)
        elif told.ok:
            yield f"             {spark(histogram(latencies, width - 40, counts))}"
        yield from _failures(told, paint)


def _numbers(run: Run, source: str, told: Statistics, paint: Paint) -> Lines:
    success = paint(f"{share(told.success)} ok", "good" if told.success == 1 else "warn")
    others = ((told.failed, "failed"), (told.unfinished, "unfinished"))
    rest = "".join(f"   {count(number)} {what}" for number, what in others if number)
    yield f"{count(told.requests, 'request')}   {digits(run.rate(source))}/s   {success}{rest}"
    if told.ok:
        listed = "   ".join(f"p{p} {duration(value)}" for p, value in told.percentiles.items())
        error = f"   (each within {share(told.error)})" if told.error else ""
        yield f"latency  {listed}   max {duration(told.most)}{error}"


def spark(bins: Sequence[Bin]) -> str:
    """A histogram in one line, between the latencies where it begins and ends.

    >>> spark([Bin(1 * MS, 2 * MS, 8), Bin(2 * MS, 3 * MS, 0), Bin(3 * MS, 4 * MS, 1)])
    '1.00 ms █ ▁ 4.00 ms'
    """
    most = max(each.count for each in bins)
    line = "".join(_BARS[-(-each.count * 8 // most) - 1] if each.count else " " for each in bins)
    return f"{duration(bins[0].low)} {line} {duration(bins[-1].high)}"


def bars(bins: Sequence[Bin], width: int) -> Lines:
    """A histogram of one bin a line."""
    total, most = sum(each.count for each in bins), max((each.count for each in bins), default=0)
    room = max(width - 50, 10)
    for each in bins:
        whole, eighth = divmod(each.count * room * 8 // most, 8)
        bar = "█" * whole + (_EIGHTHS[eighth] if eighth else "")
        edges = f"{duration(each.low):>10} to {duration(each.high):<8}"
        yield f"    {edges} {bar:<{room}} {count(each.count):>9} {share(each.count / total):>8}"


def _failures(told: Statistics, paint: Paint) -> Lines:
    room = max((len(count(failure.count)) for failure in told.failures), default=0)
    for row, failure in enumerate(told.failures):
        when = f"at {instant(failure.first)}"
        if failure.last > failure.first:
            when = f"sent from {instant(failure.first)} to {instant(failure.last)}"
        what = paint(f"{count(failure.count):>{room}} {failure.outcome}", "bad")
        yield f"    {'' if row else 'errors':<6}   {what}, {when}"


# where nobody got through


def _reachability(run: Run, width: int, paint: Paint, wide: bool) -> Lines:
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for source, group in groupby(run.intervals, key=lambda interval: interval.source):
        intervals = list(group)
        shown = sorted(
            sorted(intervals, key=_length, reverse=True)[:_INTERVALS],
            key=lambda i: (i.seen != "rules", i.began),
        )
        rows += [_interval(interval) for interval in shown]
        if len(shown) < len(intervals):
            notes.append(f"{source}: {len(intervals) - len(shown)} shorter ones are in reachability.csv")
    absent = run.recording.absent
    for source, why in absent.items():
        text = f"{source} sent nothing: {printable(why)}"
        lines = textwrap.wrap(text, width - 2, subsequent_indent="  ", break_on_hyphens=False)
        yield from (f"  {paint(line, 'bad')}" for line in lines)
    if not rows:
        if len(absent) < len(run.recording.sources):
            text = f"Every {'other ' if absent else ''}source could reach its target at all times."
            yield f"  {paint(text, 'good')}"
        return
    yield from _aligned((_HEADINGS, *rows), width, paint)
    yield from (f"  {paint(note, 'dim')}" for note in notes)
    if wide:
        reasons = dict.fromkeys(interval.reason for interval in run.intervals if interval.reason)
        yield from (f"  {paint(f'because: {printable(reason)}', 'dim')}" for reason in reasons)


def _length(interval: Interval) -> float:
    return float("inf") if interval.ended is None else interval.ended - interval.began


def _interval(interval: Interval) -> tuple[str, ...]:
    detected, ended = interval.detected, interval.ended
    return (
        interval.source,
        interval.seen,
        thousandths(interval.began),
        f"+{thousandths(detected - interval.began)}"
        if detected is not None and detected >= interval.began
        else "-",
        "open" if ended is None else thousandths(ended),
        "-" if ended is None else thousandths(ended - interval.began),
        share(interval.share),
        count(interval.lost),
    )


def _aligned(rows: Sequence[tuple[str, ...]], width: int, paint: Paint) -> Lines:
    """Columns under a heading: the first two to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    widths[0] = max(8, min(widths[0], width - 2 - sum(widths[1:]) - 2 * (len(widths) - 1)))
    previous = ""
    for at, row in enumerate(rows):
        name = row[0] if row[0] != previous else ""
        previous = row[0]
        cells = [f"{_cut(name, widths[0]):<{widths[0]}}", f"{row[1]:<{widths[1]}}"]
        cells += [f"{cell:>{room}}" for cell, room in zip(row[2:], widths[2:], strict=True)]
        yield f"  {paint('  '.join(cells), 'dim' if not at else 'plain')}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


# the claims


def claims(run: Run, width: int = 80, paint: Paint = plain, only_failed: bool = False) -> Lines:
    """The checks: ✓ or ✗, what was claimed, what was found."""
    findings = [finding for finding in run.checks() if not (only_failed and finding.passed)]
    room = max((len(finding.claim) for finding in findings), default=0)
    for finding in findings:
        mark, role = ("✓", "good") if finding.passed else ("✗", "bad")
        yield f"  {paint(mark, role)} {finding.claim:<{room}}   {paint(finding.found, role)}"
