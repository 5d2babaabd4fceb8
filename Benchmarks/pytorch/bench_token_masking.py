"""Times iterative latent token masking in PyTorch, eager unless `--compile` is given, as asked on standard input (see README.md)."""

from __future__ import annotations

import argparse
import time

import torch
import torch.nn.functional as F
from torch import Tensor

import token_healing as healing
from driver import Scaled, serve, warmed_up
from machine import Machine, add_options
from token_masking import (
    Autoencoder,
    AutoencoderConfiguration,
    Transformer,
    TransformerConfiguration,
    masked_cross_entropy,
    spectral_loss,
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=64, help="side of the images")
    parser.add_argument("--volume", type=int, nargs=3, help="sides of volumes instead, depth, height, width")
    parser.add_argument("--levels", type=int, default=2, help="times that sides are halved")
    parser.add_argument("--autoencoder-width", type=int, default=64, help="channels of the last level")
    parser.add_argument("--units", type=int, default=2, help="residual units of a level")
    parser.add_argument("--codes", type=int, default=64)
    parser.add_argument("--code-width", type=int, default=32)
    parser.add_argument("--pixel-loss", choices=["squared", "absolute"], default="absolute")
    parser.add_argument("--width", type=int, default=128, help="width of a token")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--head-width", type=int, default=32)
    parser.add_argument("--spatial", action="store_true", help="slots carry their token's place in the grid")
    parser.add_argument("--masked", type=float, default=0.0, help="share of tokens masked in training")
    parser.add_argument("--flagged", type=float, default=0.03, help="share of tokens healed, the least likely")
    parser.add_argument("--samples", type=int, default=8, help="healed sequences of an image")
    parser.add_argument("--decodings", type=int, default=4, help="dropout decodings of a healed sequence")
    parser.add_argument("--pixels", type=int, default=2000, help="pixels whose densities scikit-learn estimates")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch of the transformer")
    parser.add_argument("--autoencoder-batch", type=int, default=32, help="images in a batch of the VQ-VAE")
    add_options(parser)
    return parser.parse_args()


class Bench:
    """Networks with random weights, images of noise, and the work on them."""

    def __init__(self, options: argparse.Namespace, machine: Machine):
        self.options, self.machine, self.device = options, machine, machine.device
        self.extents = tuple(options.volume or (options.size, options.size))
        self.cell = 2**options.levels
        self.grid = tuple(extent // self.cell for extent in self.extents)
        self.tokens = torch.Size(self.grid).numel()
        self.autoencoder = Autoencoder(
            AutoencoderConfiguration(
                dimensions=len(self.grid),
                levels=options.levels,
                width=options.autoencoder_width,
                units=options.units,
                codes=options.codes,
                code_width=options.code_width,
            )
        )
        self.transformer = Transformer(
            TransformerConfiguration(
                grid=self.grid,
                codes=options.codes,
                width=options.width,
                layers=options.layers,
                heads=options.heads,
                head_width=options.head_width,
                spatial_positions=options.spatial,
            )
        )
        self.autoencoder, self.transformer = machine.network(self.autoencoder), machine.network(self.transformer)
        self.inverse = torch.arange(self.tokens, device=self.device)
        self.image = torch.rand(1, 1, *self.extents, device=self.device)
        self.optimisers = {
            lean: {
                "autoencoder": torch.optim.Adam(self.autoencoder.parameters(), 5e-4, fused=lean),
                "transformer": torch.optim.AdamW(self.transformer.parameters(), 5e-4, fused=lean),
            }
            for lean in (False, True)
        }

    def train_transformer(self, count: int, lean: bool = False) -> int:
        """Steps on stored codes; with `--masked` above 0 some of them masked."""
        batch, optimiser = self.options.batch, self.optimisers[lean]["transformer"]
        tokens = torch.randint(self.options.codes, (batch, self.tokens), device=self.device)
        keep = None
        if self.options.masked > 0:
            keep = (torch.rand(batch, self.tokens, device=self.device) >= self.options.masked).float()
        self.transformer.train()
        for _ in range(count):
            optimiser.zero_grad(set_to_none=True)
            with self.machine.passes():
                loss = masked_cross_entropy(self.transformer(tokens, keep), tokens, keep)
            loss.backward()
            optimiser.step()
        return count * batch

    def train_autoencoder(self, count: int, lean: bool = False) -> int:
        """Steps on pixel, spectral and commitment loss."""
        batch, optimiser = self.options.autoencoder_batch, self.optimisers[lean]["autoencoder"]
        images = torch.rand(batch, 1, *self.extents, device=self.device)
        pixel_loss = {"squared": F.mse_loss, "absolute": F.l1_loss}[self.options.pixel_loss]
        self.autoencoder.train()
        for _ in range(count):
            optimiser.zero_grad(set_to_none=True)
            with self.machine.passes():
                reconstruction, commitment = self.autoencoder(images)
            reconstruction = reconstruction.float()
            loss = pixel_loss(reconstruction, images) + spectral_loss(reconstruction, images) + commitment
            loss.backward()
            optimiser.step()
        return count * batch

    def flags(self, tokens: Tensor) -> Tensor:
        """1 at the least likely tokens of one image `[1, L]`: random weights find none below a threshold."""
        flagged = max(1, round(self.options.flagged * self.tokens))
        probabilities = healing.likelihoods(self.transformer, tokens)[0]
        return torch.zeros_like(probabilities).index_fill_(0, probabilities.argsort()[:flagged], 1)

    def heal(self, count: int, lean: bool = False) -> int:
        """Images whose flagged tokens, spread at random, are drawn anew in every sample."""
        self.transformer.eval()
        function = healing.heal if lean else healing.heal_officially
        flagged = max(1, round(self.options.flagged * self.tokens))
        for _ in range(count):
            tokens = torch.randint(self.options.codes, (self.tokens,), device=self.device)
            places = torch.randperm(self.tokens, device=self.device)[:flagged]
            flags = torch.zeros(self.tokens, device=self.device).index_fill_(0, places, 1)
            with self.machine.passes():
                function(self.transformer, tokens, flags, self.options.samples)
        return count

    def densities(self, values: Tensor, samples: Tensor) -> tuple[float, float]:
        """scikit-learn's densities of at most `--pixels` of the pixels; the seconds of the rest, and the share done."""
        widths = healing.bandwidths(samples)
        pixels = torch.randperm(len(values))[: self.options.pixels].tolist()
        start = time.perf_counter()
        healing.suspicion(healing.densities_officially(values, samples, widths, pixels), widths[pixels])
        share = len(pixels) / max(len(values), 1)
        return (time.perf_counter() - start) * (1 / max(share, 1e-9) - 1) if pixels else 0.0, share if pixels else 1.0

    def lean_densities(self, values: Tensor, samples: Tensor) -> None:
        widths = healing.bandwidths(samples)
        healing.suspicion(healing.densities(values, samples, widths), widths)

    def map(self, count: int, lean: bool = False) -> int | Scaled:
        """Density maps of whole images from S * D reconstructions."""
        pixels = torch.Size(self.extents).numel()
        device = self.device if lean else "cpu"  # scikit-learn's
        samples = torch.rand(self.options.samples * self.options.decodings, pixels, device=device)
        values, extra, share = torch.rand(pixels, device=device), 0.0, 1.0
        for _ in range(count):
            if lean:
                self.lean_densities(values, samples)
            else:
                more, share = self.densities(values, samples)
                extra += more
        return count if lean else Scaled(count, extra, share)

    def heal_and_map(self, count: int, lean: bool = False) -> int | Scaled:
        """Both, of whole images."""
        self.heal(count, lean)
        return self.map(count, lean)

    @torch.inference_mode()
    def score(self, count: int, lean: bool = False) -> int | Scaled:
        """Images from pixels to map: codes, likelihoods, healing, decodings, densities where the map is valid."""
        self.autoencoder.eval()
        self.transformer.eval()
        functions = (healing.heal, healing.decode) if lean else (healing.heal_officially, healing.decode_officially)
        extra, share = 0.0, 1.0
        for _ in range(count):
            with self.machine.passes():
                tokens = self.autoencoder.encode(self.image).flatten(1)
                flags = self.flags(tokens)
                sequences = functions[0](self.transformer, tokens[0], flags, self.options.samples)
                stack = functions[1](self.autoencoder, sequences, self.inverse, self.grid, self.options.decodings)
            valid = torch.from_numpy(healing.evaluation_mask(flags.view(self.grid).float().cpu().numpy(), self.cell))
            image, stack = (self.image.cpu(), stack.float().cpu()) if not lean else (self.image, stack.float())
            valid = valid.to(image.device)
            values, samples = image[0, 0][valid], stack[:, 0][:, valid].clamp(0, 1)
            if lean:
                self.lean_densities(values, samples)
            else:
                more, share = self.densities(values, samples)
                extra += more
        return count if lean else Scaled(count, extra, share)


def main() -> None:
    options = arguments()
    machine = Machine(options)
    bench = Bench(options, machine)
    works = {
        "train": bench.train_transformer,
        "train-vqvae": bench.train_autoencoder,
        "heal": bench.heal,
        "kde": bench.map,
        "heal-kde": bench.heal_and_map,
        "score": bench.score,
        "score-one": bench.score,
    }
    tasks = {
        name + ("-lean" if lean else ""): lambda count, work=work, lean=lean: work(count, lean)
        for name, work in works.items()
        for lean in (False, True)
    }
    serve(warmed_up(tasks, options.tasks), machine)


if __name__ == "__main__":
    main()
