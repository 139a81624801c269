"""The experiments of `params.yaml`, run or not: the report names what is missing instead of leaving it out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import ProcessedData, Project
from competitive_mixtures.files.formats import read_json
from competitive_mixtures.report.names import METHODS, MODELS, PROTOCOLS
from competitive_mixtures.settings.baselines import list_protocols
from competitive_mixtures.settings.resolved import PlanEntry, read_experiment
from competitive_mixtures.settings.resolved import read_plan as read_entries

OF_BASELINES = ("baselines", "autoencoder", "tuning", "equal_compute")  # settings that no mixture depends on

PAPERS_METHOD: dict[str, tuple[Any, ...]] = {
    "revival": (None,),
    "representation": (None,),
    "training.init": (None, "uniform"),
    "training.held_out": (None, 0),
    "training.standardize": (None, "none", "data"),
    "scoring.kind": (None, "discriminators"),
    "scoring.trunk": (None, "separate"),
    "scoring.assignment": (None, "density"),
}
"""The settings that make the paper's method, by key, with the values that it has; None stands for a missing key."""
BOUNDS = {"bound": "hard", "soft_bound": "soft"}  # VAE-EM's scores, and its form


@dataclass(frozen=True)
class Planned:
    """One experiment of `params.yaml`.

    Attributes:
        name: the experiment.
        suite: `default`, `authors`, `paper_scale` or `ablations`, to which those of `claims` belong here; those of
            `demo` are not reported.
        dataset: name of its data set.
        kind: `vector` or `image` data.
        components: the kinds of its components, of `vae` and `gan`, each named once.
        num_components: number of components, k.
        rounds: number of rounds, T; round 0 only scores the pretrained components and comes on top.
        seeds: how many seeds are asked for: 0 .. seeds-1.
        baselines: names of the baselines that are trained beside it.
        settings: everything that decides its results, nested as in `params.yaml`.
        extends: the experiment whose settings it takes over; None where it is written out in full.
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
    extends: str | None = None

    @property
    def models(self) -> list[tuple[str, str]]:
        """The (model, protocol) pairs that it should have scores for."""
        return [("competitive", "-")] + [(name, p) for name in self.baselines for p in list_protocols(name)]

    @property
    def method(self) -> str:
        """What its mixture is called, a key of `names.METHODS`: `paper`, `plain`, `ours` or `relative`."""
        if self._setting("exploration") or self._setting("scoring.kind") in BOUNDS:
            return "relative"
        if self.remedied or self._departs("scoring."):
            return "ours"
        return "paper" if self.suite == "authors" else "plain"

    @property
    def remedied(self) -> bool:
        """Whether its components start, train or are revived in ways that the paper does not have."""
        return self._departs("revival", "representation", "training.")

    @property
    def group(self) -> str:
        """The name that its versions by other methods share: `synthetic-9` of `synthetic-9-plain`."""
        return self.name.partition("-paper")[0] if self.method == "paper" else self.name.removesuffix("-plain")

    def _departs(self, *prefixes: str) -> bool:
        """Whether a setting whose key begins with one of these has a value that the paper's method does not."""
        keys = [key for key in PAPERS_METHOD if key.startswith(prefixes)]
        return any(self._setting(key) not in PAPERS_METHOD[key] for key in keys)

    def _setting(self, key: str) -> Any:
        """The value of a dotted key; None where the experiment has no such key."""
        block: Any = self.settings
        for name in key.split("."):
            block = block.get(name) if isinstance(block, dict) else None
        return block


def read_plan(root: Path) -> list[Planned]:
    """The experiments that the report is about, in the order of `params.yaml`: all but those of the demo.

    Args:
        root: the project's root, with `results/plan.json` and `results/settings/`.

    Raises:
        UserError: a file is missing or has mistakes.
    """
    project = Project(root)
    entries = read_entries(project.results.plan).items()
    return [_read_planned(project, name, entry) for name, entry in entries if entry.suite != "demo"]


def list_ablations(plan: Iterable[Planned]) -> list[tuple[Planned, Planned]]:
    """Every ablation with the experiment that it varies, which is the one that it extends.

    An experiment of the suite that extends none, or one on other data, varies nothing: its scores have nothing to be
    compared with. Nor is one an ablation that has other baselines only, or draws the same data several times.
    """
    by_name = {planned.name: planned for planned in plan}
    pairs = [(planned, by_name.get(planned.extends or "")) for planned in by_name.values()]
    return [
        (planned, base)
        for planned, base in pairs
        if planned.suite == "ablations" and base and base.dataset == planned.dataset and _varies(planned, base)
    ]


def _varies(planned: Planned, base: Planned) -> bool:
    """Whether the mixtures of two experiments differ: other baselines, or other draws of the data, are no ablation."""
    one, other = (
        {key: value for key, value in experiment.settings.items() if key not in OF_BASELINES}
        for experiment in (planned, base)
    )
    return one != other


def label_baseline(model: str, protocol: str) -> str:
    """A baseline's name with its protocol, where it has one."""
    return f"{MODELS[model]} ({PROTOCOLS[protocol]})" if PROTOCOLS[protocol] else MODELS[model]


def list_baselines() -> list[tuple[str, str]]:
    """Every baseline in each of its protocols, in the order of the tables."""
    return [(model, p) for model in MODELS if model not in ("competitive", "data") for p in list_protocols(model)]


def list_variants(plan: Iterable[Planned]) -> dict[str, dict[str, Planned]]:
    """The experiments by group and then by method, in the order of `names.METHODS`; ablations of another kind apart."""
    groups: dict[str, dict[str, Planned]] = {}
    for planned in plan:
        if planned.suite != "ablations" or planned.name.endswith("-plain"):
            groups.setdefault(planned.group, {})[planned.method] = planned
    return {group: {method: found[method] for method in METHODS if method in found} for group, found in groups.items()}


def _read_planned(project: Project, name: str, entry: PlanEntry) -> Planned:
    experiment = read_experiment(project.results.settings(name))
    return Planned(
        name=name,
        suite="ablations" if entry.suite == "claims" else entry.suite,
        dataset=experiment.dataset,
        kind=_kind(project.data.processed(experiment.dataset), entry.source),
        components=tuple(dict.fromkeys(component.kind for component in experiment.components)),
        num_components=experiment.num_components,
        rounds=entry.rounds,
        seeds=entry.seeds,
        baselines=tuple(experiment.baselines),
        settings=experiment.model_dump(mode="json") | {"rounds": entry.rounds},
        extends=entry.extends,
    )


def _kind(data: ProcessedData, source: str) -> str:
    """`vector` or `image`: known once the data is prepared; until then all but Gaussians are taken for images."""
    if data.meta.is_file():
        return read_json(data.meta)["kind"]
    return "vector" if source == "gaussians" else "image"
