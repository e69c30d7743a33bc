"""The scaling note: what the page says is what the script computes, and the simulation keeps its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scaling import render
from benchmarks.scaling_model import sample_sizes, simulate

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
SIZES = [1_000_000, 30_000_000, 5_000_000, 200_000_000, 2_000_000]


def test_the_page_shows_what_the_script_prints() -> None:
    """Whoever changes a figure or the model changes docs/scaling.md, too."""
    between = PAGE.read_text().split("<!-- scaling:")[1].split("-->", 1)[1].split("<!-- /scaling -->")[0]

    assert render() == between.strip()


def test_one_at_a_time_takes_the_sum_of_all() -> None:
    """With one slot, nothing overlaps."""
    alone = sum(simulate([size], cpus=1, slots=1).seconds for size in SIZES)

    assert pytest.approx(alone) == simulate(SIZES, cpus=1, slots=1).seconds


def test_more_slots_never_take_longer_and_take_more_disk() -> None:
    """What waits overlaps; mirrors and tarballs of all slots lie on the disk at the same time."""
    runs = [simulate(SIZES, cpus=4, slots=slots) for slots in (1, 2, 4)]

    assert sorted(runs, key=lambda run: -run.seconds) == runs
    assert [400_000_000, 460_000_000, 474_000_000] == [run.peak_disk_bytes for run in runs]


def test_one_processor_bounds_any_number_of_slots() -> None:
    """Work that needs the processor does not overlap."""
    many = sample_sizes(200)
    alone = sum(simulate([size], cpus=1, slots=1).seconds for size in many)
    one = simulate(many, cpus=1, slots=200).seconds
    two = simulate(many, cpus=2, slots=200).seconds

    assert two < one < alone
    assert one > alone / 4
