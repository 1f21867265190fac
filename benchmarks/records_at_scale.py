"""Five million records: each question that Distribution asks, and the page itself, timed.

    python -m benchmarks.records_at_scale [--rows 5000000] [--repeats 5] [--out scale.json]

The records of a shipped run are repeated in an order of chance, each time under another ``index``
and ``id``, until there are so many; so every column is distributed as a real network's. Numbers
with a fraction are changed by some thousandths at each repetition: equal ones would compress to
files smaller than those of as many images. They stand in a temporary folder in Parquet files of
100,000 rows, written as ``drnn records`` writes them. Too many for the app to keep in memory, they
are counted by DuckDB in the process that is measured: what each question takes, and by how much
the process grows. With ``--in-memory`` the same records are asked in memory too, which takes
gigabytes. Then Distribution in a headless Chromium: the first visit, for which every file's SHA-256
is taken anew, later ones, an answer chosen in the sidebar until the gallery is painted anew, and
the server's resident size. The pictures of the records are nowhere, as where a validation set
stands on another machine; the gallery then has tiles with what is known.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.app import FLAGS, chromium_path, serving, told
from benchmarks.app_pages import filter_times
from benchmarks.app_server import resident
from benchmarks.app_visits import CHARTS, say, visit_anew
from drnn_core.analysis.loops import Selection
from drnn_core.inference.facts import network_facts
from drnn_core.querying.frames import FrameRecords
from drnn_core.querying.headline import headline
from drnn_core.querying.parquet import ParquetRecords, sample, verified_files
from drnn_core.querying.records import Records
from drnn_core.store.records import (
    RECORDS_TABLE,
    RecordWriter,
    read_manifest,
    read_records,
    read_records_table,
)
from drnn_core.store.runs import read_run

SOURCE = Path(__file__).resolve().parents[1] / "checkpoints" / "generated_dr_resnet32_l4"
SHARD_ROWS = 100_000
TILES = 60  # pictures of one page of the gallery


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=5_000_000, help="number of records")
    parser.add_argument("--repeats", type=int, default=5, help="of each question and visit")
    parser.add_argument("--in-memory", action="store_true", help="ask a table in memory as well")
    parser.add_argument("--out", type=Path, default=None, help="also write the JSON here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), chosen.rows, chosen.repeats, chosen.in_memory)
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")


def measure(folder: Path, rows: int, repeats: int, in_memory: bool) -> dict[str, Any]:
    """Questions and the page, with what they were measured on."""
    run = folder / "runs" / f"r{rows}"
    started = time.perf_counter()
    repeat_records(run, rows)
    say(f"{rows:,} records written in {time.perf_counter() - started:.0f} s")
    before = os.getloadavg()[0]
    questions = question_times(run, rows, repeats, in_memory)
    return {
        "rows": rows,
        "records_mb": round(sum(each.stat().st_size for each in run.rglob("*.parquet")) / 1e6, 1),
        "questions": questions,
        "page": page_times(folder, run.name, repeats),
        "load_average": [before, os.getloadavg()[0]],
        "processors": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
    }


def repeat_records(run: Path, rows: int) -> None:
    """A run with the network of ``SOURCE`` and its records, repeated."""
    run.mkdir(parents=True)
    for name in ("run.json", "model.safetensors"):
        shutil.copyfile(SOURCE / name, run / name)
    table = read_records_table(SOURCE)
    header = replace(
        read_manifest(SOURCE).header,
        dataset="records repeated for a benchmark",
        data_fingerprint="0" * 64,
        rows=rows,
        shard_rows=SHARD_ROWS,
    )
    random = np.random.default_rng(0)
    with RecordWriter(run, header) as writer:
        for first, count in writer.missing():
            drawn: Any = random.integers(0, table.num_rows, count)
            part = table.take(drawn)
            index = np.arange(first, first + count)
            for name, values in (("index", index), ("id", [f"{each:07d}" for each in index])):
                place = part.schema.get_field_index(name)
                typed = pa.array(values).cast(part.schema.field(name).type)
                part = part.set_column(place, part.schema.field(name), typed)
            writer.write(first, varied(part, random))


def varied(table: pa.Table, random: np.random.Generator) -> pa.Table:
    """Each number with a fraction, in lists too, times 1 minus at most 0.005."""
    for place, field in enumerate(table.schema):
        column: Any = table.column(place).combine_chunks()
        lists = pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type)
        values = column.flatten() if lists else column
        if not pa.types.is_floating(values.type):
            continue
        numbers = values.to_numpy(zero_copy_only=False)
        less = (numbers * (1 - random.uniform(0, 0.005, len(numbers)))).astype(numbers.dtype)
        changed: pa.Array = pa.array(less)
        if pa.types.is_fixed_size_list(field.type):
            changed = pa.FixedSizeListArray.from_arrays(changed, field.type.list_size)
        elif lists:
            changed = pa.ListArray.from_arrays(column.offsets, changed)
        table = table.set_column(place, field, changed.cast(field.type))
    return table


def question_times(run: Path, rows: int, repeats: int, in_memory: bool) -> dict[str, Any]:
    """Seconds of each question, and what the process grew by, in MB."""
    facts = network_facts(read_run(run))
    grown = peak()
    started = time.perf_counter()
    files = verified_files(run, RECORDS_TABLE)
    found: dict[str, Any] = {"files found sound, once": time.perf_counter() - started}
    on_disk = questions(ParquetRecords(files, rows, facts.layout), run)
    on_disk["a sample of 50,000"] = lambda: sample(files, rows, 50_000)
    found["on the disk"] = {name: timed(ask, repeats) for name, ask in on_disk.items()}
    found["grown by, MB"] = round(peak() - grown, 1)
    if in_memory:
        kept = FrameRecords(read_records(run), facts.layout)
        asked = questions(kept, run)
        found["in memory"] = {name: timed(ask, repeats) for name, ask in asked.items()}
    return found


def questions(records: Records, run: Path) -> dict[str, Callable[[], object]]:
    """What Distribution asks of a run: of all records, and of a part of them."""
    info = read_run(run)
    facts = network_facts(info)
    part = Selection(loops=(3, 6), labels=(1, 2), correct=False)
    page = records.positions(part, "confidence up")[:TILES]
    return {
        "headline numbers": lambda: headline(records, facts.layout, facts.asks),
        "loops of all": lambda: records.loop_counts(Selection()),
        "loops of a part": lambda: records.loop_counts(part),
        "loops of each block": lambda: records.block_counts(Selection()),
        "loops of each class": lambda: records.classes(Selection(), info.classes),
        "a part, least confident first": lambda: records.positions(part, "confidence up"),
        "all, most loops first": lambda: records.positions(Selection(), "loops down"),
        "one page of tiles": lambda: records.at(page),
    }


def timed(ask: Callable[[], object], repeats: int) -> dict[str, Any]:
    """A question asked some times."""
    times: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return told(times)


def peak() -> float:
    """Most memory that this process has held, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def page_times(folder: Path, run: str, repeats: int) -> dict[str, Any]:
    """Distribution in a browser."""
    from playwright.sync_api import sync_playwright

    chromium = chromium_path()
    (folder / "data").mkdir()
    with serving(folder) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        url = f"{address}/distribution?run={run}"
        wanted = [CHARTS["Distribution"], False]
        first = visit_anew(browser, url, wanted)
        later = [visit_anew(browser, url, wanted) for _ in range(repeats)]
        say(f"Distribution: {first:.1f} s, then {told(later)['median']} s")
        filtered = filter_times(browser, url, repeats)
        browser.close()
        return {
            "first_visit_s": round(first, 2),
            "visit_s": told(later),
            "filter_s": told(filtered),
            "resident_mb": resident(address),
        }


if __name__ == "__main__":
    main()
