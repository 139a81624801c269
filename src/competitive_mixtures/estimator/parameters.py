"""The parameters that the estimator is given, checked: counts, switches, words, files, a start, a seed."""

import math
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from sklearn.utils import check_random_state

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.device import find_memory
from competitive_mixtures.settings.experiment import Start
from competitive_mixtures.settings.scoring import Scoring, find_last_round_conflicts

STARTS = get_args(Start)
MAX_THREADS = 1024  # of a call: PyTorch starts as many as it is told


def check_count(name: str, value: Any) -> int:
    """A parameter that counts something, as an int.

    Raises:
        UserError: it is no integer, or below 1.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise UserError(f"CompetitiveMixture: {name} = {value!r}; expected an integer of at least 1")
    return number


def check_last_round(scoring: Scoring, n_rounds: int, played: int) -> None:
    """Refuse a number of rounds that ends between two in which all components score, see `scoring.full_every`.

    Args:
        scoring: of the experiment.
        n_rounds: to play.
        played: before, where a fit goes on.

    Raises:
        UserError: says which numbers would do.
    """
    for conflict in find_last_round_conflicts(scoring, played + n_rounds):
        before = f" after {played}" if played else ""
        raise UserError(f"CompetitiveMixture: n_rounds = {n_rounds}{before}: the last round: {conflict}")


def check_counts(name: str, value: Any) -> list[int] | None:
    """A parameter that counts several things, as a list of ints; None stays.

    Raises:
        UserError: it is no sequence of integers of at least 1, or an empty one.
    """
    if value is None:
        return None
    try:
        orderless = isinstance(value, bytes | set | frozenset | Mapping)
        sizes = [] if orderless else [operator.index(size) for size in value]
    except TypeError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise UserError(f"CompetitiveMixture: {name} = {value!r}; expected a sequence of integers, say (50, 50)")
    return sizes


def to_plain(name: str, value: Any) -> Any:
    """A parameter as JSON knows it: NumPy's numbers and arrays as Python's, tuples as lists.

    Raises:
        UserError: it is something else, which no file keeps.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): to_plain(f"{name}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(name, inner) for inner in value]
    if not isinstance(value, str | int | float | None):
        raise UserError(f"CompetitiveMixture: {name} = {value!r} cannot be kept in a file; use numbers and words")
    return value


def check_share(name: str, value: Any) -> float:
    """A parameter from 0 to 1.

    Raises:
        UserError: it is something else.
    """
    if not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= 1:
        raise UserError(f"CompetitiveMixture: {name} = {value!r}; expected a number from 0 to 1")
    return float(value)


def check_switch(name: str, value: Any) -> bool:
    """A parameter that is on or off; integers count, as in scikit-learn's `verbose`.

    Raises:
        UserError: it is something else, a word say, which Python would take for true.
    """
    if not isinstance(value, bool | int | np.bool_ | np.integer) or value < 0:
        raise UserError(f"CompetitiveMixture: {name} = {value!r}; expected True or False")
    return bool(value)


def check_word(name: str, value: Any, known: Sequence[str]) -> None:
    """Refuse a parameter that is none of the words it can be.

    Raises:
        UserError: names the parameter and the words.
    """
    if not isinstance(value, str) or value not in known:
        raise UserError(f"CompetitiveMixture: {name} = {value!r}; expected one of {list(known)}")


def check_path(path: Any) -> Path:
    """The name of a file, as words, bytes or a path.

    Raises:
        UserError: it is something else.
    """
    try:
        return Path(os.fsdecode(path))
    except TypeError as error:
        raise UserError(f"CompetitiveMixture: path = {path!r}; expected the name of a file") from error


def check_room(num_samples: int, shape: tuple[int, ...]) -> None:
    """Refuse samples that no memory holds.

    Raises:
        UserError: says how much they need.
    """
    needed, (memory, machine) = num_samples * (4 * math.prod(shape) + 8), find_memory(torch.device("cpu"))
    if needed > memory:
        raise UserError(
            f"CompetitiveMixture: n_samples = {num_samples}: needs at least {needed / 1e9:.1f} GB of memory, {machine} "
            f"has {memory / 1e9:.1f} GB; draw fewer at a time"
        )


def count_threads(n_jobs: Any) -> int:
    """CPU threads that `n_jobs` asks for: None is 1, -1 every core of this process, -2 all but one, and so on.

    Raises:
        UserError: it is no such number.
    """
    try:
        number = 1 if n_jobs is None else operator.index(n_jobs)
    except TypeError:
        number = 0
    if number == 0 or number > MAX_THREADS:
        raise UserError(
            f"CompetitiveMixture: n_jobs = {n_jobs!r}; expected None, -1 or an integer from 1 to {MAX_THREADS}"
        )
    return number if number > 0 else max(1, count_cores() + 1 + number)


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_start(init: Any, num_points: int, num_components: int) -> tuple[str | None, np.ndarray | None]:
    """Where the competition starts: a word for the settings, or a partition.

    Args:
        init: None, one of `STARTS`, or (n,) integers.
        num_points: n.
        num_components: k.

    Returns:
        The word, if it is one, and (n,) int16, if it is a partition.

    Raises:
        UserError: `init` is none of these, or does not fit the points.
    """
    if init is None:
        return None, None
    if isinstance(init, str):
        if init not in STARTS:
            raise UserError(f"CompetitiveMixture: init = {init!r}; expected one of {list(STARTS)}, a partition or None")
        return init, None
    parts = np.asarray(init)
    if parts.shape != (num_points,) or parts.dtype.kind not in "iu":
        raise UserError(
            f"CompetitiveMixture: init: found an array of {parts.dtype} of shape {parts.shape}; expected an integer "
            f"for each of the {num_points} points"
        )
    if parts.min() < 0 or parts.max() >= num_components:
        raise UserError(
            f"CompetitiveMixture: init: components from {parts.min()} to {parts.max()}; expected 0 to "
            f"{num_components - 1}, since n_components = {num_components}"
        )
    return None, parts.astype(np.int16)


def choose_seed(random_state: Any) -> int:
    """An integer as it is, since the pipeline's seeds are such; otherwise one that is drawn.

    Raises:
        UserError: nothing can be drawn from it.
    """
    try:
        random = check_random_state(random_state)
    except ValueError as error:
        raise UserError(
            f"CompetitiveMixture: random_state = {random_state!r}; expected None, an integer from 0 to 2**32 - 1, or a "
            f"numpy.random.RandomState ({error})"
        ) from error
    return int(random_state) if isinstance(random_state, int | np.integer) else int(random.randint(2**31))
