"""The kinds of data sets: one module and one line in `KINDS` each."""

from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from competitive_mixtures.data import array, avatars, celeba, gaussians, images, mechanisms, mnist
from competitive_mixtures.data.spec import Spec
from competitive_mixtures.files.folders import RawData
from competitive_mixtures.files.formats import write_json

# Every module has a `Spec`, `download(spec, raw_dir) -> metadata` and `prepare(spec, raw_dir, out_dir, name)`.
KINDS: dict[str, Any] = {
    "gaussians": gaussians,
    "idx": mnist,
    "celeba": celeba,
    "mechanisms": mechanisms,
    "avatars": avatars,
    "array": array,
    "images": images,
}

if TYPE_CHECKING:
    DatasetSpec = Spec
else:
    DatasetSpec = Annotated[reduce(or_, (module.Spec for module in KINDS.values())), Field(discriminator="kind")]


def download(spec: Spec, raw_dir: Path | str) -> None:
    """Fetch what a data set is made from, and write `download.json` when all of it is there.

    Args:
        spec: the data set's entry of `params.yaml`.
        raw_dir: the data set's raw folder; files that a user put there by hand are used.

    Raises:
        UserError: no source could give the files, or a file is not the right one.
    """
    metadata = KINDS[spec.kind].download(spec, Path(raw_dir))
    write_json(RawData(raw_dir).record, {"kind": spec.kind, **metadata})


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Turn the raw files into a processed data set (see `format.py`).

    Args:
        spec: the data set's entry of `params.yaml`.
        raw_dir: the raw folder, or, where `spec.requires` names a data set, the processed folder of that one.
        out_dir: the processed folder.
        name: the data set's name.

    Raises:
        UserError: the raw files are missing, broken or not usable.
    """
    KINDS[spec.kind].prepare(spec, Path(raw_dir), Path(out_dir), name)
