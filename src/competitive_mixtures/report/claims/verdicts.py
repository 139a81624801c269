"""Verdicts: one a claim in `results/claims.csv`, and in `claim_parts.csv` every part that they rest on."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Results
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.claims.criteria import SIDES, Claim, Part, read_claims
from competitive_mixtures.report.claims.evidence import Evidence, Seeds
from competitive_mixtures.report.intervals import Interval, mean_interval, sign_flip_p

CLAIM_COLUMNS = ("id", "claim", "criterion", "effect", "ci_low", "ci_high", "n", "verdict", "evidence")
PART_COLUMNS = ("id", "part", "effect", "ci_low", "ci_high", "p", "n", "seeds_wanted", "outcome", "reason", "values")
OUTCOMES = ("fails", "open", "not run", "holds")  # from worst to best


@dataclass(frozen=True)
class Finding:
    """What the results say about a part.

    Attributes:
        part: the comparison with its threshold.
        effects: what is compared with the threshold, by seed.
        interval: the mean of the effects with Student's interval.
        outcome: `holds`, `fails`, `open` or `not run`.
        reason: why it is `not run`; otherwise empty.
    """

    part: Part
    effects: Seeds
    interval: Interval
    outcome: str
    reason: str


def assess_claims(claims: Path, results: Path, out: Path) -> None:
    """Hold the results against the criterion of every claim, and write the verdicts.

    Args:
        claims: the criteria, `paper/claims.yaml`.
        results: the folder of `summary.csv` and `rounds.csv`.
        out: the file to write, one row a claim; `claim_parts.csv`, one row a part, is written beside it.

    Raises:
        UserError: a file is missing or malformed.
    """
    evidence = Evidence(results)
    assessed = [(claim, [assess_part(part, evidence) for part in claim.parts]) for claim in read_claims(claims)]
    write_rows(out, CLAIM_COLUMNS, [_claim_row(claim, findings) for claim, findings in assessed])
    rows = [_part_row(claim, finding) for claim, findings in assessed for finding in findings]
    write_rows(Results(out.parent).claim_parts, PART_COLUMNS, rows)


def assess_part(part: Part, evidence: Evidence) -> Finding:
    """Compare Student's interval of a part's effects with its threshold."""
    effects = evidence.effects(part)
    interval = mean_interval(list(effects.values()))
    reason = _missing(part, evidence, effects)
    return Finding(part, effects, interval, "not run" if reason else _outcome(part, interval), reason)


def decide(outcomes: list[str]) -> str:
    """The verdict on a claim from the outcomes of its parts."""
    if all(outcome == "not run" for outcome in outcomes):
        return "not run"
    if all(outcome == "holds" for outcome in outcomes):
        return "reproduced"
    return "partly" if "holds" in outcomes else "not reproduced"


def _missing(part: Part, evidence: Evidence, effects: Seeds) -> str:
    """Why nothing can be decided, say for want of seeds; empty where it can."""
    sides = [side for side in (part.measure, part.against) if side is not None]
    absent = [str(side) for side in sides if not evidence.values(side)]
    if absent:
        return f"no {part.measure.metric} of {' and '.join(absent)}"
    broken = sorted(seed for seed, value in effects.items() if not math.isfinite(value))
    finite = len(effects) - len(broken)
    if finite >= part.seeds:
        return ""
    lost = f", no number for seed {', '.join(map(str, broken))}" if broken else ""
    return f"{finite} of the {part.seeds} seeds{lost}"


def _outcome(part: Part, interval: Interval) -> str:
    """`holds` or `fails` where the whole interval lies on one side of the threshold, `open` where it lies across."""
    side = SIDES[part.relation]
    worst, best = sorted((side * (interval.low - part.threshold), side * (interval.high - part.threshold)))
    allowed = part.relation in ("at_least", "at_most")  # the threshold itself is on the claim's side
    if worst > 0 or (allowed and worst == 0):
        return "holds"
    return "fails" if best < 0 or (not allowed and best == 0) else "open"


def _weakest(findings: list[Finding]) -> Finding:
    """The part that decides: of those with the worst outcome, the one least far on the claim's side.

    The distance from the threshold is measured in widths of the interval.
    """

    def strength(finding: Finding) -> tuple[int, float]:
        interval, side = finding.interval, SIDES[finding.part.relation]
        width = interval.high - interval.low
        margin = side * (interval.mean - finding.part.threshold) / width if width > 0 else math.inf
        return OUTCOMES.index(finding.outcome), margin

    return min(findings, key=strength)


def _claim_row(claim: Claim, findings: list[Finding]) -> dict[str, Any]:
    weakest = _weakest(findings)
    counts = Counter(finding.outcome for finding in findings)
    tally = ", ".join(f"{counts[outcome]} {outcome}" for outcome in reversed(OUTCOMES) if counts[outcome])
    evidence = f"{len(findings)} parts: {tally}. Deciding: {weakest.part}" + (
        f" ({weakest.reason})" * bool(weakest.reason)
    )
    verdict = decide([finding.outcome for finding in findings])
    row = {"id": claim.id, "claim": claim.claim, "criterion": claim.criterion, "verdict": verdict, "evidence": evidence}
    return row | _interval_fields(weakest.interval)


def _part_row(claim: Claim, finding: Finding) -> dict[str, Any]:
    row = {"id": claim.id, "part": str(finding.part), "seeds_wanted": finding.part.seeds}
    values = " ".join(f"{seed}:{value!r}" for seed, value in sorted(finding.effects.items()))
    p = sign_flip_p([value - finding.part.threshold for value in finding.effects.values()])
    row |= {
        "outcome": finding.outcome,
        "reason": finding.reason,
        "values": values,
        "p": "" if math.isnan(p) else repr(p),
    }
    return row | _interval_fields(finding.interval)


def _interval_fields(interval: Interval) -> dict[str, Any]:
    """The columns of an interval; a number that is missing leaves its field empty."""
    fields = {"effect": interval.mean, "ci_low": interval.low, "ci_high": interval.high}
    return {name: "" if math.isnan(value) else repr(value) for name, value in fields.items()} | {"n": interval.count}
