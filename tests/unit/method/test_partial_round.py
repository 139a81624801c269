"""Shards: which components they hold, their files, and how they come together."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.partial_round import (
    PartialRound,
    choose_ids,
    merge_facts,
    read_partial_round,
    sort_partial_rounds,
    write_partial_round,
)


def partial_round(ids, **facts):
    generator = torch.Generator().manual_seed(len(ids))
    return PartialRound(
        ids=list(ids),
        tensors={"components.0.weight": torch.rand(len(ids), 2, generator=generator), "cells.0": torch.arange(3)},
        log_ratios=torch.rand(5, len(ids), generator=generator),
        log_ratios_test=torch.rand(4, len(ids), generator=generator),
        samples=np.zeros((len(ids), 2, 2), dtype=np.float32),
        facts=facts,
    )


@given(num_components=st.integers(1, 40), num_shards=st.integers(1, 40))
def test_shards_cover_every_component_once_and_evenly(num_components, num_shards):
    if num_shards > num_components:
        with pytest.raises(UserError, match="shards"):
            choose_ids(num_components, 0, num_shards)
        return
    shards = [choose_ids(num_components, shard, num_shards) for shard in range(num_shards)]
    assert [j for ids in shards for j in ids] == list(range(num_components))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("shard", [-1, 3])
def test_a_shard_that_is_not_there(shard):
    with pytest.raises(UserError, match=rf"shard {shard} of 3"):
        choose_ids(5, shard, 3)


def test_a_contest_survives_its_file(tmp_path):
    before = partial_round(
        [1, 2], revived=[[0, 1]], component_loss=[None, 0.5], samples_seen=3, compute=2.5, seconds={}
    )
    write_partial_round(tmp_path / "0.safetensors", before)
    after = read_partial_round(tmp_path / "0.safetensors")
    assert (after.ids, after.facts) == (before.ids, before.facts)
    assert torch.equal(after.log_ratios, before.log_ratios)
    assert torch.equal(after.log_ratios_test, before.log_ratios_test)
    assert np.array_equal(after.samples, before.samples)
    assert {name: t.tolist() for name, t in after.tensors.items()} == {n: t.tolist() for n, t in before.tensors.items()}


def test_images_stay_uint8(tmp_path):
    images = partial_round([0])
    images.samples = np.full((1, 2, 1, 3, 3), 200, dtype=np.uint8)
    write_partial_round(tmp_path / "0.safetensors", images)
    assert read_partial_round(tmp_path / "0.safetensors").samples.dtype == np.uint8


def test_contests_are_put_in_order():
    assert [c.ids for c in sort_partial_rounds([partial_round([2, 3]), partial_round([0, 1])], 4)] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("parts", [[[0, 1]], [[0, 1], [1, 2]], [[0], [2]], []])
def test_a_missing_or_double_shard_is_refused(parts):
    with pytest.raises(UserError, match="expected each of 0 to 2 once"):
        sort_partial_rounds([partial_round(ids) for ids in parts], 3)


def test_facts_are_joined_by_component_and_added():
    first = {
        "revived": [[1, 0]],
        "component_loss": [1.0, None],
        "samples_seen": 10,
        "compute": 4.0,
        "seconds": {"load": 1.0, "train": 2.0},
    }
    second = first | {"component_loss": [3.0], "samples_seen": 5, "seconds": {"train": 0.5, "score": 1.0}}
    assert merge_facts([first, second]) == {
        "revived": [[1, 0]],
        "component_loss": [1.0, None, 3.0],
        "samples_seen": 15,
        "compute": 8.0,
        "seconds": {"load": 1.0, "score": 1.0, "train": 2.5},
    }
