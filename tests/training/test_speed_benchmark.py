"""The benchmark measures what it says; no assertion is about how long anything takes."""

from __future__ import annotations

import pytest

from benchmarks.training_speed import largest, measure


@pytest.mark.parametrize("most", [0, 7, 8, 9, 64, 100, 1000, 16383, 16384, 99999])
def test_the_largest_batch_is_found(most: int) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= most

    assert largest(fits) == min(most, 16384) // 8 * 8
    assert len(tried) == len(set(tried)), "no batch is tried twice"
    assert all(batch % 8 == 0 for batch in tried)


def test_a_measurement_counts_the_steps_after_the_warm_up() -> None:
    found = measure("dr_resnet16_l2", 4, "float32", "cpu", 2)
    assert found["batch"] == 4
    assert len(found["step_seconds"]) == 2
    assert found["images_per_second"] > 0
    assert found["peak_memory_mib"] > 50
