"""A user's own pictures: a folder of image files, with subfolders as labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.picture_folders import count, find_pictures, shorten
from competitive_mixtures.data.picture_stores import read_bytes
from competitive_mixtures.data.pictures import SUFFIXES, read_picture, stack_pictures
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import look_at, measured_in
from competitive_mixtures.data.split import check_classes, number_labels, split_rows
from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.progress import tell

__all__ = ["Spec", "download", "prepare"]


class Spec(BaseSpec):
    """A folder of pictures, searched to any depth; the centre square of each is resized to size x size.

    Links are followed. Where every picture lies in a subfolder, the name of the topmost one is its label. Files that
    are passed over are told in the log and counted in `meta.json`. `train_files.npy` and
    `test_files.npy` say which file each point is.

    Attributes:
        path: the folder, relative to the project's root.
        size: side of the stored images in pixels.
        channels: 1 (grey) or 3 (colour).
        test_fraction: share of the pictures that are kept for testing.
        seed: seed of that draw.
        classifier: train a classifier of the labels, which scores generated images (`frechet_classifier`).
    """

    kind: Literal["images"]
    path: Annotated[str, Field(min_length=1)]
    size: Annotated[int, measured_in("pixels", ge=4, le=1024)]
    channels: Literal[1, 3] = 3
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    classifier: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The folder itself, which has to be there."""
        return (self.path,)

    def list_files(self) -> list[tuple[str, int, int]]:
        """The pictures."""
        folder = Path(self.path)
        return [look_at(folder / file, "a picture") for file in find_pictures(folder).pictures]

    @property
    def has_classifier(self) -> bool:
        """As the user says: only `prepare` sees whether there are labels."""
        return self.classifier


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Read every picture and write the data set; `raw_dir` is not used.

    Raises:
        UserError: the folder is missing or holds fewer than two pictures, a picture is broken, or no classifier can
            learn the labels.
    """
    folder = Path(spec.path)
    found = find_pictures(folder)
    files = found.pictures
    for sentence in found.describe():
        tell(f"{printable(folder)}: {sentence}")
    if len(files) < 2:
        raise UserError(
            f"{printable(folder)}: {len(files)} pictures ({', '.join(sorted(SUFFIXES))}); expected at least 2"
        )
    shape = (spec.channels, spec.size, spec.size)
    rows = dict(zip(("train", "test"), split_rows(len(files), spec.test_fraction, spec.seed), strict=True))
    arrays: dict[str, Any] = {}
    for split, chosen in rows.items():
        names = [str(folder / files[row]) for row in chosen]
        arrays[split] = stack_pictures(names, lambda file: _read(Path(file), spec), shape)
        arrays[f"{split}_files"] = np.array([files[row] for row in chosen])
    numbers, label_names = _label(folder, files)
    if label_names is not None:
        arrays |= {f"{split}_labels": numbers[chosen] for split, chosen in rows.items()}
    if spec.classifier:
        check_classes(str(folder), arrays)
    write_dataset(out_dir, name, arrays, spec.model_dump(), label_names, {"passed_over": found.count_others()})


def _label(folder: Path, files: Sequence[str]) -> tuple[np.ndarray, list[str] | None]:
    """The number of each file's topmost subfolder and their names; none where a file lies in none, which is told."""
    loose = [file for file in files if "/" not in file]
    if loose:
        if len(loose) < len(files):
            tell(f"{printable(folder)}: no labels, since of {len(files)} pictures {shorten(loose)} lie in no subfolder")
        return np.empty(0), None
    numbers, names = number_labels(np.array([file.split("/")[0] for file in files]))
    sizes = np.bincount(numbers[0])
    shares = [f"{name} ({size})" for name, size in zip(names, sizes, strict=True)]
    tell(f"{printable(folder)}: {count(files, 'picture')}, labelled by subfolder: {shorten(shares)}")
    return numbers[0], names


def _read(path: Path, spec: Spec) -> np.ndarray:
    return read_picture(read_bytes(path), spec.size, spec.channels)
