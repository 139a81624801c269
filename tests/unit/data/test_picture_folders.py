"""Nothing that lies below a folder of pictures is lost without a word: links, odd names, depth, litter."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from competitive_mixtures.data import load_dataset, picture_folders
from competitive_mixtures.data.images import Spec, prepare
from competitive_mixtures.data.picture_folders import find_pictures
from competitive_mixtures.data.pictures import FORMATS, SUFFIXES
from competitive_mixtures.errors import UserError


def put(path, colour=(0, 0, 0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 9), colour).save(path, "PNG")


def make(folder, out):
    prepare(Spec(kind="images", path=str(folder), size=8), out, out / "out", "own")
    return load_dataset(out / "out", verify=True)


@pytest.fixture
def pets(tmp_path):
    folder = tmp_path / "pets"
    for number in range(4):
        put(folder / "cats" / f"{number}.png")
        put(folder / "dogs" / f"{number}.png")
    return folder


class TestLinks:
    def test_a_class_on_another_disk(self, pets, tmp_path, capsys):
        disk = tmp_path / "disk"
        disk.mkdir()
        shutil.move(pets / "cats", disk / "felines")
        (pets / "cats").symlink_to(disk / "felines")
        dataset = make(pets, tmp_path)
        assert len(dataset.train) + len(dataset.test) == 8
        assert dataset.meta["label_names"] == ["cats", "dogs"]
        assert "8 pictures, labelled by subfolder: cats (4), dogs (4)" in capsys.readouterr().err

    def test_a_picture_a_deeper_folder_and_the_folder_itself(self, pets, tmp_path):
        put(tmp_path / "disk" / "young" / "9.png")
        (pets / "cats" / "4.png").symlink_to(tmp_path / "disk" / "young" / "9.png")
        (pets / "dogs" / "young").symlink_to("../../disk/young")  # relative
        (tmp_path / "link").symlink_to(pets)
        found = find_pictures(tmp_path / "link").pictures
        assert len(found) == 10
        assert {"cats/4.png", "dogs/young/9.png"} <= set(found)

    def test_a_change_behind_a_link_shows(self, pets, tmp_path):
        put(tmp_path / "disk" / "9.png")
        (pets / "birds").symlink_to(tmp_path / "disk")
        spec = Spec(kind="images", path=str(pets), size=8)
        before = spec.list_files()
        put(tmp_path / "disk" / "10.png")
        assert len(spec.list_files()) == len(before) + 1

    @pytest.mark.parametrize("target", [".", "..", "../dogs/back", "../../pets"])
    def test_a_loop_ends_and_is_told(self, pets, tmp_path, capsys, target):
        (pets / "dogs" / "back").symlink_to("../cats")
        (pets / "cats" / "again").symlink_to(target)
        found = find_pictures(pets)
        assert len([name for name in found.pictures if name.count("/") == 1]) == 8
        assert "cats/again" in found.loops
        make(pets, tmp_path)
        assert "passed over, back to a folder it lies in: cats/again" in capsys.readouterr().err

    def test_links_to_nothing_are_told(self, pets, tmp_path, capsys):
        (pets / "birds").symlink_to("nowhere")
        (pets / "self").symlink_to("self")
        make(pets, tmp_path)
        assert "2 files passed over: birds, self (names" in capsys.readouterr().err

    def test_folders_that_all_link_to_each_other_end_in_a_sentence(self, tmp_path):
        names = [f"f{number}" for number in range(12)]  # 12! ways through them
        for name in names:
            put(tmp_path / "net" / name / "0.png")
            for other in names:
                (tmp_path / "net" / name / other).symlink_to(f"../{other}")
        with pytest.raises(UserError, match="more than 100 links lead there"):
            find_pictures(tmp_path / "net")


class TestNames:
    def test_all_names_that_pillow_has_for_the_formats(self):
        Image.init()
        registered = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
        assert registered - SUFFIXES == {".pfm"}  # floating-point numbers, which are no picture

    @pytest.mark.parametrize(
        "name", ["a.jfif", "a.jpe", "b.JPG", "b.Tif", "c.TIFF", "d.webp", "e.pbm", "f.pnm", "g.AVIF"]
    )
    def test_less_common_names_are_read(self, pets, name):
        put(pets / "cats" / name)
        assert f"cats/{name}" in find_pictures(pets).pictures

    def test_what_is_passed_over_is_counted_and_named(self, pets, tmp_path, capsys):
        for name in ("a.svg", "cats/b.HEIC", "dogs/notes.txt", "dogs/no_suffix"):
            (pets / name).write_text("x")
        dataset = make(pets, tmp_path)
        assert "4 files passed over: a.svg, cats/b.HEIC, dogs/no_suffix, dogs/notes.txt" in capsys.readouterr().err
        assert dataset.meta["passed_over"] == {"": 1, ".heic": 1, ".svg": 1, ".txt": 1}

    def test_many_are_counted_and_the_first_are_named(self, pets, tmp_path, capsys):
        for number in range(9):
            (pets / f"{number}.txt").write_text("x")
        make(pets, tmp_path)
        assert "9 files passed over: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more" in capsys.readouterr().err

    def test_litter_is_not_worth_a_word(self, pets, tmp_path, capsys):
        for name in (".DS_Store", "Thumbs.db", "cats/desktop.ini", "__MACOSX/cats/._0.png", "cats/._0.png"):
            (pets / name).parent.mkdir(parents=True, exist_ok=True)
            (pets / name).write_text("x")
        dataset = make(pets, tmp_path)
        assert "passed over" not in capsys.readouterr().err
        assert dataset.meta["passed_over"] == {}
        assert dataset.meta["label_names"] == ["cats", "dogs"]

    def test_a_folder_named_like_a_picture_is_a_folder(self, pets):
        put(pets / "cats" / "good.png" / "0.png")
        assert "cats/good.png/0.png" in find_pictures(pets).pictures


def test_a_picture_without_a_subfolder_and_the_labels_that_it_costs(pets, tmp_path, capsys):
    put(pets / "parrot.png")
    assert make(pets, tmp_path).train_labels is None
    assert "no labels, since of 9 pictures parrot.png" in capsys.readouterr().err


def test_a_class_without_pictures_is_told(pets, tmp_path, capsys):
    (pets / "birds" / "young").mkdir(parents=True)
    make(pets, tmp_path)
    assert "1 folder without a picture: birds" in capsys.readouterr().err


def test_pictures_at_any_depth_are_read(tmp_path):
    path = tmp_path / "deep"
    for _ in range(300):
        path = path / "a"
    put(path / "0.png")
    assert len(find_pictures(tmp_path / "deep").pictures) == 1


def test_a_folder_that_cannot_be_read_is_no_empty_one(pets, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("dogs"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(picture_folders.os, "scandir", refuse)
    with pytest.raises(UserError, match=r"pets/dogs: the folder cannot be read \(Permission denied\)"):
        find_pictures(pets)


def test_an_archive_is_to_be_unpacked(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"pets\.zip: not a folder.*unpack the archive"):
        find_pictures(tmp_path / "pets.zip")


class TestUnprintableNames:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            (b"caf\xe9", r"caf\xe9"),
            (b"a\nb", r"a\nb"),
            (b"\x1b[31mred", r"\x1b[31mred"),
            ("\u202ecba".encode(), r"\u202ecba"),
        ],
    )
    def test_labels_are_escaped_and_files_are_found_again(self, pets, tmp_path, name, shown, capsys):
        shutil.move(pets / "dogs", os.path.join(os.fsencode(pets), name).decode("utf-8", "surrogateescape"))
        dataset = make(pets, tmp_path)
        assert set(dataset.meta["label_names"]) == {"cats", shown}
        dataset.meta["label_names"][0].encode("utf-8")
        assert f"{shown} (4)" in capsys.readouterr().err
        assert all((pets / str(file)).is_file() for file in np.load(tmp_path / "out" / "train_files.npy"))

    def test_broken_pictures_are_named_in_one_line(self, pets, tmp_path):
        (pets / "cats" / "a\nb.png").write_bytes(b"")
        with pytest.raises(UserError, match=r"cats/a\\nb\.png: not a readable picture: the file is empty"):
            make(pets, tmp_path)

    def test_names_as_long_as_a_file_system_takes(self, pets, tmp_path):
        shutil.move(pets / "dogs", pets / ("d" * 255))
        put(pets / "cats" / f"{'c' * 251}.png")
        assert make(pets, tmp_path).meta["label_names"] == ["cats", "d" * 255]
