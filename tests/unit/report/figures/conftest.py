"""Figures of the made-up project, drawn by name."""

import pytest
from fakes import make_plan

from competitive_mixtures.report.figures.draw import plot_figure
from competitive_mixtures.report.scores import Scores


@pytest.fixture
def draw(project):
    """Draw a figure of the experiments that are named, or of all; `root` may be another project."""

    def draw_figure(figure, out, experiments=None, root=project):
        plan = make_plan()
        chosen = [planned for planned in plan if experiments is None or planned.name in experiments]
        plot_figure(figure, out, root=root, plan=chosen, scores=Scores(root, chosen))
        return out

    return draw_figure
