"""Times MemMC-MAE in PyTorch, eager unless `--compile` is given, task by task as asked on standard input (see README.md)."""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from driver import serve, warmed_up
from machine import Machine, add_options
from memmc_mae import Configuration, Network, lean_score, loss, score

BATCHES = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=64, help="side of the images")
    parser.add_argument("--patch", type=int, default=8, help="side of a patch")
    parser.add_argument("--encoder-depth", type=int, default=4)
    parser.add_argument("--encoder-width", type=int, default=128)
    parser.add_argument("--encoder-heads", type=int, default=4)
    parser.add_argument("--decoder-depth", type=int, default=2)
    parser.add_argument("--decoder-width", type=int, default=96)
    parser.add_argument("--decoder-heads", type=int, default=4)
    parser.add_argument("--slots", type=int, default=40, help="memory keys and values of an encoder level")
    parser.add_argument("--mask-ratio", type=float, default=0.75)
    parser.add_argument("--masks", type=int, default=10, help="passes of a score")
    parser.add_argument("--batch", type=int, default=32, help="images in a batch")
    add_options(parser)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    machine = Machine(options)
    configuration = Configuration(
        image_size=options.size,
        patch=options.patch,
        encoder_depth=options.encoder_depth,
        encoder_width=options.encoder_width,
        encoder_heads=options.encoder_heads,
        decoder_depth=options.decoder_depth,
        decoder_width=options.decoder_width,
        decoder_heads=options.decoder_heads,
        slots=options.slots,
        mask_ratio=options.mask_ratio,
    )
    network, lean_network = Network(configuration), Network(configuration, lean=True)
    lean_network.load_state_dict(network.state_dict())
    network, lean_network = machine.network(network), machine.network(lean_network)
    settings = {"lr": 1e-4, "betas": (0.9, 0.95), "weight_decay": 0.05}
    optimiser = torch.optim.AdamW(network.parameters(), **settings)
    lean_optimiser = torch.optim.AdamW(lean_network.parameters(), **settings, fused=True)
    batches = torch.rand(BATCHES, options.batch, 1, options.size, options.size) * 2 - 1
    batches = batches.to(machine.device)

    def noise(*shape: int) -> Tensor:
        return torch.rand(*shape, configuration.patches, device=machine.device)

    def train(trained: Network, steps: torch.optim.Optimizer, count: int) -> int:
        trained.train()
        for index in range(count):
            images = batches[index % BATCHES]
            with machine.passes():
                prediction, masking = trained(images, noise(options.batch))
                difference = loss(prediction, images, masking.hidden, options.patch)
            steps.zero_grad(set_to_none=True)
            difference.backward()
            steps.step()
        return count * options.batch

    def evaluate(function, scored: Network, count: int, batch: int = options.batch) -> int:
        scored.eval()
        with machine.passes():
            for index in range(count):
                function(scored, batches[index % BATCHES, :batch], noise(options.masks, batch)).tolist()
        return count * batch

    tasks = {
        "train": lambda count: train(network, optimiser, count),
        "train-lean": lambda count: train(lean_network, lean_optimiser, count),
        "score": lambda count: evaluate(score, network, count),
        "score-lean": lambda count: evaluate(lean_score, lean_network, count),
        "score-one": lambda count: evaluate(score, network, count, batch=1),
        "score-one-lean": lambda count: evaluate(lean_score, lean_network, count, batch=1),
    }
    serve(warmed_up(tasks, options.tasks), machine)


if __name__ == "__main__":
    main()
