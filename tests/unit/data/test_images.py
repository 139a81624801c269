"""A folder of pictures: found in a fixed order, labelled by subfolder, and refused by name."""

import numpy as np
import pytest
from PIL import Image

from competitive_mixtures.data import load_dataset
from competitive_mixtures.data.images import Spec, prepare
from competitive_mixtures.data.picture_folders import find_pictures
from competitive_mixtures.errors import UserError


def put(path, colour, size=(20, 12)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def make(folder, out, **changes):
    prepare(Spec(**({"kind": "images", "path": str(folder), "size": 8} | changes)), out / "raw", out / "out", "own")
    return load_dataset(out / "out", verify=True)


@pytest.fixture
def pets(tmp_path):
    folder = tmp_path / "my pets ü"
    for number in range(6):
        put(folder / "cats" / f"{number}.png", (10 * number, 0, 0))
        put(folder / "dogs" / "old" / f"{number}.jpeg", (0, 0, 10 * number))
    (folder / "notes.txt").write_text("not a picture")
    put(folder / ".thumbnails" / "cats" / "0.png", (0, 0, 0))
    return folder


def test_subfolders_are_labels(pets, tmp_path):
    dataset = make(pets, tmp_path, test_fraction=0.25)
    assert (dataset.shape, len(dataset.train), len(dataset.test)) == ((3, 8, 8), 9, 3)
    assert dataset.meta["label_names"] == ["cats", "dogs"]
    for split in ("train", "test"):
        files = np.load(tmp_path / "out" / f"{split}_files.npy")
        for image, label, file in zip(getattr(dataset, split), getattr(dataset, f"{split}_labels"), files, strict=True):
            assert file.startswith(dataset.meta["label_names"][label])
            expected = 10 * int(file.split("/")[-1].split(".")[0])
            assert np.abs(image[2 if label else 0].astype(int) - expected).max() <= 3


def test_pictures_beside_subfolders_mean_no_labels(pets, tmp_path):
    put(pets / "parrot.png", (0, 9, 0))
    assert make(pets, tmp_path).train_labels is None


def test_the_order_is_alphabetical_and_hidden_files_are_passed_over(pets):
    files = find_pictures(pets).pictures
    assert files == sorted(files)
    assert len(files) == 12


def test_grey(pets, tmp_path):
    assert make(pets, tmp_path, channels=1).shape == (1, 8, 8)


def test_the_same_folder_gives_the_same_bytes(pets, tmp_path):
    first, again = (make(pets, tmp_path / name) for name in ("a", "b"))
    assert first.meta == again.meta


def test_a_broken_picture_is_named(pets, tmp_path):
    (pets / "cats" / "3.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"cats/3\.png: not a readable picture"):
        make(pets, tmp_path)


def test_a_link_to_nowhere_is_named(pets, tmp_path):
    (pets / "cats" / "7.png").symlink_to("nowhere.png")
    with pytest.raises(UserError, match=r"cats/7\.png: not a readable picture: No such file"):
        make(pets, tmp_path)


@pytest.mark.parametrize("number", [0, 1])
def test_too_few_pictures_are_refused(tmp_path, number):
    folder = tmp_path / "few"
    folder.mkdir()
    for row in range(number):
        put(folder / f"{row}.png", (0, 0, 0))
    with pytest.raises(UserError, match=rf"few: {number} pictures .*; expected at least 2"):
        make(folder, tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere: not a folder"):
        make(tmp_path / "nowhere", tmp_path)


class TestListedFiles:
    def test_a_change_in_a_subfolder_shows(self, pets):
        spec = Spec(kind="images", path=str(pets), size=8)
        lists = [spec.list_files()]
        assert [name for name, _, _ in lists[0]] == [str(pets / name) for name in find_pictures(pets).pictures]
        put(pets / "dogs" / "old" / "2.jpeg", (200, 0, 0), size=(30, 30))
        lists.append(spec.list_files())
        (pets / "dogs" / "old" / "3.jpeg").unlink()
        lists.append(spec.list_files())
        put(pets / "birds" / "é 0.png", (0, 0, 0))
        lists.append(spec.list_files())
        assert len({str(files) for files in lists}) == 4
        (pets / "notes.txt").write_text("still not a picture")
        assert spec.list_files() == lists[-1]

    def test_a_missing_folder_and_a_dead_link_are_named(self, pets):
        with pytest.raises(UserError, match="nowhere: not a folder"):
            Spec(kind="images", path=str(pets / "nowhere"), size=8).list_files()
        (pets / "cats" / "7.png").symlink_to("nowhere.png")
        with pytest.raises(UserError, match=r"cats/7\.png: not found; expected a picture"):
            Spec(kind="images", path=str(pets), size=8).list_files()


class TestClassifier:
    def test_enough(self, tmp_path):
        for number in range(140):
            put(tmp_path / "signs" / f"{number % 2}" / f"{number}.png", (number, 0, 0), size=(8, 8))
        assert len(make(tmp_path / "signs", tmp_path, classifier=True, test_fraction=0.5).test_labels) == 70

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({}, "1 test images; expected more than the 64 features"),
            ({"size": 6}, r"points of shape \(3, 6, 6\); expected images of at least 8 pixels"),
        ],
    )
    def test_what_it_could_not_learn_from(self, pets, tmp_path, changes, message):
        with pytest.raises(UserError, match=rf"my pets ü: classifier: true: found {message}"):
            make(pets, tmp_path, classifier=True, **changes)
        assert not (tmp_path / "out").exists()

    def test_no_labels(self, pets, tmp_path):
        put(pets / "parrot.png", (0, 9, 0))
        with pytest.raises(UserError, match="images without labels; expected one for each, or a subfolder"):
            make(pets, tmp_path, classifier=True)
