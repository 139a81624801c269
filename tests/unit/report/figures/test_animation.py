import numpy as np
import pytest
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.figures.animation import choose_rounds


def test_the_animation_has_a_picture_a_round_and_stable_bytes(draw, tmp_path):
    first, second = (draw("animation-synthetic-9", tmp_path / name) for name in ("a.gif", "b.gif"))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as animation:
        assert animation.n_frames == 5


def test_images_are_not_animated(draw, tmp_path):
    with pytest.raises(UserError, match="vector"):
        draw("animation-mnist", tmp_path / "a.gif")


def test_long_runs_lose_later_rounds():
    rounds = choose_rounds(list(range(200)), limit=20)
    assert (rounds[0], rounds[-1]) == (0, 199)
    assert len(rounds) <= 20
    assert np.all(np.diff(rounds) >= 1)
    assert rounds[1] - rounds[0] < rounds[-1] - rounds[-2]
