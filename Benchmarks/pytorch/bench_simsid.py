"""Times SimSID in PyTorch, eager unless `--compile` is given, task by task as asked on standard input (see README.md)."""

from __future__ import annotations

import argparse

import torch

from driver import serve, warmed_up
from machine import Machine, add_options
from simsid import Configuration, Discriminator, Generator, Training, score, score_officially


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="side of the images")
    parser.add_argument("--width", type=int, default=32, help="channels of the outermost level")
    parser.add_argument("--grid", type=int, default=4, help="patches along a side")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch")
    parser.add_argument("--slots", type=int, default=100, help="items in a memory block")
    parser.add_argument("--memory", choices=["matrix", "queue"], default="matrix", help="in-painting memory")
    add_options(parser)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    machine = Machine(options)
    configuration = Configuration(
        image_size=options.size,
        patch_grid=options.grid,
        width=options.width,
        slots=options.slots,
        inpaint_memory=options.memory,
    )
    generator = machine.network(Generator(configuration))
    discriminator = machine.network(Discriminator(configuration))
    training = Training(configuration, generator, discriminator, machine.passes)
    batches = torch.rand(configuration.critic_steps, options.batch, 1, options.size, options.size) * 2 - 1
    batches = batches.to(machine.device)

    def train(iteration, cycles: int) -> int:
        generator.train()
        discriminator.train()
        for _ in range(cycles):
            for index, images in enumerate(batches):
                iteration(images, index)
        return cycles * len(batches) * options.batch

    def score_batches(count: int, with_teacher: bool) -> int:
        with machine.passes():
            for index in range(count):
                score(generator, discriminator, batches[index % len(batches)], with_teacher).tolist()
        return count * options.batch

    def score_batches_officially(count: int) -> int:
        with machine.passes():
            for index in range(count):
                score_officially(generator, discriminator, batches[index % len(batches)])
        return count * options.batch

    def score_images(count: int, officially: bool) -> int:
        with machine.passes():
            for index in range(count):
                image = batches[0, index % options.batch][None]
                if officially:
                    score_officially(generator, discriminator, image)
                else:
                    score(generator, discriminator, image).tolist()
        return count

    tasks = {
        "train": lambda cycles: train(training.official_iteration, cycles),
        "train-lean": lambda cycles: train(training.lean_iteration, cycles),
        "score": score_batches_officially,
        "score-batched": lambda count: score_batches(count, with_teacher=True),
        "score-lean": lambda count: score_batches(count, with_teacher=False),
        "score-one": lambda count: score_images(count, officially=True),
        "score-one-lean": lambda count: score_images(count, officially=False),
    }
    serve(warmed_up(tasks, options.tasks), machine)


if __name__ == "__main__":
    main()
