import pytest
from claim_examples import BETTER, assess, claim
from fakes import ROOT

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.claims.criteria import read_claims
from competitive_mixtures.settings.overlays import read_params


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
        wanted = 10 if part.measure.experiment.startswith("synthetic-3-") else 5
        assert part.seeds >= wanted


def test_every_experiment_of_the_criteria_is_in_params():
    params = read_params(ROOT / "params.yaml")
    claims = read_claims(ROOT / "paper/claims.yaml")
    blocks = [block for known in claims for block in (known, known.authors, *known.formers) if block]
    parts = [part for block in blocks for part in block.parts]
    named = {side.experiment for part in parts for side in (part.measure, part.against) if side}
    assert named <= params.experiments.keys()


def test_amendments_are_dated_and_keep_what_they_replace():
    claims = {known.id: known for known in read_claims(ROOT / "paper/claims.yaml")}
    amended = {name for name, known in claims.items() if known.before}
    assert amended == {"C1", "C3", "C5", "C7", "C8", "C9", "C10", "R1", "R2"}
    formers = [former for known in claims.values() for former in known.formers]
    assert all(former.parts and former.why for former in formers)
    assert [former.date.day for former in claims["C1"].formers] == [26, 25]  # the latest first


def test_criteria_at_the_authors_settings_say_what_was_known_and_what_a_disagreement_means():
    params = read_params(ROOT / "params.yaml")
    judged = {known.id: known.authors for known in read_claims(ROOT / "paper/claims.yaml") if known.authors}
    assert judged.keys() == {"C1", "C3", "C6", "C8"}
    for criterion in judged.values():
        assert "Nothing else." in criterion.known
        assert len(criterion.differing) > 50
        assert {part.measure.experiment for part in criterion.parts} <= set(params.suite("authors"))
        assert {part.seeds for part in criterion.parts} == {3}


def test_balancing_at_the_authors_settings_has_the_threshold_of_the_run():
    params = read_params(ROOT / "params.yaml")
    claims = {known.id: known for known in read_claims(ROOT / "paper/claims.yaml")}
    for part in claims["C8"].authors.parts:
        assert part.threshold == params.experiments[part.measure.experiment].balancing.min_share


def test_all_runs_what_the_criteria_ask_for():
    """`snakemake all` leaves out only what takes hours or has no data."""
    params = read_params(ROOT / "params.yaml")
    parts = [part for known in read_claims(ROOT / "paper/claims.yaml") for part in known.parts]
    named = {side.experiment for part in parts for side in (part.measure, part.against) if side}
    left_out = named - set(params.suite("default", "claims"))
    assert left_out == set(params.suite("paper_scale")) & named
