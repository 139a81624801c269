"""The `snakemake` command of this project: plain Snakemake that also takes targets after `--resources`.

Snakemake's parser gives every word after `--resources` to that option, so that
`snakemake --cores 4 --resources gpu=1 all` dies over "all", which is no NAME=VALUE pair. This entry point
moves such words to the front, where they can only be targets, and hands over to Snakemake.
"""

import sys
from collections.abc import Sequence

from competitive_mixtures.forkserver import serve_jobs

PAIR_OPTIONS = frozenset({"--resources", "--res", "--config", "-C", "--set-threads", "--set-resources"})
"""Options that take one or more NAME=VALUE pairs and nothing else."""


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
    from snakemake.cli import main as run_snakemake

    with serve_jobs():
        run_snakemake(move_targets_in_front(sys.argv[1:]))
