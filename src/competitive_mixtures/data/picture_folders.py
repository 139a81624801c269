"""The pictures below a folder: links are followed, and whatever is passed over is told."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from competitive_mixtures.data.pictures import SUFFIXES
from competitive_mixtures.errors import UserError, printable

LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}
MAX_WAYS = 100  # by which links may lead into one and the same folder
MAX_NAMES = 5  # of files in a message


@dataclass(frozen=True)
class Found:
    """What lies below a folder; paths are relative to it, in alphabetical order.

    Attributes:
        pictures: files whose names end as those of pictures do.
        others: all other files; hidden ones and what operating systems leave (`Thumbs.db`, `__MACOSX`) apart.
        loops: links to a folder that they lie in themselves, which are not followed.
        empty: folders directly below, without a picture.
    """

    pictures: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def count_others(self) -> dict[str, int]:
        """Number of the files passed over by the end of their names, in small letters."""
        return dict(sorted(Counter(printable(PurePath(name).suffix.lower()) for name in self.others).items()))

    def describe(self) -> Iterator[str]:
        """A sentence on each sort of thing that is passed over."""
        if self.others:
            read = ", ".join(sorted(SUFFIXES))
            yield f"{count(self.others, 'file')} passed over: {shorten(self.others)} (names of pictures end in {read})"
        if self.loops:
            yield f"{count(self.loops, 'link')} passed over, back to a folder it lies in: {shorten(self.loops)}"
        if self.empty:
            yield f"{count(self.empty, 'folder')} without a picture: {shorten(self.empty)}"


def find_pictures(folder: Path) -> Found:
    """Search a folder and all folders below it, whatever the depth; links to files and folders are followed.

    Raises:
        UserError: it is no folder, a folder cannot be read, or links lead around without an end.
    """
    if not folder.is_dir():
        hint = ": unpack the archive first" if folder.is_file() else ""
        raise UserError(f"{printable(folder)}: not a folder; expected the folder of pictures that `path` names{hint}")
    found, ways = Found(), Counter[tuple[int, int]]()
    waiting = [("", frozenset({_identify(folder)}))]
    while waiting:
        inside, above = waiting.pop()
        for entry in _list(folder / inside):
            name = f"{inside}{entry.name}"
            if entry.name.startswith(".") or entry.name.lower() in LITTER:
                continue
            if not _is_folder(entry):
                kind = found.pictures if PurePath(name).suffix.lower() in SUFFIXES else found.others
                kind.append(name)
                continue
            identity = _identify(entry.path)
            ways[identity] += 1
            if identity in above:
                found.loops.append(name)
            elif ways[identity] > MAX_WAYS:
                raise UserError(f"{printable(folder / name)}: more than {MAX_WAYS} links lead there; take some out")
            else:
                waiting.append((f"{name}/", above | {identity}))
                if not inside:
                    found.empty.append(name)
    used = {name.split("/")[0] for name in found.pictures}
    found.empty[:] = [name for name in found.empty if name not in used]
    for names in (found.pictures, found.others, found.loops, found.empty):
        names.sort()
    return found


def count(items: Sequence[str], noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def shorten(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(map(printable, names[:MAX_NAMES]))
    return shown if len(names) <= MAX_NAMES else f"{shown} and {len(names) - MAX_NAMES} more"


def _list(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UserError(
            f"{printable(folder)}: the folder cannot be read ({error.strerror}); mend its permissions or take it out"
        ) from error


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _identify(folder: Path | str) -> tuple[int, int]:
    """What a folder is known by whatever links lead to it."""
    state = os.stat(folder)
    return state.st_dev, state.st_ino
