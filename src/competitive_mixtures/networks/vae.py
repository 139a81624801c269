"""k variational autoencoders (Kingma & Welling, 2014, arXiv 1312.6114) trained at once."""

import math
from collections.abc import Sequence
from functools import cache
from math import prod

import torch
from torch import Tensor

from competitive_mixtures.networks.architectures import build_decoder, build_encoder, plain_parameters
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.networks.kernels.backprop import VAEBackprop
from competitive_mixtures.networks.kernels.bernoulli import BernoulliLoss, bernoulli_loss
from competitive_mixtures.networks.layers import Generators, draw_normal
from competitive_mixtures.networks.stack import Trained, count_parameters
from competitive_mixtures.settings import schema

VARIANCE_RATE = 0.01  # of the running mean that a learned decoder variance is
# A learned variance starts below that of standardised data: from the data's own, a decoder that ignores its latents is
# already optimal, and one VAE of a symmetric data set (synthetic-9) stays there.
INITIAL_VARIANCE = 0.3


OFFSET_DRAWS = 8  # of the bound that a discriminator starts from
NEGLIGIBLE = 50.0  # nats: exp(-50) beside 1 leaves no trace in float32, nor does exp(-20)
QUASI_NORMAL_LIMIT = 1e-6  # probability of either tail that no quasi-random draw comes from
FARTHEST = 1e9  # standard deviations, in the networks' units
MAX_LOG_VARIANCE = 30.0  # of a posterior, either way


@cache
def draw_quasi_normal(num_draws: int, dimensions: int) -> Tensor:
    """Standard normal points that fill the space evenly, (num_draws, dimensions) float32: always the same ones."""
    sequence = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=0)
    uniform = sequence.draw(num_draws, dtype=torch.float64).clamp(QUASI_NORMAL_LIMIT, 1 - QUASI_NORMAL_LIMIT)
    return torch.special.ndtri(uniform).float()


def choose_near(log_densities: Tensor) -> Tensor | None:
    """For each component the points that it may have made, as many for all: (k, m) int64.

    Args:
        log_densities: (k, n), rough ones.

    Returns:
        The positions, or None where these are more than half of the points, all of which are then as fast.
    """
    lead = log_densities - log_densities.amax(0)
    most = int((lead > -NEGLIGIBLE).sum(1).amax())
    return lead.topk(most, dim=1).indices if 2 * most <= lead.shape[1] else None


def select_rows(values: Tensor, rows: Tensor) -> Tensor:
    """Rows (k, m) of values (k, n, ...): those of j from values[j]."""
    return values[torch.arange(len(values), device=values.device)[:, None], rows]


class VAEStack(ComponentStack):
    """k VAEs with Gaussian encoders and a Gaussian or Bernoulli decoder.

    The optimal decoder variance is the mean squared error of the reconstructions (sigma-VAE; Rybkin et al., 2021, arXiv
    2006.13202); where it is `learned`, a running mean of that error takes its place.

    A fixed decoder variance is given in the data set's own units, so it shrinks as those of the networks grow.
    """

    settings: schema.VAE
    variance: Tensor  # (k,), of the decoder

    def build_networks(self, generators: Generators) -> Trained:
        """Encoder and decoder, trained as one."""
        settings, shared = self.settings, self.num_shared
        self.encoder = build_encoder(
            settings.encoder, self.shape, 2 * settings.latent_dim, generators, num_shared=shared
        )
        self.decoder = build_decoder(settings.decoder, settings.latent_dim, self.shape, generators, num_shared=shared)
        self.register_buffer("variance", torch.full((self.count,), INITIAL_VARIANCE, dtype=torch.float32))
        return {"vae": (self, settings.optimizer)}

    def prepare(self, device: torch.device | str, trained: Trained) -> None:
        """Choose the kernels too, which read the parameters where they lie."""
        super().prepare(device, trained)
        encoder, decoder = plain_parameters(self.encoder), plain_parameters(self.decoder)
        suited = availability.suits("backprop", encoder) and availability.suits("backprop", decoder)
        self.backprop = VAEBackprop(encoder, decoder) if suited else None
        self._fix_variance()

    def fit_standardization(self, row: int, points: Tensor) -> None:
        """As any component's; a fixed variance keeps its size in the data's units."""
        super().fit_standardization(row, points)
        self._fix_variance()

    @property
    def num_generating_parameters(self) -> int:
        """The decoders'."""
        return count_parameters(self.decoder)

    def draw_noise(self, generators: Generators, num_steps: int, batch_size: int) -> Tensor:
        """The noise of `num_steps` steps, (num_steps, k, batch, latent), each component's from its own generator."""
        return draw_normal(generators, (num_steps, batch_size, self.settings.latent_dim), self.device)

    def losses(self, x: Tensor, noise: Tensor) -> Tensor:
        """Negative evidence lower bound of every point, in nats.

        Args:
            x: (k, batch, *shape), float; in [0, 1] for the Bernoulli likelihood.
            noise: (k, batch, latent), standard normal.

        Returns:
            (k, batch): E_q[-log p(x|z)] + KL(q(z|x) || N(0, I)).
        """
        mean, log_variance = self.encoder(x).chunk(2, dim=2)
        return self._losses_under(mean, log_variance, x, noise)

    def update(self, x: Tensor, noise: Tensor) -> Tensor:
        """One Adam step for every component on its own batch; returns the losses before it, (k,)."""
        adam = self.optimizers["vae"]
        if self.backprop is None:
            return adam.minimize(self.losses(x, noise).mean(1))
        losses = self.backprop.run(x.flatten(2), noise, self._reconstruct)
        adam.descend(self.backprop.gradients)
        return losses

    def bound(self, x: Tensor, noise: Tensor) -> Tensor:
        """The evidence lower bound of every point, (k, batch) in nats, with one noise draw each.

        It is finite for every finite x, as `log_importance_bound` is.
        """
        points, mean, log_variance = self._encode_within_reach(x)
        return -self._losses_under(mean, log_variance, points, noise)

    @torch.no_grad()
    def log_offset(self, x: Tensor, *, skims: bool = False) -> Tensor:
        """The importance-weighted bound with `OFFSET_DRAWS` quasi-random draws; see `log_importance_bound`.

        With `skims`, all draws but the first count as nothing for points where that one is `NEGLIGIBLE` nats below that
        of another component of this stack, if that is half of every component's points: a lower bound still, and no
        work for the many components that cannot have made a point.
        """
        return self._bound(x, OFFSET_DRAWS, skims=skims and x.device.type == "cpu")  # a GPU would wait for the choice

    @torch.no_grad()
    def log_importance_bound(self, x: Tensor, num_draws: int) -> Tensor:
        """The importance-weighted lower bound of log p_gj(x), (k, n) in nats (Burda et al., 2016, arXiv 1509.00519).

        The draws are quasi-random and the same for all points, so that the bound is one function of x. It is finite for
        every finite x: a point beyond `FARTHEST` standard deviations is bounded as if it lay there.

        Args:
            x: (n, *shape), float: the same points for every component.
            num_draws: of the latents; the bound rises to the log-density with their number.
        """
        return self._bound(x, num_draws)

    def _bound(self, x: Tensor, num_draws: int, *, skims: bool = False) -> Tensor:
        self.eval()
        posterior = self._encode_within_reach(self._standardized(x.expand(self.count, *x.shape)))
        draws = draw_quasi_normal(num_draws, self.settings.latent_dim).to(x)
        volumes = self.log_volumes()[:, None]
        first = self._log_weights(posterior, draws[:1])
        rows = choose_near(first[0] + volumes) if skims else None
        if rows is None:
            bound = torch.cat([first, self._log_weights(posterior, draws[1:])]).logsumexp(0)
        else:
            near = tuple(select_rows(part, rows) for part in (first[0], *posterior))
            weights = torch.cat([near[0][None], self._log_weights(near[1:], draws[1:])])
            bound = first[0].scatter(1, rows, weights.logsumexp(0))
        self.train()
        return bound - math.log(num_draws) + volumes

    def _log_weights(self, posterior: Sequence[Tensor], draws: Tensor) -> Tensor:
        """Log p(x, z) / q(z|x) at each draw, (draws, k, n), with what `_encode_within_reach` gave."""
        points, mean, log_variance = posterior
        deviation = (0.5 * log_variance).exp_()
        weights = mean.new_empty(len(draws), *mean.shape[:2])
        for draw, place in zip(draws, weights, strict=True):
            latents = torch.addcmul(mean, deviation, draw)
            log_posterior = -0.5 * (draw.square() + log_variance)
            log_prior = -0.5 * latents.square()
            reconstruction = self._reconstruction(points, self.decoder(latents))
            torch.sub((log_prior - log_posterior).sum(2), reconstruction, out=place)
        return weights

    @torch.no_grad()
    def generate(self, generators: Generators, num_samples: int) -> Tensor:
        """Samples (k, num_samples, *shape): decoder means at prior draws, as the authors sample, or decoder draws."""
        latents = draw_normal(generators, (num_samples, self.settings.latent_dim), self.device)
        self.eval()
        output = self.decoder(latents)
        self.train()
        likelihood = self.settings.likelihood
        if likelihood.kind == "bernoulli":
            return output.sigmoid_()
        if likelihood.samples == "means":
            return output
        noise = draw_normal(generators, (num_samples, prod(self.shape)), self.device).view_as(output)
        return output + self.variance.sqrt().view(-1, *[1] * (output.ndim - 1)) * noise

    def _encode_within_reach(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised points (k, n, *shape), brought to `FARTHEST`, and their posteriors' means and log-variances.

        Far from all training points the encoder's line runs to where exp overflows; the bound holds for any posterior.
        """
        points = x.clamp(-FARTHEST, FARTHEST)
        mean, log_variance = self.encoder(points).chunk(2, dim=2)
        return points, mean, log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def _losses_under(self, mean: Tensor, log_variance: Tensor, x: Tensor, noise: Tensor) -> Tensor:
        output = self.decoder(torch.addcmul(mean, torch.exp(0.5 * log_variance), noise))
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(2)
        return self._reconstruction(x, output) + divergence

    def _fix_variance(self) -> None:
        likelihood = self.settings.likelihood
        if likelihood.kind == "gaussian" and likelihood.variance != "learned":
            scale = self.scale if self.is_vector else torch.ones_like(self.variance)
            self.variance.copy_(likelihood.variance / (self.unit * scale) ** 2)

    def _reconstruction(self, x: Tensor, output: Tensor) -> Tensor:
        if self.settings.likelihood.kind == "bernoulli":
            return BernoulliLoss.apply(output.flatten(2), x.flatten(2))
        return self._gaussian_loss((x - output).flatten(2).square())

    def _gaussian_loss(self, error: Tensor) -> Tensor:
        """From squared errors (k, batch, d), which a learned variance follows."""
        likelihood = self.settings.likelihood
        if self.training and likelihood.kind == "gaussian" and likelihood.variance == "learned":
            self.variance.lerp_(error.detach().mean((1, 2)), VARIANCE_RATE)
        variance = self.variance[:, None]
        return 0.5 * (error.sum(2) / variance + error.shape[2] * torch.log(2 * math.pi * variance))

    def _reconstruct(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (k, batch) of points and outputs (k, batch, d), and their gradient with respect to the outputs."""
        if self.settings.likelihood.kind == "bernoulli":
            return bernoulli_loss(output, x)
        difference = x - output
        losses = self._gaussian_loss(difference.square())
        return losses, difference.mul_((-1 / self.variance).view(-1, 1, 1))
