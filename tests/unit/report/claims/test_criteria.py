import pytest
from claim_examples import BETTER, assess, claim
from fakes import ROOT

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.claims.criteria import read_claims


def test_lists_are_one_part_an_entry(tmp_path):
    listed = BETTER | {"against": {"model": ["single", "bagging"], "protocol": ["paper", "equal_compute"]}}
    assess(tmp_path, claim(listed), [])
    assert len(read_claims(tmp_path / "claims.yaml")[0].parts) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"above": None}, "expected one of above"),
        ({"below": 1}, "found 2 thresholds"),
        ({"seeds": 1}, "greater than or equal to 2"),
        ({"measure": {"experiment": "toy"}}, "measure.metric"),
        ({"treshold": 1}, "treshold"),
        ({"measure": 3}, "measure"),
    ],
)
def test_malformed_parts_are_refused_by_name(tmp_path, change, message):
    part = {name: value for name, value in (BETTER | change).items() if value is not None}
    with pytest.raises(UserError, match=message) as error:
        assess(tmp_path, claim(part), [])
    assert "C1" in str(error.value)


def test_the_projects_criteria_are_well_formed():
    claims = read_claims(ROOT / "paper/claims.yaml")
    assert [known.id for known in claims] == [*(f"C{number}" for number in range(1, 11)), "R1", "R2"]
    for part in (part for known in claims for part in known.parts):
        wanted = 10 if part.measure.experiment.startswith("synthetic") else 5
        assert part.seeds >= wanted
