import numpy as np

from competitive_mixtures.report.figures.mosaic import tile


def test_tile_places_pictures_row_by_row():
    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * 10
    canvas = tile(images, columns=2, rows=2, gap=1)
    assert canvas.shape == (3, 3, 3)
    assert canvas[::2, ::2, 0].tolist() == [[255, 245], [235, 255]]  # inverted; the last place is blank
    assert (canvas[1] == 255).all()
