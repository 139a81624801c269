"""From evidence to verdicts: `results/claims.csv`, and every part with every run in `results/claim_parts.csv`."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competitive_mixtures.report.claims.criteria import SIDES, Claim, Part, read_claims
from competitive_mixtures.report.claims.evidence import Evidence, Seeds
from competitive_mixtures.report.intervals import Interval, bootstrap_interval
from competitive_mixtures.report.summary import write_rows

CLAIM_COLUMNS = ("id", "claim", "criterion", "effect", "ci_low", "ci_high", "n", "verdict", "evidence")
PART_COLUMNS = ("id", "part", "effect", "ci_low", "ci_high", "n", "seeds_wanted", "outcome", "reason", "values")
OUTCOMES = ("fails", "open", "not run", "holds")  # the worst first: it decides


@dataclass(frozen=True)
class Finding:
    """A judged part.

    Attributes:
        part: the comparison.
        effects: the judged quantity by seed.
        interval: its mean over seeds with the bootstrap interval.
        outcome: `holds`, `fails`, `open` or `not run`.
        reason: why it was not run, or empty.
    """

    part: Part
    effects: Seeds
    interval: Interval
    outcome: str
    reason: str


def judge_claims(claims: Path, results: Path, out: Path) -> None:
    """Judge every claim from the results.

    Args:
        claims: `paper/claims.yaml`.
        results: the folder of `summary.csv` and `rounds.csv`.
        out: `claims.csv`, one row a claim; `claim_parts.csv`, one row a comparison, is written beside it.

    Raises:
        UserError: a file is missing or malformed.
    """
    evidence = Evidence(results)
    judged = [(claim, [judge_part(part, evidence) for part in claim.parts]) for claim in read_claims(claims)]
    write_rows(out, CLAIM_COLUMNS, [_claim_row(claim, findings) for claim, findings in judged])
    rows = [_part_row(claim, finding) for claim, findings in judged for finding in findings]
    write_rows(out.with_name("claim_parts.csv"), PART_COLUMNS, rows)


def judge_part(part: Part, evidence: Evidence) -> Finding:
    """Compare the bootstrap interval of one part with its threshold."""
    effects = evidence.effects(part)
    interval = bootstrap_interval(list(effects.values()))
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
    """Why nothing can be decided: a side without values, values that are no numbers, too few seeds."""
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
    """Where the whole interval lies: on the claim's side of the threshold, on the other, or across it."""
    side = SIDES[part.relation]
    worst, best = sorted((side * (interval.low - part.threshold), side * (interval.high - part.threshold)))
    allowed = part.relation in ("at_least", "at_most")  # the threshold itself still counts
    if worst > 0 or (allowed and worst == 0):
        return "holds"
    return "fails" if best < 0 or (not allowed and best == 0) else "open"


def _weakest(findings: list[Finding]) -> Finding:
    """The part that decides: the worst outcome, and of equal ones the one nearest to its threshold."""

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
    values = " ".join(f"{seed}:{value:.6g}" for seed, value in sorted(finding.effects.items()))
    row |= {"outcome": finding.outcome, "reason": finding.reason, "values": values}
    return row | _interval_fields(finding.interval)


def _interval_fields(interval: Interval) -> dict[str, Any]:
    """The interval's columns; empty where there is no number."""
    fields = {"effect": interval.mean, "ci_low": interval.low, "ci_high": interval.high}
    return {name: "" if math.isnan(value) else repr(value) for name, value in fields.items()} | {"n": interval.count}
