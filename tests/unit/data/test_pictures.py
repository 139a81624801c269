"""Pictures of every sort become small uint8 arrays; broken ones are counted and named."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from competitive_mixtures.data import pictures
from competitive_mixtures.data.pictures import FORMATS, BrokenPictureError, read_picture, stack_pictures
from competitive_mixtures.errors import UserError


def encode(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def solid(mode, colour, size=(30, 20)):
    return Image.new(mode, size, colour)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (solid("RGB", (10, 20, 30)), (10, 20, 30)),
        (solid("RGBA", (10, 20, 30, 128)), (10, 20, 30)),
        (solid("L", 77), (77, 77, 77)),
        (solid("LA", (77, 0)), (77, 77, 77)),
        (solid("1", 1), (255, 255, 255)),
        (solid("RGB", (10, 20, 30)).quantize(4), (10, 20, 30)),
        (solid("RGBA", (10, 20, 30, 255)).quantize(4), (10, 20, 30)),
        (Image.fromarray(np.full((20, 30), 77 * 256 + 5, np.uint16)), (77, 77, 77)),
    ],
)
def test_every_mode_becomes_rgb(image, expected):
    pixels = read_picture(encode(image), 8, 3)
    assert pixels.shape == (3, 8, 8)
    assert pixels.dtype == np.uint8
    assert (pixels == np.array(expected)[:, None, None]).all()


def test_colour_becomes_luminance_for_one_channel():
    pixels = read_picture(encode(solid("RGB", (255, 0, 0))), 8, 1)
    assert pixels.shape == (1, 8, 8)
    assert (pixels == round(0.299 * 255)).all()


def test_a_cmyk_jpeg_is_read():
    assert (read_picture(encode(solid("CMYK", (0, 0, 0, 0)), "JPEG"), 8, 3) == 255).all()


def test_the_centre_is_cut_out():
    pixels = np.zeros((12, 10, 3), np.uint8)
    pixels[3:9, 2:8] = np.arange(36).reshape(6, 6, 1)
    cropped = read_picture(encode(Image.fromarray(pixels)), 6, 3, crop=6)
    assert np.array_equal(cropped, np.broadcast_to(np.arange(36).reshape(6, 6), (3, 6, 6)))


def test_without_a_crop_the_largest_square_is_taken():
    pixels = np.zeros((4, 10), np.uint8)
    pixels[:, 3:7] = 200
    assert (read_picture(encode(Image.fromarray(pixels)), 4, 1) == 200).all()


def test_shrinking_smooths_fine_texture():
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = read_picture(encode(Image.fromarray(checks)), 16, 1)
    assert np.abs(small.astype(int) - 127.5).max() < 10


def test_a_picture_lying_on_its_side_is_turned():
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:4] = 255  # bright above, stored rotated by a quarter
    exif = Image.Exif()
    exif[0x0112] = 6
    rotated = Image.fromarray(np.rot90(pixels))
    upright = read_picture(encode(rotated, "PNG", exif=exif), 8, 1)[0]
    assert np.array_equal(upright, pixels)


JPEG = encode(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)), "JPEG")
PNG = encode(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)))


@pytest.mark.parametrize(
    "data", [b"", b"no picture", JPEG[:200], JPEG[: len(JPEG) // 2], PNG[:60], PNG[: len(PNG) // 2]]
)
def test_broken_bytes_are_refused(data):
    with pytest.raises(BrokenPictureError):
        read_picture(data, 8, 3)


def test_formats_that_start_programs_are_not_read():
    with pytest.raises(BrokenPictureError, match="expected one of JPEG, PNG"):
        read_picture(encode(solid("RGB", 0), "EPS"), 8, 3)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
            "a text file, such as a web page or a",
        ),
        (b"<html>404</html>", "a text file"),
        (bytes(100), "cannot identify its format"),
        (b"\xff\xd8\xff", "cannot identify its format"),
    ],
)
def test_what_stands_in_a_pictures_place_is_told(data, found):
    with pytest.raises(BrokenPictureError, match=f"^{found}.*; expected one of JPEG"):
        read_picture(data, 8, 3)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 500)
    with pytest.raises(BrokenPictureError, match="30x20 pixels, at most 500"):
        read_picture(encode(solid("L", 0)), 8, 1)


def test_a_picture_smaller_than_the_crop_is_refused():
    with pytest.raises(BrokenPictureError, match="30x20 pixels; expected at least 25x25"):
        read_picture(encode(solid("L", 0)), 8, 1, crop=25)


def test_floating_point_pixels_are_refused():
    with pytest.raises(BrokenPictureError, match="floating-point numbers without a known white"):
        read_picture(encode(Image.fromarray(np.zeros((9, 9), np.float32)), "TIFF"), 8, 1)


def test_pictures_are_stacked_in_blocks(monkeypatch, capsys):
    monkeypatch.setattr(pictures, "CHUNK", 4)
    rows = {str(row): np.full((1, 2, 2), row, np.uint8) for row in range(10)}
    chunks = stack_pictures(list(rows), rows.__getitem__, (1, 2, 2))
    blocks = list(chunks.blocks)
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert np.array_equal(np.concatenate(blocks), np.stack(list(rows.values())))
    assert chunks.shape == (10, 1, 2, 2)
    assert "pictures: 10 of 10" in capsys.readouterr().err


@pytest.mark.parametrize(("broken", "more"), [(["3"], ""), (["3", "5", "9"], r" \(2 more pictures are broken too\)")])
def test_broken_pictures_are_one_error(broken, more):
    def read(name):
        if name in broken:
            raise BrokenPictureError("cut short")
        return np.zeros((1, 2, 2), np.uint8)

    with pytest.raises(UserError, match=f"3: not a readable picture: cut short{more}; replace"):
        list(stack_pictures([str(row) for row in range(10)], read, (1, 2, 2)).blocks)


class TestDeepGrey:
    NUMBERS = np.array([[0, 256], [77 * 256 + 5, 65535]], np.uint16)

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bits_as_pillow_writes_them(self, kind):
        assert read_picture(encode(Image.fromarray(self.NUMBERS), kind), 2, 1)[0].tolist() == [[0, 1], [77, 255]]

    def test_a_16_bit_pgm(self):
        data = b"P5 2 2 65535\n" + self.NUMBERS.astype(">u2").tobytes()
        assert read_picture(data, 2, 1)[0].tolist() == [[0, 1], [77, 255]]

    def test_a_pgm_in_words_with_a_white_of_its_own(self):
        assert read_picture(b"P2 2 2 1000\n0 500 250 1000\n", 2, 1)[0].tolist() == [[0, 128], [64, 255]]

    def test_32_bits_are_refused_in_words(self):
        image = Image.fromarray(np.zeros((9, 9), np.int32))
        with pytest.raises(BrokenPictureError, match="32-bit integers without a known white; expected 8 or 16 bits"):
            read_picture(encode(image, "TIFF"), 8, 1)

    def test_a_deep_picture_lying_on_its_side_is_turned(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        rotated = Image.fromarray(np.rot90(self.NUMBERS).copy())
        assert read_picture(encode(rotated, "PNG", exif=exif), 2, 1)[0].tolist() == [[0, 1], [77, 255]]


@given(st.sampled_from([JPEG, PNG]), st.data())
def test_no_error_names_a_buffer_instead_of_the_file(content, data):
    damaged = bytearray(content)
    start = data.draw(st.integers(0, len(content)))
    damaged[start : start + data.draw(st.integers(0, 400))] = data.draw(st.binary(max_size=20))
    message = ""
    try:
        read_picture(bytes(damaged), 8, 3)
    except BrokenPictureError as error:
        message = str(error)
    assert "object at" not in message


def test_every_format_is_read():
    Image.init()
    for kind in FORMATS.keys() & Image.SAVE.keys() - {"MPO"}:
        assert read_picture(encode(solid("RGB", (200, 200, 200)), kind), 8, 3).std() <= 1
    pair = encode(solid("L", 77), "MPO", save_all=True, append_images=[solid("L", 0)])
    assert np.abs(read_picture(pair, 8, 1).astype(int) - 77).max() <= 1  # the first of two
