"""The tiny pipeline through a real Slurm, set up from Debian's packages; `make test-slurm` runs it."""

import os

import pytest
from projects import Project
from slurm_cluster import PACKAGES, find_missing_programs, run_cluster

ROUNDS = "results/experiments/{}/seed-0/rounds"

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif("RUN_SLURM_TESTS" not in os.environ, reason="takes minutes; run it by `make test-slurm`"),
]


@pytest.fixture
def cluster():
    """Environment variables that lead to the cluster."""
    missing = find_missing_programs()
    assert not missing, f"this machine lacks {missing}: apt-get install --no-install-recommends {PACKAGES}"
    with run_cluster() as environment:
        yield environment


def test_slurm_gives_the_same_bytes(cluster, fresh, tmp_path):
    local = fresh.copy(tmp_path / "local")
    local.run("snakemake", f"{ROUNDS.format('dots')}/1/state.safetensors")
    on_slurm = Project(fresh.root, cluster)
    targets = [f"{ROUNDS.format(experiment)}/1/state.safetensors" for experiment in ("dots", "dots-sharded")]
    output = on_slurm.run("snakemake", *targets, "--profile", "profiles/slurm")
    assert "SLURM jobid" in output
    expected = list(local.read(f"{ROUNDS.format('dots')}/*/assignments.parquet").values())
    assert len(expected) == 2
    for experiment in ("dots", "dots-sharded"):
        assert list(on_slurm.read(f"{ROUNDS.format(experiment)}/*/assignments.parquet").values()) == expected
