"""Agreement scores against scikit-learn, closed forms and degenerate partitions."""

import numpy as np
import pytest
from sklearn import metrics

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation import clustering


def draw_partitions(seed: int, num_points: int, num_components: int, num_labels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_labels, size=num_points)
    noise = rng.integers(num_components, size=num_points)
    return np.where(rng.random(num_points) < 0.5, labels % num_components, noise), labels


@pytest.mark.parametrize(("num_components", "num_labels"), [(3, 3), (15, 10), (2, 7), (9, 9), (1, 5), (5, 1)])
def test_scores_agree_with_scikit_learn(num_components: int, num_labels: int) -> None:
    components, labels = draw_partitions(num_components, 500, num_components, num_labels)

    scores = clustering.compare_partitions(components, labels)

    assert scores["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(labels, components), abs=1e-12)
    assert scores["ari"] == pytest.approx(metrics.adjusted_rand_score(labels, components), abs=1e-12)
    expected = metrics.cluster.contingency_matrix(components, labels)
    np.testing.assert_array_equal(clustering.contingency_table(components, labels), expected)


def test_scores_of_a_worked_example() -> None:
    table = np.array([[4, 1, 0], [0, 3, 2]])

    assert clustering.purity(table) == pytest.approx(0.7)
    assert clustering.matched_accuracy(table) == pytest.approx(0.7)
    # 22 of 45 pairs: 6 + 3 + 1 together in both, 20 in components, 6 + 6 + 1 in labels
    assert clustering.adjusted_rand_index(table) == pytest.approx((10 - 20 * 13 / 45) / (16.5 - 20 * 13 / 45))


def test_matching_uses_every_label_once_where_purity_reuses_them() -> None:
    table = np.array([[5, 1], [4, 0]])

    assert clustering.purity(table) == pytest.approx(0.9)
    assert clustering.matched_accuracy(table) == pytest.approx(0.5)


def test_renamed_labels_are_a_perfect_partition() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2, 2])

    scores = clustering.compare_partitions(np.array([2, 0, 1])[labels], labels)

    assert scores == pytest.approx({"purity": 1, "nmi": 1, "ari": 1, "accuracy": 1})


@pytest.mark.parametrize("num_points", [1, 2, 6])
def test_one_part_against_one_part_is_perfect(num_points: int) -> None:
    ones = np.zeros(num_points, dtype=np.int64)

    assert clustering.compare_partitions(ones, ones) == {"purity": 1, "nmi": 1, "ari": 1, "accuracy": 1}


def test_all_singletons_are_perfect_and_one_part_says_nothing_about_them() -> None:
    singletons = np.arange(5)

    assert clustering.compare_partitions(singletons, singletons)["ari"] == 1
    assert clustering.compare_partitions(np.zeros(5, dtype=int), singletons) == pytest.approx(
        {"purity": 0.2, "nmi": 0, "ari": 0, "accuracy": 0.2}
    )


def test_scores_do_not_change_when_components_are_renamed_or_points_reordered() -> None:
    components, labels = draw_partitions(4, 300, 6, 4)
    rng = np.random.default_rng(1)
    order, names = rng.permutation(300), rng.permutation(6)

    renamed = clustering.compare_partitions(names[components][order], labels[order])

    assert renamed == pytest.approx(clustering.compare_partitions(components, labels), abs=1e-12)


def test_small_integer_types_do_not_overflow() -> None:
    components, labels = np.full(70_000, 30, dtype=np.int16), np.full(70_000, 9, dtype=np.int8)

    table = clustering.contingency_table(components, labels)

    assert table[30, 9] == table.sum() == 70_000
    assert clustering.adjusted_rand_index(np.array([[10**9, 0], [0, 10**9]])) == pytest.approx(1)


def test_empty_components_are_rows_of_zeros() -> None:
    table = clustering.contingency_table(np.array([0, 2]), np.array([1, 1]), num_components=4, num_labels=3)

    np.testing.assert_array_equal(table, [[0, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert clustering.purity(table) == 1


@pytest.mark.parametrize(
    ("components", "labels", "message"),
    [
        ([], [], "at least one point"),
        ([0, 1], [0], "equally long"),
        ([0, -1], [0, 1], "components: found values -1 to 0"),
        ([0, 1], [0, 3], "labels: found values 0 to 3, expected 0 to 1"),
    ],
)
def test_bad_input_is_refused_by_name(components: list[int], labels: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        clustering.contingency_table(np.array(components, dtype=int), np.array(labels, dtype=int), num_labels=2)
