import numpy as np

from competitive_mixtures.report.figures.labels import label_shares, order_components


def test_label_shares_are_row_shares():
    table = {"label": np.array([0, 0, 0, 2]), "component": np.array([1, 1, 0, 0])}
    shares = label_shares(table, 3)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0], [0, 0, 0], [1, 0, 0]])
    assert order_components(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]
