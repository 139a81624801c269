"""The `snakemake` command of the project: the user's word order, and nothing else changed."""

import os
import signal
import subprocess
import sys
from threading import Lock, Semaphore

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.launch import snakemake_entry
from competitive_mixtures.launch.run_lock import runs_jobs
from competitive_mixtures.launch.snakemake_entry import (
    check_settings,
    drop_default_limit,
    move_targets_in_front,
    note_end_in_a_thread,
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("--cores 4 --resources gpu=1 all", "all --cores 4 --resources gpu=1"),
        ("--resources gpu=1 mem_mb=900 figures paper", "figures paper --resources gpu=1 mem_mb=900"),
        ("--resources gpu=1 all --cores 4", "all --resources gpu=1 --cores 4"),
        ("--config seeds=5 all -n", "all --config seeds=5 -n"),
        ("-C seeds=5 --res gpu=1 all", "all -C seeds=5 --res gpu=1"),
        # Snakemake understands these by itself
        ("all --cores 4 --resources gpu=1", "all --cores 4 --resources gpu=1"),
        ("--cores 4 --resources gpu=1 -- all", "--cores 4 --resources gpu=1 -- all"),
        ("--resources gpu=1 --forcerun train_round all", "--resources gpu=1 --forcerun train_round all"),
        ("-n all", "-n all"),
        ("", ""),
    ],
)
def test_bare_words_after_pairs_move_to_the_front(typed, expected):
    assert move_targets_in_front(typed.split()) == expected.split()


def test_words_with_spaces_stay_whole():
    words = ["--resources", "gpu=1", "a target", "--config", "note=two words"]
    assert move_targets_in_front(words) == ["a target", "--resources", "gpu=1", "--config", "note=two words"]


def test_main_hands_over_to_snakemake():
    program = "from competitive_mixtures.launch.snakemake_entry import main; main()"
    ran = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=True)
    assert int(ran.stdout.partition(".")[0]) >= 9


@pytest.mark.parametrize(("words", "limited"), [([], False), (["--max-jobs-per-timespan", "5/1s"], True)])
def test_only_a_limit_that_the_user_sets_holds_jobs_back(words, limited):
    """The default is Snakemake's own: a version that changes it is noticed here."""
    from snakemake.cli import parse_args

    _, arguments = parse_args(["--cores", "1", *words])
    assert arguments.max_jobs_per_timespan is not None
    drop_default_limit(arguments)
    assert (arguments.max_jobs_per_timespan is not None) == limited


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--config", "=3"], r"--config =3: cannot be read \(.*\); expected KEY=VALUE, as seeds=5"),
        (["--config", "seeds=5", "3=4"], "--config seeds=5 3=4: cannot be read"),
        (["--config", "seeds"], "--config seeds: cannot be read"),
        (["--configfile", "binary.json"], r"binary\.json: cannot be read \(.*\); --configfile takes YAML in UTF-8, or"),
        (["--configfile", "tab.yaml"], r"tab\.yaml: cannot be read"),
        (["--configfile", "deep.yaml"], r"deep\.yaml: cannot be read"),
        (["--configfile", "list.yaml"], r"list\.yaml: cannot be read"),
        (["--configfile", "nowhere.yaml"], r"nowhere\.yaml: cannot be read \(.*No such file"),
        (["--configfile", "folder"], r"folder: found a folder, pipe or device; --configfile takes a regular file"),
        (["--configfile", "pipe"], r"pipe: found a folder, pipe or device"),
    ],
)
def test_settings_that_snakemake_cannot_read(tmp_path, monkeypatch, words, said):
    from snakemake.cli import parse_args

    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    contents = {"binary.json": b"\xff\x00{", "tab.yaml": b"a:\n\tb: 1", "deep.yaml": b"[" * 5000, "list.yaml": b"[1]"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        check_settings(parse_args(["--cores", "1", "all", *words])[1])


def test_settings_that_snakemake_can_read(tmp_path):
    from snakemake.cli import parse_args

    (tmp_path / "ä.yaml").write_text("seeds: 5e-05\n")
    words = ["--config", "seeds=5", "experiments={a: {rounds: 3}}", "--configfile", str(tmp_path / "ä.yaml")]
    for given in ([], words):
        check_settings(parse_args(["--cores", "1", *given])[1])


def test_a_scheduler_that_holds_its_lock_can_be_told_to_end(monkeypatch):
    """SIGTERM comes while it finishes a job; it goes on, and then notices."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    monkeypatch.setattr(JobScheduler, "exit_gracefully", JobScheduler.exit_gracefully)  # put back afterwards
    note_end_in_a_thread()
    scheduler = JobScheduler.__new__(JobScheduler)
    scheduler._lock, scheduler._open_jobs, scheduler._user_kill = Lock(), Semaphore(0), None
    former = signal.signal(signal.SIGTERM, scheduler.exit_gracefully)
    try:
        with scheduler._lock:
            signal.raise_signal(signal.SIGTERM)
            assert scheduler._user_kill is None
        assert scheduler._open_jobs.acquire(timeout=30)
    finally:
        signal.signal(signal.SIGTERM, former)
    assert scheduler._user_kill == "graceful"


@pytest.mark.parametrize(
    ("typed", "runs"),
    [
        ("--cores 4 all", True),
        ("all --rerun-incomplete -k -j 2 --directory=x", True),
        ("--keep-going -p -F --nolock", True),
        ("--touch --forceall all", True),  # it locks the folder
        ("-n all", False),
        ("all -np", False),
        ("--dry-run --quiet", False),
        ("--report=report.html", False),
        ("--help", False),
        ("--dag all", False),
        ("--list-rules", False),
        ("--detailed-summary", False),
    ],
)
def test_what_runs_jobs(typed, runs):
    assert runs_jobs(typed.split()) == runs


def test_no_server_without_jobs(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--version"])
    monkeypatch.setattr(snakemake_entry, "serve_jobs", lambda: pytest.fail("a server was started"))
    with pytest.raises(SystemExit) as ended:
        snakemake_entry.main()
    assert ended.value.code == 0
