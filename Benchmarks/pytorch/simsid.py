"""SimSID in eager PyTorch: the reference that Norma is compared with, in values and in speed.

Written from arXiv 2403.08689 and from the behaviour of the authors' code. The `state_dict` of `Generator` and
`Discriminator` has the keys and shapes of the authors' `model.pth` and `discriminator.pth`, apart from
`inpaint_block.conv`, a convolution nothing uses; `load_official_state` drops it.

Axes are N, C, H, W. B is the batch, g the side of the patch grid, G = g * g, M the items of a memory block.
Patches are batch-major and row-major over the grid: index = b * G + row * g + column.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Callable, ContextManager, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 4
PATCHWISE_LEVELS = 2
"""Decoder levels that see patches; they alone have skips and memories. The patches are recombined after them."""


@dataclass(frozen=True)
class Configuration:
    """The paper's preset (section 4.2 and Fig. 8); where the paper is silent, the authors' code."""

    image_size: int = 128
    patch_grid: int = 4
    width: int = 32
    """Channels of the outermost encoder level; each level down doubles them."""
    slots: int = 100
    active_items: int = 5
    """k of the shrinkage, which keeps the k - 1 largest weights."""
    inpaint_memory: str = "matrix"
    """`matrix` or `queue`."""
    decoder_memory: str = "V1"
    """`V1`: a block per window of every patch; `V3`: a block per patch; `none`."""
    decoder_windows: int = 4
    """Blocks of a V1 decoder memory, a square number."""
    inpaint_mask_ratio: float = 1.0
    decoder_mask_ratio: float = 1.0
    """Probability of a cell to take the memory's path in training; 1 switches the masked shortcut off."""
    output: str = "tanh"
    """`tanh` for images in [-1, 1], `sigmoid` for images in [0, 1]."""
    discriminator_layers: int | None = None
    """Normalised layers of the discriminator; `None` derives them from the image size."""
    discriminator_side: int = 4
    """Side of the discriminator's last feature map."""
    student_weight: float = 10.0
    teacher_weight: float = 0.01
    distillation_weight: float = 0.001
    generator_weight: float = 0.005
    discriminator_weight: float = 0.005
    learning_rate: float = 1e-4
    critic_steps: int = 2
    """Critic steps for each generator step."""

    @property
    def patches(self) -> int:
        return self.patch_grid**2

    @property
    def bottleneck_side(self) -> int:
        return self.image_size // self.patch_grid // 2**LEVELS

    @property
    def channels(self) -> list[int]:
        """Channels of the encoder levels, outermost first, bottleneck last."""
        return [self.width * 2**level for level in range(LEVELS + 1)]

    @property
    def attention_width(self) -> int:
        return self.channels[-1] // 4 * self.bottleneck_side**2

    @property
    def normalised_layers(self) -> int:
        if self.discriminator_layers is not None:
            return self.discriminator_layers
        return int(math.log2(self.image_size // self.discriminator_side)) - 1


class GeneratorOutput(NamedTuple):
    reconstruction: Tensor
    """`[B, 1, H, W]`, the student's."""
    teacher_reconstruction: Tensor | None
    distillation: Tensor | None
    """Sum over decoder levels of the mean squared difference of student and teacher features."""
    embeddings: list[Tensor]
    """What the authors' network keeps and nobody uses; empty unless asked for."""


def split(images: Tensor, grid: int) -> Tensor:
    """Cuts `[B, C, H, W]` into `grid` x `grid` windows: `[B * grid * grid, C, H / grid, W / grid]`."""
    batch, channels, height, width = images.shape
    windows = images.view(batch, channels, grid, height // grid, grid, width // grid)
    return windows.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // grid, width // grid)


def recombine(windows: Tensor, grid: int) -> Tensor:
    """The inverse of `split`."""
    _, channels, height, width = windows.shape
    images = windows.view(-1, grid, grid, channels, height, width)
    return images.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, grid * height, grid * width)


def shrink(similarities: Tensor, active_items: int) -> Tensor:
    """Weights `[N, M]`: softmax, what lies above the k-th largest kept and normalised; softmax's gradient."""
    soft = similarities.softmax(dim=1)
    values = soft.detach()
    excess = values - values.topk(active_items, dim=1).values[:, -1:]
    kept = F.normalize(values * excess.relu() / (excess.abs() + 1e-12), p=1, dim=1)
    return soft + (kept - values)


def masked_shortcut(output: Tensor, source: Tensor, ratio: float) -> Tensor:
    """Takes each spatial cell from `output` with probability `ratio`, else from `source`."""
    mask = torch.bernoulli(torch.full_like(output[:, :1], ratio))
    return mask * output + (1 - mask) * source


class MemoryMatrix(nn.Module):
    """Learned items `[M, width]`, read by similarity."""

    def __init__(self, slots: int, width: int, active_items: int):
        super().__init__()
        self.active_items = active_items
        self.memMatrix = nn.Parameter(torch.empty(slots, width))
        nn.init.uniform_(self.memMatrix, -(width**-0.5), width**-0.5)

    def forward(self, features: Tensor) -> Tensor:
        weights = shrink(features @ self.memMatrix.T, self.active_items)
        return weights @ self.memMatrix


class MemoryQueue(nn.Module):
    """Past features `[M, width]`, read like a matrix; `update` writes the last batch over the oldest rows."""

    def __init__(self, slots: int, width: int, active_items: int):
        super().__init__()
        self.active_items = active_items
        self.pointer = 0
        self.pending: Tensor | None = None
        self.register_buffer("memMatrix", torch.empty(slots, width).uniform_(-(width**-0.5), width**-0.5))

    def forward(self, features: Tensor) -> Tensor:
        self.pending = features.detach().clone()
        weights = shrink(features @ self.memMatrix.T, self.active_items)
        return weights @ self.memMatrix

    @torch.no_grad()
    def update(self) -> None:
        """Writes the pending batch, at most M rows; called after the backward pass, which still needs the old ones."""
        if self.pending is None:
            return
        rows = (self.pointer + torch.arange(len(self.pending))) % len(self.memMatrix)
        self.memMatrix[rows] = self.pending
        self.pointer = (self.pointer + len(self.pending)) % len(self.memMatrix)
        self.pending = None


def read_blocks(blocks: nn.ModuleList, features: Tensor) -> Tensor:
    """Reads `features[:, i]` from block i: `[N, blocks, width]` to the same shape."""
    return torch.stack([block(features[:, i]) for i, block in enumerate(blocks)], dim=1)


class DecoderMemory(nn.Module):
    """Memory of a decoder level; V1 serves windows of every patch, V3 whole patches by their place."""

    def __init__(self, configuration: Configuration, channels: int, side: int):
        super().__init__()
        self.per_patch = configuration.decoder_memory == "V3"
        self.mask_ratio = configuration.decoder_mask_ratio
        self.window_grid = 1 if self.per_patch else math.isqrt(configuration.decoder_windows)
        blocks = configuration.patches if self.per_patch else configuration.decoder_windows
        width = channels * (side // self.window_grid) ** 2
        self.memory = nn.ModuleList(
            MemoryMatrix(configuration.slots, width, configuration.active_items) for _ in range(blocks)
        )

    def forward(self, features: Tensor) -> Tensor:
        windows = split(features, self.window_grid)
        read = read_blocks(self.memory, windows.reshape(-1, len(self.memory), windows[0].numel()))
        output = recombine(read.view_as(windows), self.window_grid)
        if self.training and self.mask_ratio < 1:
            output = masked_shortcut(output, features, self.mask_ratio)
        return output


class DoubleConvolution(nn.Module):
    """A convolution, then a residual branch of two."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, features: Tensor) -> Tensor:
        features = self.conv1(features)
        return F.relu(self.conv2(features) + features, inplace=True)


class Input(nn.Module):
    def __init__(self, outputs: int):
        super().__init__()
        self.conv = DoubleConvolution(1, outputs)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images)


class Down(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.mpconv = DoubleConvolution(inputs, outputs, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        return self.mpconv(features)


class Up(nn.Module):
    """Doubles the side; with a skip, concatenates it in front."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = DoubleConvolution(inputs, outputs)

    def forward(self, features: Tensor, skip: Tensor | None) -> Tensor:
        features = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
        if skip is not None:
            features = torch.cat([skip, features], dim=1)
        return self.conv(features)


class Output(nn.Module):
    def __init__(self, inputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.conv(features)


class InpaintingBlock(nn.Module):
    """Replaces each patch's bottleneck by memory items of its place, refined by attention over its neighbours."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        channels, width = configuration.channels[-1], configuration.attention_width
        reduced, bits = channels // 4, int(math.log2(configuration.patches) + 1)
        self.grid = configuration.patch_grid
        self.mask_ratio = configuration.inpaint_mask_ratio
        self.bottleneck_conv1 = nn.Sequential(
            nn.Conv2d(channels, reduced, 1, bias=False), nn.BatchNorm2d(reduced), nn.ReLU()
        )
        memory = {"matrix": MemoryMatrix, "queue": MemoryQueue}[configuration.inpaint_memory]
        self.memory = nn.ModuleList(
            memory(configuration.slots, width, configuration.active_items) for _ in range(configuration.patches)
        )
        self.attention = nn.MultiheadAttention(width, num_heads=8)
        self.attn_norm1 = nn.LayerNorm(width)
        self.ff = nn.Sequential(
            nn.Linear(width, width // 4), nn.Dropout(0), nn.ReLU(), nn.Linear(width // 4, width), nn.Dropout(0)
        )
        self.attn_norm2 = nn.LayerNorm(width)
        self.bottleneck_conv2 = nn.Sequential(
            nn.Conv2d(reduced + bits, channels, 1), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.register_buffer("position_bits", position_bits(configuration.patches, bits), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        reduced = self.bottleneck_conv1(features)
        queries = reduced.reshape(-1, self.grid**2, reduced[0].numel())
        mixture = self.refine(queries, read_blocks(self.memory, queries)).view_as(reduced)
        output = self.bottleneck_conv2(torch.cat([mixture, self.position_channels(mixture)], dim=1))
        if self.training and self.mask_ratio < 1:
            output = masked_shortcut(output, features, self.mask_ratio)
        return output

    def refine(self, queries: Tensor, items: Tensor) -> Tensor:
        """Two residual sub-layers around the items read, both `[B, G, width]`; returns `[1, B * G, width]`."""
        neighbours = self.neighbours(items)
        items = items.reshape(1, -1, items.shape[-1])
        attended, _ = self.attention(queries.reshape_as(items), neighbours, neighbours)
        hidden = F.relu(self.attn_norm1(attended) + items)
        return F.relu(self.attn_norm2(self.ff(hidden)) + hidden)

    def neighbours(self, items: Tensor) -> Tensor:
        """The eight neighbours of each patch, zeros beyond the border: `[8, B * G, width]`."""
        batch, patches, width = items.shape
        lattice = items.transpose(1, 2).reshape(batch, width, self.grid, self.grid)
        windows = F.unfold(lattice, 3, padding=1).view(batch, width, 9, patches)
        tokens = windows.permute(2, 0, 3, 1).reshape(9, -1, width)
        return torch.cat([tokens[:4], tokens[5:]])

    def position_channels(self, features: Tensor) -> Tensor:
        """Constant channels `[B * G, bits, h, w]` with the binary code of each patch's place."""
        bits = self.position_bits.to(features.dtype).repeat(len(features) // len(self.position_bits), 1)
        return bits[:, :, None, None].expand(-1, -1, *features.shape[-2:])


def position_bits(patches: int, bits: int) -> Tensor:
    """Binary code of `0 ..< patches`, most significant bit first: `[patches, bits]`."""
    powers = 2 ** torch.arange(bits - 1, -1, -1)
    return (torch.arange(patches)[:, None] // powers % 2).float()


class Generator(nn.Module):
    """Encoder, in-painting block, student decoder with memories, teacher decoder without."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        channels = configuration.channels
        self.grid = configuration.patch_grid
        self.in_conv = Input(channels[0])
        self.down_blocks = nn.ModuleList(Down(channels[i], channels[i + 1]) for i in range(LEVELS))
        self.inpaint_block = InpaintingBlock(configuration)
        self.up_blocks = decoder(channels)
        self.memory_blocks = decoder_memories(configuration)
        self.out_conv = Output(channels[0])
        self.teacher_ups = decoder(channels)
        self.teacher_out = Output(channels[0])
        self.out_nonlinear = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[configuration.output]()

    def forward(self, images: Tensor, with_teacher: bool = True, keeps_embeddings: bool = False) -> GeneratorOutput:
        """`keeps_embeddings` does what the authors' network does beside: see `embeddings`."""
        skips, bottleneck = self.encode(images)
        student = self.decode(self.inpaint_block(bottleneck), skips, self.up_blocks, self.memory_blocks)
        reconstruction = self.out_nonlinear(self.out_conv(student[-1]))
        kept = self.embeddings(bottleneck, student, reconstruction) if keeps_embeddings else []
        if not with_teacher:
            return GeneratorOutput(reconstruction, None, None, kept)
        detached = [skip if skip is None else skip.detach() for skip in skips]
        teacher = self.decode(bottleneck.detach(), detached, self.teacher_ups, [nn.Identity()] * LEVELS)
        distillation = sum(F.mse_loss(ours, theirs) for ours, theirs in zip(student, teacher))
        return GeneratorOutput(reconstruction, self.out_nonlinear(self.teacher_out(teacher[-1])), distillation, kept)

    def embeddings(self, bottleneck: Tensor, student: list[Tensor], reconstruction: Tensor) -> list[Tensor]:
        """The bottleneck and the patch-wise decoder levels laid back into images, and the reconstruction cut up again."""
        patchwise = [bottleneck, *student[:PATCHWISE_LEVELS]]
        return [*(recombine(level, self.grid) for level in patchwise), split(reconstruction, self.grid)]

    def encode(self, images: Tensor) -> tuple[list[Tensor | None], Tensor]:
        """The skip of each decoder level, deepest first, and the bottleneck `[B * G, 16 * width, h, h]`."""
        features = self.in_conv(split(images, self.grid))
        levels = []
        for down in self.down_blocks:
            levels.insert(0, features)
            features = down(features)
        skips = [skip if level < PATCHWISE_LEVELS else None for level, skip in enumerate(levels)]
        return skips, features

    def decode(self, features: Tensor, skips, ups, memories) -> list[Tensor]:
        """The features after each decoder level, deepest first."""
        levels = []
        for level, (up, memory, skip) in enumerate(zip(ups, memories, skips)):
            if level == PATCHWISE_LEVELS:
                features = recombine(features, self.grid)
            features = memory(up(features, skip))
            levels.append(features)
        return levels

    def update_queues(self) -> None:
        """Writes the last batch into the memory queues, if there are any."""
        for memory in self.inpaint_block.memory:
            if isinstance(memory, MemoryQueue):
                memory.update()


def decoder(channels: list[int]) -> nn.ModuleList:
    """Up blocks, deepest first; the patch-wise ones also take the skip's channels."""
    blocks = nn.ModuleList()
    for level in range(LEVELS):
        outputs = channels[LEVELS - 1 - level]
        inputs = 2 * outputs + (outputs if level < PATCHWISE_LEVELS else 0)
        blocks.append(Up(inputs, outputs))
    return blocks


def decoder_memories(configuration: Configuration) -> nn.ModuleList:
    """A memory for each patch-wise decoder level, nothing for the others."""
    blocks = nn.ModuleList()
    for level in range(LEVELS):
        if level < PATCHWISE_LEVELS and configuration.decoder_memory != "none":
            side = configuration.bottleneck_side * 2 ** (level + 1)
            blocks.append(DecoderMemory(configuration, configuration.channels[LEVELS - 1 - level], side))
        else:
            blocks.append(nn.Identity())
    return blocks


class Discriminator(nn.Module):
    """Tells images from reconstructions: one logit per image, high for what looks real."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        outputs = 16
        layers: list[nn.Module] = [nn.Conv2d(1, outputs, 5, 2, padding=2), nn.LeakyReLU(0.2, inplace=True)]
        for _ in range(configuration.normalised_layers):
            inputs, outputs = outputs, min(2 * outputs, 256)
            layers += [
                nn.Conv2d(inputs, outputs, 5, 2, padding=2),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.conv_model = nn.Sequential(*layers)
        self.regressor = nn.Linear(outputs * configuration.discriminator_side**2, 1)

    def forward(self, images: Tensor, per_image: bool = False) -> Tensor:
        """Logits `[B, 1]`; `per_image` normalises each image by its own statistics, touching no running ones."""
        features = images
        for layer in self.conv_model:
            if per_image and isinstance(layer, nn.BatchNorm2d):
                features = F.instance_norm(features, weight=layer.weight, bias=layer.bias, eps=layer.eps)
            else:
                features = layer(features)
        return self.regressor(features.flatten(1))


def load_official_state(generator: Generator, state: dict[str, Tensor]) -> None:
    """Loads an official `model.pth`, without the convolution nothing uses."""
    generator.load_state_dict({key: value for key, value in state.items() if not key.startswith("inpaint_block.conv.")})


class Training:
    """The networks, their optimisers and one iteration of the published schedule."""

    def __init__(
        self,
        configuration: Configuration,
        generator: Generator,
        discriminator: Discriminator,
        passes: Callable[[], ContextManager] = nullcontext,
    ):
        """`passes` gives the context of forward passes, such as mixed precision."""
        self.configuration = configuration
        self.passes = passes
        self.generator = generator.train()
        self.discriminator = discriminator.train()
        rate, betas = configuration.learning_rate, (0.5, 0.999)
        self.generator_optimiser = torch.optim.Adam(generator.parameters(), rate, betas, eps=1e-7, weight_decay=1e-5)
        self.discriminator_optimiser = torch.optim.Adam(discriminator.parameters(), rate, betas)

    def official_iteration(self, images: Tensor, index: int) -> dict[str, float]:
        """Iteration `index` of an epoch as the authors run it; returns the unweighted losses.

        All passes are recorded, embeddings kept, and each gradient's mean read back.
        """
        with self.passes():
            output = self.generator(images, keeps_embeddings=True)
        losses = self.critic_step(images, output.reconstruction.detach())
        if index % self.configuration.critic_steps == 0:
            losses |= self.generator_step(images, output)
        gradient_means(self.generator)
        return losses

    def lean_iteration(self, images: Tensor, index: int) -> dict[str, float]:
        """The same weights without the work nobody uses.

        Critic-only iterations record no gradients and skip the teacher, whose running statistics (not its weights)
        therefore differ; the generator step leaves the discriminator's gradients alone.
        """
        trains_generator = index % self.configuration.critic_steps == 0
        with torch.set_grad_enabled(trains_generator), self.passes():
            output = self.generator(images, with_teacher=trains_generator)
        losses = self.critic_step(images, output.reconstruction.detach())
        if trains_generator:
            self.discriminator.requires_grad_(False)
            losses |= self.generator_step(images, output)
            self.discriminator.requires_grad_(True)
        return losses

    def critic_step(self, images: Tensor, reconstruction: Tensor) -> dict[str, float]:
        """One step of the discriminator."""
        self.discriminator_optimiser.zero_grad()
        with self.passes():
            loss = adversarial_loss(self.discriminator(images), True)
            loss = loss + adversarial_loss(self.discriminator(reconstruction), False)
        (self.configuration.discriminator_weight * loss).backward()
        self.discriminator_optimiser.step()
        return {"discriminator": loss.item()}

    def generator_step(self, images: Tensor, output: GeneratorOutput) -> dict[str, float]:
        """One step of everything else, against the discriminator as it is now."""
        with self.passes():
            losses = {
                "student": F.mse_loss(output.reconstruction, images),
                "teacher": F.mse_loss(output.teacher_reconstruction, images),
                "distillation": output.distillation,
                "generator": adversarial_loss(self.discriminator(output.reconstruction), True),
            }
        total = sum(getattr(self.configuration, f"{name}_weight") * loss for name, loss in losses.items())
        self.generator_optimiser.zero_grad()
        total.backward()
        self.generator_optimiser.step()
        self.generator.update_queues()
        return {name: loss.item() for name, loss in losses.items()}


def gradient_means(network: nn.Module) -> list[float]:
    """The mean magnitude of each parameter's gradient, read back one by one: the authors' log has them every iteration."""
    return [parameter.grad.abs().mean().item() for parameter in network.parameters() if parameter.grad is not None]


def adversarial_loss(logits: Tensor, real: bool) -> Tensor:
    """Cross-entropy of the logits with `real`."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


@torch.inference_mode()
def score(generator: Generator, discriminator: Discriminator, images: Tensor, with_teacher: bool = False) -> Tensor:
    """Logits `[B]` of the reconstructions; an abnormal image has a low one. Independent of the rest of the batch.

    `with_teacher` also runs the teacher decoder, as the authors' network does although scoring has no use for it.
    """
    generator.eval()
    reconstruction = generator(images, with_teacher=with_teacher).reconstruction
    return discriminator(reconstruction, per_image=True).squeeze(1)


def score_officially(generator: Generator, discriminator: Discriminator, images: Tensor) -> Tensor:
    """The logits of `score` as the authors obtain them: image by image, each read back, the discriminator in training mode,
    teacher, embeddings and gradients' records included although nobody uses them.

    Moves the discriminator's running statistics.
    """
    generator.eval()
    discriminator.train()
    logits = [discriminator(generator(image, keeps_embeddings=True).reconstruction) for image in images.split(1)]
    return torch.tensor([logit.item() for logit in logits])
