"""The paper's claims: criteria that were fixed before the results, evidence from the results, verdicts."""
