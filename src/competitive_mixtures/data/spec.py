"""What every kind of data set has in common: a checked specification and the metadata of its download."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NUM_CLASSIFIER_FEATURES = 64  # of `evaluation.classifier`; their covariance needs more images than this


def measured_in(unit: str, **limits: Any) -> Any:
    """A number's unit, which the settings' documentation shows, and its limits as in pydantic's `Field`."""
    return Field(json_schema_extra={"unit": unit}, **limits)


class Spec(BaseModel):
    """A data set of `params.yaml`; unknown keys, wrong types and numbers out of range are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    kind: str

    @property
    def requires(self) -> str | None:
        """Name of the processed data set that this one is derived from; its folder is then the raw folder."""
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files and folders of the user's own that the data set is read from, relative to the project's root."""
        return ()

    def list_files(self) -> list[tuple[str, int, int]] | None:
        """Name, bytes and time (ns) of each file in the user's own folder; None where `inputs` tell all by date."""
        return None

    @property
    def has_classifier(self) -> bool:
        """Whether the data are images with labels that a classifier learns, to score generated images by."""
        return False


def download_nothing(spec: Spec, raw_dir: Any) -> dict[str, Any]:
    """The download of the kinds that are computed, or that read the user's own files where they lie."""
    return {"downloaded": []}
