"""CelebA's real layout, small: as a folder and as an archive, whole, odd, partial, broken and hostile."""

import io
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from competitive_mixtures.data import celeba, load_dataset
from competitive_mixtures.data.celeba import Spec, download, prepare
from competitive_mixtures.errors import UserError

NAMES = [f"{number:06d}.jpg" for number in range(1, 11)]
PARTITION = dict(zip(NAMES, "0000001122", strict=True))
ATTRIBUTES = ["Bald", "Male", "Smiling"]
VALUES = {name: [row % 2, row % 3 == 0, 1] for row, name in enumerate(NAMES)}


def picture(row, mode="RGB"):
    pixels = np.full((218, 178, 3), 20 * row, np.uint8)
    pixels[:39] = pixels[-39:] = 255  # outside the crop of 140
    return Image.fromarray(pixels).convert(mode)


def encode(image, kind="JPEG"):
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    for row, name in enumerate(NAMES):
        (folder / "img_align_celeba" / name).write_bytes(encode(picture(row)))
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {part}\n" for name, part in PARTITION.items()))
    lines = [f"{name}  " + "  ".join("1" if value else "-1" for value in VALUES[name]) for name in NAMES]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(len(NAMES)), " ".join(ATTRIBUTES) + " ", *lines, ""]))
    return folder


def make_spec(path, **changes):
    return Spec(**({"kind": "celeba", "path": path and str(path), "size": 64, "crop": 140, "label": "Male"} | changes))


def load(path, out):
    spec = make_spec(path)
    download(spec, out / "raw")
    prepare(spec, out / "raw", out / "out", "faces")
    return load_dataset(out / "out", verify=True)


def zip_images(folder, extra=()):
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        archive.writestr("img_align_celeba/", b"")
        for path in sorted((folder / "img_align_celeba").iterdir()):
            archive.write(path, f"img_align_celeba/{path.name}")
        for name, data in extra:
            archive.writestr(name, data)
    shutil.rmtree(folder / "img_align_celeba")
    return folder / "img_align_celeba.zip"


def check(dataset):
    assert (dataset.kind, dataset.shape) == ("image", (3, 64, 64))
    assert (len(dataset.train), len(dataset.test)) == (6, 2)
    for images, rows in ((dataset.train, range(6)), (dataset.test, (8, 9))):
        for image, row in zip(images, rows, strict=True):
            assert np.abs(image.astype(int) - 20 * row).max() <= 3  # the white border is cut off
    assert dataset.train_labels.tolist() == [1, 0, 0, 1, 0, 0]
    assert dataset.test_labels.tolist() == [0, 1]
    assert dataset.meta["label_names"] == ["not Male", "Male"]


def test_a_folder(folder, tmp_path):
    check(load(folder, tmp_path))


def test_a_folder_with_an_archive(folder, tmp_path):
    zip_images(folder)
    check(load(folder, tmp_path))


def test_an_archive_by_its_name(folder, tmp_path):
    check(load(zip_images(folder), tmp_path))


def test_files_in_the_raw_folder_need_no_download(folder, tmp_path):
    spec = make_spec(None)
    assert download(spec, folder) == {"downloaded": []}
    prepare(spec, folder, tmp_path / "out", "faces")
    check(load_dataset(tmp_path / "out"))


def test_all_attributes_are_kept(folder, tmp_path):
    dataset = load(folder, tmp_path)
    attributes = np.load(tmp_path / "out" / "train_attributes.npy")
    assert attributes.dtype == np.int8
    assert attributes.tolist() == [[int(value) for value in VALUES[name]] for name in NAMES[:6]]
    assert dataset.meta["attribute_names"] == ATTRIBUTES


def test_odd_images_are_converted(folder, tmp_path):
    images = folder / "img_align_celeba"
    (images / NAMES[1]).write_bytes(encode(picture(1, "L")))
    (images / NAMES[2]).write_bytes(encode(picture(2, "RGBA"), "PNG"))
    (images / NAMES[3]).write_bytes(encode(picture(3).quantize(8), "PNG"))
    check(load(folder, tmp_path))


@pytest.mark.parametrize("archived", [False, True])
def test_broken_images_are_one_error_that_names_the_first(folder, tmp_path, archived):
    for name in (NAMES[2], NAMES[4]):
        path = folder / "img_align_celeba" / name
        path.write_bytes(path.read_bytes()[:300])
    path = zip_images(folder) if archived else folder
    with pytest.raises(UserError, match=r"000003\.jpg: not a readable picture: .*\(1 more pictures are broken too\)"):
        load(path, tmp_path)
    assert not (tmp_path / "out" / "meta.json").exists()


@pytest.mark.parametrize("archived", [False, True])
def test_missing_images_are_named_with_the_place_to_get_them(folder, tmp_path, archived):
    (folder / "img_align_celeba" / NAMES[4]).unlink()
    (folder / "img_align_celeba" / NAMES[8]).unlink()
    path = zip_images(folder) if archived else folder
    with pytest.raises(
        UserError, match=r"000005\.jpg and 1 more not found.*get the file again from https.* put it into"
    ):
        load(path, tmp_path)


def test_an_image_of_the_unused_part_may_be_missing(folder, tmp_path):
    (folder / "img_align_celeba" / NAMES[6]).unlink()
    check(load(folder, tmp_path))


@pytest.mark.parametrize("name", ["list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba"])
def test_a_missing_part_of_the_layout_is_named(folder, tmp_path, name):
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=rf"{name}.* not found; `path` names a place .*Get the aligned images"):
        download(make_spec(folder), tmp_path)
    with pytest.raises(UserError, match=rf"{name}.* not found"):
        prepare(make_spec(folder), tmp_path, tmp_path / "out", "faces")


def test_a_failed_download_says_where_to_get_what_and_where_to_put_it(tmp_path, monkeypatch):
    def fail(name, folder):
        raise RuntimeError("no network,\n  no file.")

    monkeypatch.setattr(celeba, "_fetch", fail)
    with pytest.raises(UserError) as caught:
        download(make_spec(None), tmp_path / "raw")
    message = str(caught.value)
    assert "list_attr_celeba.txt, list_eval_partition.txt, img_align_celeba.zip not found" in message
    assert "the download failed: no network, no file. Get the aligned images" in message
    assert f"put them into {tmp_path / 'raw'}/" in message


def test_a_download_fetches_what_is_missing(folder, monkeypatch):
    texts = {path.name: path.read_bytes() for path in folder.glob("*.txt")}
    (folder / "list_attr_celeba.txt").unlink()
    monkeypatch.setattr(celeba, "_fetch", lambda name, place: (place / name).write_bytes(texts[name]))
    metadata = download(make_spec(None), folder)
    assert metadata == {"downloaded": ["list_attr_celeba.txt"], "from": "Google Drive, by torchvision"}


@pytest.mark.parametrize("data", [b"", b"no archive", None])
def test_a_broken_archive_is_named(folder, tmp_path, data):
    path = zip_images(folder)
    path.write_bytes(path.read_bytes()[:2000] if data is None else data)
    with pytest.raises(UserError, match=r"img_align_celeba\.zip: not a readable zip archive"):
        load(folder, tmp_path)


def test_a_damaged_member_is_named(folder, tmp_path):
    path = zip_images(folder)
    data = bytearray(path.read_bytes())
    data[data.index(NAMES[2].encode()) + 600] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"000003\.jpg: not a readable picture: Bad CRC"):
        load(folder, tmp_path)


def test_members_outside_the_expected_folder_are_never_touched(folder, tmp_path):
    before = {path for path in tmp_path.rglob("*") if "img_align_celeba" not in str(path)}
    hostile = [
        ("../evil.jpg", b"x"),
        ("/evil.jpg", b"x"),
        ("img_align_celeba/../../evil.jpg", b"x"),
        ("evil.jpg", b"x"),
    ]
    check(load(zip_images(folder, hostile), tmp_path))
    after = {path for path in tmp_path.rglob("*") if "img_align_celeba" not in str(path)}
    assert {path.relative_to(tmp_path).parts[0] for path in after - before} <= {"out", "raw"}
    assert not list(tmp_path.rglob("evil.jpg"))


def test_a_member_that_would_fill_the_memory_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("competitive_mixtures.data.picture_stores.MAX_BYTES", 10_000)
    (folder / "img_align_celeba" / NAMES[0]).write_bytes(bytes(20_000))
    with pytest.raises(UserError, match=r"000001\.jpg: not a readable picture: 20000 bytes, at most 10000"):
        load(zip_images(folder), tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("../../../etc/passwd 0", "expected a file name and 0, 1 or 2"),
        ("/etc/passwd 0", "expected a file name"),
        ("..jpg 0", "expected a file name"),
        ("000011.jpg", "line 11: found '000011.jpg'"),
        ("000011.jpg 3", "expected a file name and 0, 1 or 2"),
        ("000011.jpg 0", r"000011\.jpg not found"),
    ],
)
def test_a_wrong_line_of_the_partition_is_named(folder, tmp_path, line, message):
    with (folder / "list_eval_partition.txt").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UserError, match=message):
        load(folder, tmp_path)


def test_a_partition_without_test_images_is_named(folder, tmp_path):
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} 0\n" for name in NAMES))
    with pytest.raises(UserError, match=r"no image of part 2 \(test\)"):
        load(folder, tmp_path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: "", "expected a line with the number of images"),
        (lambda text: text.replace("10\n", "11\n", 1), "10 images, but the first line says 11"),
        (lambda text: text.replace("000004.jpg  1", "000004.jpg  2", 1), "line 6: expected a file name and 3 values"),
        (lambda text: text.replace("000004.jpg", "000044.jpg", 1), r"list_attr_celeba.txt: 000004\.jpg not found"),
        (lambda text: text.replace("Male", "Famous"), "label = 'Male' is no attribute of CelebA; expected one of Bald"),
    ],
)
def test_a_wrong_list_of_attributes_is_named(folder, tmp_path, edit, message):
    path = folder / "list_attr_celeba.txt"
    text = path.read_text()
    assert edit(text) != text
    path.write_text(edit(text))
    with pytest.raises(UserError, match=message):
        load(folder, tmp_path)


def test_a_list_that_is_no_text_is_named(folder, tmp_path):
    (folder / "list_attr_celeba.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"list_attr_celeba\.txt: expected a text file"):
        load(folder, tmp_path)


@pytest.mark.parametrize("changes", [{"size": 0}, {"crop": 179}, {"size": 100, "crop": 64}, {"label": ""}])
def test_wrong_values_are_refused(changes):
    with pytest.raises(ValidationError):
        make_spec("somewhere", **changes)
