"""Modules that wait until they are used."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from competitive_mixtures.launch.deferred_import import defer_imports

MODULE = """
import used.below
marks = ["made"]
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `used` with a module `below`."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used/__init__.py").write_text(MODULE)
    (tmp_path / "used/below.py").write_text("mark = 7")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("used", "used.below"):
        sys.modules.pop(name, None)


def test_a_module_is_imported_when_it_is_used(package):
    with defer_imports("used"):
        import used as early
    assert "used" not in sys.modules
    assert early.marks == ["made"]
    import used

    assert used is not early
    assert early.marks is used.marks
    assert "used.below" in sys.modules


def test_a_module_that_is_used_in_the_block_stays(package):
    with defer_imports("used"):
        from used import marks
        from used.below import mark
    assert mark == 7
    assert sys.modules["used"].marks is marks


def test_a_module_that_is_there_already_is_left(package):
    import used

    with defer_imports("used"):
        import used as same
    assert same is used
    assert sys.modules["used"] is used


def test_what_is_not_there_is_told_when_it_is_used(package):
    with defer_imports("used", "nowhere_to_be_found"):
        import nowhere_to_be_found
        import used as early
    with pytest.raises(AttributeError, match="absent"):
        early.absent  # noqa: B018
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        nowhere_to_be_found.anything  # noqa: B018


def test_a_failing_block_leaves_nothing(package):
    with pytest.raises(ZeroDivisionError), defer_imports("used"):
        raise ZeroDivisionError
    assert "used" not in sys.modules


SLURM = "snakemake_executor_plugin_slurm"


@pytest.mark.skipif(find_spec(SLURM) is None, reason="without the extra for Slurm nothing imports pandas")
def test_snakemake_runs_without_pandas_which_its_plugin_for_slurm_finds_later(tmp_path):
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'made'\n")
    program = f"""if True:
        import sys
        from competitive_mixtures.launch.snakemake_entry import main

        sys.argv = ["snakemake", "-n"]
        try:
            main()
        except SystemExit as end:
            assert not end.code
        assert "{SLURM}.efficiency_report" in sys.modules
        assert not {{"pandas", "pandas.core"}} & sys.modules.keys()
        from {SLURM}.efficiency_report import parse_maxrss

        assert parse_maxrss("2048K") == 2.0
        assert "pandas.core" in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
