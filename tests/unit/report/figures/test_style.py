import matplotlib

from competitive_mixtures.report.figures.style import (
    FONTS,
    MODEL_COLORS,
    MODEL_MARKERS,
    house_style,
    pick_rounds,
    share_label,
)
from competitive_mixtures.report.names import MODELS


def test_every_model_has_a_colour_and_a_marker_of_its_own():
    for looks in (MODEL_COLORS, MODEL_MARKERS):
        assert looks.keys() == MODELS.keys()
        assert len(set(looks.values())) == len(MODELS)


def test_small_shares_keep_a_decimal():
    assert [share_label(share) for share in (0, 0.004, 0.01, 0.126)] == ["0 %", "0.4 %", "1 %", "13 %"]


def test_first_middle_and_last_round():
    assert pick_rounds(range(13)) == [0, 6, 12]
    assert pick_rounds([0, 1]) == [0, 1]
    assert pick_rounds([0]) == [0]


def test_the_users_settings_are_not_ours_and_stay():
    theirs = {"axes.facecolor": "red", "text.usetex": True, "font.family": ["monospace"], "savefig.bbox": "tight"}
    with matplotlib.rc_context(theirs):
        with house_style():
            ours = {name: matplotlib.rcParams[name] for name in theirs}
        assert {name: matplotlib.rcParams[name] for name in theirs} == theirs
    assert ours == {"axes.facecolor": "white", "text.usetex": False, "font.family": list(FONTS), "savefig.bbox": None}
