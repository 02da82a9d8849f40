"""The figure: the same bytes each time, what is on it, and how it copes with odd runs."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import pytest

mpl.use("agg")

from matplotlib.figure import Figure

from netsim.report import palette
from netsim.report.figure import overview, png
from netsim.report.lanes import _State, node_state, pod_state
from netsim.report.run import Run
from netsim.units import S


def test_a_figure_is_the_same_bytes_each_time_and_says_nothing_of_when_or_by_what(run):
    first = png(overview(run))
    assert first == png(overview(run))
    assert first.startswith(b"\x89PNG")
    for chunk in (b"tEXt", b"tIME", b"iTXt"):
        assert chunk not in first


def test_there_is_a_panel_for_each_source_for_latency_for_incidents_and_for_the_cluster(run):
    figure = overview(run)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(figure.axes) == 6
    for name in (*run.recording.sources, "latency"):
        assert name in texts
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 480.0)}


def test_the_lanes_are_named_and_the_fault_is_shaded_in_every_panel(run):
    figure = overview(run)
    names = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert names[:4] == list(run.recording.nodes)
    assert len(names) == 7
    for axes in figure.axes:
        shades = [patch for patch in axes.patches if patch.get_alpha() and patch.get_alpha() < 0.1]
        assert [(p.get_x(), p.get_x() + p.get_width()) for p in shades] == [(60.0, 420.0)]


def test_many_sources_share_a_panel(remake, recording):
    sources = tuple(f"s{n}" for n in range(9))
    assert len(overview(Run(remake(5.0, sources=sources))).axes) == 4


@pytest.mark.parametrize("ended", [1, 10**6, 480 * S, 90_000 * S])
def test_a_run_of_any_length_can_be_drawn(remake, recording, ended):
    rows = recording.requests[recording.requests["sent"] < ended]
    changes = tuple(change for change in recording.changes if change.time <= ended)
    assert png(overview(Run(remake(5.0, ended=ended, requests=rows, changes=changes))))


def test_a_run_without_traffic_or_changes_can_be_drawn(remake, recording):
    run = Run(remake(5.0, sources=(), requests=recording.requests[:0], outages=(), changes=(), nodes=()))
    assert png(overview(run))


def test_every_state_has_a_colour_and_a_meaning():
    facts = [set(), {"off"}, {"struck"}, {"not ready"}, {"off", "not ready"}]
    pods = [{"exists", *rest} for rest in ((), ("ready",), ("served",), ("terminating",), ("endpoint s",),
                                          ("endpoint s", "listens"))]  # fmt: skip
    states = {node_state(each) for each in facts} | {pod_state(each) for each in pods}
    assert states == set(palette.STATES) == set(palette.MEANINGS)
    assert _State().spans == []


def test_every_picture_can_be_drawn_on_axes_of_ones_own(run):
    for draw in (run.plot.timeline, run.plot.latency, run.plot.traffic):
        axes = Figure().add_subplot()
        assert draw(ax=axes) is axes
        assert axes.get_xlim() == (0.0, 480.0)


def test_in_a_notebook_every_picture_has_a_figure_of_its_own(run):
    from matplotlib import pyplot

    pyplot.close("all")
    run.plot.timeline()
    run.plot.traffic("inside")
    run.plot.overview()
    assert len(pyplot.get_fignums()) == 3
    pyplot.close("all")


def test_the_figure_needs_neither_pyplot_nor_pandas():
    code = (
        "import sys, netsim.report.figure, netsim.report.run, netsim.report.folder, netsim.report.terminal\n"
    )
    code += (
        "print([name for name in ('matplotlib.pyplot', 'pandas', 'tkinter', 'click') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_dollar_sign_in_a_title_is_a_dollar_sign(remake, recording):
    document = recording.scenario.document
    metadata = document.metadata.model_copy(update={"title": "costs $x^{ and $5", "question": "$\\frac$?"})
    scenario = type(recording.scenario)(document.model_copy(update={"metadata": metadata}))
    assert png(overview(Run(remake(2.0, scenario=scenario))))
