"""What the results say about each part of a criterion: its interval, and whether it holds, fails or is open."""

import math
from dataclasses import dataclass

from competitive_mixtures.report.claims.criteria import SIDES, Part
from competitive_mixtures.report.claims.evidence import Evidence, Seeds
from competitive_mixtures.report.intervals import Interval, mean_interval, share_interval

OUTCOMES = ("fails", "open", "not run", "holds")  # from worst to best


@dataclass(frozen=True)
class Finding:
    """What the results say about a part.

    Attributes:
        part: the comparison with its threshold.
        effects: what is compared with the threshold, by seed.
        interval: the mean of the effects with Student's interval; of a part that asks for every run, the share of the
            runs on the claim's side with its exact interval.
        outcome: `holds`, `fails`, `open` or `not run`.
        reason: why it is `not run`, or which seeds are missing; otherwise empty.
        finished: how many of the seeds are those of finished runs and have a number.
        scarcest: the experiment of the comparison that has the fewest of these.
    """

    part: Part
    effects: Seeds
    interval: Interval
    outcome: str
    reason: str
    finished: int = 0
    scarcest: str = ""

    @property
    def preliminary(self) -> bool:
        """Whether the outcome rests on fewer finished seeds than the criterion asks for."""
        return self.outcome != "not run" and self.finished < self.part.seeds


def assess_part(part: Part, evidence: Evidence) -> Finding:
    """Compare the interval of a part's effects with its threshold, whatever the number of seeds."""
    effects = evidence.effects(part)
    interval = mean_interval(list(effects.values()))
    reason = _missing(part, evidence, effects)
    if interval.count == 0:
        return Finding(part, effects, interval, "not run", reason)
    outcome = _outcome(part, interval)
    if part.every:
        hits = {seed: _on_side(part, value) for seed, value in effects.items() if math.isfinite(value)}
        outcome = _outcome_of_every(part, hits, evidence.unfinished(part))
        interval = share_interval(sum(hits.values()), len(hits))
    finished = len(_finished(part, evidence, effects))
    return Finding(part, effects, interval, outcome, reason, finished, _scarcest(part, evidence))


def _finished(part: Part, evidence: Evidence, values: Seeds) -> list[int]:
    """The seeds that count towards the number that a criterion asks for: of finished runs, with a number."""
    unfinished = evidence.unfinished(part)
    return [seed for seed, value in values.items() if math.isfinite(value) and seed not in unfinished]


def _scarcest(part: Part, evidence: Evidence) -> str:
    """The experiment of a part that has the fewest finished seeds: what has to be run to settle it."""
    sides = [side for side in (part.measure, part.against) if side is not None]
    return min(sides, key=lambda side: len(_finished(part, evidence, evidence.values(side)))).experiment


def _outcome_of_every(part: Part, hits: dict[int, bool], unfinished: set[int]) -> str:
    """`fails` with the first finished run on the other side, `holds` when all that are asked for are on the claim's.

    A run that is not finished can still change sides, and so can a claim with a run that is missing: both are `open`.

    Args:
        part: says how many runs are asked for.
        hits: whether a run lies on the claim's side, by seed.
        unfinished: seeds whose runs have not come to their last round.
    """
    finished = [hit for seed, hit in hits.items() if seed not in unfinished]
    if not all(finished):
        return "fails"
    return "holds" if len(finished) >= part.seeds and all(hits.values()) else "open"


def _missing(part: Part, evidence: Evidence, effects: Seeds) -> str:
    """Which of the runs that a part asks for are missing; empty where none is."""
    sides = [side for side in (part.measure, part.against) if side is not None]
    absent = [str(side) for side in sides if not evidence.values(side)]
    if absent:
        return f"no {part.measure.metric} of {' and '.join(absent)}"
    broken = sorted(seed for seed, value in effects.items() if not math.isfinite(value))
    finite = len(effects) - len(broken)
    under_way = sorted(evidence.unfinished(part) & effects.keys())
    if finite >= part.seeds and not under_way:
        return ""
    lost = f", no number for seed {', '.join(map(str, broken))}" if broken else ""
    open_end = f", not finished: seed {', '.join(map(str, under_way))}" if under_way else ""
    return f"{finite} of {part.seeds} seeds{lost}{open_end}"


def _on_side(part: Part, value: float) -> bool:
    distance = SIDES[part.relation] * (value - part.threshold)
    return distance > 0 or (distance == 0 and part.relation in ("at_least", "at_most"))


def _outcome(part: Part, interval: Interval) -> str:
    """`holds` or `fails` where the whole interval lies on one side of the threshold, `open` where it lies across.

    One seed has no interval and leaves a part open.
    """
    if math.isnan(interval.low):
        return "open"
    sides = {_on_side(part, end) for end in (interval.low, interval.high)}
    return "open" if len(sides) == 2 else "holds" if sides == {True} else "fails"
