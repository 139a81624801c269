"""pytorch-fid's Inception features, from images in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import check_regular
from competitive_mixtures.files.checksums import sha256_of
from competitive_mixtures.progress import show_progress

if TYPE_CHECKING:
    from torchvision.models import Inception3

CPU_BATCH, GPU_BATCH = 10, 50
_STAGES = {
    64: "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 pool",
    192: "Conv2d_3b_1x1 Conv2d_4a_3x3 pool",
    768: "Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e",
    2048: "Mixed_7a Mixed_7b Mixed_7c",
}


class InceptionFeatures(nn.Module):
    """Inception's layers up to a number of features, the same function of an image as pytorch-fid's network.

    Batch norms are folded into the convolutions and channels come last in memory: on a CPU about twice as fast.

    Attributes:
        checksum: SHA-256 of the weights file, which names the extractor.
        num_features: length of a feature vector.
    """

    def __init__(self, network: "Inception3", num_features: int, checksum: str) -> None:
        super().__init__()
        stages = [names.split() for size, names in _STAGES.items() if size <= num_features]
        names = [name for stage in stages for name in stage]
        self.layers = nn.Sequential(
            *(nn.MaxPool2d(3, 2) if name == "pool" else getattr(network, name) for name in names)
        )
        self.checksum = checksum
        self.num_features = num_features
        self.eval().requires_grad_(False)
        _fold_batch_norms(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Give the features (n, num_features) of uint8 images (n, 1 or 3, h, w)."""
        pixels = images.float() / 255
        pixels = nn.functional.interpolate(pixels, size=(299, 299), mode="bilinear", align_corners=False) * 2 - 1
        pixels = pixels.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        return self.layers(pixels).mean(dim=(2, 3))


def load_inception(path: Path | str, num_features: int = 2048, device: str = "cpu") -> InceptionFeatures:
    """Build pytorch-fid's network from a weights file, without any access to the network.

    Args:
        path: of the weights, a file that `find_weights` or `fetch_weights` has verified.
        num_features: 2048 for FID; 64, 192 or 768 for the features of earlier layers.
        device: where to run it.

    Returns:
        The extractor.

    Raises:
        UserError: the file cannot be read, or its names or shapes are not those of the network.
    """
    network = build_network()
    try:
        check_regular(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
    except Exception as error:  # torch.load raises anything from EOFError to KeyError on a broken file
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(
            f"{path}: expected the weights of pytorch-fid's Inception network, found: {reason}; fetch the file again"
        ) from error
    return InceptionFeatures(network, num_features, sha256_of(Path(path))).to(device)


@torch.inference_mode()
def extract_inception_features(
    network: InceptionFeatures, images: np.ndarray, batch_size: int | None = None
) -> np.ndarray:
    """Compute Inception features of images in memory, as pytorch-fid's command does of the same images in PNG files.

    Args:
        network: from `load_inception`.
        images: (N, c, h, w) uint8, c = 1 (repeated to three channels) or 3.
        batch_size: images at a time, each of which takes about 20 MB; by default as many as are fastest. On a CPU that
            is few: the system hands out larger blocks of memory anew each time.

    Returns:
        (N, num_features) float32.

    Raises:
        UserError: images of another shape or type.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] not in (1, 3) or not len(images):
        raise UserError(f"images: found {images.dtype} of shape {images.shape}, expected uint8 (N, 1 or 3, h, w)")
    device = next(network.parameters()).device
    batch_size = batch_size or (CPU_BATCH if device.type == "cpu" else GPU_BATCH)
    features = np.empty((len(images), network.num_features), dtype=np.float32)
    with show_progress("Inception features", len(images)) as report:
        for start in range(0, len(images), batch_size):
            batch = np.array(images[start : start + batch_size])
            features[start : start + batch_size] = network(torch.from_numpy(batch).to(device)).cpu().numpy()
            report(len(batch))
    return features


def build_network() -> "Inception3":
    """Build torchvision's network with pytorch-fid's variants of nine blocks, without weights."""
    from pytorch_fid import inception as variants
    from torchvision.models import inception_v3

    blocks: dict[str, Callable[[], nn.Module]] = {
        "Mixed_5b": lambda: variants.FIDInceptionA(192, pool_features=32),
        "Mixed_5c": lambda: variants.FIDInceptionA(256, pool_features=64),
        "Mixed_5d": lambda: variants.FIDInceptionA(288, pool_features=64),
        "Mixed_6b": lambda: variants.FIDInceptionC(768, channels_7x7=128),
        "Mixed_6c": lambda: variants.FIDInceptionC(768, channels_7x7=160),
        "Mixed_6d": lambda: variants.FIDInceptionC(768, channels_7x7=160),
        "Mixed_6e": lambda: variants.FIDInceptionC(768, channels_7x7=192),
        "Mixed_7b": lambda: variants.FIDInceptionE_1(1280),
        "Mixed_7c": lambda: variants.FIDInceptionE_2(2048),
    }
    with torch.device("meta"):
        network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
        for name, build in blocks.items():
            setattr(network, name, build())
    return network


def _fold_batch_norms(module: nn.Module) -> None:
    from torchvision.models.inception import BasicConv2d

    for name, child in module.named_children():
        if isinstance(child, BasicConv2d):
            setattr(module, name, nn.Sequential(fuse_conv_bn_eval(child.conv, child.bn), nn.ReLU(inplace=True)))
        else:
            _fold_batch_norms(child)
