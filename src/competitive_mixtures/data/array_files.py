"""Arrays from a user's own `.npz` or `.npy` file: never a pickle, and any other file is told with how to convert it."""

import codecs
import json
import os
import tokenize
import zipfile
from pathlib import Path
from shlex import quote

import numpy as np

from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.files.access import check_regular
from competitive_mixtures.progress import tell

TextDecoder = codecs.getincrementaldecoder("utf-8-sig")
ROLES = {
    "x": "train",
    "y": "train_labels",
    "x_train": "train",
    "y_train": "train_labels",
    "x_test": "test",
    "y_test": "test_labels",
}
SAVE = "save numeric arrays by numpy.savez (x=...) or numpy.save"
NPY_MAGIC, ZIP_MAGICS = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")
HEAD_BYTES = 2**16  # of a file, that tell its format
FORMATS = {  # how files of other formats begin, and what reads them
    b"\x89HDF": ("an HDF5 file", "h5py"),
    b"PAR1": ("a Parquet file", "pandas.read_parquet"),
    b"MATLAB": ("a MATLAB file", "scipy.io.loadmat"),
    b"\x1f\x8b": ("a gzipped file", "gunzip"),
    b"\x80": ("a pickle, which could run any program", "whatever wrote it"),
}


def read_arrays(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    """Read the arrays by their role: train, test, train_labels, test_labels.

    Args:
        path: of the file, see `array.Spec`.

    Returns:
        For each role how an error names the array, file included, and the array.

    Raises:
        UserError: the file is missing, no regular file, too large, broken, of another format, or holds Python objects;
            arrays are missing, or two stand for one role.
    """
    where = printable(path)
    try:
        size = check_regular(path)
        with path.open("rb") as file:
            head = file.read(min(size, HEAD_BYTES))
    except FileNotFoundError as error:
        raise UserError(f"{where}: not found; expected the file that `path` names, .npz or .npy") from error
    except OSError as error:
        raise UserError(f"{where}: found {error.strerror}; expected an .npz or .npy file") from error
    if head.startswith(NPY_MAGIC):
        _check_size(where, size)
        return {"train": (where, _read_one(where, path))}
    if not head.startswith(ZIP_MAGICS):
        raise UserError(f"{where}: not a readable .npz or .npy file: found {describe(path, head)}")
    arrays = _read_several(where, path)
    if {"y", "y_train"} <= arrays.keys():
        raise UserError(f"{where}: found both y and y_train; expected one of them")
    if "y_test" in arrays and "x_test" not in arrays:
        raise UserError(f"{where}: found y_test without x_test; expected both or neither")
    return {ROLES[key]: (f"{where}: {key}", array) for key, array in arrays.items()}


def describe(path: Path, head: bytes) -> str:
    """What a file that holds no arrays of NumPy is by its first bytes, and how to convert it.

    Args:
        path: of the file.
        head: how it begins, up to `HEAD_BYTES`.
    """
    if not head:
        return f"an empty file; {SAVE}"
    for magic, (kind, reader) in FORMATS.items():
        if head.startswith(magic):
            return f"{kind}; read it by {reader}, then {SAVE}"
    try:
        lines = TextDecoder().decode(head).splitlines()  # the last character may be cut
    except UnicodeDecodeError:
        return f"something else; {SAVE}"
    if any(ord(character) < 32 for line in lines for character in line.replace("\t", "")):
        return f"something else; {SAVE}"
    return (
        f"a text file; if it is a table of numbers, convert it:\n  {_convert(path, lines)}\nand set `path` to that. "
        "A column of labels is no part of x: save it beside, by numpy.savez (x=..., y=table[...].to_numpy(str))"
    )


def _convert(path: Path, lines: list[str]) -> str:
    """The command that makes an array of a table: see `_find_options`."""
    options = "".join(f", {name}={value}" for name, value in _find_options(lines).items())
    result = path.with_suffix(".array.npy" if path.suffix == ".npy" else ".npy")
    source, target = (json.dumps(str(name), ensure_ascii=False) for name in (path, result))
    code = f"import numpy, pandas; numpy.save({target}, pandas.read_csv({source}{options}).to_numpy(float))"
    return f"python -c {quote(code)}"


def _find_options(lines: list[str]) -> dict[str, str]:
    """What pandas has to know of a table, by the name of `read_csv`'s argument, as Python writes it.

    The first line may be names, or a remark behind # as `numpy.savetxt` writes it; the first column may be the numbers
    of the rows, which pandas writes without a name; and where semicolons separate, commas may be decimal points.
    """
    options = {}
    if any(line.startswith("#") for line in lines):
        options["comment"] = '"#"'
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    first = rows[0] if rows else ""
    separator = next((mark for mark in ("\t", ";", ",") if mark in first), " ")
    if separator != ",":
        options["sep"] = r'r"\s+"' if separator == " " else json.dumps(separator)
    words = first.split(None if separator == " " else separator)
    if separator not in (",", " ") and any("," in line for line in rows):
        options["decimal"] = '","'
        words = [word.replace(",", ".") for word in words]
    if all(_is_number(word) for word in words if word.strip()):
        options["header"] = "None"
    elif not words[0].strip(' "'):
        options["index_col"] = "0"
    return options


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_one(where: str, path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            others = os.fstat(file.fileno()).st_size - file.tell()
    except Exception as error:  # NumPy's reader raises whatever it stumbles over in a broken file
        raise _explain(where, error, "x") from error
    if others:
        raise UserError(f"{where}: {others} bytes behind the array, another array perhaps; expected one array: {SAVE}")
    return array


def _read_several(where: str, path: Path) -> dict[str, np.ndarray]:
    """The arrays of `ROLES` in an archive; that there are others is told, which are not read."""
    arrays, key = {}, ""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(where, sum(item.file_size for item in archive.infolist()))
        with np.load(path, allow_pickle=False) as content:
            names = sorted(content.files)
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise UserError(f"{where}: {', '.join(map(printable, twice))}: found several; expected one: {SAVE}")
            for key in ROLES.keys() & set(names):
                arrays[key] = np.asarray(content[key])
    except UserError:
        raise
    except Exception as error:  # NumPy's and zipfile's readers raise whatever they stumble over in a broken file
        raise _explain(f"{where}: {key}" if key else where, error, key) from error
    if ("x" in arrays) == ("x_train" in arrays):
        found = ", ".join(map(printable, names)) or "nothing"
        raise UserError(f"{where}: expected one array named x or x_train, found {found}; {SAVE}")
    if others := [name for name in names if name not in ROLES]:
        tell(
            f"{where}: arrays passed over, since only {', '.join(ROLES)} are read: {', '.join(map(printable, others))}"
        )
    return arrays


def _explain(where: str, error: Exception, key: str) -> UserError:
    """An error of NumPy's, less its advice to trust a pickle."""
    if "Object arrays" in str(error):
        dtype = "str" if key.startswith("y") else "float"
        found = "an array of Python objects (pandas keeps words as such)"
        return UserError(
            f"{where}: {found}; expected one without Python objects: "
            f"save numpy.asarray({key}).astype({dtype}), of a column of pandas {key}.to_numpy({dtype})"
        )
    reason = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        reason = "its header claims more than memory holds"
    elif "pickle" in reason or isinstance(error, tokenize.TokenError | TypeError | SyntaxError):
        reason = "its header is damaged"
    return UserError(f"{where}: not a readable .npz or .npy file ({reason}); {SAVE}")


def _check_size(where: str, size: int) -> None:
    """Refuse what would not fit into memory before it is unpacked: a bomb, or an honest mistake."""
    limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    if size > limit:
        raise UserError(
            f"{where}: {size / 1e9:.1f} GB unpacked, but only {limit / 1e9:.1f} GB, a quarter of this machine's "
            "memory, may be used for it; take fewer points or a smaller type, or a larger machine"
        )
