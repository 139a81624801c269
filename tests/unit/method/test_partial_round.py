"""Shards: which components they hold, their files, and how they come together."""

from itertools import permutations

import numpy as np
import pytest
import torch
from examples import CONV_VAE, GAN, VAE, make_blobs, make_experiment, make_images
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.partial_round import (
    PartialRound,
    choose_ids,
    join_partial_rounds,
    merge_metrics,
    write_partial_round,
)
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.state import RoundState

COSTS = {"revived": [], "samples_seen": 3, "compute": 2.5, "forward_compute": 1.0, "seconds": {}}


def make_part(run, ids, **metrics):
    """What components `ids` bring, with scores that tell them apart."""
    columns = torch.tensor(ids, dtype=torch.float32)
    state = RoundState(
        run.build_components(ids), run.build_discriminators(1, ids), [torch.arange(j) for j in range(3)], []
    )
    return PartialRound(
        ids=list(ids),
        state=state,
        log_ratios=columns + torch.arange(5.0)[:, None],
        log_ratios_test=columns - torch.arange(4.0)[:, None],
        samples=run.draw_snapshots(state.components, "test"),
        metrics=COSTS | metrics,
    )


def write_parts(run, folder, parts, **options):
    paths = [folder / f"{ids[0]}.safetensors" for ids in parts]
    for path, ids in zip(paths, parts, strict=True):
        write_partial_round(path, make_part(run, ids), **({"keep_discriminators": True} | options))
    return paths


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


@pytest.mark.parametrize("kinds", [[VAE], [VAE | {"count": 2}, GAN | {"count": 1}]], ids=["vae", "mixed"])
@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_parts_in_any_order_join_to_the_whole(kinds, backend, tmp_path):
    run = Run(make_experiment(components=kinds, training={"backend": backend}, baselines=[]), make_blobs(), 0)
    whole = make_part(run, [0, 1, 2])
    for paths in permutations(write_parts(run, tmp_path, [[0], [1, 2]])):
        joined = join_partial_rounds(run, paths)
        assert joined.ids == [0, 1, 2]
        assert torch.equal(joined.log_ratios, whole.log_ratios)
        assert torch.equal(joined.log_ratios_test, whole.log_ratios_test)
        assert [cell.tolist() for cell in joined.state.cells] == [cell.tolist() for cell in whole.state.cells]
        for name in ("components", "discriminators"):
            found, expected = (getattr(part.state, name).state() for part in (joined, whole))
            assert found.keys() == expected.keys()
            assert all(torch.equal(tensor, expected[key]) for key, tensor in found.items())
        assert joined.samples.shape == (3, 256, 2)


def test_discriminators_stay_out_of_the_file_where_none_carries_them_on(tmp_path):
    run = Run(make_experiment(), make_blobs(), 0)
    paths = write_parts(run, tmp_path, [[0, 1, 2]], keep_discriminators=False)
    assert join_partial_rounds(run, paths).state.discriminators is None


def test_images_stay_uint8(tmp_path):
    run = Run(make_experiment(components=[CONV_VAE]), make_images(), 0)
    assert join_partial_rounds(run, write_parts(run, tmp_path, [[0, 1, 2]])).samples.dtype == np.uint8


@pytest.mark.parametrize("parts", [[[0, 1]], [[0, 1], [1, 2]], [[0], [2]], []])
def test_a_missing_or_double_shard_is_refused(parts, tmp_path):
    run = Run(make_experiment(), make_blobs(), 0)
    with pytest.raises(UserError, match="expected each of 0 to 2 once"):
        join_partial_rounds(run, write_parts(run, tmp_path, parts))


def test_metrics_are_joined_by_component_and_added():
    first = {
        "revived": [[1, 0]],
        "component_loss": [1.0, None],
        "samples_seen": 10,
        "compute": 4.0,
        "forward_compute": 6.0,
        "seconds": {"load": 1.0, "train": 2.0},
    }
    second = first | {"component_loss": [3.0], "samples_seen": 5, "seconds": {"train": 0.5, "score": 1.0}}
    assert merge_metrics([first, second]) == {
        "revived": [[1, 0]],
        "component_loss": [1.0, None, 3.0],
        "samples_seen": 15,
        "compute": 8.0,
        "forward_compute": 12.0,
        "seconds": {"load": 1.0, "score": 1.0, "train": 2.5},
    }
