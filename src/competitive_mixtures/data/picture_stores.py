"""Where the files of many pictures lie: in a folder, or in a zip archive that is read in place, never unpacked."""

import zipfile
from pathlib import Path

from competitive_mixtures.data.pictures import MAX_BYTES, BrokenPictureError
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import check_regular, read_regular


def read_bytes(path: Path) -> bytes:
    """Content of the file of a picture.

    Raises:
        BrokenPictureError: it is no regular file, too large, or cannot be read.
    """
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        raise BrokenPictureError(error.strerror or str(error)) from error


class FolderStore:
    """The pictures of one folder.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.names = {path.name for path in folder.iterdir()}

    def read(self, name: str) -> bytes:
        """Content of a file of `names`.

        Raises:
            BrokenPictureError: as `read_bytes`.
        """
        return read_bytes(self.path / name)


class ZipStore:
    """The pictures of one folder inside a zip archive; members outside of it are never looked at.

    Args:
        archive: the archive.
        folder: the folder inside it.

    Raises:
        UserError: the archive is cut short or no zip archive, or no regular file.
    """

    def __init__(self, archive: Path, folder: str) -> None:
        self.path = archive / folder
        try:
            check_regular(archive)
            self._archive = zipfile.ZipFile(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(
                f"{archive}: not a readable zip archive ({getattr(error, 'strerror', None) or error}); get it again"
            ) from error
        prefix = f"{folder}/"
        members = ((item.filename.removeprefix(prefix), item) for item in self._archive.infolist())
        self._members = {name: item for name, item in members if item.filename == prefix + name and "/" not in name}
        self.names = set(self._members)

    def read(self, name: str) -> bytes:
        """Content of a member of `names`, at most as long as the archive's list says.

        Raises:
            BrokenPictureError: it is too large, encrypted or damaged.
        """
        import zlib

        item = self._members[name]
        if item.file_size > MAX_BYTES:
            raise BrokenPictureError(f"{item.file_size} bytes, at most {MAX_BYTES} are read")
        try:
            return self._archive.read(item)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise BrokenPictureError(str(error) or type(error).__name__) from error
