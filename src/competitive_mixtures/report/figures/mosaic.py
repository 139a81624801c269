"""Images laid side by side in one array."""

import numpy as np


def to_pixels(images: np.ndarray) -> np.ndarray:
    """(n, c, h, w) uint8 images as (n, h, w, 3) ones; those of one channel are inverted: dark on white."""
    if images.shape[1] == 1:
        return np.repeat(255 - images[:, 0, :, :, None], 3, axis=3)
    return images.transpose(0, 2, 3, 1)


def tile(images: np.ndarray, columns: int, rows: int, gap: int = 2) -> np.ndarray:
    """Lay images out row by row.

    Args:
        images: (n, c, h, w) uint8 with 1 or 3 channels; where there are too few, the last places stay white.
        columns: images in a row.
        rows: number of rows.
        gap: white pixels between images.

    Returns:
        (rows * (h + gap) - gap, columns * (w + gap) - gap, 3) uint8.
    """
    height, width = images.shape[2:]
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, image in enumerate(to_pixels(images[: rows * columns])):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas
