"""The figures by name: `<plot>-<experiment>` draws one experiment, `<plot>` alone all of the default suite.

Figure names are the stems of the files in `paper/figures/`, so that one Snakemake rule with the wildcard `figure`
draws them all. Nothing here imports Matplotlib before a figure is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.errors import UserError

if TYPE_CHECKING:
    from competitive_mixtures.report.plan import Planned


@dataclass(frozen=True)
class Plot:
    """A kind of figure.

    Attributes:
        suffix: `.svg` for lines and bars, `.png` for points and pictures, `.gif` for an animation.
        of_experiment: drawn once an experiment from its runs, or once for all from the tables.
        needs_labels: only for data with labels.
        listed: part of the report; others are drawn when they are asked for by name.
    """

    suffix: str
    of_experiment: bool
    needs_labels: bool = False
    listed: bool = True


PLOTS = {
    "partition": Plot(".png", of_experiment=True),
    "mixture": Plot(".png", of_experiment=True),
    "rounds": Plot(".svg", of_experiment=True),
    "labels": Plot(".svg", of_experiment=True, needs_labels=True),
    "ablation": Plot(".svg", of_experiment=True, listed=False),
    "animation": Plot(".gif", of_experiment=True, listed=False),
    "scores": Plot(".svg", of_experiment=False),
    "compute": Plot(".svg", of_experiment=False),
    "timing": Plot(".svg", of_experiment=False),
}


def split_name(figure: str) -> tuple[str, str | None]:
    """`partition-synthetic-3` -> (`partition`, `synthetic-3`); `scores` -> (`scores`, None).

    Raises:
        UserError: no such figure.
    """
    plot, _, experiment = figure.partition("-")
    if plot not in PLOTS or PLOTS[plot].of_experiment != bool(experiment):
        forms = [f"{name}-<experiment>" if kind.of_experiment else name for name, kind in PLOTS.items()]
        raise UserError(f"figure: found {figure!r}, expected one of {', '.join(forms)}")
    return plot, experiment or None


def list_figures(labelled: Sequence[str], unlabelled: Sequence[str] = ()) -> list[str]:
    """File names of all figures of the given experiments.

    Args:
        labelled: experiments whose data has labels.
        unlabelled: experiments whose data has none.
    """
    files = [f"{plot}{kind.suffix}" for plot, kind in PLOTS.items() if not kind.of_experiment]
    for plot, kind in PLOTS.items():
        if kind.of_experiment and kind.listed:
            experiments = [*labelled, *(() if kind.needs_labels else unlabelled)]
            files += [f"{plot}-{experiment}{kind.suffix}" for experiment in experiments]
    return files


def plot_figure(
    figure: str,
    out: Path,
    *,
    root: Path = Path(),
    experiments: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    last_round: int | None = None,
) -> None:
    """Draw one figure.

    Args:
        figure: its name, `<plot>-<experiment>` or `<plot>`.
        out: the file to write, of the plot's suffix.
        root: the project's root, with `results/` and `data/processed/`.
        experiments: what a figure over all experiments shows, in this order.
        seeds: the seeds that count; all that are found where it is `None`.
        last_round: rounds after it are ignored; see `Run`.

    Raises:
        UserError: no such figure, a missing result, or data that the figure does not suit.
    """
    plot, experiment = split_name(figure)
    draw: Callable = getattr(import_module(f"{__name__}.{plot}"), f"plot_{plot}")
    if experiment is None:
        from competitive_mixtures.report.figures.tables import read_tables

        draw(read_tables(root, experiments), out)
        return
    from competitive_mixtures.data import load_dataset
    from competitive_mixtures.report.results import find_runs

    runs = find_runs(root / "results", experiment, seeds, last_round)
    draw(runs, load_dataset(root / "data/processed" / runs[0].config["dataset"]), out)


def plot_all(root: Path, out: Path, *, plan: "list[Planned] | None" = None) -> list[Path]:
    """Draw every figure of the report: of all experiments and ablations with results, and the animation.

    Args:
        root: the project's root.
        out: the folder of the figures.
        plan: what was to be run; read from `params.yaml` where it is `None`.

    Returns:
        The files written.
    """
    from competitive_mixtures.report.plan import read_plan
    from competitive_mixtures.report.tables.ablations import find_base
    from competitive_mixtures.report.tables.cells import Scores

    plan = read_plan(root) if plan is None else plan
    scores = Scores(root, plan)
    done = [planned for planned in plan if scores.seeds(planned.name)]
    shown = [planned for planned in done if planned.suite != "ablations"]
    labelled = [planned.name for planned in shown if _has_labels(root, planned.dataset)]
    files = list_figures(labelled, [planned.name for planned in shown if planned.name not in labelled])
    ablations = [
        planned.name for planned in done if planned.suite == "ablations" and find_base(planned.name, plan) in done
    ]
    files += [f"ablation-{name}{PLOTS['ablation'].suffix}" for name in ablations]
    files += _animations(shown)
    plans = {planned.name: planned for planned in plan}
    for file in files:
        figure = file.rpartition(".")[0]
        planned = plans.get(split_name(figure)[1] or "")
        plot_figure(
            figure,
            out / file,
            root=root,
            experiments=[planned.name for planned in shown],
            seeds=sorted(scores.seeds(planned.name)) if planned else None,
            last_round=planned.rounds if planned else None,
        )
    return [out / file for file in files]


def _animations(shown: "list[Planned]") -> list[str]:
    """One animation, of the vector data that the most components share."""
    vectors = [planned for planned in shown if planned.kind == "vector"]
    best = max(vectors, key=lambda planned: planned.num_components, default=None)
    return [f"animation-{best.name}{PLOTS['animation'].suffix}"] if best else []


def _has_labels(root: Path, dataset: str) -> bool:
    return (root / "data/processed" / dataset / "train_labels.npy").is_file()
