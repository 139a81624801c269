"""From the bytes of a picture file to a small uint8 array, and many of them as chunks of one large array."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data.format import Chunks
from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.progress import tell

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CHUNK = 1024
# Far above any photograph a data set would hold, far below what fills a memory.
MAX_PIXELS = 2**26
MAX_BYTES = 2**28
# Pillow's formats that are read, and how the names of such files end. None whose reader starts another program or
# follows references, and none that anything could pass for.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "MPO": (".mpo",),  # JPEG, several in a file
    "DIB": (".dib",),
    "JPEG2000": (".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"),
    "AVIF": (".avif", ".avifs"),
}
SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)


class BrokenPictureError(Exception):
    """Why a picture cannot be read."""


def read_picture(data: bytes, size: int, channels: int, crop: int | None = None) -> np.ndarray:
    """Decode, crop and resize one picture.

    The centre square is cut out (of side `crop`, or as large as it fits) and resized by Pillow's Lanczos filter, which
    smooths before it shrinks, so that fine texture does not turn into false patterns. Grey, palette and transparent
    pictures are converted: to RGB for 3 channels, to luminance for 1; transparency is dropped, 16 bits become the
    upper 8. Of several pictures in a file the first is taken.

    Args:
        data: content of the file, one of `FORMATS`.
        size: side of the result in pixels.
        channels: 1 or 3.
        crop: side of the centre square in pixels; None takes the largest.

    Returns:
        (channels, size, size) uint8.

    Raises:
        BrokenPictureError: the bytes are no picture, are cut short, or the picture is smaller than `crop` or huge.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise BrokenPictureError("the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=_find_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BrokenPictureError(f"{image.width}x{image.height} pixels, at most {MAX_PIXELS} are read")
            image.load()
            upright = _limit_bits(ImageOps.exif_transpose(image), image.format)
            square = _crop_centre(_convert(upright, channels), crop)
            pixels = np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))
    except BrokenPictureError:
        raise
    except UnidentifiedImageError as error:  # Pillow would name the buffer
        text = data[:64].isascii() and b"\0" not in data[:64]
        found = "a text file, such as a web page or a Git LFS pointer" if text else "cannot identify its format"
        raise BrokenPictureError(f"{found}; expected one of {', '.join(FORMATS)}") from error
    except Exception as error:  # Pillow's readers raise whatever they stumble over in a broken file
        raise BrokenPictureError(str(error) or type(error).__name__) from error
    return pixels.reshape(size, size, channels).transpose(2, 0, 1)


def stack_pictures(names: Sequence[str], read: Callable[[str], np.ndarray], shape: tuple[int, int, int]) -> Chunks:
    """Read pictures one after the other as the rows of one array.

    Args:
        names: of the pictures, as an error shows them.
        read: from a name to its picture of `shape`, uint8; raises `BrokenPictureError`.
        shape: (channels, size, size).
    """
    return Chunks((len(names), *shape), np.uint8, _blocks(names, read))


def _blocks(names: Sequence[str], read: Callable[[str], np.ndarray]) -> Iterator[np.ndarray]:
    """Yield blocks of pictures; the broken ones are counted to the end, so that one error tells how many there are."""
    broken: list[tuple[str, str]] = []
    block: list[np.ndarray] = []
    for name in _show_progress(names):
        try:
            block.append(read(name))
        except BrokenPictureError as error:
            broken.append((name, str(error)))
        if len(block) == CHUNK:
            yield np.stack(block)
            block = []
    if broken:
        more = f" ({len(broken) - 1} more pictures are broken too)" if len(broken) > 1 else ""
        raise UserError(
            f"{printable(broken[0][0])}: not a readable picture: {broken[0][1]}{more}; "
            "replace it by an intact copy or take it out"
        )
    if block:
        yield np.stack(block)


def _show_progress(names: Sequence[str]) -> Iterable[str]:
    """A bar on a terminal; in a log, a line for every tenth of the pictures."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(names, desc="pictures", unit="")
        return
    tenth = max(1, -(-len(names) // 10))
    for number, name in enumerate(names, start=1):
        yield name
        if number % tenth == 0 or number == len(names):
            tell(f"pictures: {number} of {len(names)}")


def _find_formats() -> list[str]:
    """Those of `FORMATS` that the installed Pillow can read: some are left out of it where their library is missing."""
    from PIL import Image

    Image.init()
    return [kind for kind in FORMATS if kind in Image.OPEN]


def _limit_bits(image: "Picture", kind: str | None) -> "Picture":
    """Grey pictures of 16 bits as 8 bits, where Pillow would clip them at 255; what has more is refused."""
    from PIL import Image

    # Pillow scales a PPM file's numbers to 16 bits whatever its own largest is, and keeps them as 32.
    if image.mode.startswith("I;16") or (image.mode == "I" and kind == "PPM"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        numbers = "32-bit integers" if image.mode == "I" else "floating-point numbers"
        raise BrokenPictureError(f"its pixels are {numbers} without a known white; expected 8 or 16 bits a channel")
    return image


def _convert(image: "Picture", channels: int) -> "Picture":
    """Convert to RGB or luminance, whatever the picture's own colours are."""
    if image.mode in ("P", "PA"):  # a palette may be transparent, which only RGBA can say
        image = image.convert("RGBA")
    return image.convert("RGB" if channels == 3 else "L")


def _crop_centre(image: "Picture", crop: int | None) -> "Picture":
    side = crop or min(image.size)
    if side > min(image.size):
        raise BrokenPictureError(f"{image.width}x{image.height} pixels; expected at least {side}x{side} to crop from")
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
