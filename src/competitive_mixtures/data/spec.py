"""What every kind of data set has in common: a checked specification and the metadata of its download."""

import errno
import os
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.files.access import check_regular

NUM_CLASSIFIER_FEATURES = 64  # of `evaluation.classifier`; their covariance needs more images


def measured_in(unit: str, **limits: Any) -> Any:
    """A number's unit, which the settings' documentation shows, and its limits as in pydantic's `Field`."""
    return Field(json_schema_extra={"unit": unit}, **limits)


class Spec(BaseModel):
    """A data set of `params.yaml`; unknown keys, wrong types and numbers out of range are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    kind: str

    def redraw(self, number: int) -> Self | None:
        """The same data set drawn with another seed; None where nothing is drawn here. Number 0 is the data set."""
        seed = dict(self).get("seed")
        return None if seed is None else self.model_copy(update={"seed": seed + number})

    @property
    def requires(self) -> str | None:
        """Name of the processed data set that this one is derived from; its folder is then the raw folder."""
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files and folders of the user's own that the data set is read from, relative to the project's root."""
        return ()

    def list_files(self) -> list[tuple[str, int, int]]:
        """Name, bytes and time (ns) of each file of the user's own that the data set is read from, as they are now.

        Raises:
            UserError: what `inputs` name is missing, cannot be read, or is of a special type.
        """
        return []

    @property
    def has_classifier(self) -> bool:
        """Whether the data are images with labels that a classifier learns, to score generated images by."""
        return False


def look_at(path: Path | str, expected: str) -> tuple[str, int, int]:
    """Name, bytes and time (ns) of one file, without opening it.

    Raises:
        UserError: it is missing, no regular file, or may not be read.
    """
    try:
        size = check_regular(path)
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, "no permission to read it")
        return str(path), size, os.stat(path).st_mtime_ns
    except FileNotFoundError as error:
        raise UserError(f"{printable(path)}: not found; expected {expected}") from error
    except OSError as error:
        raise UserError(f"{printable(path)}: found {error.strerror}; expected {expected}") from error


def download_nothing(spec: Spec, raw_dir: Any) -> dict[str, Any]:
    """The download of the kinds that are computed, or that read the user's own files where they lie."""
    return {"downloaded": []}
