"""The tiny pipeline through a real Slurm, set up from Debian's packages; `make test-slurm` runs it."""

import os

import pytest
from projects import Project
from slurm_cluster import PACKAGES, find_missing_programs, run_cluster

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif("RUN_SLURM_TESTS" not in os.environ, reason="takes minutes; run it by `make test-slurm`"),
]


@pytest.fixture
def cluster(tmp_path_factory):
    """Environment variables that lead to the cluster."""
    missing = find_missing_programs()
    assert not missing, f"this machine lacks {missing}: apt-get install --no-install-recommends {PACKAGES}"
    with run_cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def test_slurm_gives_the_same_bytes(cluster, fresh, finished):
    on_slurm = Project(fresh.root, cluster)
    output = on_slurm.run("snakemake", "dots", "dots-sharded", "--profile", "profiles/slurm")
    assert "SLURM jobid" in output
    for experiment in ("dots", "dots-sharded"):
        tables = f"results/{experiment}/seed-0/**/assignments.parquet"
        assert on_slurm.read(tables) == finished.read(tables)
