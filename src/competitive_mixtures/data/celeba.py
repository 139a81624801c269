"""CelebA: aligned faces with 40 attributes, from torchvision's source or from files that the user has."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.picture_stores import FolderStore, ZipStore
from competitive_mixtures.data.pictures import read_picture, stack_pictures
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import look_at, measured_in
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import read_regular

__all__ = ["Spec", "download", "prepare"]

IMAGES, ATTRIBUTES, PARTITION = "img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"
PARTITION_NUMBERS = {"train": "0", "test": "2"}  # 1 is CelebA's validation part, which nothing here uses
MAX_LIST_BYTES = 2**28  # CelebA's own have 27 MB
HOME = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


class Spec(BaseSpec):
    """CelebA's training and test part (162,770 and 19,962 images), cropped to the face and resized.

    The centre square of crop x crop pixels is resized by Lanczos' filter (see `read_picture`). All attributes are kept
    in `train_attributes.npy` and `test_attributes.npy`, (N, 40) int8 of 0 and 1, named by `attribute_names` of
    `meta.json`.

    Attributes:
        path: a folder with `img_align_celeba/` or `img_align_celeba.zip`, `list_attr_celeba.txt` and
            `list_eval_partition.txt`; or that zip archive, the lists beside it; `null` downloads them.
        size: side of the stored images in pixels.
        crop: side of the centre square that is cut out of the 178x218 pixels.
        label: the attribute that serves as the label.
    """

    kind: Literal["celeba"]
    path: Annotated[str, Field(min_length=1)] | None = None
    size: Annotated[int, measured_in("pixels", ge=8, le=178)]
    crop: Annotated[int, measured_in("pixels", ge=8, le=178)]
    label: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _check_sizes(self) -> "Spec":
        if self.size > self.crop:
            raise ValueError(f"size = {self.size} is larger than crop = {self.crop}; expected at most that")
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The user's folder or archive, where there is one."""
        return () if self.path is None else (self.path,)

    def list_files(self) -> list[tuple[str, int, int]]:
        """The lists and the archive, or every file of the folder of images."""
        if self.path is None:
            return []
        folder, images = _locate(self, Path(self.path))
        if missing := _missing(folder, images):
            raise _missing_error(folder, missing, "`path` names a place that does not hold all of CelebA's layout")
        pictures = sorted(images.iterdir()) if images.is_dir() else [images]
        files = [
            folder / ATTRIBUTES,
            folder / PARTITION,
            *(file for file in pictures if file.suffix in (".jpg", ".zip")),
        ]
        return [look_at(file, "a file of CelebA's layout") for file in files]


def download(spec: Spec, raw_dir: Path | str) -> dict[str, Any]:
    """Fetch the three files that are not there, as torchvision does, or check that the user's are.

    Raises:
        UserError: files are missing and cannot be fetched; the message says where to get them and where to put them.
    """
    folder, images = _locate(spec, Path(raw_dir))
    missing = _missing(folder, images)
    if missing and spec.path is not None:
        raise _missing_error(folder, missing, "`path` names a place that does not hold all of CelebA's layout")
    fetched: list[str] = []
    for name in missing:
        try:
            _fetch(name, folder)
        except Exception as error:  # a missing package, a changed page or no network: each library has its own
            reason = " ".join(str(error).split())[:300].rstrip(".")
            raise _missing_error(folder, missing[len(fetched) :], f"the download failed: {reason}") from error
        fetched.append(name)
    return {"downloaded": fetched} | ({"from": "Google Drive, by torchvision"} if fetched else {})


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Crop, resize and write the images of both parts, a block at a time.

    Raises:
        UserError: a file or a listed image is missing, a list is broken, the label is no attribute, or an image is
            not readable.
    """
    folder, images = _locate(spec, Path(raw_dir))
    if missing := _missing(folder, images):
        raise _missing_error(folder, missing, "the archive is not complete")
    parts = _read_partition(folder / PARTITION)
    attribute_names, attributes = _read_attributes(folder / ATTRIBUTES)
    if spec.label not in attribute_names:
        raise UserError(
            f"label = {spec.label!r} is no attribute of CelebA; expected one of {', '.join(attribute_names)}"
        )
    store = FolderStore(images) if images.is_dir() else ZipStore(images, IMAGES)
    _check_complete(store, parts, set(attributes), folder)
    arrays: dict[str, Any] = {}
    shape = (3, spec.size, spec.size)
    for split, files in parts.items():
        labels = np.stack([attributes[file] for file in files])  # (N, 40)
        names = [str(store.path / file) for file in files]
        arrays[split] = stack_pictures(
            names, lambda path: read_picture(store.read(Path(path).name), spec.size, 3, spec.crop), shape
        )
        arrays[f"{split}_labels"] = labels[:, attribute_names.index(spec.label)].astype(np.int64)
        arrays[f"{split}_attributes"] = labels
    metadata = {"attribute_names": attribute_names}
    write_dataset(out_dir, name, arrays, spec.model_dump(), [f"not {spec.label}", spec.label], metadata)


def _locate(spec: Spec, raw_dir: Path) -> tuple[Path, Path]:
    """The folder of the lists, and the folder or archive of the images."""
    path = raw_dir if spec.path is None else Path(spec.path)
    if path.suffix == ".zip":
        return path.parent, path
    return path, path / IMAGES if (path / IMAGES).is_dir() else path / f"{IMAGES}.zip"


def _missing(folder: Path, images: Path) -> list[str]:
    wanted = {ATTRIBUTES: folder / ATTRIBUTES, PARTITION: folder / PARTITION, images.name: images}
    return [name for name, path in wanted.items() if not path.exists()]


def _missing_error(folder: Path, missing: list[str], reason: str) -> UserError:
    return UserError(
        f"{folder}: {', '.join(missing)} not found; {reason}. Get the aligned images and the lists from {HOME} "
        f"and put them into {folder}/ (the images as {IMAGES}/ or {IMAGES}.zip), or set `path` to where they lie"
    )


def _fetch(name: str, folder: Path) -> None:
    """Fetch one file with torchvision's address and checksum; it appears in `folder` only when it is whole."""
    import shutil
    import tempfile

    from torchvision.datasets import CelebA
    from torchvision.datasets.utils import download_file_from_google_drive

    file_id, md5 = next((file_id, md5) for file_id, md5, listed in CelebA.file_list if listed == name)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".download-*"):  # by a download that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as partial:
        download_file_from_google_drive(file_id, partial, name, md5)
        os.replace(Path(partial) / name, folder / name)


def _read_partition(path: Path) -> dict[str, list[str]]:
    """File names of each part, in the list's order."""
    parts: dict[str, list[str]] = {split: [] for split in PARTITION_NUMBERS}
    splits = {number: split for split, number in PARTITION_NUMBERS.items()}
    for number, line in enumerate(_read_lines(path), start=1):
        words = line.split()
        # A name is only a name: a list with paths in it could make us read files from anywhere.
        if len(words) != 2 or not re.fullmatch(r"\w[\w.-]*", words[0]) or words[1] not in ("0", "1", "2"):
            raise UserError(f"{path}: line {number}: found {line[:80]!r}, expected a file name and 0, 1 or 2")
        if words[1] in splits:
            parts[splits[words[1]]].append(words[0])
    for split, files in parts.items():
        if not files:
            raise UserError(f"{path}: no image of part {PARTITION_NUMBERS[split]} ({split}); expected at least one")
    return parts


def _read_attributes(path: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """Names of the attributes, and each file's values as (num_attributes,) int8 of 0 and 1."""
    lines = _read_lines(path)
    if len(lines) < 3 or not lines[0].strip().isdigit():
        raise UserError(f"{path}: expected a line with the number of images, one with the attributes, then the images")
    names = lines[1].split()
    attributes = {}
    for number, line in enumerate(lines[2:], start=3):
        file, *values = line.split()
        if len(values) != len(names) or not set(values) <= {"1", "-1"}:
            raise UserError(f"{path}: line {number}: expected a file name and {len(names)} values of 1 or -1")
        attributes[file] = np.array([value == "1" for value in values], dtype=np.int8)
    if len(attributes) != int(lines[0]):
        raise UserError(
            f"{path}: {len(attributes)} images, but the first line says {lines[0].strip()}; get the file again"
        )
    return names, attributes


def _read_lines(path: Path) -> list[str]:
    try:
        text = read_regular(path, MAX_LIST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a text file, found: {found}; get it again from {HOME}") from error
    return [line for line in text.splitlines() if line.strip()]


def _check_complete(
    store: FolderStore | ZipStore, parts: dict[str, list[str]], described: set[str], folder: Path
) -> None:
    files = [file for split in parts.values() for file in split]
    for known, where in ((store.names, store.path), (described, folder / ATTRIBUTES)):
        absent = [file for file in files if file not in known]
        if absent:
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            raise UserError(
                f"{where}: {absent[0]}{more} not found, though {folder / PARTITION} lists it; "
                f"get the file again from {HOME} and put it into {folder}/"
            )
