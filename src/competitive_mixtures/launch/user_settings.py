"""The user's environment made neutral before a command imports its libraries, so that results do not depend on it.

Notebooks, clusters and shells set variables that libraries read when they are imported: a backend for Matplotlib, a
precision for matrix products, a number of threads, an encoding. The commands of this package call `set_aside` first.
What a job needs of its machine stays: paths, `CUDA_VISIBLE_DEVICES`, memory settings, and variables that choose a
processor's instructions, since results are the same bytes on the same kind of processor only.
"""

import codecs
import io
import locale
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Threads of the libraries beside PyTorch, which is told by `--threads`: sums of other numbers of parts round apart."""
DROPPED = (
    "MPLBACKEND", "MATPLOTLIBRC",  # no window is opened, and figures have a style of their own
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE",  # precision of products on a GPU
    "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE",  # the same on a CPU
    "CUBLAS_WORKSPACE_CONFIG", "TORCH_BLAS_PREFER_CUBLASLT",  # order of sums on a GPU; see `method.device`
    "OMP_DYNAMIC", "MKL_DYNAMIC", "OMP_THREAD_LIMIT",  # threads that come and go
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",  # set inside of git's hooks: the report names this project's commit
)  # fmt: skip
WARNINGS, OPTIMIZE, UTF8 = "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONUTF8"  # read when the interpreter starts


def set_aside(words: Sequence[str]) -> None:
    """Make this process's environment neutral; start its interpreter anew where that has read a variable already.

    Args:
        words: the command line without the program's name; its `--threads` counts for all libraries.
    """
    os.environ.update(dict.fromkeys(THREADS, read_threads(words)))
    for name in DROPPED:
        os.environ.pop(name, None)
    changes = choose_interpreter(os.environ, speaks_utf8())
    if changes:
        for name, value in changes.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # PYTHONIOENCODING=ascii: a message may cost no result


def read_threads(words: Sequence[str]) -> str:
    """The number after `--threads`; 1 where there is none."""
    spread = [part for word in words for part in (word.split("=", 1) if word.startswith("--threads=") else [word])]
    following = [after for word, after in pairwise(spread) if word == "--threads"]
    return following[-1] if following and following[-1].isdecimal() else "1"


def choose_interpreter(environment: Mapping[str, str], utf8: bool) -> dict[str, str | None]:
    """What the interpreter would have to be started with instead; None drops a variable.

    Args:
        environment: as it is.
        utf8: whether file names and files are read and written as UTF-8.
    """
    changes: dict[str, str | None] = {}
    if "error" in environment.get(WARNINGS, ""):  # of a library, say: they end no job
        changes[WARNINGS] = None
    if environment.get(OPTIMIZE):  # takes docstrings away, of which the settings' documents are made
        changes[OPTIMIZE] = None
    if not utf8 and environment.get(UTF8) != "1":
        changes[UTF8] = "1"
    return changes


def speaks_utf8() -> bool:
    """Whether this interpreter's file names and texts are UTF-8; with a locale like `de_DE.ISO-8859-1` they are not."""
    names = (sys.getfilesystemencoding(), "utf-8" if sys.flags.utf8_mode else locale.getencoding())
    return all(codecs.lookup(name).name == "utf-8" for name in names)
