"""Byte code of all that the project's commands import, written once, when the environment is made.

Python writes it at the first import of a module, but not where `PYTHONDONTWRITEBYTECODE` is set, as in most container
images: there every process would compile thousands of files anew. pip could compile all that it installs, of which a
run imports a fifth.
"""

import pkgutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the package
LIBRARIES = (
    *("snakemake.cli", "snakemake.executors.local", "snakemake.executors.dryrun", "snakemake.executors.touch"),
    *("snakemake.script", "snakemake.benchmark", "snakemake.report.html_reporter"),
    *("dvc.__main__", "dvc.cli.parser", "dvc.repo", "dvc.repo.reproduce", "dvc.stage.run", "dvc.parsing"),
    *("matplotlib.pyplot", "matplotlib.animation", "matplotlib.backends.backend_agg"),
    *("matplotlib.backends.backend_pdf", "PIL.PngImagePlugin", "PIL.GifImagePlugin"),
    *("pandas.io.parquet", "pyarrow.parquet", "sklearn.cluster", "sklearn.neighbors", "sklearn.mixture"),
)
"""What the commands import only on the way, beside what the package's modules name at their top."""


def list_modules() -> Iterator[str]:
    """Name the package's modules, and of libraries those that a look at the package's modules does not bring."""
    yield from (module.name for module in pkgutil.walk_packages([str(ROOT)], f"{ROOT.name}."))
    yield from LIBRARIES


def main() -> None:
    """Import everything, so that Python writes the byte code that is missing or older than its source."""
    sys.dont_write_bytecode = False
    for name in list_modules():
        with suppress(ImportError):  # belongs to an extra that is not installed; its command says so when it is used
            import_module(name)


if __name__ == "__main__":
    main()
