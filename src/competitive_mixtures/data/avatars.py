"""Avatars in several drawing styles, made by DiceBear: colour images whose true mechanism, the style, is known.

The styles are definition files of the package `dicebear-styles`, turned into SVG by `dicebear-core` and into pixels by
resvg, all offline and the same bytes each time. The extra `avatars` brings the three.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.data.pictures import read_picture, stack_pictures
from competitive_mixtures.data.spec import Spec as BaseSpec
from competitive_mixtures.data.spec import download_nothing as download
from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.errors import UserError

if TYPE_CHECKING:
    from dicebear import Style

__all__ = ["BACKGROUNDS", "LICENCE", "Spec", "download", "prepare"]

LICENCE = "CC0 1.0"  # the only one that is taken: DiceBear's other styles want their artists named
# The same for all styles, so that a background does not give the style away.
BACKGROUNDS = ["#b6e3f4", "#c0aede", "#d1d4f9", "#ffd5dc", "#ffdfbf", "#d5f2c8"]
PACKAGES = ("dicebear-core", "dicebear-styles", "resvg-py")


class Spec(BaseSpec):
    """Avatars, each in a style drawn at random, all equally often, before one of six backgrounds.

    The label is the style. `meta.json` has the packages' versions, on which the images depend.

    Attributes:
        styles: names of DiceBear's styles, of those that are in the public domain (CC0 1.0).
        size: side of the images in pixels.
        num_train: number of training images.
        num_test: number of test images.
        seed: seed of the styles and of all that is drawn in them.
    """

    kind: Literal["avatars"]
    styles: Annotated[list[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]], Field(min_length=1, max_length=100)]
    size: Annotated[int, measured_in("pixels", ge=8, le=256)]
    num_train: Annotated[int, measured_in("images", ge=1, le=10**7)]
    num_test: Annotated[int, measured_in("images", ge=1, le=10**7)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @property
    def has_classifier(self) -> bool:
        """The styles can be told apart."""
        return len(self.styles) > 1


def prepare(spec: Spec, raw_dir: Path | str, out_dir: Path | str, name: str) -> None:
    """Draw the images; `raw_dir` is not used.

    Raises:
        UserError: the packages are not installed, or a style is unknown or not in the public domain.
    """
    draw = make_artist(spec)
    arrays: dict[str, Any] = {}
    shape = (3, spec.size, spec.size)
    seeds = np.random.SeedSequence(spec.seed).spawn(2)
    for split, number, seed in zip(("train", "test"), (spec.num_train, spec.num_test), seeds, strict=True):
        labels = np.random.default_rng(seed).permutation(np.arange(number) % len(spec.styles)).astype(np.int64)
        # DiceBear draws everything from a word: this one is another for every image of every split and seed.
        words = [f"{spec.styles[label]} {spec.seed} {split} {place}" for place, label in enumerate(labels)]
        arrays[split], arrays[f"{split}_labels"] = stack_pictures(words, draw, shape), labels
    write_dataset(out_dir, name, arrays, spec.model_dump(), spec.styles, {"packages": _find_versions()})


def make_artist(spec: Spec) -> Callable[[str], np.ndarray]:
    """A function from a word, the style's name and whatever follows it, to its image, (3, size, size) uint8.

    Raises:
        UserError: the packages are not installed, or a style is unknown or not in the public domain.
    """
    try:
        from dicebear import Avatar
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise UserError(
            f"avatars: the package {error.name} is not installed; run pip install 'competitive-mixtures[avatars]'"
        ) from error
    styles = {name: _read_style(name) for name in spec.styles}

    def draw(word: str) -> np.ndarray:
        options = {"seed": word, "size": spec.size, "backgroundColor": BACKGROUNDS}
        svg = Avatar(styles[word.split()[0]], options).to_string()
        png = svg_to_bytes(svg_string=svg, width=spec.size, height=spec.size, skip_system_fonts=True)
        return read_picture(bytes(png), spec.size, channels=3)

    return draw


def _read_style(name: str) -> "Style":
    from importlib.resources import files

    from dicebear import Style

    folder = files("dicebear_styles")
    file = folder / f"{name}.json"
    if not file.is_file():
        known = sorted(path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))
        raise UserError(f"avatars: styles: found {name!r}; expected some of {', '.join(known)}")
    definition = json.loads(file.read_text(encoding="utf-8"))
    licence = definition.get("meta", {}).get("license", {}).get("name", "not named")
    if licence != LICENCE:
        raise UserError(f"avatars: styles: the licence of {name!r} is {licence}; expected a style under {LICENCE}")
    return Style(definition)


def _find_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {package: version(package) for package in PACKAGES}
