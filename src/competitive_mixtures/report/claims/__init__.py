"""The claims of the paper: criteria fixed beforehand, evidence from the results, verdicts."""

from competitive_mixtures.report.claims.verdicts import judge_claims

__all__ = ["judge_claims"]
