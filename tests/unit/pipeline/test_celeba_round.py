"""A small archive in CelebA's layout with grey, transparent and palette images: from the files to a round."""

import io

import numpy as np
import pytest
from examples import ADAM, CONV_GAN, CONV_VAE, change, make_experiment, play
from PIL import Image

from competitive_mixtures.data import celeba, load_dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_json, read_table
from competitive_mixtures.method.run import Run, Scale

MODES = ["RGB", "L", "RGBA", "P", "RGB", "1", "LA", "RGB", "CMYK", "RGB", "L", "RGB"]
NAMES = [f"{number:06d}.jpg" for number in range(1, len(MODES) + 1)]
SPEC = celeba.Spec(kind="celeba", size=16, crop=140, label="Male")
DEEP = {"kind": "conv", "channels": [6, 4, 4]}
FACES = {
    "components": [change(CONV_VAE, count=2, decoder=DEEP), change(CONV_GAN, count=2, generator=DEEP)],
    "training": {"batch_size": 4, "pretraining_steps": 3, "steps_per_round": 3},
    "scoring": {"network": {"kind": "conv", "channels": [4, 6]}, "optimizer": ADAM, "batch_size": 4},
    "baselines": [],
}


@pytest.fixture
def archive(tmp_path):
    """Files as a user puts them into the raw folder."""
    images = tmp_path / "raw/img_align_celeba"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, mode in zip(NAMES, MODES, strict=True):
        content = io.BytesIO()
        face = Image.fromarray(rng.integers(0, 256, (218, 178, 3), dtype=np.uint8)).convert(mode)
        face.save(content, "JPEG" if mode in ("RGB", "L", "CMYK") else "PNG")
        (images / name).write_bytes(content.getvalue())
    parts = "".join(f"{name} {2 if row > 7 else 0}\n" for row, name in enumerate(NAMES))
    (tmp_path / "raw/list_eval_partition.txt").write_text(parts)
    rows = [f"{name} {1 if row % 2 else -1} 1" for row, name in enumerate(NAMES)]
    (tmp_path / "raw/list_attr_celeba.txt").write_text("\n".join([str(len(NAMES)), "Male Young", *rows, ""]))
    return tmp_path / "raw"


def test_from_odd_files_to_a_round(archive, tmp_path):
    celeba.download(SPEC, archive)
    celeba.prepare(SPEC, archive, tmp_path / "celeba", "celeba")
    dataset = load_dataset(tmp_path / "celeba")
    assert dataset.train.shape == (8, 3, 16, 16)

    last = play(make_experiment(**FACES), dataset, tmp_path / "run", rounds=1)

    assert sum(read_json(last / "metrics.json")["counts"]) == 8
    assert read_table(last / "assignments.parquet")["label"].tolist() == [0, 1] * 4
    samples = np.load(last / "samples.npy")
    assert (samples.dtype, samples.shape[2:]) == (np.uint8, (3, 16, 16))


def test_training_reads_the_file_itself_and_leaves_it_alone(archive, tmp_path):
    celeba.prepare(SPEC, archive, tmp_path / "celeba", "celeba")
    dataset = load_dataset(tmp_path / "celeba")
    before = (tmp_path / "celeba/train.npy").read_bytes()
    run = Run(make_experiment(**FACES), dataset, 0)
    assert np.array_equal(run.train.numpy(), dataset.train)
    private = Scale().apply(dataset.train)
    private[0] = 0
    assert (tmp_path / "celeba/train.npy").read_bytes() == before


def test_a_broken_image_stops_before_anything_is_trained(archive, tmp_path):
    (archive / "img_align_celeba" / NAMES[2]).write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"000003\.jpg: not a readable picture"):
        celeba.prepare(SPEC, archive, tmp_path / "celeba", "celeba")
    with pytest.raises(UserError):
        load_dataset(tmp_path / "celeba")
