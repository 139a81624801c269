"""The `competitive-mixtures` command: the pipeline's subcommands, or a sentence where its packages are missing."""

import sys

from competitive_mixtures.errors import explain_missing
from competitive_mixtures.launch.user_settings import set_aside


def main() -> None:
    """Run a subcommand; where a package of the pipeline is missing, say what brings it and end with status 1.

    The package alone brings the estimator, and this command with it; its packages come with the extra `pipeline`.
    """
    set_aside(sys.argv[1:])
    try:
        from competitive_mixtures.pipeline.cli import main as run

        run()
    except ModuleNotFoundError as error:
        if not (sentence := explain_missing(error)):
            raise
        sys.exit(f"error: {sentence}")
