"""What `netsim run` prints of each fault: where the seconds went, and what it cost.

Every stage is a line: who was waited for, what then had happened, how long after the fault that was, how long it
took, and a bar that stands where the stage lies in the whole. The four lengths below it are those of `incidents.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from netsim.report.incidents import Incident, Loss
from netsim.report.replacements import Left
from netsim.report.stages import Stage
from netsim.report.wording import count, duration, instant, offset, share, some, thousandths, wrapped

if TYPE_CHECKING:
    from netsim.report.run import Run

Paint = Callable[[str, str], str]
Lines = Iterator[str]

MOST = 6  # incidents that are told one by one; the table has them all
_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def incidents(run: Run, width: int, paint: Paint, wide: bool) -> Lines:
    """Every incident; of many only the first ones, unless `wide`."""
    every = run.strokes
    shown = every if wide else every[:MOST]
    for at, incident in enumerate(shown):
        if at:
            yield ""
        yield from heading(incident.fault, _what(incident), width, paint)
        yield from stages(incident.stages, incident.injected, width, paint)
        for line in (_lengths(incident), *_left(incident)):
            yield from wrapped(line, width, "    ", "      ")
        yield from _losses(incident.losses, width, paint)
    if len(shown) < len(every):
        yield f"  {paint(f'{len(every) - len(shown)} more are in incidents.csv', 'dim')}"


def heading(name: str, what: str, width: int, paint: Paint) -> Lines:
    """The name of a fault or a source, and what it does to whom."""
    first, *rest = wrapped(f"{name}  {what}", width, "  ", "      ")
    shown = first[: 2 + len(name)]
    yield f"{paint(shown, 'title')}{paint(first.removeprefix(shown), 'dim')}"
    yield from (paint(line, "dim") for line in rest)


def _what(incident: Incident) -> str:
    whom = some([_short(victim) for victim in incident.victims]) or "nobody"
    healed = "" if incident.healed is None else f" to {instant(incident.healed)}"
    return f"{incident.action} of {whom}, {'at' if not healed else 'from'} {instant(incident.injected)}{healed}"


def stages(found: Sequence[Stage], injected: int, width: int, paint: Paint) -> Lines:
    """A line for each stage, with a bar where it lies in the whole."""
    if not found:
        return
    total = max(found[-1].end - injected, 1)
    who, what = max(len(stage.component) for stage in found), max(len(stage.what) for stage in found)
    ends = [offset(stage.end - injected) for stage in found]
    took = [thousandths(stage.took) for stage in found]
    after, long = max(map(len, ends)), max(map(len, took))
    room = min(_BAR, width - (who + what + after + long + 14))
    for stage, end, seconds in zip(found, ends, took, strict=True):
        line = f"    {stage.component:<{who}}  {stage.what:<{what}}  {end:>{after}}  {seconds:>{long}} s"
        strip = bar(stage.begin - injected, stage.end - injected, total, room) if room >= 8 else ""
        yield f"{line}  {paint(strip, 'rules')}" if strip else line


def bar(begin: int, end: int, total: int, room: int) -> str:
    """A bar from `begin` to `end` of `total`, in so many columns; never less than a hair.

    >>> bar(0, 50, 100, 8), bar(50, 100, 100, 8), bar(50, 50, 100, 8)
    ('████', '    ████', '    ▏')
    """
    first, last = (time * room * 8 // total for time in (begin, end))
    start = first // 8
    if last // 8 == start or last - first < 8:
        return " " * min(start, room - 1) + _EIGHTHS[max(1, min(8, last - first))]
    return " " * start + "█" * (last // 8 - start) + (_EIGHTHS[last % 8] if last % 8 else "")


def _lengths(incident: Incident) -> str:
    noticed = f"reaction {duration(incident.reaction)}" if incident.reaction is not None else "not noticed"
    repaired = _repaired(incident)
    back = "not yet over" if incident.outage is None else duration(incident.outage)
    recovery = f", recovery {duration(incident.recovery)}" if incident.recovery is not None else ""
    return f"{noticed}{repaired}{recovery}, outage {back}"


def _repaired(incident: Incident) -> str:
    """How long the repair took; of what Kubernetes never noticed, and what let go by itself, there was none."""
    if incident.repair is not None:
        return f", repair {duration(incident.repair)}"
    if incident.repaired is not None:
        return f", ready again after {duration(incident.repaired - incident.injected)}"
    return "" if incident.noticed is None and incident.healed is not None else ", not repaired"


def _left(incident: Incident) -> Lines:
    """Pods that are not part of the repair, and why not."""
    for why, left in (("never replaced", incident.never_replaced),
                      ("replaced only when their node was back", incident.replaced_late)):  # fmt: skip
        if left:
            yield f"{why}: {some([_owned(each) for each in left])}"
    if incident.kept:
        yield f"not evicted: {some([_short(pod) for pod in incident.kept])}"


def _owned(left: Left) -> str:
    return f"{_short(left.pod)} ({left.kind or 'no owner'})"


def _short(subject: str) -> str:
    """What a person calls a victim."""
    return subject.partition("/")[2].removeprefix("default/") or subject


def _losses(losses: Sequence[Loss], width: int, paint: Paint) -> Lines:
    for loss in losses:
        if loss.lost and loss.first is not None and loss.last is not None:
            how = ", ".join(f"{count(number)} {outcome}" for outcome, number in loss.outcomes)
            first, last = instant(loss.first), instant(loss.last)
            when = f"sent at {first}" if first == last else f"sent from {first} to {last}"
            told = f"{loss.source}: {how} {when}, {share(loss.availability)} ok"
            for line in wrapped(told, width, "    ", "      "):
                yield line.replace(f": {how}", f": {paint(how, 'bad')}", 1)
