"""What all kinds of components have in common: points go in and samples come out in the data's units."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from competitive_mixtures.networks.cell_gaussians import fit_gaussian, log_normal
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.stack import Stack, Trained, is_shared, select
from competitive_mixtures.settings import schema


class ComponentStack(Stack):
    """k generative models of one kind: points go in and samples come out in the data's units.

    Deviation: where `standardize` says so, each component models vectors standardised by its own cell. A mode a
    hundredth as wide as the data is otherwise smaller than the jitter of Adam's steps, and too small for an encoder to
    see. No other room knows of it. A subclass builds its networks (`build_networks`) and works in the
    standardised units (`update`, `generate`, `bound`).

    Args:
        settings: of one component.
        shape: of one data point, (d,) or (c, h, w).
        generators: one a component, on the CPU: they draw the initial weights.
        unit: what one unit of x is in the data set's own units.
        num_shared: data-side layers that all components share.
        standardize: by what of its own cell, if anything: its mean and one deviation (`cells`), or its mean and
            covariance (`covariances`); images enter in [0, 1] in any case.
        device: where to train.

    Attributes:
        batches_per_step: batches of real points that one step takes.
        mean: (k, d), of each component's standardisation; vectors only.
        scale: (k,), positive; vectors only.
        factor: (k, d, d), lower triangular, the Cholesky factor of the covariance; `covariances` only.
        whitening: (k, d, d), its inverse; `covariances` only.
    """

    batches_per_step = 1
    mean: Tensor
    scale: Tensor
    factor: Tensor
    whitening: Tensor

    def __init__(
        self,
        settings: schema.Component,
        shape: Sequence[int],
        generators: Generators,
        *,
        unit: float = 1.0,
        num_shared: int = 0,
        standardize: str = "none",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.shape, self.count = settings, tuple(shape), len(generators)
        self.unit, self.num_shared = unit, num_shared
        self.is_vector = len(self.shape) == 1
        self.standardize = standardize
        self.fits_cells = self.is_vector and standardize in ("cells", "covariances")
        self.uses_covariances = self.is_vector and standardize == "covariances"
        trained = self.build_networks(generators)
        if self.is_vector:
            self.register_buffer("mean", torch.zeros(self.count, *self.shape, dtype=torch.float32))
            self.register_buffer("scale", torch.ones(self.count, dtype=torch.float32))
        if self.uses_covariances:
            for name in ("factor", "whitening"):
                square = torch.eye(*self.shape, dtype=torch.float32).repeat(self.count, 1, 1)
                self.register_buffer(name, square)
        self.prepare(device, trained)

    def build_networks(self, generators: Generators) -> Trained:
        """Make the networks; returns the parts to train."""
        raise NotImplementedError

    @property
    def num_generating_parameters(self) -> int:
        """Parameters of all k networks that a sample goes through; all of them, unless a kind says which."""
        return self.num_parameters

    def draw_noise(self, generators: Generators, num_steps: int, batch_size: int) -> Tensor:
        """The noise of `num_steps` steps, (num_steps, k, ...), each component's from its own generator."""
        raise NotImplementedError

    def update(self, x: Tensor, noise: Tensor) -> Tensor:
        """One Adam step of every component on standardised points (k, batch, *shape); returns the losses, (k,)."""
        raise NotImplementedError

    def generate(self, generators: Generators, num_samples: int) -> Tensor:
        """Standardised samples (k, num_samples, *shape), each component's from its own generator."""
        raise NotImplementedError

    def bound(self, x: Tensor, noise: Tensor) -> Tensor:
        """A lower bound of each component's log-density of standardised points (k, n, *shape), (k, n) in nats."""
        raise NotImplementedError

    def step(self, x: Tensor, noise: Tensor, /) -> Tensor:
        """One Adam step of every component on its own batch.

        Args:
            x: (k, batches_per_step * batch, *shape), float.
            noise: of one step, from `draw_noise`.

        Returns:
            (k,): the losses before the step.
        """
        return self.update(self._standardized(x), noise)

    def sample(self, generators: Generators, num_samples: int) -> Tensor:
        """Samples (k, num_samples, *shape), each component's from its own generator."""
        samples = self.generate(generators, num_samples)
        if not self.is_vector:
            return samples
        if self.uses_covariances:
            return torch.baddbmm(self.mean[:, None], samples, self.factor.transpose(1, 2))
        return torch.addcmul(self.mean[:, None], samples, self.scale[:, None, None])

    @torch.no_grad()
    def own_bounds(self, x: Tensor, noise: Tensor) -> Tensor:
        """A lower bound of the log-density of each component's own standardised points, (k, n); only VAEs have one.

        Args:
            x: (k, n, *shape), float, in the data's units.
            noise: (k, n, latent), standard normal.
        """
        self.eval()
        bounds = self.bound(self._standardized(x), noise)
        self.train()
        return bounds

    @torch.no_grad()
    def log_bound(self, x: Tensor, noise: Tensor) -> Tensor:
        """A lower bound of log p_gj(x), (k, n) in nats; only VAEs have one.

        Args:
            x: (n, *shape), float: the same points for every component.
            noise: (k, n, latent), standard normal.
        """
        return self.own_bounds(x.expand(self.count, *x.shape), noise) + self.log_volumes()[:, None]

    @torch.no_grad()
    def log_offset(self, x: Tensor, *, skims: bool = False) -> Tensor:
        """What is known of log p_gj(x) without any discriminator, (k, n) in nats; zero where nothing is.

        Args:
            x: (n, *shape), float: the same points for every component.
            skims: whether it may be rough where another component's is larger by far.
        """
        if not self.is_vector:
            return x.new_zeros(self.count, len(x))
        return log_normal(self._standardized(x.expand(self.count, *x.shape)), self.log_volumes())

    def samples_per_step(self, batch_size: int) -> int:
        """Real points that one step draws, over all components."""
        return batch_size * self.batches_per_step * self.count

    def fit_standardizations(self, cells: Iterable[Tensor]) -> None:
        """Standardise each component by its own points: k tensors (n_j, d), none of them empty, taken one by one."""
        for row, points in enumerate(cells):
            self.fit_standardization(row, points)

    def fit_standardization(self, row: int, points: Tensor) -> None:
        """Standardise component `row` by the mean, and deviation or covariance, of points (n, d), n > 0."""
        if self.uses_covariances:
            self.mean[row], factor = fit_gaussian(points)
            self.factor[row], self.whitening[row] = factor, torch.linalg.inv(factor)
            return
        values = points.to(torch.float64, copy=True)  # one copy, worked on in place: a cell may be most of the memory
        mean = values.mean(0)
        deviation = values.sub_(mean).square_().mean().sqrt()
        self.mean[row] = mean
        self.scale[row] = torch.where(deviation > 0, deviation, 1.0)  # identical points have no deviation

    def log_volumes(self) -> Tensor:
        """What standardised points' log-densities lack to those of the points, (k,)."""
        if self.uses_covariances:
            return self.whitening.diagonal(dim1=1, dim2=2).log().sum(1)
        if self.is_vector:
            return -self.shape[0] * self.scale.log()
        return torch.zeros(self.count, dtype=torch.float32, device=self.device)

    def _standardized(self, x: Tensor) -> Tensor:
        if self.uses_covariances:
            return torch.bmm(x - self.mean[:, None], self.whitening.transpose(1, 2))
        return (x - self.mean[:, None]) / self.scale[:, None, None] if self.is_vector else x

    def take(self, rows: Sequence[int]) -> "ComponentStack":
        """A smaller stack with copies of some of the components."""
        part = type(self)(
            self.settings,
            self.shape,
            [torch.Generator() for _ in rows],
            unit=self.unit,
            num_shared=self.num_shared,
            standardize=self.standardize,
            device=self.device,
        )
        part.load(select(self.state(), rows))
        return part

    def put(self, part: "ComponentStack", rows: Sequence[int]) -> None:
        """Copy the components of `part` back to where `take` took them from."""
        trained = part.state()
        for name, tensor in self.state().items():
            if is_shared(name):
                tensor.copy_(trained[name])
            else:
                tensor[list(rows)] = trained[name]
