"""The whole FID path with random weights of the right shapes: pytorch-fid's own command, refusals by name."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.frechet import frechet_distance
from competitive_mixtures.evaluation.inception import extract_inception_features, load_inception
from competitive_mixtures.evaluation.inception_weights import fetch_weights, find_weights


def draw_images(seed: int, num_images: int, num_channels: int) -> np.ndarray:
    """Smooth random images, since white noise all looks alike to convolutions."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, size=(num_images, num_channels, 7, 7)).repeat(4, axis=2).repeat(4, axis=3)
    return (coarse * rng.uniform(0.2, 1, size=(num_images, 1, 1, 1))).astype(np.uint8)


def save_pngs(folder: Path, images: np.ndarray) -> None:
    folder.mkdir()
    for index, image in enumerate(images):
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        picture.save(folder / f"{index:05d}.png")


def run_pytorch_fid(hub: Path, left: Path, right: Path, num_features: int) -> float:
    options = ["--dims", str(num_features), "--num-workers", "0", "--device", "cpu"]
    command = [sys.executable, "-W", "ignore", "-m", "pytorch_fid", str(left), str(right), *options]
    done = subprocess.run(command, env=os.environ | {"TORCH_HOME": str(hub)}, capture_output=True, text=True)
    if "unexpected keyword argument 'disp'" in done.stderr:
        pytest.skip("pytorch-fid 0.3 passes sqrtm the argument `disp`, which SciPy 1.18 took away")
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


def test_distance_agrees_with_pytorch_fids_command_on_the_same_images(hub: Path, weights: Path, tmp_path: Path) -> None:
    left, right = draw_images(1, 70, num_channels=1), draw_images(2, 80, num_channels=3) // 2
    save_pngs(tmp_path / "left", left)
    save_pngs(tmp_path / "right", right)
    network = load_inception(weights, num_features=64)

    distance = frechet_distance(*(extract_inception_features(network, images) for images in (left, right)))

    expected = run_pytorch_fid(hub, tmp_path / "left", tmp_path / "right", 64)
    assert distance == pytest.approx(expected, abs=1e-3, rel=1e-3)
    assert distance > 0.1


@pytest.mark.parametrize("num_features", [192, 768, 2048])
def test_features_are_those_of_pytorch_fids_network(
    weights: Path, hub: Path, monkeypatch: pytest.MonkeyPatch, num_features: int
) -> None:
    from pytorch_fid.inception import InceptionV3

    monkeypatch.setenv("TORCH_HOME", str(hub))
    reference = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[num_features]]).eval()
    images = draw_images(3, 3, 3)
    with torch.inference_mode():
        expected = reference(torch.from_numpy(images).float() / 255)[0].mean(dim=(2, 3)).numpy()

    features = extract_inception_features(load_inception(weights, num_features), images, batch_size=2)

    assert features.shape == (3, num_features)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_grey_images_are_repeated_to_three_channels(weights: Path) -> None:
    network = load_inception(weights, num_features=64)
    grey = draw_images(4, 2, 1)

    np.testing.assert_allclose(
        extract_inception_features(network, grey),
        extract_inception_features(network, grey.repeat(3, axis=1)),
        rtol=1e-5,
    )


def test_a_truncated_file_is_refused_by_name_by_its_checksum_and_by_its_content(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "truncated.pth"
    path.write_bytes(weights.read_bytes()[:1_000_000])

    with pytest.raises(UserError, match=r"truncated\.pth: found SHA-256 .*, expected 6726825d"):
        find_weights(path)
    with pytest.raises(UserError, match=r"truncated\.pth: expected the weights of pytorch-fid's Inception"):
        load_inception(path)


def test_wrong_names_shapes_and_contents_are_refused_by_name(weights: Path, tmp_path: Path) -> None:
    good = torch.load(weights, weights_only=True)
    path = tmp_path / "other.pth"
    first, *rest = good
    cases = {
        "Missing key": {name: good[name] for name in rest},
        "Unexpected key": good | {"extra": torch.zeros(1)},
        "size mismatch": good | {first: torch.zeros(2, 2)},
        "found:": [1, 2, 3],
    }
    for message, content in cases.items():
        torch.save(content, path)
        with pytest.raises(UserError, match=rf"other\.pth: expected the weights .*{message}"):
            load_inception(path)


def test_files_that_would_run_code_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pickle.pth"
    torch.save({"weight": pytest.fail}, path)

    with pytest.raises(UserError, match=r"pickle\.pth: expected the weights"):
        load_inception(path)


def test_the_file_is_found_by_parameter_or_environment(
    weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.delenv("INCEPTION_WEIGHTS", raising=False)
    with pytest.raises(UserError, match="Inception weights: no file given"):
        find_weights()
    with pytest.raises(UserError, match=r"missing\.pth: Inception weights not found"):
        find_weights(tmp_path / "missing.pth")

    monkeypatch.setenv("INCEPTION_WEIGHTS", str(weights))

    assert find_weights(sha256=digest) == find_weights(weights, digest.upper()) == weights
    assert load_inception(weights, num_features=64).checksum == digest


def test_fetching_verifies_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    source, target = tmp_path / "published.pth", tmp_path / "folder" / "weights.pth"
    source.write_bytes(b"weights" * 1000)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()

    with pytest.raises(UserError, match=r"published\.pth: found SHA-256"):
        fetch_weights(target, url=source.as_uri())
    with pytest.raises(UserError, match=r"cannot be fetched .*; put the file at"):
        fetch_weights(target, url=(tmp_path / "missing.pth").as_uri())
    assert list(target.parent.iterdir()) == []

    assert fetch_weights(target, digest, source.as_uri()) == target
    assert target.read_bytes() == source.read_bytes()
    source.unlink()
    assert fetch_weights(target, digest, source.as_uri()) == target  # already there: nothing is fetched
    with pytest.raises(UserError, match=r"weights\.pth: found SHA-256"):
        fetch_weights(target)


@pytest.mark.parametrize("images", [np.zeros((2, 2, 9, 9), dtype=np.uint8), np.zeros((2, 3, 9, 9))])
def test_other_images_are_refused(weights: Path, images: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"expected uint8 \(N, 1 or 3, h, w\)"):
        extract_inception_features(load_inception(weights, num_features=64), images)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_features_on_a_gpu_are_those_of_the_cpu(weights: Path) -> None:
    images = draw_images(5, 4, 3)

    on_gpu = extract_inception_features(load_inception(weights, 192, device="cuda"), images)

    np.testing.assert_allclose(
        on_gpu, extract_inception_features(load_inception(weights, 192), images), rtol=2e-2, atol=2e-2
    )
