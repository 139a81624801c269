"""The weights file of pytorch-fid's Inception network: found or fetched, and verified either way."""

import hashlib
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import check_regular, write_atomically
from competitive_mixtures.files.checksums import sha256_of
from competitive_mixtures.files.formats import write_json

WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
WEIGHTS_URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
)
_TIMEOUT_S = 20.0
_CHUNK_BYTES = 1 << 20


def find_weights(path: Path | str | None = None, sha256: str = WEIGHTS_SHA256) -> Path:
    """Find the weights file and verify it.

    Args:
        path: of the file; the environment variable `INCEPTION_WEIGHTS` when left out.
        sha256: the file's expected SHA-256; that of pytorch-fid's release when left out.

    Returns:
        The path of the verified file.

    Raises:
        UserError: no path is given, the file is missing, or its checksum differs.
    """
    found = path or os.environ.get("INCEPTION_WEIGHTS")
    if not found:
        raise UserError(
            "Inception weights: no file given; FID needs pytorch-fid's weights (95 MB): name the file in params.yaml "
            f"or in the environment variable INCEPTION_WEIGHTS; it is published at {WEIGHTS_URL}"
        )
    found = Path(found)
    try:
        check_regular(found)
    except FileNotFoundError as error:
        raise UserError(f"{found}: Inception weights not found; fetch them from {WEIGHTS_URL}") from error
    except OSError as error:
        raise UserError(f"{found}: expected Inception weights, found: {error.strerror}; name their file") from error
    _verify(found, sha256_of(found), sha256)
    return found


def fetch_weights(path: Path | str, sha256: str = WEIGHTS_SHA256, url: str = WEIGHTS_URL) -> Path:
    """Fetch the weights file, once; a verified file that is already there is left alone.

    Args:
        path: where to put the file; nothing appears there unless it is complete and its checksum right.
        sha256: the file's expected SHA-256.
        url: where it is published.

    Returns:
        `path`.

    Raises:
        UserError: the address cannot be reached, or the checksum of the file there or of the one received differs.
    """
    path = Path(path)
    if path.exists():
        return find_weights(path, sha256)
    digest = hashlib.sha256()
    with write_atomically(path) as partial, partial.open("wb") as file:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
                while chunk := response.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
        except (OSError, ValueError, HTTPException) as error:
            raise UserError(
                f"{url}: cannot be fetched ({error}); put the file at {path}, or name it in INCEPTION_WEIGHTS"
            ) from error
        _verify(url, digest.hexdigest(), sha256)
    return path


def record_weights(out: Path | str, path: Path | str | None, sha256: str) -> None:
    """Write where the weights are, `{"path", "sha256"}`, or why they cannot be had, `{"not_run"}`.

    Args:
        out: JSON file to write; weights that have to be fetched are put beside it.
        path: of the file; null takes the one that `INCEPTION_WEIGHTS` names, and else fetches it.
        sha256: the file's expected SHA-256.

    Raises:
        UserError: a file that is named, or there already, is missing or has another checksum.
    """
    named = path or os.environ.get("INCEPTION_WEIGHTS")
    fetched = Path(out).parent / Path(WEIGHTS_URL).name
    try:
        found = find_weights(named, sha256) if named else fetch_weights(fetched, sha256)
    except UserError as error:
        if named or fetched.exists():
            raise
        write_json(out, {"not_run": " ".join(str(error).split())})
        return
    write_json(out, {"path": str(found), "sha256": sha256})


def _verify(source: Path | str, found: str, expected: str) -> None:
    if found != expected.lower():
        raise UserError(
            f"{source}: found SHA-256 {found}, expected {expected}; the file is cut short or another one: fetch it "
            "again, or give its own checksum beside its path"
        )
