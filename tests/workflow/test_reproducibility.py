"""The same seed gives the same bytes: whatever the number of shards, and whatever interrupts a run."""

import os
import signal
import time

import pytest
from projects import end

TABLES = "results/experiments/{}/seed-0/**/assignments.parquet"
HOSTILE = {  # what notebooks, clusters and shells set for others
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "3",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "TZ": "Asia/Tokyo",
    "COLUMNS": "20",
}
LAST = "results/experiments/dots/seed-0/rounds/2/state.safetensors"


def rename(files, old, new):
    return {path.replace(f"experiments/{old}/", f"experiments/{new}/"): content for path, content in files.items()}


def test_shards_change_nothing(finished):
    sharded = finished.read(TABLES.format("dots-sharded"))
    assert len(sharded) == 3  # pretraining, rounds 0 and 1
    assert sharded.items() <= rename(finished.read(TABLES.format("dots")), "dots", "dots-sharded").items()


def test_the_same_seed_twice(finished, fresh):
    fresh.run("snakemake", LAST)
    assert fresh.read(TABLES.format("dots")) == finished.read(TABLES.format("dots"))


def test_the_users_environment_changes_nothing(finished, fresh):
    """Training from the start; tables, figures and the report of what has run."""
    expected = finished.read("paper/**/*.*")
    for project in (finished, fresh):
        project.environment = HOSTILE
        (project.root / "matplotlibrc").write_text("backend: TkAgg\nsavefig.dpi: 41\nlines.linewidth: 7\n")
    fresh.run("snakemake", LAST)
    assert fresh.read(TABLES.format("dots")) == finished.read(TABLES.format("dots"))
    jobs = finished.snakemake("--forcerun", "plot_figures", "write_tables", "compile_paper", "--", "all")
    assert {"plot_figures", "write_tables", "compile_paper"} <= jobs.keys()
    found = finished.read("paper/**/*.*")
    assert [path for path in expected if found[path] != expected[path]] == []


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_goes_on(finished, fresh, sent):
    process = fresh.start("snakemake", LAST)
    pretrained = fresh.root / "results/experiments/dots/seed-0/pretrain/metrics.json"
    while process.poll() is None and not pretrained.exists():
        time.sleep(0.02)
    end(process, sent)
    fresh.run("snakemake", LAST)
    assert fresh.read(TABLES.format("dots")) == finished.read(TABLES.format("dots"))


def test_a_second_run_in_the_folder_is_refused(fresh):
    process = fresh.start("snakemake", LAST)
    while process.poll() is None and not any((fresh.root / ".snakemake/locks").glob("*")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGSTOP)  # or it might be done before the second one has started
    refused = fresh.run("snakemake", LAST, check=False)
    os.killpg(process.pid, signal.SIGCONT)
    end(process, signal.SIGTERM)
    assert "LockException" in refused
