import math

import pytest
from claim_examples import NOISE, claim, verdict

from competitive_mixtures.report.claims.evidence import reduce_curve


class TestCurves:
    @staticmethod
    def rounds(curves, metric="objective"):
        return [
            {"experiment": "toy", "seed": seed, "round": number, metric: value}
            for seed, curve in enumerate(curves)
            for number, value in enumerate(curve)
        ]

    def test_last_against_first(self, tmp_path):
        part = {"measure": {"experiment": "toy", "metric": "objective", "at": "last"}, "against": {"at": "first"}}
        falling = [[1.0, 0.6, 0.2 + 0.1 * noise] for noise in NOISE]
        assert verdict(tmp_path, claim(part | {"below": 0}), [], self.rounds(falling)) == "reproduced"
        rising = [curve[::-1] for curve in falling]
        assert verdict(tmp_path, claim(part | {"below": 0}), [], self.rounds(rising)) == "not reproduced"

    def test_a_curve_that_lacks_values_decides_nothing(self, tmp_path):
        part = {"measure": {"experiment": "toy", "metric": "purity", "at": "last"}, "at_least": 0.5}
        assert verdict(tmp_path, claim(part), [], self.rounds([[1.0, 0.5]] * 5)) == "not run"

    @pytest.mark.parametrize(
        ("curve", "relapse"),
        [([3, 2, 1], 0), ([1, 2, 3], 1), ([4, 1, 2, 0], 0.25), ([2, 2], 0), ([5], 0), ([1, math.nan], math.nan)],
    )
    def test_relapse(self, curve, relapse):
        assert reduce_curve(curve, "relapse") == pytest.approx(relapse, nan_ok=True)
