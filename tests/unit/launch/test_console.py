"""What a run prints: one line for the whole, failures with their logs, and nothing of Snakemake's chatter."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.cli import parse_args
from snakemake_interface_logger_plugins.common import LogEvent

from competitive_mixtures.launch import console
from competitive_mixtures.launch.console import RunConsole, describe_job, describe_time_left, use_console


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(s=100.0)
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: now.s))
    return now


@pytest.fixture
def show(clock, capsys):
    """Give what is printed for a record."""
    handler = RunConsole(SimpleNamespace(nocolor=True, show_failed_logs=True), None)

    def emit(message="", level=logging.INFO, **fields):
        record = logging.makeLogRecord({"msg": message, "levelno": level, **fields})
        handler.emit(record)
        return capsys.readouterr().err

    yield emit
    handler.close()


def begin(show, *, jobs):
    show("Job stats:\ntotal", event=LogEvent.RUN_INFO, stats={"total": jobs})
    for number in range(jobs):
        wildcards = {"experiment": "toy", "seed": "1", "round": str(number)}
        assert show(event=LogEvent.JOB_INFO, jobid=number, rule_name="train_round", wildcards=wildcards) == ""


def test_a_piped_run_prints_a_line_every_half_minute(show, clock):
    begin(show, jobs=60)
    printed = {}
    for number in range(60):
        clock.s += 10
        printed[number] = show("Finished", event=LogEvent.JOB_FINISHED, job_id=number)
    assert [number for number, line in printed.items() if line] == [2, 5, *range(8, 60, 3)]
    assert printed[2] == "3 of 60 jobs, about 10 min left, last: train round: toy, seed 1, round 2\n"  # 57 times 10 s
    assert printed[59] == "60 of 60 jobs, last: train round: toy, seed 1, round 59\n"


def test_the_message_of_a_rule_comes_after_its_job(show):
    show("Job stats", event=LogEvent.RUN_INFO, stats={"total": 1})
    job = {"jobid": 0, "rule_name": "demo", "wildcards": {}, "rule_msg": "Look at demo.pdf"}
    assert show(event=LogEvent.JOB_INFO, **job) == ""
    assert show(event=LogEvent.JOB_FINISHED, job_id=0) == "1 of 1 jobs, last: demo\nLook at demo.pdf\n"


def test_a_failure_is_told_with_its_whole_log_and_no_list_of_sources(show, tmp_path):
    begin(show, jobs=2)
    sentence = "error: component 0 diverged; " + "a long explanation, " * 20 + "[not markup]"
    log = tmp_path / "round-1.log"
    log.write_text(f"{sentence}\nsecond line\n")
    fields = {"jobid": 1, "rule_name": "train_round", "log": [str(log)], "input": ["source.py"] * 99}
    printed = show("Error in rule", logging.ERROR, event=LogEvent.JOB_ERROR, **fields)
    assert printed.startswith("Failed: train round: toy, seed 1, round 1\n")
    assert f"\n{sentence}\nsecond line\n" in printed  # no line is broken
    assert "source.py" not in printed


@pytest.mark.parametrize(
    ("message", "level", "fields", "shown"),
    [
        ("Nothing to be done (all requested files are present and up to date).", logging.INFO, {}, True),
        ("Shutting down, this might take some time.", logging.INFO, {}, True),
        ("Execute 2 jobs...", logging.INFO, {}, False),
        ("Removing temporary output state.", logging.INFO, {"quietness": "rules"}, False),
        (None, logging.INFO, {}, False),
        ("the disk is nearly full", logging.WARNING, {}, True),
        ("MissingOutputException", logging.ERROR, {"event": LogEvent.ERROR}, True),
        ("1 of 2 steps (50%) done", logging.INFO, {"event": LogEvent.PROGRESS}, False),
    ],
)
def test_news_is_shown_and_chatter_is_not(show, message, level, fields, shown):
    assert show(message, level, **fields) == (f"{message}\n" if shown else "")


def test_a_terminal_has_one_live_line(clock, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    handler = RunConsole(SimpleNamespace(nocolor=True, show_failed_logs=True), None)
    handler.emit(logging.makeLogRecord({"msg": "Job stats", "event": LogEvent.RUN_INFO, "stats": {"total": 4}}))
    wildcards = {"experiment": "toy", "seed": "1", "round": "2"}
    for number in (0, 1):
        job = {"jobid": number, "rule_name": "train_round", "wildcards": wildcards}
        handler.emit(logging.makeLogRecord({"event": LogEvent.JOB_INFO, **job}))
    clock.s += 20
    handler.emit(logging.makeLogRecord({"event": LogEvent.JOB_FINISHED, "job_id": 0}))
    (task,) = handler.bar.tasks
    assert (task.completed, task.total) == (1, 4)
    assert task.description == "about 60 s left | train round: toy, seed 1, round 2"
    handler.close()
    assert "1/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "wildcards", "expected"),
    [
        ("prepare", {"dataset": "mnist"}, "prepare: mnist"),
        (
            "train_baseline",
            {"experiment": "toy", "seed": "0", "baseline": "kmeans"},
            "train baseline: toy, seed 0, kmeans",
        ),
        ("plot_figures", {}, "plot figures"),
    ],
)
def test_jobs_in_words(rule, wildcards, expected):
    assert describe_job(rule, wildcards) == expected


@pytest.mark.parametrize(
    ("elapsed_s", "done", "expected"),
    [(10, 0, ""), (10, 1, "about 2 min left"), (10, 5, "about 10 s left"), (10, 10, "")],
)
def test_time_left_follows_the_jobs_done(elapsed_s, done, expected):
    assert describe_time_left(elapsed_s, done, total=10) == expected


@pytest.mark.parametrize(
    ("options", "ours"),
    [
        ([], True),
        (["--keep-going"], True),
        (["--quiet", "rules"], False),
        (["--verbose"], False),
        (["--printshellcmds"], False),
        (["--dry-run"], False),
        (["--executor", "dryrun"], False),
    ],
)
def test_a_user_who_asks_for_another_output_gets_it(options, ours):
    _, arguments = parse_args(["--cores", "1", *options])
    use_console(arguments)
    assert (arguments.logger == [console.NAME]) == ours
