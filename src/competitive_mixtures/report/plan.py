"""What was to be run, from params.yaml: the report names what is missing instead of leaving it out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competitive_mixtures.files import read_json


@dataclass(frozen=True)
class Planned:
    """One experiment of `params.yaml`.

    Attributes:
        name: the experiment.
        suite: `default`, `paper_scale` or `ablations`.
        dataset: name of its data set.
        kind: `vector` or `image` data.
        components: kinds of components, `vae` and `gan`, each once.
        num_components: K.
        rounds: number of rounds after the first scoring.
        seeds: the seeds 0 .. seeds-1 are run.
        baselines: the baselines that are trained.
        settings: the content of its `config.json`, and `rounds`.
    """

    name: str
    suite: str
    dataset: str
    kind: str
    components: tuple[str, ...]
    num_components: int
    rounds: int
    seeds: int
    baselines: tuple[str, ...]
    settings: dict[str, Any]

    @property
    def models(self) -> list[tuple[str, str]]:
        """The (model, protocol) pairs that it should have scores of."""
        return [("competitive", "-")] + [(name, p) for name in self.baselines for p in ("paper", "equal_compute")]


def read_plan(root: Path) -> list[Planned]:
    """The experiments of `params.yaml` in the order of the file.

    Raises:
        UserError: the file is missing or has mistakes.
    """
    from competitive_mixtures.settings.schema import read_params

    params = read_params(root / "params.yaml")
    return [
        Planned(
            name=name,
            suite=experiment.suite,
            dataset=experiment.dataset,
            kind=_kind(root, experiment.dataset, params.datasets[experiment.dataset].kind),
            components=tuple(dict.fromkeys(component.kind for component in experiment.components)),
            num_components=experiment.num_components,
            rounds=experiment.rounds,
            seeds=params.seeds,
            baselines=tuple(experiment.baselines),
            settings=experiment.settings() | {"rounds": experiment.rounds},
        )
        for name, experiment in params.experiments.items()
    ]


def _kind(root: Path, dataset: str, source: str) -> str:
    """The kind of data: known once it is prepared; before that, only Gaussians are known to be vectors."""
    meta = root / "data/processed" / dataset / "meta.json"
    if meta.is_file():
        return read_json(meta)["kind"]
    return "vector" if source == "gaussians" else "image"
