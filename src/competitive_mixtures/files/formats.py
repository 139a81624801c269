"""Formats of files: text, JSON, arrays, parquet and tensors (safetensors); never pickle."""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import check_regular, read_regular, write_atomically

if TYPE_CHECKING:
    from torch import Tensor

MAX_JSON_BYTES = 2**28
RUN_AGAIN = "delete it, if it is there, and run the step that writes it"


def write_text(path: Path | str, text: str) -> None:
    """Write `text` to `path` atomically."""
    with write_atomically(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_text_if_changed(path: Path | str, text: str) -> bool:
    """Write `text` only where `path` holds something else, so that its modification time means a change.

    Returns:
        Whether the file was written.
    """
    path = Path(path)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    write_text(path, text)
    return True


def write_json(path: Path | str, content: Any) -> None:
    """Write `content` as indented JSON; NaN and infinity are refused, since no reader agrees on them."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing, cannot be read or is not JSON.
    """
    try:
        return json.loads(read_regular(path, MAX_JSON_BYTES).decode())
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; correct the path, or run the step that writes it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a JSON file") from error
    except (ValueError, RecursionError) as error:  # also numbers of too many digits, and lists in lists in lists
        raise UserError(f"{path}: expected JSON, found {error}; delete the file and run again") from error


def write_array(path: Path | str, array: np.ndarray) -> None:
    """Write one array as `.npy`."""
    with write_atomically(path) as partial, partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def prepare_formats() -> None:
    """Import the libraries of tables and tensors, which the functions below else do when they are called.

    Arrow then allocates by malloc: its own allocator is slow at first, and again after every fork.
    """
    import numpy.ctypeslib  # noqa: F401, safetensors writes by it
    import pyarrow.parquet
    import safetensors.torch  # noqa: F401

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())


def read_array(path: Path | str) -> np.ndarray:
    """Read one `.npy` file.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        check_regular(path)
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the round that writes it first") from error
    except (OSError, ValueError, EOFError) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a NumPy array, found {found}; delete the file and run again") from error


def write_arrays(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one `.npz`, compressed."""
    with write_atomically(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]  # an array's name may be any


def read_arrays(path: Path | str) -> dict[str, np.ndarray]:
    """Read an `.npz` file.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        check_regular(path)
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the evaluation first") from error
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected NumPy arrays, found {found}; delete it and evaluate again") from error


def write_table(path: Path | str, columns: Mapping[str, np.ndarray]) -> None:
    """Write equally long columns of numbers as one parquet file, byte for byte the same for the same columns.

    The columns enter and leave Arrow as buffers: its own way from and to NumPy imports pandas, half a second a job.
    Only columns of int16, the numbers of components and labels, have few values to make a dictionary of.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {
        name: pa.Array.from_buffers(
            pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(np.ascontiguousarray(column))]
        )
        for name, column in columns.items()
    }
    with write_atomically(path) as partial:
        numbered = [name for name, column in columns.items() if column.dtype == np.int16]
        pq.write_table(pa.table(table), partial, compression="zstd", use_dictionary=numbered)


def read_table(path: Path | str) -> dict[str, np.ndarray]:
    """Read a parquet file as columns.

    Raises:
        UserError: the file is missing or is not a parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_regular(path)
        table = pq.ParquetFile(path, pre_buffer=False).read(use_threads=False)  # starting threads takes longer
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the round that writes it first") from error
    except (pa.ArrowInvalid, OSError) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a parquet table, found {found}; delete the file and run again") from error
    return {name: np.from_dlpack(table[name].combine_chunks()) for name in table.column_names}


def write_tensors(path: Path | str, tensors: Mapping[str, "Tensor"], metadata: Any = None) -> None:
    """Write named tensors as one safetensors file, with JSON `metadata` in its header where given."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    header = None if metadata is None else {"metadata": json.dumps(metadata)}
    with write_atomically(path) as partial:
        try:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial, header)
        except SafetensorError as error:
            raise OSError(str(error)) from error


def read_metadata(path: Path | str, remedy: str = RUN_AGAIN) -> Any:
    """Read the `metadata` that `write_tensors` put into a file's header.

    Args:
        path: of the file.
        remedy: what an error advises.

    Raises:
        UserError: as `read_tensors`, or the file has none.
    """
    from safetensors import safe_open

    with _explain_tensors(path, remedy), safe_open(path, "pt") as file:
        header = file.metadata() or {}
    if "metadata" not in header:
        raise UserError(f"{path}: expected metadata in the header, found none; {remedy}")
    try:
        return json.loads(header["metadata"])
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: expected JSON in the header, found {error}; {remedy}") from error


def read_tensors(path: Path | str, remedy: str = RUN_AGAIN) -> dict[str, "Tensor"]:
    """Read a safetensors file onto the CPU.

    Args:
        path: of the file.
        remedy: what an error advises.

    Raises:
        UserError: the file is missing, truncated or of another format.
    """
    from safetensors.torch import load_file

    with _explain_tensors(path, remedy):
        return load_file(path)


@contextmanager
def _explain_tensors(path: Path | str, remedy: str) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        check_regular(path)
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; {remedy}") from error
    except (SafetensorError, OSError) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a safetensors file, found: {found}; {remedy}") from error


def take_named(tensors: Mapping[str, "Tensor"], prefix: str) -> dict[str, "Tensor"]:
    """The tensors under a prefix, without it."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
