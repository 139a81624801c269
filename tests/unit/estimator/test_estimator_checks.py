"""scikit-learn's own checks of an estimator, on small competitions; none is excepted."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from competitive_mixtures import CompetitiveMixture

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good

SMALL = {"n_rounds": 2, "steps_per_round": 5, "hidden_layer_sizes": (8,), "random_state": 0}
EXCEPTIONS: dict[str, str] = {}  # name of a check and why it may fail; scikit-learn then expects that it does


@parametrize_with_checks(
    [CompetitiveMixture(2, **SMALL), CompetitiveMixture(2, component="gan", **SMALL)],
    expected_failed_checks=lambda estimator: EXCEPTIONS,
)
@pytest.mark.filterwarnings("default::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_checks(estimator, check):
    check(estimator)
