"""A full disk, a folder that cannot be written, truncated files: each is named, and nothing finished is lost."""

import os
import resource
import sys
from contextlib import contextmanager, suppress
from shlex import quote

import pytest
from mounts import can_mount, run_on_full_disk, run_read_only
from test_changes import set_number
from test_reproducibility import LAST, TABLES

from competitive_mixtures.pipeline.cli import run_command

RUN = "results/experiments/dots/seed-0"
STATE = f"--previous {RUN}/rounds/2"
JOB = "--config results/settings/dots.json --data data/processed/dots --seed 0"
# Every step by its command line, but for the folder or file that it writes.
STEPS = {
    "prepare": "prepare --config data/settings/digits.json --raw data/raw/digits --out NEW",
    "pretrain": f"pretrain {JOB} --out NEW",
    "train-round": f"train-round {JOB} --round 3 {STATE} --out NEW",
    "train-shard": f"train-shard {JOB} --round 3 {STATE} --shard 0 --shards 3 --out NEW",
    "train-baseline": f"train-baseline {JOB} --name single --competition {RUN}/rounds/2 --rounds 2 --out NEW",
    "evaluate": f"evaluate {JOB} --rounds 2 --run {RUN} --out NEW",
    "summarize": f"summarize --out NEW {RUN}",
    "write-tables": "write-tables --out NEW",
    "plot-figures": "plot-figures --out NEW",
    "assess-claims": "assess-claims --out NEW",
    "write-pages": "write-pages --out NEW",
}
# What a step reads, and a step that reads it.
INPUTS = {
    f"{RUN}/rounds/2/state.safetensors": "train-round",
    f"{RUN}/rounds/2/assignments.parquet": "train-round",
    f"{RUN}/rounds/2/metrics.json": "train-round",
    "data/processed/dots/train.npy": "train-round",
    "data/processed/dots/train_labels.npy": "train-round",
    "data/processed/dots/meta.json": "train-round",
    "results/settings/dots.json": "train-round",
    "data/raw/digits/train-images-idx3-ubyte": "prepare",
    "data/settings/digits.json": "prepare",
    f"{RUN}/baselines/single/state.safetensors": "evaluate",
    f"{RUN}/evaluation/scores.csv": "summarize",
    "results/summary.csv": "write-tables",
}
# What the report reads while it writes; Snakemake takes back what a step has written that fails.
REPORTED = {
    f"{RUN}/evaluation/samples.npz": "plot-figures",
    f"{RUN}/rounds/2/samples.npy": "plot-figures",
    "results/timing.csv": "plot-figures",
    "results/rounds.csv": "assess-claims",
    "results/claims.csv": "write-pages",
    "paper/tables/density.csv": "write-pages",
}

needs_mounts = pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount, and root may write anywhere")


def command_of(step):
    return f"competitive-mixtures {STEPS[step]}"


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs a step in a project's folder, in this process, which is faster; gives what it printed."""

    def run(project, step, new):
        monkeypatch.chdir(project.root)
        words = [str(new) if word == "NEW" else word for word in STEPS[step].split()]
        monkeypatch.setattr(sys, "argv", ["competitive-mixtures", *words])
        with suppress(SystemExit):
            run_command()
        return capsys.readouterr().err

    return run


@contextmanager
def limit_files():
    """No file grows beyond a kilobyte."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_named_and_leaves_no_half_file(finished_once, tmp_path, call, step):
    """The limit on a file's size stands in for the disk: writing fails in the same place."""
    new = tmp_path / "new é"
    with limit_files():
        output = call(finished_once[0], step, new)
    assert f"error: {new}" in output
    assert "cannot be written (" in output
    assert not [path for path in new.rglob(".*")]
    assert all(path.stat().st_size <= 1024 for path in new.rglob("*") if path.is_file())


@needs_mounts
def test_a_full_disk_under_the_logs_too(finished):
    """The message has nowhere to go but Snakemake's own output."""
    before = finished.read("results/**/*.parquet")
    log = finished.root / "logs"
    command = command_of("pretrain").replace("NEW", "logs/new")
    output = run_on_full_disk(
        finished, str(log), 4, "bash", "-c", f"{command} 2> logs/pretrain.log; cat logs/pretrain.log"
    )
    assert "error: logs/new/" in output
    assert "No space left" in output
    assert "Traceback" not in output
    assert finished.read("results/**/*.parquet") == before


@needs_mounts
def test_results_that_cannot_be_written(finished):
    (finished.root / LAST).unlink()
    before = finished.read("results/**/*.*")
    output = run_read_only(finished, "results", "snakemake", LAST)
    assert "Write-protected output files" in output
    assert "/assignments.parquet" in output.partition("Write-protected output files")[2]  # of any of the jobs to come
    assert "Traceback" not in output
    finished.change(set_number("experiments", "dots", "training", "steps_per_round", value=21))
    output = run_read_only(finished, "results", "snakemake", LAST)
    assert "results/settings/dots.json: cannot be written (Read-only file system)" in output
    assert "Traceback" not in output
    assert finished.read("results/**/*.*") == before


@needs_mounts
@pytest.mark.parametrize("command", ["snakemake all", "snakemake -n all"])
def test_a_project_that_cannot_be_written(finished_once, command):
    root = str(finished_once[0].root)
    output = run_read_only(finished_once[0], root, "bash", "-c", f"cd {quote(root)} && {command}")
    assert "error: .snakemake/locks: cannot be written (Read-only file system)" in output
    assert "Traceback" not in output


@needs_mounts
@pytest.mark.parametrize("step", ["prepare"])
def test_a_folder_that_cannot_be_written_is_named(finished_once, tmp_path, step):
    command = command_of(step).replace("NEW", f"'{tmp_path}/new'")
    output = run_read_only(finished_once[0], str(tmp_path), "bash", "-c", command)
    assert f"error: {tmp_path}/new/" in output
    assert "Read-only file system" in output
    assert "Traceback" not in output


def cut_short(file, share=0.5):
    """Leave this share of a file; of a CSV file not a whole number of rows, which would be a shorter table.

    Rows hold times and processors, so that where the middle falls differs between machines.
    """
    left = file.read_bytes()[: int(share * file.stat().st_size)]
    file.write_bytes(left.removesuffix(b"\n") if file.suffix == ".csv" else left)


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("path", INPUTS)
def test_a_truncated_file_is_named_and_the_rest_stays(finished, tmp_path, call, path, share):
    cut_short(finished.root / path, share)
    before = finished.read("results/**/*.*")
    output = call(finished, INPUTS[path], tmp_path / "new")
    assert f"error: {path}" in output
    assert not list((tmp_path / "new").glob("**/*.*"))
    assert finished.read("results/**/*.*") == before


@pytest.mark.parametrize("path", REPORTED)
def test_a_truncated_result_is_named_by_the_report(finished, tmp_path, call, path):
    cut_short(finished.root / path)
    output = call(finished, REPORTED[path], tmp_path / "new")
    assert f"error: {path}" in output


def test_a_truncated_table_is_made_again(finished):
    (path, content), *_ = finished.read("results/experiments/dots/seed-0/rounds/2/assignments.parquet").items()
    os.truncate(finished.root / path, 100)
    finished.change(set_number("experiments", "dots", "rounds", value=3))
    output = finished.run("snakemake", LAST.replace("/2/", "/3/"), check=False)
    assert f"error: {path}" in output
    (finished.root / path).unlink()  # as the message says
    finished.run("snakemake", LAST.replace("/2/", "/3/"))
    assert finished.read(path) == {path: content}


def test_a_truncated_state_is_named_by_the_pipeline(finished):
    before = finished.read(TABLES.format("dots"))
    os.truncate(finished.root / LAST, 100)
    finished.change(set_number("experiments", "dots", "rounds", value=3))
    output = finished.run("snakemake", LAST.replace("/2/", "/3/"), check=False)
    assert LAST in output
    assert "Traceback" not in output
    assert finished.read(TABLES.format("dots")) == before
