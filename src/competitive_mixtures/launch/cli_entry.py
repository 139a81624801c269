"""The `competitive-mixtures` command: the pipeline's subcommands, or a sentence where its packages are missing."""

import os
import sys

from competitive_mixtures.errors import explain_missing
from competitive_mixtures.launch.user_settings import set_aside
from competitive_mixtures.pipeline.fork_client import run_job
from competitive_mixtures.pipeline.lifeline import RUN

WITH_PYTORCH = {
    *("learn-representation", "pretrain", "train-round", "train-shard", "reassign"),
    *("train-baseline", "evaluate", "train-classifier"),
}
"""Subcommands that a process forked from the server does. Theirs then only waits, and does not import the pipeline."""


def main() -> None:
    """Run a subcommand; in a run of the workflow by another process, so that this one can tell how that ended."""
    set_aside(sys.argv[1:])
    if RUN in os.environ:
        sys.exit(run_job(sys.argv, run_command, by_server=bool(set(sys.argv[1:2]) & WITH_PYTORCH)))
    run_command()


def run_command() -> None:
    """Run a subcommand; where a package of the pipeline is missing, say what brings it and end with status 1.

    The package alone brings the estimator, and this command with it; its packages come with the extra `pipeline`.
    """
    try:
        from competitive_mixtures.pipeline.cli import run_command as run

        run()
    except ModuleNotFoundError as error:
        if not (sentence := explain_missing(error)):
            raise
        print(f"error: {sentence}", file=sys.stderr, flush=True)
        sys.exit(1)
