"""What is kept of the table of requests, and how it is written while a run goes on."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.dataplane.requests import REQUEST
from netsim.errors import NetsimError, ScenarioError
from netsim.report import writing
from netsim.report.digest import Digest
from netsim.report.keeping import Sample, Wish, wished
from netsim.report.run import Run
from netsim.report.writing import CsvWriter, ParquetWriter, writer
from netsim.simulation import Part


def rows(count: int) -> np.ndarray:
    found = np.zeros(count, REQUEST)
    found["sequence"] = np.arange(count)
    return found


def sampled(count: int, most: int, cuts: list[int], seed: int = 1) -> list[int]:
    sample = Sample(most, seed)
    for part in np.split(rows(count), sorted(cut for cut in cuts if cut <= count)):
        sample.take(part)
    return sample.rows["sequence"].tolist()


@pytest.mark.parametrize(
    ("text", "wish"), [("all", Wish("all")), ("none", Wish("none")), ("sample:12", Wish("sample", 12))]
)
def test_a_wish_is_read(text, wish):
    assert wished(text) == wish


@given(st.integers(0, 300), st.integers(1, 40), st.lists(st.integers(0, 300), max_size=6))
def test_a_sample_does_not_depend_on_how_the_table_comes(count, most, cuts):
    found = sampled(count, most, cuts)
    assert found == sampled(count, most, [])
    assert len(found) == min(count, most)
    assert found == sorted(set(found))


def test_a_sample_of_a_longer_run_keeps_what_it_keeps_of_a_shorter_one():
    short, long = sampled(100, 10, []), sampled(200, 10, [])
    assert [number for number in long if number < 100] == [number for number in short if number in long]


def test_every_row_is_as_likely_as_any_other():
    counts = np.zeros(40)
    for seed in range(2000):
        counts[sampled(40, 10, [7, 20], seed)] += 1
    expected = 2000 / 4
    chi_square = ((counts - expected) ** 2 / (expected * 0.75)).sum()
    assert chi_square < 80  # 39 degrees of freedom: one in ten thousand is above


@pytest.fixture
def part(recording):
    """The whole table as one part."""
    return Part(recording.requests, recording.sources, recording.pods, recording.nodes, recording.changes, ())


def pieces(part, size):
    return [replace(part, requests=part.requests[at : at + size]) for at in range(0, len(part.requests), size)]


@pytest.mark.parametrize("size", [1, 37, 1000, 10**6])
def test_csv_is_the_same_however_the_table_comes(run, part, size):
    stream = io.BytesIO()
    table = CsvWriter(stream)
    for piece in pieces(replace(part, requests=part.requests[:1500]), size):
        table.take(piece)
    short = Run(SimpleNamespace(**{**vars(run.recording), "requests": part.requests[:1500]}))
    assert stream.getvalue().decode() == short.table("requests").csv()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_without_rows_has_its_columns(part, form, tmp_path):
    pandas = pytest.importorskip("pandas")
    with writer(tmp_path, form) as table:
        table.take(replace(part, requests=part.requests[:0]))
    read = pandas.read_csv if form == "csv" else pandas.read_parquet
    frame = read(tmp_path / f"requests.{form}")
    assert len(frame) == 0
    assert list(frame.columns[:4]) == ["source", "client", "sequence", "sent"]


def test_a_reader_of_csv_that_goes_away_is_no_mistake(part):
    class Gone(io.BytesIO):
        def writelines(self, lines):
            raise BrokenPipeError

    table = CsvWriter(Gone())
    table.take(part)
    table.take(part)
    table.close()


def test_parquet_is_the_same_bytes_however_the_table_comes(part, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(writing, "GROUP", 1000)
    files = []
    for size in (1, 999, 10**6):
        files.append(tmp_path / f"{size}.parquet")
        table = ParquetWriter(files[-1])
        for piece in pieces(replace(part, requests=part.requests[:3500]), size):
            table.take(piece)
        table.close()
    assert len({file.read_bytes() for file in files}) == 1
    told = parquet.ParquetFile(files[0]).metadata
    assert [told.row_group(group).num_rows for group in range(told.num_row_groups)] == [1000, 1000, 1000, 500]


def test_parquet_gives_back_what_a_frame_holds(run, part, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    with writer(tmp_path, "parquet") as table:
        table.take(part)
    frame = pandas.read_parquet(tmp_path / "requests.parquet")
    pandas.testing.assert_frame_equal(frame, run.requests, check_dtype=False)
    assert (np.rint(frame.sent * 1e9) == part.requests["sent"]).all()


def test_a_run_that_kept_nothing_says_all_but_its_requests(recording):
    forgetful = Run(
        SimpleNamespace(**{**vars(recording), "requests": recording.requests[:0]}), Digest.of(recording), "none"
    )
    assert forgetful.summary() == Run(recording).summary()
    assert forgetful.count == len(recording.requests)
    with pytest.raises(NetsimError, match="has not kept its requests; run it with requests='all'"):
        _ = forgetful.requests


def test_a_folder_of_a_run_that_kept_nothing_has_no_table_of_requests(recording, tmp_path):
    forgetful = Run(
        SimpleNamespace(**{**vars(recording), "requests": recording.requests[:0]}), Digest.of(recording), "none"
    )
    place = forgetful.save(tmp_path)
    assert not (place / "requests.csv").exists()
    assert "requests.csv" not in (place / "schema.json").read_text()


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ScenarioError, match="Parquet needs pyarrow"), writer(tmp_path, "parquet"):
        pass
