"""Verdicts: one a claim in `results/claims.csv`, and in `claim_parts.csv` every part that they rest on."""

import math
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Results
from competitive_mixtures.files.tables import write_rows
from competitive_mixtures.report.claims.criteria import (
    SIDES,
    AmendableCriterion,
    AuthorsCriterion,
    Claim,
    Part,
    read_claims,
)
from competitive_mixtures.report.claims.evidence import Evidence
from competitive_mixtures.report.claims.findings import OUTCOMES, Finding, assess_part
from competitive_mixtures.report.intervals import clip_interval, sign_flip_p
from competitive_mixtures.report.names import RANGES, UNITS

INTERVAL_COLUMNS = ("effect", "ci_low", "ci_high", "p", "n", "unit")
CLAIM_COLUMNS = (
    "id", "claim", "criterion", *INTERVAL_COLUMNS, "verdict", "preliminary", "verdict_before",
    "preliminary_before", "amended", "reasons", "known", "scope", "deciding", "evidence", "authors_criterion",
    "authors_verdict", "authors_preliminary", "authors_verdict_before", "authors_preliminary_before",
    "authors_amended", "authors_reasons", "authors_known", "authors_evidence", "differing",
)  # fmt: skip
PART_COLUMNS = (
    "id", "criterion", "part", *INTERVAL_COLUMNS, "threshold", "side", "seeds_wanted", "seeds_finished",
    "outcome", "reason", "values",
)  # fmt: skip
MAX_NAMED = 3  # experiments that lack seeds, in a verdict


def assess_claims(claims: Path, results: Path, out: Path) -> None:
    """Hold the results against the criterion of every claim, and write the verdicts.

    A claim that was amended is assessed by its former criteria too, and one that can be judged at the authors' settings
    has a verdict there.

    Args:
        claims: the criteria, `paper/claims.yaml`.
        results: the folder of `summary.csv` and `rounds.csv`.
        out: the file to write, one row a claim; `claim_parts.csv`, one row a part, is written beside it.

    Raises:
        UserError: a file is missing or malformed.
    """
    evidence = Evidence(results)
    rows, parts = [], []
    for claim in read_claims(claims):
        now, before = _assess_all(claim, evidence)
        there, there_before = _assess_all(claim.authors, evidence) if claim.authors else ([], [])
        rows.append(_claim_row(claim, now, before) | _authors_fields(claim.authors, there, there_before))
        kinds = {"now": now, "authors": there, "before": chain(*before), "authors before": chain(*there_before)}
        parts += [_part_row(claim, kind, finding) for kind, findings in kinds.items() for finding in findings]
    write_rows(out, CLAIM_COLUMNS, rows)
    write_rows(Results(out.parent).claim_parts, PART_COLUMNS, parts)


def decide(outcomes: list[str]) -> str:
    """The verdict on a claim from the outcomes of its parts; only a part that fails speaks against it."""
    if all(outcome == "not run" for outcome in outcomes):
        return "not run"
    if "fails" in outcomes:
        return "partly" if "holds" in outcomes else "not reproduced"
    if "open" in outcomes:
        return "open"
    return "incomplete" if "not run" in outcomes else "reproduced"


def _assess_all(criterion: AmendableCriterion, evidence: Evidence) -> tuple[list[Finding], list[list[Finding]]]:
    """The parts of a criterion, and those of each that it replaced, the latest first."""
    now, *before = ([assess_part(part, evidence) for part in each.parts] for each in (criterion, *criterion.formers))
    return now, before


def _weakest(findings: list[Finding]) -> Finding:
    """The part that decides: of those with the worst outcome, the one least far on the claim's side.

    The distance from the threshold is measured in widths of the interval.
    """

    def strength(finding: Finding) -> tuple[int, float]:
        interval, side = finding.interval, SIDES[finding.part.relation]
        if finding.part.every:
            return OUTCOMES.index(finding.outcome), interval.mean
        width = interval.high - interval.low
        margin = side * (interval.mean - finding.part.threshold) / width if width > 0 else math.inf
        return OUTCOMES.index(finding.outcome), margin

    return min(findings, key=strength)


def _claim_row(claim: Claim, findings: list[Finding], before: list[list[Finding]]) -> dict[str, Any]:
    weakest = _weakest(findings)
    row = {"id": claim.id, "claim": claim.claim, "criterion": claim.criterion, "deciding": str(weakest.part)}
    row |= {"evidence": _tally(findings) + f" ({weakest.reason})" * bool(weakest.reason)}
    row |= {"scope": _scope(claim, [*findings, *chain(*before)])}
    return row | _verdict_fields(claim, findings, before) | _interval_fields(weakest)


def _verdict_fields(
    criterion: AmendableCriterion, findings: list[Finding], before: list[list[Finding]]
) -> dict[str, str]:
    """The columns that a criterion has at either settings: its verdict, and those by the former ones, latest first."""
    return {
        "verdict": _decide(findings),
        "preliminary": _preliminary(findings),
        "verdict_before": "; ".join(map(_decide, before)),
        "preliminary_before": "; ".join(map(_preliminary, before)),
        "amended": "; ".join(former.date.isoformat() for former in criterion.formers),
        "reasons": " | ".join(former.why for former in criterion.formers),
        "known": criterion.known,
    }


def _decide(findings: list[Finding]) -> str:
    return decide([finding.outcome for finding in findings])


def _scope(claim: Claim, findings: list[Finding]) -> str:
    """What the verdict speaks of, with the span of the effects by a metric, former ones included, in its `{metric}`."""

    def fill(match: re.Match[str]) -> str:
        found = [f.interval.mean for f in findings if f.part.measure.metric == match[1] and f.outcome != "not run"]
        ends = (f"{value:.2f}" for value in (min(found), max(found))) if found else ("not run",)
        return " to ".join(dict.fromkeys(ends))

    return re.sub(r"\{(\w+)\}", fill, claim.scope)


def _authors_fields(
    criterion: AuthorsCriterion | None, findings: list[Finding], before: list[list[Finding]]
) -> dict[str, str]:
    """The columns on the authors' settings; empty where the claim has no criterion there."""
    if criterion is None:
        return {}
    fields = _verdict_fields(criterion, findings, before)
    fields |= {"criterion": criterion.criterion, "evidence": _tally(findings)}
    return {f"authors_{name}": text for name, text in fields.items()} | {"differing": criterion.differing}


def _tally(findings: list[Finding]) -> str:
    """`9 parts: 3 open, 6 holds`."""
    counts = Counter(finding.outcome for finding in findings)
    listed = ", ".join(f"{counts[outcome]} {outcome}" for outcome in reversed(OUTCOMES) if counts[outcome])
    return f"{len(findings)} parts: {listed}"


def _preliminary(findings: list[Finding]) -> str:
    """What lacks seeds, the scarcest first: `1 of 3 seeds finished on synthetic-9-paper, 2 of 3 on mnist`.

    Seeds are those of finished runs. Empty where every part that was run has as many as its criterion asks for.
    """
    places: dict[tuple[int, int], dict[str, None]] = {}
    short = [finding for finding in findings if finding.preliminary]
    for finding in sorted(short, key=lambda finding: finding.finished / finding.part.seeds):
        places.setdefault((finding.finished, finding.part.seeds), {})[finding.scarcest] = None
    if len(places) == 1 and len(short) == sum(finding.outcome != "not run" for finding in findings):
        ((count, asked), names) = next(iter(places.items()))
        where = f"on {next(iter(names))}" if len(names) == 1 else "throughout"
        return f"{count} of {asked} seeds finished {where}"
    listed = [f"{count} of {asked} on {_enumerate(list(names))}" for (count, asked), names in places.items()]
    return ", ".join(listed).replace(" on ", " seeds finished on ", 1)


def _enumerate(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `MAX_NAMED` the first ones, and how many others there are."""
    if len(names) > MAX_NAMED:
        names = [*names[:MAX_NAMED], f"{len(names) - MAX_NAMED} others"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _part_row(claim: Claim, criterion: str, finding: Finding) -> dict[str, Any]:
    part = finding.part
    row = {"id": claim.id, "criterion": criterion, "part": str(part), "seeds_wanted": part.seeds}
    row |= {"seeds_finished": finding.finished}
    values = " ".join(f"{seed}:{value!r}" for seed, value in sorted(finding.effects.items()))
    row |= {"threshold": repr(part.threshold), "side": SIDES[part.relation]}
    return row | {"outcome": finding.outcome, "reason": finding.reason, "values": values} | _interval_fields(finding)


def _interval_fields(finding: Finding) -> dict[str, Any]:
    """The columns of an interval; a number that is missing leaves its field empty.

    The p-value is that of a mean at the threshold. A part that asks for every run counts runs and has none.
    """
    part = finding.part
    interval = clip_interval(finding.interval, *_range(part))
    fields = {"effect": interval.mean, "ci_low": interval.low, "ci_high": interval.high}
    fields["p"] = math.nan if part.every else sign_flip_p([e - part.threshold for e in finding.effects.values()])
    unit = "of the range" if part.measure.at == "relapse" else UNITS.get(part.measure.metric, "")
    unit = "times" if part.compare == "ratio" else unit
    shown = {name: "" if math.isnan(value) else repr(value) for name, value in fields.items()}
    return shown | {"n": interval.count, "unit": "of the runs" if part.every else unit}


def _range(part: Part) -> tuple[float, float]:
    """The lowest and the highest effect that a part can have; infinite where its metrics have no range."""
    unlimited = (-math.inf, math.inf)
    if part.every or part.compare == "ratio":
        return (0.0, 1.0) if part.every else unlimited
    if part.measure.at == "relapse":
        return (-1.0, 1.0) if part.against else (0.0, 1.0)
    if part.measure.less or (part.against and part.against.less):
        return unlimited
    low, high = RANGES.get(part.measure.metric, unlimited)
    return (low - high, high - low) if part.against else (low, high)
