"""A user's own pictures: a folder of image files, with subfolders as labels."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.pictures import MAX_BYTES, BrokenPictureError, read_picture, stack_pictures
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.data.split import check_classes, number_labels, split_rows
from competitive_mixtures.errors import UserError

__all__ = ["Spec", "download", "find_pictures", "prepare"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}


class Spec(BaseSpec):
    """A folder of pictures, searched with its subfolders; the centre square of each is resized to size x size.

    Where every picture lies in a subfolder, the name of the topmost one is its label. `train_files.npy` and
    `test_files.npy` say which file each point is.

    Attributes:
        path: the folder, relative to the project's root.
        size: side of the stored images in pixels.
        channels: 1 (grey) or 3 (colour).
        test_fraction: share of the pictures that are kept for testing.
        seed: seed of that draw.
        classifier: train a classifier of the labels, which judges generated images (`frechet_classifier`).
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

    def list_files(self) -> list[tuple[str, int, int]] | None:
        """The pictures as they are now; None where there is no such folder."""
        folder = Path(self.path)
        if not folder.is_dir():
            return None
        files = find_pictures(folder)
        states = [(file, (folder / file).stat(follow_symlinks=(folder / file).exists())) for file in files]
        return [(file, state.st_size, state.st_mtime_ns) for file, state in states]

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
    files = find_pictures(folder)
    if len(files) < 2:
        raise UserError(f"{folder}: {len(files)} pictures ({', '.join(sorted(SUFFIXES))}); expected at least 2")
    shape = (spec.channels, spec.size, spec.size)
    rows = dict(zip(("train", "test"), split_rows(len(files), spec.test_fraction, spec.seed), strict=True))
    arrays: dict[str, Any] = {}
    for split, chosen in rows.items():
        names = [str(folder / files[row]) for row in chosen]
        arrays[split] = stack_pictures(names, lambda file: _read(Path(file), spec), shape)
        arrays[f"{split}_files"] = np.array([files[row] for row in chosen])
    label_names = None
    if all("/" in file for file in files):
        labels = np.array([file.split("/")[0] for file in files])
        numbers, label_names = number_labels(labels)
        arrays |= {f"{split}_labels": numbers[0][chosen] for split, chosen in rows.items()}
    if spec.classifier:
        check_classes(str(folder), arrays)
    write_dataset(out_dir, name, arrays, spec.model_dump(), label_names)


def find_pictures(folder: Path) -> list[str]:
    """Paths of all pictures below `folder`, relative to it, in alphabetical order; hidden files are passed over."""
    if not folder.is_dir():
        raise UserError(f"{folder}: not a folder; expected the folder of pictures that `path` names")
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def _read(path: Path, spec: Spec) -> np.ndarray:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BrokenPictureError(f"{path.stat().st_size} bytes, at most {MAX_BYTES} are read")
        data = path.read_bytes()
    except OSError as error:
        raise BrokenPictureError(error.strerror or str(error)) from error
    return read_picture(data, spec.size, spec.channels)
