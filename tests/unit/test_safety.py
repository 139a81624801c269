"""No pickle is loaded, and only what fetches data or weights can use the network."""

import os
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import competitive_mixtures
from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.array import Spec, prepare
from competitive_mixtures.data.picture_stores import ZipStore
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.inception import load_inception
from competitive_mixtures.files.formats import read_array, read_arrays, read_metadata, read_table, read_tensors

SOURCES = sorted(Path(competitive_mixtures.__file__).parent.rglob("*.py"))


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def read_own_data(path: Path) -> None:
    prepare(Spec(kind="array", path=str(path)), path.parent, path.parent / "out", "own")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("state.safetensors", read_tensors),
        ("state.safetensors", read_metadata),
        ("assignments.parquet", read_table),
        ("samples.npy", read_array),
        ("samples.npz", read_arrays),
        ("weights.pth", load_inception),
        ("own.npy", read_own_data),
        ("own.npz", read_own_data),
        ("train.npy", lambda path: load_dataset(path.parent)),
    ],
)
def test_a_pickle_under_another_name_is_refused_and_not_run(tmp_path, name, read):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol=0))
    with pytest.raises(UserError):
        read(path)
    assert not (tmp_path / "sprung").exists()


def test_the_code_has_no_way_to_load_a_pickle():
    for path in SOURCES:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (pickle|joblib|dill|shelve|marshal)\b", code, re.MULTILINE), path
        assert "allow_pickle=True" not in code, path
        assert code.count("torch.load(") == code.count("weights_only=True"), path
        assert len(re.findall(r"np\.load\(", code)) == len(re.findall(r"np\.load\([^)]*allow_pickle=False", code)), path
        assert not re.search(r"(?<![.\w])(eval|exec)\(|yaml\.(unsafe_|full_)?load\(|shell=True|extractall", code), path


def test_only_the_modules_that_fetch_can_use_the_network():
    able = re.compile(r"urllib\.request|AF_INET|http\.client|requests|download_file|\bnpm\b.*pack|apt-get")
    users = {path.name for path in SOURCES if able.search(path.read_text(encoding="utf-8"))}
    assert users <= {"fetch.py", "inception_weights.py", "celeba.py", "mnist.py"}


@pytest.mark.parametrize("name", ["own.npy", "own.npz"])
def test_an_array_of_objects_is_refused_and_not_run(tmp_path, name):
    array = np.array([[Trap(tmp_path / "sprung")]], dtype=object)
    path = tmp_path / name
    np.save(path, array, allow_pickle=True) if path.suffix == ".npy" else np.savez(path, x=array, allow_pickle=True)
    with pytest.raises(UserError, match="without Python objects"):
        read_own_data(path)
    assert not (tmp_path / "sprung").exists()


ALL_MODULES = """
import socket
def refuse(*_, **__):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import importlib, pkgutil, competitive_mixtures
for module in pkgutil.walk_packages(competitive_mixtures.__path__, "competitive_mixtures."):
    importlib.import_module(module.name)
"""


def test_importing_everything_uses_no_network():
    subprocess.run([sys.executable, "-W", "ignore", "-c", ALL_MODULES], check=True)


class TestArchives:
    """A zip archive of pictures is read in place: a member's name never becomes a path."""

    def test_names_that_lead_elsewhere_are_not_looked_at(self, tmp_path):
        path = tmp_path / "faces.zip"
        link = zipfile.ZipInfo("faces/link.jpg")
        link.external_attr = 0o120777 << 16
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("faces/1.jpg", "faces/../../up.jpg", "/etc/passwd", "faces//etc/passwd", "faces/a/b.jpg"):
                archive.writestr(name, b"content")
            archive.writestr(link, "/etc/passwd")
        store = ZipStore(path, "faces")
        assert store.names == {"1.jpg", "link.jpg"}
        assert store.read("link.jpg") == b"/etc/passwd"  # the link's own text; what it points to is not read
        assert sorted(os.listdir(tmp_path)) == ["faces.zip"]

    def test_a_bomb_of_arrays_is_refused_by_its_declared_size(self, tmp_path):
        path = tmp_path / "bomb.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", b"")
        content = bytearray(path.read_bytes())
        entry = content.find(b"PK\x01\x02")
        content[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")  # size once unpacked
        path.write_bytes(content)
        with pytest.raises(UserError):
            read_own_data(path)

    def test_an_archive_that_lies_about_its_size(self, tmp_path):
        path = tmp_path / "bomb.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", bytes(50_000_000))
        content = bytearray(path.read_bytes())
        for sign, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = content.find(sign) + offset
            content[place : place + 4] = (100).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"bomb\.npz"):
            read_own_data(path)


@pytest.mark.parametrize("name", ["own.npy", "own.npz", "state.safetensors", "assignments.parquet", "meta.json"])
def test_a_sparse_file_of_10_gb_is_refused_at_once(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    readers = {".npy": read_own_data, ".npz": read_own_data, ".safetensors": read_tensors, ".parquet": read_table}
    with pytest.raises(UserError, match=name):
        readers.get(path.suffix, lambda path: load_dataset(path.parent))(path)


def test_paths_with_spaces_and_letters_of_all_kinds(tmp_path):
    folder = tmp_path / "données à moi 数据 'q' $HOME"
    folder.mkdir()
    np.save(folder / "x y.npy", np.ones((5, 2)))
    read_own_data(folder / "x y.npy")
    assert len(load_dataset(folder / "out").train) == 4
