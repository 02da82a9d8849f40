"""CSV, schema and DataFrames: exact, quick, and all saying the same."""

from __future__ import annotations

import csv
import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.dataplane.requests import OUTCOMES, UNFINISHED
from netsim.report.run import TABLES, Run
from netsim.report.tables import Table, integers, named, numbers, seconds, texts
from netsim.units import S
from netsim.units import seconds as exactly

times = st.lists(st.one_of(st.none(), st.integers(0, 10**17)), min_size=1, max_size=50)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.csv(), newline="")))


@given(times)
def test_seconds_are_written_exactly_with_nine_places(values):
    rows = read(Table("t", "", (seconds("when", "", values), texts("x", "", ["x"] * len(values)))))
    assert [row["when"] for row in rows] == ["" if value is None else exactly(value) for value in values]


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=50))
def test_whole_numbers_are_written_as_they_are(values):
    assert [row["n"] for row in read(Table("t", "", (integers("n", "", values),)))] == [
        str(v) for v in values
    ]


@given(st.lists(words, min_size=1, max_size=20))
def test_any_text_survives_a_reader_of_csv(values):
    table = Table("t", "", (integers("n", "", range(len(values))), texts("text", "", values)))
    assert [row["text"] for row in read(table)] == values


def test_what_is_not_there_is_an_empty_cell_in_csv_and_nothing_in_a_frame():
    table = Table(
        "t", "", (seconds("s", "", [None]), named("n", "", np.array([-1]), ("a",)), numbers("x", "", [None]))
    )
    assert read(table) == [{"s": "", "n": "", "x": ""}]
    assert table.frame().isna().all(axis=None)


def test_a_hundred_thousand_rows_are_written_well_within_a_second(remake):
    run = Run(remake(125.0))
    assert len(run.rows) > 100_000
    table = run.table("requests")
    began = time.process_time()
    size = sum(len(chunk) for chunk in table.chunks())
    assert time.process_time() - began < 0.8
    assert size > 10_000_000


def test_rows_are_written_the_same_whatever_the_size_of_a_chunk(run, monkeypatch):
    whole = run.table("requests").csv()
    monkeypatch.setattr("netsim.report.tables._CHUNK", 7)
    assert run.table("requests").csv() == whole


@pytest.mark.parametrize("name", TABLES)
def test_csv_schema_and_frame_agree_on_columns_and_rows(run, name):
    table = run.table(name)
    rows, frame = read(table), table.frame()
    columns = [field["name"] for field in table.schema()["schema"]["fields"]]
    assert list(rows[0]) == list(frame.columns) == columns
    assert len(rows) == len(frame) == len(table) > 0


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means_and_every_time_says_seconds(run, name):
    for field in run.table(name).schema()["schema"]["fields"]:
        assert len(field["description"]) > 3
        assert field["type"] in ("string", "integer", "number")
        if field["name"] in ("sent", "latency", "time", "began", "p99") and field["type"] == "number":
            assert field["unit"] == "s"


def test_the_table_of_requests_names_pods_nodes_and_outcomes(run):
    frame = run.requests
    dead = frame[(frame.outcome == "timeout") & (frame.source == "inside")]
    assert set(dead.pod) == {"default/my-nginx-77b9c67898-q9zt7"}
    assert set(dead.node) == {"worker-2"}
    assert set(dead.ingress) == {"worker-3"}
    assert set(frame.outcome) <= set(OUTCOMES)
    assert frame[frame.outcome == "refused"].pod.isna().all()


def test_a_pod_that_moved_is_shown_where_it_was_when_the_request_was_sent(remake, recording):
    from netsim.dataplane.history import Change

    moved = Change(200 * S, "pod-scheduled", "pod/default/my-nginx-77b9c67898-4xk2p", "worker-3")
    frame = Run(remake(5.0, changes=(*recording.changes, moved))).requests
    mine = frame[frame.pod == "default/my-nginx-77b9c67898-4xk2p"]
    assert set(mine[mine.sent < 200].node) == {"worker-1"}
    assert set(mine[mine.sent >= 200].node) == {"worker-3"}


def test_the_series_counts_every_request_once_in_the_second_it_was_sent(run):
    frame = run.series
    assert frame.sent.sum() == len(run.rows)
    assert (frame.sent == frame.ok + frame.failed + frame.unfinished).all()
    failures = [name for code, name in enumerate(OUTCOMES) if code not in (0, UNFINISHED)]
    assert (frame.failed == frame[failures].sum(axis=1)).all()
    second = frame[(frame.source == "inside") & (frame.time == 70.0)].iloc[0]
    sent = run.requests[
        (run.requests.source == "inside") & (run.requests.sent.between(70, 71, inclusive="left"))
    ]
    assert second.sent == len(sent)
    assert second["max"] == pytest.approx(sent[sent.outcome == "ok"].latency.max())


def test_the_series_has_no_percentile_where_nothing_went_well(remake):
    empty = remake(5.0)
    empty.requests = empty.requests[:0]
    table = Run(empty).table("series")
    assert len(table) == 3 * 480
    assert table.frame().p99.isna().all()


def test_a_run_without_sources_has_tables_without_rows(remake):
    run = Run(remake(5.0, sources=(), requests=remake(5.0).requests[:0], outages=()))
    assert [len(run.table(name)) for name in ("requests", "series", "reachability")] == [0, 0, 0]
    assert run.table("requests").csv().count("\n") == 1


def test_there_is_no_table_of_another_name(run):
    with pytest.raises(KeyError, match="there are requests, changes, series, reachability"):
        run.table("pods")
