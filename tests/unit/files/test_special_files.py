"""Pipes, sockets, devices and folders under the name of a file: every reader refuses them at once, and says so."""

import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.data import array, celeba, images, load_dataset, mnist
from competitive_mixtures.data.format import write_dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.inception import load_inception
from competitive_mixtures.evaluation.inception_weights import find_weights
from competitive_mixtures.files.access import check_regular, read_regular
from competitive_mixtures.files.checksums import sha256_of
from competitive_mixtures.files.formats import read_array, read_json, read_metadata, read_table, read_tensors
from competitive_mixtures.files.tables import read_fields
from competitive_mixtures.settings.yaml_files import read_yaml

SECONDS = 30  # that a test may wait before it counts as hanging


@pytest.fixture(autouse=True)
def _no_hanging():
    def stop(*_):
        raise TimeoutError("the reader waits for ever")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def put_socket(path):
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's own path may not be long
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(before)


SPECIAL = {
    "a named pipe": os.mkfifo,
    "a socket": put_socket,
    "a folder": os.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


def put(path: Path, found: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    SPECIAL[found](path)
    return path


def prepare_array(path):
    array.prepare(array.Spec(kind="array", path=str(path)), path.parent, path.parent / "out", "own")


READERS = {
    "state.json": read_json,
    "table.parquet": read_table,
    "state.safetensors": read_tensors,
    "header.safetensors": read_metadata,
    "estimator.safetensors": CompetitiveMixture.load,
    "scores.csv": read_fields,
    "samples.npy": read_array,
    "own.npz": prepare_array,
    "own.npy": prepare_array,
    "weights.pth": load_inception,
    "inception.pth": find_weights,
    "params.yaml": read_yaml,
}


@pytest.mark.parametrize("found", SPECIAL)
@pytest.mark.parametrize("name", READERS)
def test_every_reader_names_what_it_found(tmp_path, name, found):
    path = put(tmp_path / name, found)
    with pytest.raises(UserError, match=f"{name}.*{found}") as caught:
        READERS[name](path)
    assert any(word in str(caught.value) for word in ("expected", "restore it"))


@pytest.mark.parametrize("found", ["a named pipe", "a socket", "a device"])
def test_a_picture(tmp_path, found):
    for number in range(3):
        Image.new("RGB", (9, 9)).save(tmp_path / f"{number}.png")
    put(tmp_path / "pipe.PNG", found)
    spec = images.Spec(kind="images", path=str(tmp_path), size=8)
    with pytest.raises(UserError, match=rf"pipe\.PNG: found {found}; expected a picture"):
        spec.list_files()
    with pytest.raises(UserError, match=rf"pipe\.PNG: not a readable picture: {found}; replace it"):
        images.prepare(spec, tmp_path, tmp_path / ".out", "own")


@pytest.mark.parametrize("found", ["a named pipe", "a socket", "a device"])
def test_what_is_no_picture_by_its_name_is_not_opened(tmp_path, found, capsys):
    for number in range(3):
        Image.new("RGB", (9, 9)).save(tmp_path / f"{number}.png")
    put(tmp_path / "pipe", found)
    images.prepare(images.Spec(kind="images", path=str(tmp_path), size=8), tmp_path, tmp_path / ".out", "own")
    assert "1 file passed over: pipe" in capsys.readouterr().err


@pytest.mark.parametrize("found", ["a named pipe", "a socket", "a device"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("list_attr_celeba.txt", "expected a text file, found: "),
        ("list_eval_partition.txt", "expected a text file, found: "),
        ("img_align_celeba.zip", r"not a readable zip archive \("),
        ("img_align_celeba/000001.jpg", "not a readable picture: "),
    ],
)
def test_files_of_celeba(tmp_path, name, message, found):
    pictures = tmp_path / "img_align_celeba"
    if "/" in name:
        pictures.mkdir()
        Image.new("RGB", (178, 218)).save(pictures / "000002.jpg")
    texts = {
        "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 2\n",
        "list_attr_celeba.txt": "2\nMale\n000001.jpg 1\n000002.jpg -1\n",
    }
    for file, text in texts.items():
        if file != name:
            (tmp_path / file).write_text(text)
    if not (pictures.exists() or name.endswith(".zip")):
        pictures.mkdir()
    put(tmp_path / name, found)
    spec = celeba.Spec(kind="celeba", path=str(tmp_path), size=8, crop=100, label="Male")
    with pytest.raises(UserError, match=rf"{Path(name).name}.*: {message}{found}"):
        celeba.prepare(spec, tmp_path, tmp_path / "out", "faces")


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("found", SPECIAL)
def test_files_of_mnist(tmp_path, found, suffix):
    put(tmp_path / f"train-images-idx3-ubyte{suffix}", found)
    md5 = dict.fromkeys(("train", "train_labels", "test", "test_labels"), "0" * 32)
    spec = mnist.Spec(kind="idx", mirrors=[], md5=md5)
    with pytest.raises(UserError, match=rf"train-images-idx3-ubyte{suffix}: cannot be read \({found}\)"):
        mnist.download(spec, tmp_path)


@pytest.mark.parametrize("found", SPECIAL)
@pytest.mark.parametrize("name", ["train.npy", "meta.json"])
def test_processed_data(tmp_path, found, name):
    points = np.zeros((3, 2), np.float32)
    write_dataset(tmp_path, "own", {"train": points, "test": points}, {})
    (tmp_path / name).unlink()
    put(tmp_path / name, found)
    for verify in (False, True):
        with pytest.raises(UserError, match=found):
            load_dataset(tmp_path, verify=verify)


def test_a_checksum_of_an_endless_device_is_refused():
    with pytest.raises(OSError, match="a device"):
        sha256_of(Path("/dev/zero"))


class TestReadRegular:
    def test_links_are_followed(self, tmp_path):
        (tmp_path / "file").write_bytes(b"abc")
        (tmp_path / "link").symlink_to("file")
        assert check_regular(tmp_path / "link") == 3
        assert read_regular(tmp_path / "link", 3) == b"abc"

    def test_no_more_than_the_limit(self, tmp_path):
        (tmp_path / "file").write_bytes(b"abc")
        with pytest.raises(OSError, match="3 bytes, expected at most 2"):
            read_regular(tmp_path / "file", 2)

    def test_no_more_than_the_stated_size(self):
        assert read_regular("/proc/self/status", 100) == b""  # the kernel says 0 bytes, and gives many

    def test_links_in_a_circle_and_names_that_no_file_has(self, tmp_path):
        (tmp_path / "a").symlink_to("a")
        with pytest.raises(OSError, match="symbolic links"):
            check_regular(tmp_path / "a")
        with pytest.raises(OSError, match="no name of a file"):
            check_regular("a\0b")
        with pytest.raises(UserError, match="expected a safetensors file"):
            CompetitiveMixture.load("a\0b")
