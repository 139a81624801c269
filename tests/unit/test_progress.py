"""Progress: a line now and then in a log, a bar on a terminal."""

import sys
import time

from competitive_mixtures.progress import LOG_INTERVAL_S, show_progress


def test_a_log_gets_a_line_every_few_seconds_and_at_the_end(monkeypatch, capsys):
    times = iter([0.0, 1.0, LOG_INTERVAL_S + 1, LOG_INTERVAL_S + 2, LOG_INTERVAL_S + 3])
    monkeypatch.setattr(time, "monotonic", times.__next__)
    with show_progress("components", 40) as progress:
        for _ in range(4):
            progress(10)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["components: 20/40 steps, 11.0 s", "components: 40/40 steps, 13.0 s"]


def test_nothing_to_do_says_nothing(capsys):
    with show_progress("components", 0):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with show_progress("discriminators", 2) as progress:
        progress(1)
        progress(1)
    assert "discriminators: 100%" in capsys.readouterr().err
