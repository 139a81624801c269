"""A terminal view of a running pipeline: `python -m competitive_mixtures.pipeline.watch`, or `make watch`."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.live import Live
from rich.table import Table

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Results, RunFolder
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import Params

INTERVAL_S = 2.0
COLUMNS = ("experiment", "seed", "round", "share changed", "objective", "state", "time left")


@dataclass(frozen=True)
class Progress:
    """How far one seed of one experiment is.

    Attributes:
        experiment: its name.
        seed: of the run.
        round: the last finished round; None before the first one.
        rounds: T, the round that the run ends with.
        share_changed: of the training points, in the last finished round.
        objective: its estimate after that round, nats.
        state: `waiting`, `pretrained`, `competing`, `baselines` or `done`.
        left_s: seconds that the rounds still take, from the median of those done; None where nothing is known.
    """

    experiment: str
    seed: int
    round: int | None
    rounds: int
    share_changed: float | None
    objective: float | None
    state: str
    left_s: float | None


def read_progress(params: Params, results: Path | str = "results") -> Iterator[Progress]:
    """Every run of the default suite, and of the other experiments those that have begun."""
    for name, experiment in params.experiments.items():
        for seed in range(params.seeds):
            run = Results(results).run(name, seed)
            if experiment.suite == "default" or run.path.is_dir():
                yield _read_run(run, experiment.rounds)


def _read_run(run: RunFolder, rounds: int) -> Progress:
    """One run, from the files that its jobs have left."""
    done = [run.round(number).metrics for number in run.list_rounds() if number <= rounds]
    last = json.loads(done[-1].read_text(encoding="utf-8")) if done else {}
    number = last.get("round")
    if run.evaluation.scores.is_file() and number == rounds:
        state = "done"
    elif number is not None:
        state = "baselines" if number == rounds else "competing"
    else:
        state = "pretrained" if run.pretraining.metrics.is_file() else "waiting"
    times = [path.stat().st_mtime for path in done]
    steps = [later - earlier for earlier, later in pairwise(times)]
    left = max(rounds - number, 0) * median(steps) if steps and number is not None else None
    return Progress(
        run.experiment, run.seed, number, rounds, last.get("share_changed"), last.get("objective"), state, left
    )


def make_table(runs: list[Progress]) -> Table:
    """The runs as a table, one row each."""
    done = sum(run.state == "done" for run in runs)
    table = Table(*COLUMNS, title=f"{done} of {len(runs)} runs done")
    for run in runs:
        table.add_row(
            run.experiment,
            str(run.seed),
            f"{'-' if run.round is None else run.round} / {run.rounds}",
            "-" if run.share_changed is None else f"{run.share_changed:.1%}",
            "-" if run.objective is None else f"{run.objective:.3f}",
            run.state,
            "" if run.state == "done" else _format_seconds(run.left_s),
            style="dim" if run.state == "waiting" else "",
        )
    return table


def _format_seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


def main() -> None:
    """Show the table until all runs are done; once only where the output is no terminal."""
    console = Console()
    try:
        params = read_params()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    runs = list(read_progress(params))
    if not console.is_terminal:
        console.print(make_table(runs))
        return
    with Live(make_table(runs), console=console, auto_refresh=False) as live:
        try:
            while any(run.state != "done" for run in runs):
                time.sleep(INTERVAL_S)
                runs = list(read_progress(params))
                live.update(make_table(runs), refresh=True)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
