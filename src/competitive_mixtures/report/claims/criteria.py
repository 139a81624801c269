"""The content of `paper/claims.yaml` as typed objects: each claim with the comparisons that decide it."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.names import METRICS, MODELS, PROTOCOLS, RELATIONS
from competitive_mixtures.settings.yaml_files import read_yaml

SIDES = {"above": 1, "at_least": 1, "below": -1, "at_most": -1}  # 1: the claim holds above the threshold


class Side(BaseModel):
    """One side of a comparison, which has one value a seed.

    Attributes:
        experiment, metric, model, protocol, split: of a row of `summary.csv`.
        less: another metric of the same row, which is taken from the first.
        at: takes the value from a column of `rounds.csv` instead; see `reduce_curve`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    experiment: str
    metric: str
    model: str = "competitive"
    protocol: Literal["-", "paper", "equal_compute"] = "-"
    split: Literal["train", "test", "-"] = "test"
    less: str | None = None
    at: Literal["first", "last", "relapse"] | None = None

    def describe(self, fields: Sequence[str]) -> str:
        """The named fields in words, say `one network (paper's protocol)` for model and protocol."""
        protocol = PROTOCOLS[self.protocol]
        metric = METRICS.get(self.metric, self.metric)
        words = {
            "metric": f"{metric} less {METRICS.get(self.less, self.less)}" if self.less else metric,
            "experiment": self.experiment,
            "model": MODELS.get(self.model, self.model) + (f" ({protocol})" if protocol else ""),
            "split": f"{self.split} points",
            "at": {"first": "first round", "last": "last round", "relapse": "relapse"}.get(self.at or "", ""),
        }
        return ", ".join(words[name] for name in words if name in fields and words[name])

    def __str__(self) -> str:
        """The side in a few words, for a message about missing runs."""
        return self.describe(("experiment", "at") if self.at else ("experiment", "model"))


class Part(BaseModel):
    """A part of a criterion: one comparison with a threshold, of which exactly one kind is given.

    Attributes:
        measure: what is compared.
        against: what is taken from it, seed by seed; with `None` the value itself is compared with the threshold.
        compare: `difference` is measure - against, `ratio` is measure / against.
        above, at_least, below, at_most: the threshold.
        seeds: with fewer finished seeds, or pairs of seeds, the outcome is preliminary, and so is the claim's verdict.
        every: every single run has to lie on the claim's side, where otherwise the mean over seeds has to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: Side
    against: Side | None = None
    compare: Literal["difference", "ratio"] = "difference"
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    seeds: Annotated[int, Field(ge=2)]  # one seed has no interval
    every: bool = False

    @model_validator(mode="after")
    def _check_threshold(self) -> "Part":
        if len(self._thresholds()) != 1:
            raise ValueError(f"found {len(self._thresholds())} thresholds, expected one of {', '.join(SIDES)}")
        return self

    def _thresholds(self) -> dict[str, float]:
        return {name: value for name in SIDES if (value := getattr(self, name)) is not None}

    @property
    def relation(self) -> str:
        """Which kind of threshold is given: a key of `SIDES`."""
        return next(iter(self._thresholds()))

    @property
    def threshold(self) -> float:
        """The number that the interval is compared with."""
        return self._thresholds()[self.relation]

    def __str__(self) -> str:
        """The comparison in one line: what both sides share, then what tells them apart."""
        bound = f"{RELATIONS[self.relation]} {self.threshold:g}" + (" in every run" if self.every else "")
        if self.against is None:
            return f"{self.measure.describe(('metric', 'experiment', 'at'))} {bound}"
        both = self.measure.model_dump(), self.against.model_dump()
        differing = [name for name in both[0] if both[0][name] != both[1][name]]
        if "protocol" in differing:
            differing.append("model")
        if "less" in differing:
            differing.append("metric")
        fields = ("metric", "experiment") if self.measure.model == "competitive" else ("metric", "experiment", "model")
        shared = [name for name in fields if name not in differing]
        sign = {"difference": "−", "ratio": "/"}[self.compare]
        sides = f"{self.measure.describe(differing)} {sign} {self.against.describe(differing)}"
        return f"{self.measure.describe(shared)}: {sides} {bound}"


class Criterion(BaseModel):
    """What decides a claim: in words, and as the comparisons of which all have to hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    criterion: str
    parts: Annotated[list[Part], Field(min_length=1)]


class Amendment(Criterion):
    """The criterion that a claim had before it was amended, which is assessed as well.

    Attributes:
        date: of the amendment.
        why: what was wrong with the former criterion.
        before: the criterion that it had replaced in its turn; None where it was the first.
    """

    date: date
    why: str
    before: "Amendment | None" = None


class AmendableCriterion(Criterion):
    """A criterion with those that it replaced.

    Attributes:
        known: what was known of the results when it, or the settings, were chosen; empty where nothing was.
        before: the former criterion; None where the first one still holds.
    """

    known: str = ""
    before: Amendment | None = None

    @property
    def formers(self) -> list[Amendment]:
        """The criteria that were replaced, the latest first."""
        found, former = [], self.before
        while former is not None:
            found.append(former)
            former = former.before
        return found


class AuthorsCriterion(AmendableCriterion):
    """A claim's criterion at the authors' settings, which has a verdict of its own.

    Attributes:
        date: when it was written.
        differing: what it means where this verdict and the one at our settings disagree.
    """

    date: date
    differing: str


class Claim(AmendableCriterion):
    """A claim, where it stands in the paper, and its criterion.

    Attributes:
        scope: what the verdict speaks of, where the claim says more; `{metric}` stands for the effects by that metric.
        authors: the criterion at the authors' settings; None where nothing that was run there can decide the claim.
    """

    id: str
    claim: str
    source: str
    scope: str = ""
    authors: AuthorsCriterion | None = None


def read_claims(path: Path) -> list[Claim]:
    """Read the claims file; a part that lists several experiments, say, becomes one part for each.

    Raises:
        UserError: the file is missing, is not YAML, or an entry is not a claim; the message names the key.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise UserError(f"{path}: expected a mapping of claims C1, C2, ... to their blocks")
    return [_read_claim(path, name, dict(entry)) for name, entry in content.items()]


def _read_claim(path: Path, name: str, entry: dict[str, Any]) -> Claim:
    entry = _with_parts(entry)
    try:
        return Claim.model_validate({"id": name, **entry})
    except ValidationError as error:
        findings = error.errors()
        lines = [f"{path}: {name}.{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in findings]
        raise UserError("\n".join(lines)) from None


def _with_parts(block: dict[str, Any]) -> dict[str, Any]:
    """A criterion's block with one part an entry of its lists; `seeds` of the block is that of parts that name none.

    So are the blocks of the former criterion and of that at the authors' settings.
    """
    inner = {name: _with_parts(block[name]) for name in ("authors", "before") if isinstance(block.get(name), dict)}
    block = block | inner
    seeds, parts = block.pop("seeds", None), block.get("parts")
    if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
        block["parts"] = [single for part in parts for single in _expand({"seeds": seeds} | part)]
    return block


def _expand(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one part for every combination of the listed values; `against` takes what it lacks from `measure`."""
    for measure in _combinations(part.get("measure")):
        if "against" not in part:
            yield {**part, "measure": measure}
            continue
        for against in _combinations(part["against"]):
            whole = isinstance(measure, dict) and isinstance(against, dict)
            yield {**part, "measure": measure, "against": {**measure, **against} if whole else against}


def _combinations(side: Any) -> list[Any]:
    if not isinstance(side, dict):
        return [side]  # left for the validation to refuse
    choices = [value if isinstance(value, list) else [value] for value in side.values()]
    return [dict(zip(side, values, strict=True)) for values in product(*choices)]
