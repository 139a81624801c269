"""The `snakemake` command of this project: plain Snakemake that also takes targets after `--resources`, made faster.

Snakemake's parser gives every word after `--resources` to that option, so that
`snakemake --cores 4 --resources gpu=1 all` dies over "all", which is no NAME=VALUE pair. This entry point
moves such words to the front, where they can only be targets, and hands over to Snakemake. Its jobs find PyTorch
imported (`fork_server.py`) and end when it does, killed or not; its scheduler rests between them, SIGTERM ends it
wherever it is, the next run goes on after a kill (`run_lock.py`), and its console shows one line for the whole
(`console.py`).
"""

import gc
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from threading import Thread
from typing import TYPE_CHECKING, Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.launch.deferred_import import defer_imports
from competitive_mixtures.launch.fork_server import serve_jobs
from competitive_mixtures.launch.run_lock import check_folder, record_run, runs_jobs
from competitive_mixtures.launch.user_settings import set_aside

if TYPE_CHECKING:
    from argparse import Namespace

PAIR_OPTIONS = frozenset({"--resources", "--res", "--config", "-C", "--set-threads", "--set-resources"})
"""Options that take one or more NAME=VALUE pairs and nothing else."""
NEW_OBJECTS = 50_000
"""Between two looks for unreachable objects. A plan makes many that stay: at Python's 700 the looks take a tenth."""
DEFAULT_LIMIT = (100, 1)  # of Snakemake: jobs started, and in how many seconds


def move_targets_in_front(words: Sequence[str]) -> list[str]:
    """Put the bare words that follow the pairs of an option of `PAIR_OPTIONS` before all other words.

    Args:
        words: the command line without the program's name.

    Returns:
        The same words; those after a `--` stay where they are.
    """
    targets: list[str] = []
    others: list[str] = []
    among_pairs = False
    for position, word in enumerate(words):
        if word == "--":
            others += words[position:]
            break
        if word.startswith("-"):
            among_pairs = word in PAIR_OPTIONS
        if among_pairs and not word.startswith("-") and "=" not in word:
            targets.append(word)
        else:
            others.append(word)
    return targets + others


def main() -> None:
    """Run Snakemake on this process's command line."""
    gc.set_threshold(NEW_OBJECTS)
    set_aside(())  # its jobs inherit the environment, and forked ones what the server has imported
    with defer_imports("pandas"):  # a seventh of a small plan; only a report of Snakemake's plugin for Slurm uses it
        from snakemake.cli import args_to_api, parse_args, print_exception

    words = move_targets_in_front(sys.argv[1:])
    try:
        check_folder(words)
    except UserError as error:
        sys.exit(f"error: {error}")
    with record_run(words), serve_jobs() if runs_jobs(words) else nullcontext():
        try:
            parser, arguments = parse_args(words)
            check_settings(arguments)
            drop_default_limit(arguments)
            if runs_jobs(words):
                from competitive_mixtures.launch.console import use_console

                note_end_in_a_thread()
                use_console(arguments)
            done = args_to_api(arguments, parser)
        except UserError as error:
            sys.exit(f"error: {error}")
        except Exception as error:
            print_exception(error)
            done = False
    sys.exit(0 if done else 1)


def check_settings(arguments: "Namespace") -> None:
    """Refuse a `--config` or `--configfile` that Snakemake cannot read, which it would tell by a traceback.

    Args:
        arguments: Snakemake's parsed command line.

    Raises:
        UserError: names the option or the file.
    """
    if not arguments.config and not arguments.configfile:
        return
    from snakemake.cli import parse_config
    from snakemake.common.configfile import load_configfile

    for path in arguments.configfile or ():
        if path.exists() and not path.is_file():
            raise UserError(f"{path}: found a folder, pipe or device; --configfile takes a regular file")
        try:
            load_configfile(path)
        except Exception as error:  # the readers of YAML and JSON raise whatever they stumble over
            raise UserError(f"{path}: cannot be read ({error}); --configfile takes YAML in UTF-8, or JSON") from error
    try:
        parse_config(arguments.config)
    except Exception as error:
        found = " ".join(map(str, arguments.config))
        raise UserError(f"--config {found}: cannot be read ({error}); expected KEY=VALUE, as seeds=5") from error


def drop_default_limit(arguments: "Namespace") -> None:
    """Start jobs without the limit that Snakemake (9.27) sets by default, 100 a second; a user's own limit stays.

    With a limit every pass of the scheduler asks for one more pass a second later. The passes add up with every job
    that ends: after 400 jobs they took a whole core.
    """
    limit = arguments.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == DEFAULT_LIMIT:
        arguments.max_jobs_per_timespan = None


def note_end_in_a_thread() -> None:
    """Have Snakemake's scheduler note SIGTERM in a thread of its own.

    Snakemake (9.27) notes it in the signal's handler, which waits for the scheduler's lock. The handler interrupts the
    scheduler, and where that holds the lock, as it does while it finishes a job, both would wait for ever.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    note_end = JobScheduler.exit_gracefully

    def handle(scheduler: JobScheduler, *signal: Any) -> None:
        Thread(target=note_end, args=(scheduler, *signal)).start()

    JobScheduler.exit_gracefully = handle


if __name__ == "__main__":
    sys.argv[0] = "snakemake"  # named in help and messages
    main()
