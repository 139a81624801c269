"""Mirrors and packages give their files, or say briefly why not; real HTTP and real processes, nothing public."""

import gzip
import http.server
import io
import tarfile
import threading

import pytest

from competitive_mixtures.data import fetch
from competitive_mixtures.data.fetch import SourceFailedError, fetch_debian, fetch_mirror, fetch_npm, unpack


class Mirror:
    """A web server on this machine; `replies` has (status, body, promised length) in order for each path."""

    def __init__(self):
        self.replies, self.requests = {}, []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.requests.append(self.path)
                queue = mirror.replies.get(self.path, [(404, b"", None)])
                status, body, length = queue.pop(0) if len(queue) > 1 else queue[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/data/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror()
    yield mirror
    mirror.close()


def install(folder, name, script, monkeypatch):
    """Put a program of that name in front of all others."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_mirror_gives_its_files_unpacked(mirror):
    mirror.replies = {f"/data/{name}.gz": [(200, gzip.compress(name.encode()), None)] for name in ("a", "b")}
    assert fetch_mirror(mirror.address, ["a", "b"]) == {"a": b"a", "b": b"b"}


def test_a_missing_file_is_not_asked_for_twice(mirror):
    with pytest.raises(SourceFailedError, match=r"a\.gz: HTTP status 404"):
        fetch_mirror(mirror.address, ["a"])
    assert len(mirror.requests) == 1


def test_a_server_error_is_tried_again(mirror):
    mirror.replies = {"/data/a.gz": [(503, b"", None), (200, gzip.compress(b"late"), None)]}
    assert fetch_mirror(mirror.address, ["a"]) == {"a": b"late"}


def test_a_broken_connection_is_tried_again_and_then_told(mirror):
    mirror.replies = {"/data/a.gz": [(200, b"half", 1000)]}
    with pytest.raises(SourceFailedError, match=r"a\.gz: the connection broke .*4 bytes read, 996 more expected"):
        fetch_mirror(mirror.address, ["a"])
    assert len(mirror.requests) == 2


def test_an_unreachable_mirror_is_given_up_at_once(mirror):
    mirror.close()
    with pytest.raises(SourceFailedError, match="refused"):
        fetch_mirror(mirror.address, ["a", "b"])


def test_a_silent_mirror_is_given_up(monkeypatch):
    import socket

    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceFailedError, match="timed out"):
        fetch_mirror(f"http://127.0.0.1:{silent.getsockname()[1]}/", ["a"])


def test_a_huge_answer_is_refused(mirror, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 100)
    mirror.replies = {"/data/a.gz": [(200, bytes(101), None)]}
    with pytest.raises(SourceFailedError, match="more than 100 bytes"):
        fetch_mirror(mirror.address, ["a"])


def test_unpack():
    packed = gzip.compress(b"content " * 100)
    assert unpack("a", packed) == b"content " * 100
    assert unpack("a", b"plain") == b"plain"
    for broken in (packed[:-9], packed[:15], packed[:20] + b"xx" + packed[22:]):
        with pytest.raises(SourceFailedError, match=r"a\.gz is cut short or broken"):
            unpack("a", broken)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(fetch, "MAX_BYTES", 1000)
    with pytest.raises(SourceFailedError, match=r"a\.gz unpacks to more than 1000 bytes"):
        unpack("a", gzip.compress(bytes(100_000)))


def pack(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            item = tarfile.TarInfo(name)
            if content is None:
                item.type, item.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(item)
            else:
                item.size = len(content)
                archive.addfile(item, io.BytesIO(content))


def test_npm_gives_plain_and_gzipped_members(tmp_path, monkeypatch):
    pack(tmp_path / "p.tgz", {"package/data/a": b"A", "package/b.gz": gzip.compress(b"B"), "../../c": b"C"})
    install(tmp_path / "bin", "npm", f"cp {tmp_path}/p.tgz .", monkeypatch)
    assert fetch_npm("some-data@1.0.0", ["a", "b"]) == {"a": b"A", "b": b"B"}


def test_npm_is_called_for_the_package_alone(tmp_path, monkeypatch):
    pack(tmp_path / "p.tgz", {"package/a": b"A"})
    install(tmp_path / "bin", "npm", f'echo "$@" > {tmp_path}/words; cp {tmp_path}/p.tgz .', monkeypatch)
    fetch_npm("some-data@1.0.0", ["a"])
    words = (tmp_path / "words").read_text().split()
    assert words[0] == "pack"
    assert "--ignore-scripts" in words
    assert words[-2:] == ["--", "some-data@1.0.0"]


@pytest.mark.parametrize("members", [{"package/other": b"x"}, {"package/a": None}])
def test_a_package_without_the_file_or_with_a_link_is_told(tmp_path, monkeypatch, members):
    pack(tmp_path / "p.tgz", members)
    install(tmp_path / "bin", "npm", f"cp {tmp_path}/p.tgz .", monkeypatch)
    with pytest.raises(SourceFailedError, match="the package holds no a"):
        fetch_npm("some-data@1.0.0", ["a"])


BROKEN = "".join(f"\\{byte:03o}" for byte in gzip.compress(bytes(range(256)) * 40)[:90])


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no network' >&2; exit 7", "npm failed with status 7: no network"),
        ("exit 0", "npm pack gave no archive"),
        ("echo rubbish > p.tgz", "the archive of npm pack is broken"),
        (f"printf '{BROKEN}' > p.tgz", "the archive of npm pack is broken"),
        ("exec sleep 20", "npm did not end within 0 s"),
    ],
)
def test_failures_of_npm_are_told(tmp_path, monkeypatch, script, message):
    monkeypatch.setattr(fetch, "TOOL_TIMEOUT_S", 0.3)
    install(tmp_path / "bin", "npm", script, monkeypatch)
    with pytest.raises(SourceFailedError, match=message):
        fetch_npm("some-data@1.0.0", ["a"])


def test_a_missing_program_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceFailedError, match="npm is not installed"):
        fetch_npm("some-data@1.0.0", ["a"])
    with pytest.raises(SourceFailedError, match="apt-get is not installed"):
        fetch_debian("some-data", ["a"])


UNPACK = 'mkdir -p "$3/usr/share"; echo -n A > "$3/usr/share/a"; ln -s /etc/passwd "$3/usr/share/b"'


def test_debian_gives_its_files_but_follows_no_link(tmp_path, monkeypatch):
    install(tmp_path / "bin", "apt-get", "touch some-data_1_all.deb", monkeypatch)
    install(tmp_path / "bin", "dpkg", UNPACK, monkeypatch)
    assert fetch_debian("some-data", ["a"]) == {"a": b"A"}
    with pytest.raises(SourceFailedError, match="the package holds no b"):
        fetch_debian("some-data", ["b"])


def test_debian_fetches_its_own_lists_where_the_system_has_none(tmp_path, monkeypatch):
    script = f'echo "$@" >> {tmp_path}/calls; case "$*" in *Dir::State::Lists*) touch x.deb;; *) exit 100;; esac'
    install(tmp_path / "bin", "apt-get", script, monkeypatch)
    install(tmp_path / "bin", "dpkg", UNPACK, monkeypatch)
    assert fetch_debian("some-data", ["a"]) == {"a": b"A"}
    verbs = [line.split()[-2:] for line in (tmp_path / "calls").read_text().splitlines()]
    assert [verb[-1] for verb in verbs] == ["some-data", "update", "some-data"]


def test_both_failures_of_debian_are_told(tmp_path, monkeypatch):
    install(tmp_path / "bin", "apt-get", 'echo "E: no way" >&2; exit 100', monkeypatch)
    with pytest.raises(SourceFailedError, match="status 100: E: no way; with fresh package lists: apt-get failed"):
        fetch_debian("some-data", ["a"])
