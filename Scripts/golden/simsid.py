"""Writes the golden files of SimSID, `Tests/NormaTests/Golden/SimSID/<case>/`.

    python Scripts/golden/simsid.py

The values come from `Benchmarks/pytorch/simsid.py`, which was checked against the authors' modules (MrGiovanni/SimSID,
last commit of July 2024, not part of this project): the files written here were loaded into them and gave the same
reconstructions, logits, losses and queues (largest difference 1.2e-7 in float32, none in float64). Each entry of
`model.pth` the student uses changes its reconstruction by more than 5e-4 when its order is reversed.

Each case holds

    model.pth               the generator, as the authors save it; `matrix-grid2` in the legacy (non-zip) format
    discriminator.pth       the discriminator, in the same format
    golden.safetensors      inputs and expected values

`matrix-grid2` has the unused `inpaint_block.conv` of the authors' files, the others lack it. In the other cases'
discriminators the normalised convolutions are constant along their kernel's width and stored once, with a stride of 0.

Keys of `golden.safetensors` (B = 2 images, H the image side, G patches, M items, C attention width; L: logits):

    images                                      [B, 1, H, H]  float32, in [-1, 1]
    reconstruction                              [B, 1, H, H]  float32, student, evaluation mode
    teacher_reconstruction                      [B, 1, H, H]  float32, teacher, evaluation mode
    discriminator.running.images                [B, 1]        float32, L, batch norms with running statistics
    discriminator.running.reconstruction        [B, 1]        float32, L
    discriminator.per_image.images              [B, 1]        float32, L, each image normalised by its own statistics
    discriminator.per_image.reconstruction      [B, 1]        float32, L  (the authors' training mode, one by one)
    training.0.<loss>, training.1.<loss>        []            float64, unweighted, see below
    queue.after                                 [G, M, C]     float64, memories after both iterations (queue cases)

and `__metadata__` has one entry, `configuration`: the fields of the reference's `Configuration` as JSON.
The losses are those of two official iterations (a critic step and a generator step each, loss weights and optimisers
as published) in training mode and float64, both on `images`, starting from the files: `student`, `teacher`,
`distillation`, `generator` (the discriminator already stepped) and `discriminator` (before its step, both terms
added). `training.1` starts from the weights `training.0` left, so it checks both optimisers.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests" / "NormaTests" / "Golden" / "SimSID"


def reference():
    """The module `Benchmarks/pytorch/simsid.py`."""
    spec = importlib.util.spec_from_file_location("simsid_reference", ROOT / "Benchmarks" / "pytorch" / "simsid.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


simsid = reference()

SMALL = simsid.Configuration(width=2, slots=8)
CASES = {
    "matrix-grid2": dataclasses.replace(SMALL, image_size=32, patch_grid=2, active_items=5),
    "queue-grid2": dataclasses.replace(SMALL, image_size=32, patch_grid=2, active_items=3, inpaint_memory="queue"),
    "matrix-grid4": dataclasses.replace(SMALL, image_size=64, patch_grid=4, active_items=3),
    "queue-grid4": dataclasses.replace(SMALL, image_size=64, patch_grid=4, active_items=5, inpaint_memory="queue"),
    "matrix-per-patch": dataclasses.replace(
        SMALL, image_size=64, patch_grid=2, active_items=4, decoder_memory="V3", slots=6
    ),
}
LEGACY = "matrix-grid2"
BATCH = 2
CLEARANCE = 1e-4
"""Least distance of a similarity to the k-th largest, so that rounding cannot change what the shrinkage keeps."""
VARIETY = 0.1
"""Least standard deviation between the two reconstructions, averaged over pixels."""


def smooth_images(count: int, side: int) -> Tensor:
    """Blurred noise filling [-1, 1]: `[count, 1, side, side]`."""
    noise = torch.rand(count, 1, side // 4, side // 4)
    images = nn.functional.interpolate(noise, size=(side, side), mode="bicubic", align_corners=False)
    return (images + 0.1 * torch.rand(count, 1, side, side)).clamp(0, 1) * 2 - 1


@torch.no_grad()
def networks(configuration):
    """A generator and a discriminator whose every entry shows in the output.

    Channels differ in scale, no bias is zero, running statistics and queues are those of images seen.
    """
    generator, discriminator = simsid.Generator(configuration), simsid.Discriminator(configuration)
    for parameter in [*generator.parameters(), *discriminator.parameters()]:
        if parameter.ndim == 1:
            parameter.add_(torch.empty_like(parameter).uniform_(-0.4, 0.4))
        elif parameter.ndim == 4:
            parameter.mul_(torch.empty(len(parameter), 1, 1, 1).uniform_(0.5, 2))
    for name, memory in generator.named_parameters():
        if name.endswith("memMatrix"):
            memory.mul_(8)
    for _ in range(40):
        images = smooth_images(8, configuration.image_size)
        discriminator(images)
        discriminator(generator(images).reconstruction)
        generator.update_queues()
    return generator, discriminator


def checkpoints(case: str, generator: nn.Module, discriminator: nn.Module) -> dict[str, dict[str, Tensor]]:
    """The contents of `model.pth` and `discriminator.pth`; except in the legacy case, narrows the discriminator."""
    model, critic = generator.state_dict(), discriminator.state_dict()
    if case == LEGACY:
        width = generator.inpaint_block.attention.embed_dim
        model["inpaint_block.conv.weight"] = torch.rand(width, width, 3, 3)
        model["inpaint_block.conv.bias"] = torch.rand(width)
    else:
        for key, value in critic.items():
            if value.ndim == 4 and key != "conv_model.0.weight":
                critic[key] = value[..., :1].clone().expand_as(value)
        discriminator.load_state_dict(critic)
    return {"model.pth": copy.deepcopy(model), "discriminator.pth": copy.deepcopy(critic)}


def write_checkpoint(state: dict[str, Tensor], path: Path, legacy: bool) -> None:
    """Saves `state` unless the file has it already: the legacy format records memory addresses, so bytes vary."""
    if path.exists():
        written = torch.load(path, weights_only=True)
        if written.keys() == state.keys() and all(written[key].equal(state[key]) for key in state):
            return
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)


@torch.no_grad()
def evaluation_values(generator: nn.Module, discriminator: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Reconstructions and logits in evaluation mode."""
    generator.eval()
    discriminator.eval()
    output = generator(images)
    values = {"reconstruction": output.reconstruction, "teacher_reconstruction": output.teacher_reconstruction}
    for name, seen in {"images": images, "reconstruction": output.reconstruction}.items():
        values[f"discriminator.running.{name}"] = discriminator(seen)
        values[f"discriminator.per_image.{name}"] = discriminator(seen, per_image=True)
    return values


def training_values(configuration, generator: nn.Module, discriminator: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Losses of two iterations in float64, and the queues after them. Changes the networks."""
    training = simsid.Training(configuration, generator.double(), discriminator.double())
    values = {}
    for iteration in range(2):
        losses = training.official_iteration(images.double(), index=0)
        for name, loss in losses.items():
            values[f"training.{iteration}.{name}"] = torch.tensor(loss, dtype=torch.float64)
    if configuration.inpaint_memory == "queue":
        values["queue.after"] = torch.stack([memory.memMatrix for memory in generator.inpaint_block.memory])
    return values


def least_clearance(action) -> float:
    """Runs `action`; the least gap between the similarities at ranks k - 1, k and k + 1 of any memory read."""
    gaps, shrink = [], simsid.shrink

    def watched(similarities: Tensor, active_items: int) -> Tensor:
        ranked = similarities.detach().sort(dim=1, descending=True).values
        gaps.append(-ranked[:, active_items - 2 : active_items + 1].diff(dim=1).max().item())
        return shrink(similarities, active_items)

    simsid.shrink = watched
    try:
        action()
    finally:
        simsid.shrink = shrink
    return min(gaps)


def write_case(case: str, configuration, seed: int) -> bool:
    """Writes one folder, unless this seed's networks are too close to a tie or too dull to tell errors apart."""
    torch.manual_seed(seed)
    generator, discriminator = networks(configuration)
    states = checkpoints(case, generator, discriminator)
    images = smooth_images(BATCH, configuration.image_size)
    values = {"images": images}

    def compute() -> None:
        values.update(evaluation_values(generator, discriminator, images))
        values.update(training_values(configuration, generator, discriminator, images))

    clearance = least_clearance(compute)
    variety = values["reconstruction"].std(dim=0).mean().item()
    if clearance < CLEARANCE or variety < VARIETY:
        return False
    folder = TARGET / case
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in states.items():
        write_checkpoint(state, folder / name, legacy=case == LEGACY)
    metadata = {"configuration": json.dumps(dataclasses.asdict(configuration))}
    contents = save({key: value.contiguous() for key, value in values.items()}, metadata)
    (folder / "golden.safetensors").write_bytes(contents)
    return True


def main() -> None:
    torch.set_num_threads(1)
    for case, configuration in CASES.items():
        seed = next(seed for seed in range(1000) if write_case(case, configuration, seed))
        print(f"{case}: seed {seed}")


if __name__ == "__main__":
    main()
