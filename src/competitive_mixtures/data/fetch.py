"""Where raw files come from: public mirrors, an npm package, a Debian package; each gives bytes or says why not."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from competitive_mixtures.files.leftovers import make_temporary_folder

# Short, since a machine without a network should learn it at once; it bounds the connection and every single read.
TIMEOUT_S = 5.0
ATTEMPTS = 2
TOOL_TIMEOUT_S = 180.0
MAX_BYTES = 2**28


class SourceFailedError(Exception):
    """Why a source could not give its files; collected, and shown only when every source has failed."""


def fetch_mirror(address: str, names: Iterable[str]) -> dict[str, bytes]:
    """Fetch gzipped files from a folder on the web.

    Args:
        address: of the folder, http or https.
        names: of the files, without `.gz`.

    Returns:
        The unpacked content by name.

    Raises:
        SourceFailedError: the mirror cannot be reached or a file is missing, cut short or not gzip.
    """
    return {name: unpack(name, _fetch(f"{address.rstrip('/')}/{name}.gz")) for name in names}


def fetch_npm(package: str, names: Iterable[str]) -> dict[str, bytes]:
    """Take files out of an npm package (`name@version`); nothing of it is installed or run."""
    import tarfile
    import zlib

    with make_temporary_folder() as folder:
        options = ["--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=500", "--loglevel=error"]
        _run(["npm", "pack", *options, "--", package], folder)
        archives = list(folder.glob("*.tgz"))
        if len(archives) != 1:
            raise SourceFailedError("npm pack gave no archive")
        try:
            with tarfile.open(archives[0]) as archive:
                members = {Path(item.name).name: (archive, item) for item in archive if item.isfile()}
                return _pick(names, members, _read_tar)
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise SourceFailedError(f"the archive of npm pack is broken ({error})") from error


def fetch_debian(package: str, names: Iterable[str]) -> dict[str, bytes]:
    """Take files out of a Debian package, unpacked into a temporary folder; needs no root and installs nothing."""
    with make_temporary_folder() as folder:
        _download_debian(package, folder)
        archives = list(folder.glob("*.deb"))
        if len(archives) != 1:
            raise SourceFailedError("apt-get download gave no package")
        content = folder / "content"
        _run(["dpkg", "-x", str(archives[0]), str(content)], folder)
        return _pick(names, {path.name: path for path in content.rglob("*") if _is_plain_file(path)}, _read_file)


def unpack(name: str, data: bytes) -> bytes:
    """Unpack gzipped bytes, up to `MAX_BYTES`; other bytes come back as they are."""
    import gzip
    import io
    import zlib

    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceFailedError(f"{name}.gz is cut short or broken ({error})") from error
    if len(content) > MAX_BYTES:
        raise SourceFailedError(f"{name}.gz unpacks to more than {MAX_BYTES} bytes")
    return content


def _fetch(url: str) -> bytes:
    """Fetch one file, twice if the connection breaks; an address that cannot be reached is not tried again."""
    import http.client
    import urllib.error
    import urllib.request

    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
                return _read_response(response)
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"HTTP status {error.code}"
            if error.code < 500:
                break
        except urllib.error.URLError as error:
            raise SourceFailedError(f"{url}: {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = f"the connection broke ({error or type(error).__name__})"
    raise SourceFailedError(f"{url}: {reason}")


def _read_response(response: Any) -> bytes:
    import http.client

    data = response.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SourceFailedError(f"{response.url}: more than {MAX_BYTES} bytes")
    expected = int(response.headers.get("Content-Length") or len(data))
    if len(data) != expected:
        raise http.client.IncompleteRead(data, expected - len(data))
    return data


def _download_debian(package: str, folder: Path) -> None:
    """Download with the system's package lists, or, where it has none, with lists fetched into `folder`."""
    quick = ["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=5", "-o", "Acquire::https::Timeout=5"]
    quick += ["-o", "APT::Sandbox::User="]  # as root, apt's own user could not write into `folder`
    try:
        _run(["apt-get", *quick, "download", package], folder)
    except SourceFailedError as first:
        own = [*quick, "-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
        own += ["-o", "Debug::NoLocking=true"]
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        try:
            _run(["apt-get", *own, "update"], folder)
            _run(["apt-get", *own, "download", package], folder)
        except SourceFailedError as second:
            raise SourceFailedError(f"{first}; with fresh package lists: {second}") from second


def _run(command: list[str], folder: Path) -> None:
    """Run a program in `folder`, quietly."""
    import shutil
    import subprocess

    if shutil.which(command[0]) is None:
        raise SourceFailedError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceFailedError(f"{command[0]} did not end within {TOOL_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        words = " ".join(done.stderr.decode(errors="replace").split())
        raise SourceFailedError(f"{command[0]} failed with status {done.returncode}: {words[:300] or 'no message'}")


def _pick(names: Iterable[str], found: dict[str, Any], read: Callable[[Any], bytes]) -> dict[str, bytes]:
    """Read the named members, plain or gzipped; everything else in the package is left alone."""
    content = {}
    for name in names:
        member = found.get(name, found.get(f"{name}.gz"))
        if member is None:
            raise SourceFailedError(f"the package holds no {name}")
        content[name] = unpack(name, read(member))
    return content


def _read_tar(member: tuple[Any, Any]) -> bytes:
    archive, item = member
    if item.size > MAX_BYTES:
        raise SourceFailedError(f"{item.name} is larger than {MAX_BYTES} bytes")
    return archive.extractfile(item).read()


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise SourceFailedError(f"{path.name} is larger than {MAX_BYTES} bytes")
    return path.read_bytes()


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
