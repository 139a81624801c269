"""Access to files of any format: only regular ones are read, and files are written whole or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.leftovers import name_partial, remove_left_over

SPECIAL_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_regular(path: Path | str) -> int:
    """Refuse what is no regular file before anything opens it: a pipe waits for ever, a device may have no end.

    Every reader of this package asks here first, and words the error with what it expected instead.

    Args:
        path: of the file; links are followed.

    Returns:
        Its size in bytes.

    Raises:
        OSError: there is no such file, or its `strerror` names what is found instead of one: "a named pipe", say.
    """
    try:
        state = os.stat(path)
    except ValueError as error:  # of a name that no file can have
        raise OSError(errno.EINVAL, f"no name of a file: {error}") from error
    kind = stat.S_IFMT(state.st_mode)
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, SPECIAL_FILES.get(kind, "no regular file"), str(path))
    return state.st_size


def read_regular(path: Path | str, limit: int) -> bytes:
    """Content of a regular file, and never more of it than the size that the file system states.

    Args:
        path: of the file; links are followed.
        limit: bytes that it may have.

    Raises:
        OSError: as `check_regular`, or it is larger.
    """
    size = check_regular(path)
    if size > limit:
        raise OSError(errno.EFBIG, f"{size} bytes, expected at most {limit}", str(path))
    with open(path, "rb") as file:
        return file.read(size)


@contextmanager
def write_atomically(path: Path | str) -> Iterator[Path]:
    """Give a path beside `path` to write to; on success it replaces `path`, on failure nothing of it stays.

    Args:
        path: the file to write; its folder is made where it is missing.

    Yields:
        A path in the same folder (so the replacement is one rename), with the same suffix.

    Raises:
        UserError: the folder cannot be written or the disk is full.
    """
    path = Path(path)
    partial = name_partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_left_over(path)
        mode = find_mode(partial)
        yield partial
        partial.chmod(mode)
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UserError(f"{path}: cannot be written ({reason}); free space or permissions, then run again") from error
    finally:
        with suppress(OSError):  # it never came to be, or the folder became read-only
            partial.unlink()


def find_mode(path: Path) -> int:
    """The permissions of a new file at `path`, by the umask or the folder's rules; libraries may take narrower ones."""
    path.touch(exist_ok=False)
    mode = stat.S_IMODE(path.stat().st_mode)
    path.unlink()
    return mode
