"""The experiments of `params.yaml`, run or not: the report names what is missing instead of leaving it out."""

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
        components: the kinds of its components, of `vae` and `gan`, each named once.
        num_components: number of components, k.
        rounds: number of rounds, T; round 0 only scores the pretrained components and comes on top.
        seeds: how many seeds are asked for: 0 .. seeds-1.
        baselines: names of the baselines that are trained beside it.
        settings: everything that decides its results, nested as in `params.yaml`.
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
        """The (model, protocol) pairs that it should have scores for."""
        return [("competitive", "-")] + [(name, p) for name in self.baselines for p in ("paper", "equal_compute")]


def read_plan(root: Path) -> list[Planned]:
    """The experiments in the order of the file.

    Args:
        root: the project's root, with `params.yaml`.

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


def find_base(ablation: str, plan: list[Planned]) -> Planned:
    """The experiment that an ablation varies: the one with the longest name that the ablation's name starts with.

    Args:
        ablation: the ablation's name.
        plan: all experiments, the ablation among them; it is its own base where no other fits.
    """
    candidates = [planned for planned in plan if f"{ablation}-".startswith(f"{planned.name}-")]
    others = [planned for planned in candidates if planned.name != ablation]
    return max(others or candidates, key=lambda planned: len(planned.name))


def _kind(root: Path, dataset: str, source: str) -> str:
    """`vector` or `image`: known once the data is prepared; until then all but Gaussians are taken for images."""
    meta = root / "data/processed" / dataset / "meta.json"
    if meta.is_file():
        return read_json(meta)["kind"]
    return "vector" if source == "gaussians" else "image"
