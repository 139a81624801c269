"""A run's console: one line for the whole, warnings and errors in full; everything else is in `logs/`.

On a terminal the line is live: jobs done, time left, and which experiment, seed and round is at work. Where the output
is piped, such a line appears every half a minute. Snakemake's own record, `.snakemake/log`, stays complete.
"""

import logging
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column
from snakemake.logging import show_logs
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from snakemake_interface_logger_plugins.registry.plugin import Plugin

if TYPE_CHECKING:
    from argparse import Namespace

NAME = "console"
PIPED_INTERVAL_S = 30.0
CHATTER = re.compile(
    "Assuming unrestricted shared|Using shell|Building DAG|Provided |host:|Rules claiming more|Select jobs|Execute |"
    "Group jobs|Conda env|Singularity|Elapsed time|Updating |Complete log|Waiting for more|DAG of jobs will"
)
"""How the messages begin that Snakemake prints in every run and that ask nothing of a reader."""
NUMBERED = frozenset({"seed", "round", "shard"})
"""Wildcards whose value says little without their name."""


def use_console(arguments: "Namespace") -> None:
    """Have Snakemake print to `RunConsole`, unless the user asked for another output, a plan or jobs elsewhere.

    Args:
        arguments: Snakemake's parsed command line, changed in place.
    """
    asked = (arguments.logger, arguments.quiet, arguments.verbose, arguments.debug_dag, arguments.printshellcmds)
    if any(asked) or arguments.dryrun or arguments.touch or arguments.executor not in (None, "local"):
        return
    LoggerPluginRegistry().plugins[NAME] = Plugin(_name=NAME, log_handler=RunConsole, _logger_settings_cls=None)
    arguments.logger = [NAME]


def describe_job(rule: str, wildcards: Mapping[str, Any]) -> str:
    """A job in a few words, as `train round: synthetic-9, seed 1, round 5`."""
    named = [f"{name} {value}" if name in NUMBERED else str(value) for name, value in wildcards.items()]
    words = rule.replace("_", " ")
    return f"{words}: {', '.join(named)}" if named else words


def describe_time_left(elapsed_s: float, done: int, total: int) -> str:
    """The time that the other jobs take if they take as long as those done; empty before the first is done."""
    if not 0 < done < total:
        return ""
    left_s = elapsed_s / done * (total - done)
    return f"about {left_s / 60:.0f} min left" if left_s >= 90 else f"about {left_s:.0f} s left"


class RunConsole(LogHandlerBase):
    """Snakemake's log records as what a user wants to see.

    Attributes:
        console: stderr.
        total, done: jobs of the run, and how many of them have ended well.
        at_work: the jobs that run now, by Snakemake's number.
        messages: what their rules' `message:` says, shown once a job has ended well.
    """

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Begin with no jobs; called by Snakemake's base class."""
        self.console = Console(stderr=True, no_color=self.common_settings.nocolor or None, highlight=False)
        self.total = self.done = 0
        self.at_work: dict[int, str] = {}
        self.messages: dict[int, str] = {}
        self.start = self.told = time.monotonic()
        self.bar: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; what fails here is told like any handler's failure and ends no run."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the live line away."""
        if self.bar:
            self.bar.stop()
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        fields = vars(record)
        if event == LogEvent.RUN_INFO:
            self._begin(record.getMessage(), fields["stats"]["total"])
        elif event == LogEvent.JOB_INFO:
            self.at_work[fields["jobid"]] = describe_job(fields["rule_name"], dict(fields["wildcards"] or {}))
            self.messages[fields["jobid"]] = fields.get("rule_msg") or ""
            self._update()
        elif event == LogEvent.JOB_FINISHED:
            self.done += 1
            self._update(ended=self.at_work.pop(fields["job_id"], ""))
            if message := self.messages.pop(fields["job_id"], ""):
                self._print(message)
        elif event == LogEvent.JOB_ERROR:
            self._show_failure(fields)
        elif record.levelno >= logging.WARNING or (event is None and _is_news(record)):
            style = "red" if record.levelno >= logging.ERROR else "yellow" if record.levelno >= logging.WARNING else ""
            self._print(record.getMessage(), style)

    def _begin(self, jobs: str, total: int) -> None:
        """Print Snakemake's table of jobs and start the line."""
        self.total = total
        self.start = self.told = time.monotonic()
        self._print(jobs)
        if self.console.is_terminal and self.bar is None:
            self.bar = Progress(
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("jobs"),
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
                console=self.console,
                transient=True,
            )
            self.bar.add_task("", total=total)
            self.bar.start()

    def _update(self, ended: str = "") -> None:
        """Bring the live line up to date; where there is none, print one when the last is old enough."""
        now = time.monotonic()
        left = describe_time_left(now - self.start, self.done, self.total)
        if self.bar:
            parts = [left, *self.at_work.values()]
            self.bar.update(self.bar.task_ids[0], completed=self.done, description=" | ".join(filter(None, parts)))
        elif ended and (now - self.told >= PIPED_INTERVAL_S or self.done == self.total):
            self.told = now
            self._print(", ".join(filter(None, [f"{self.done} of {self.total} jobs", left, f"last: {ended}"])))

    def _show_failure(self, fields: Mapping[str, Any]) -> None:
        """Say which job failed, with its whole log; its input and command would bury that under source files."""
        failed = self.at_work.pop(fields["jobid"], fields["rule_name"])
        shown = self.common_settings.show_failed_logs
        logs = show_logs(fields["log"]) if shown else (f"See {log}" for log in fields["log"])
        self._print("\n".join([f"Failed: {failed}", *logs]), "red")

    def _print(self, text: str, style: str = "") -> None:
        """Print above the live line: no markup, no line broken."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is none of those that Snakemake itself lets users silence, nor chatter."""
    message = str(record.msg or "")
    return bool(message.strip()) and not hasattr(record, "quietness") and not CHATTER.match(message)
