"""Times SimSID in eager PyTorch on the CPU, task by task as asked on standard input (see README.md)."""

from __future__ import annotations

import argparse

import torch

from driver import serve
from simsid import Configuration, Discriminator, Generator, Training, score


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="side of the images")
    parser.add_argument("--width", type=int, default=32, help="channels of the outermost level")
    parser.add_argument("--grid", type=int, default=4, help="patches along a side")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch")
    parser.add_argument("--threads", type=int, default=1, help="threads of one operation")
    parser.add_argument("--slots", type=int, default=100, help="items in a memory block")
    parser.add_argument("--memory", choices=["matrix", "queue"], default="matrix", help="in-painting memory")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    configuration = Configuration(
        image_size=options.size,
        patch_grid=options.grid,
        width=options.width,
        slots=options.slots,
        inpaint_memory=options.memory,
    )
    training = Training(configuration, Generator(configuration), Discriminator(configuration))
    batches = torch.rand(configuration.critic_steps, options.batch, 1, options.size, options.size) * 2 - 1

    def train(iteration, cycles: int) -> int:
        training.generator.train()
        for _ in range(cycles):
            for index, images in enumerate(batches):
                iteration(images, index)
        return cycles * len(batches) * options.batch

    def score_batches(count: int, with_teacher: bool) -> int:
        for index in range(count):
            score(training.generator, training.discriminator, batches[index % len(batches)], with_teacher)
        return count * options.batch

    tasks = {
        "train": lambda cycles: train(training.official_iteration, cycles),
        "train-lean": lambda cycles: train(training.lean_iteration, cycles),
        "score": lambda count: score_batches(count, with_teacher=True),
        "score-lean": lambda count: score_batches(count, with_teacher=False),
    }
    for task in tasks.values():
        task(1)
    serve(tasks)


if __name__ == "__main__":
    main()
