"""Where and how the peers' networks compute."""

from __future__ import annotations

import argparse

import torch
from torch import nn

from driver import Processor


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of every peer that has networks."""
    parser.add_argument("--threads", type=int, default=1, help="threads of one operation")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or mps")
    parser.add_argument("--precision", choices=["float32", "bfloat16", "bf16"], default="float32", help="of products")
    parser.add_argument("--compile", action="store_true", help="send networks through torch.compile, for GPUs")
    parser.add_argument("--tasks", nargs="+", default=[], help="the only tasks to warm up and to offer")


class Machine(Processor):
    """Device, number format and compilation, as the options say."""

    def __init__(self, options: argparse.Namespace):
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        self.device = torch.device(options.device)
        self.is_reduced = options.precision != "float32"
        self.compiles = options.compile

    def network(self, module: nn.Module) -> nn.Module:
        """The module on the device; compiled in place if asked for, so that keys and methods stay."""
        module = module.to(self.device)
        if self.compiles:
            module.compile()
        return module

    def passes(self) -> torch.autocast:
        """The context of forward passes: mixed precision, if asked for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_reduced)

    def finish(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def forget_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            super().forget_peak()

    def peak_memory(self) -> int:
        """On a GPU of NVIDIA's the most bytes of tensors there, else as `Processor` counts."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return super().peak_memory()
