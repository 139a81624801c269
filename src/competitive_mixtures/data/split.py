"""What the kinds for a user's own data share: the split into training and test points, and labels as numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from competitive_mixtures.data.spec import NUM_CLASSIFIER_FEATURES
from competitive_mixtures.errors import UserError

MIN_SIDE = 8  # pixels that the classifier's convolutions need


def split_rows(num_points: int, test_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the test points at random; both parts keep the order of the source, and neither is empty.

    Args:
        num_points: at least 2.
        test_fraction: share of the test points, between 0 and 1.
        seed: of the draw.

    Returns:
        Rows of the training and of the test points in the source, (num_train,) and (num_test,) int64, ascending.
    """
    num_test = min(max(1, round(num_points * test_fraction)), num_points - 1)
    order = np.random.default_rng(seed).permutation(num_points)
    return np.sort(order[num_test:]), np.sort(order[:num_test])


def number_labels(*parts: np.ndarray | Sequence[Any]) -> tuple[list[np.ndarray], list[str]]:
    """Number the distinct labels 0, 1, ... in sorted order.

    Args:
        parts: labels of each split, integers or strings.

    Returns:
        The numbers of each part, int64, and the names of the numbers.
    """
    values, numbers = np.unique(np.concatenate(parts), return_inverse=True)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(numbers.astype(np.int64), ends), [str(value) for value in values]


def check_classes(source: str, arrays: Mapping[str, Any]) -> None:
    """Refuse data that a classifier of images cannot learn, or cannot score.

    Args:
        source: names the data in an error.
        arrays: the data set's, see `write_dataset`.

    Raises:
        UserError: points that are no images, images without labels, too small, or too few for testing.
    """
    shape = arrays["train"].shape[1:]
    if len(shape) != 3 or min(shape[1:]) < MIN_SIDE:
        found = f"points of shape {shape}; expected images of at least {MIN_SIDE} pixels a side"
    elif not {"train_labels", "test_labels"} <= arrays.keys():
        found = "images without labels; expected one for each, or a subfolder for each kind of pictures"
    elif arrays["test"].shape[0] <= NUM_CLASSIFIER_FEATURES:
        found = (
            f"{arrays['test'].shape[0]} test images; expected more than the {NUM_CLASSIFIER_FEATURES} features "
            "compared: take more images, or a larger test_fraction"
        )
    else:
        return
    raise UserError(f"{source}: classifier: true: found {found}; or take classifier: false")
