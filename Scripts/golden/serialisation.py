"""Writes the golden files of Tests/TorchTests/Serialisation: PyTorch and safetensors files and what they hold.

Run from the repository root: python Scripts/golden/serialisation.py (torch and safetensors installed). Values are seeded.
The legacy format names storages by their address, so the bytes of legacy*.pth differ from run to run; what they hold does
not. malicious*.pth would create an empty file if Python ran them; nothing here does.
"""
import base64
import collections
import json
import os
import pathlib
import pickle

import torch
from safetensors.torch import save_file

folder = pathlib.Path("Tests/TorchTests/Golden/serialisation")
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(7)

NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def described(name, tensor):
    raw = bytes(tensor.detach().contiguous().reshape(-1).view(torch.uint8).tolist()) if tensor.numel() else b""
    return {"name": name, "dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
            "data": base64.b64encode(raw).decode()}


def flattened(value, name=""):
    """Dotted names of tensors and of everything else, as PyTorchStateDict documents them."""
    if isinstance(value, torch.Tensor):
        return [described(name, value)], []
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)) and any(isinstance(v, (dict, list, tuple, torch.Tensor)) for v in value):
        items = enumerate(value)
    else:
        return [], [name]
    arrays, ignored = [], []
    for key, item in items:
        below = flattened(item, f"{name}.{key}" if name else str(key))
        arrays += below[0]
        ignored += below[1]
    return arrays, ignored


base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
tensors = {
    "contiguous": base,
    "transposed": base.transpose(0, 2),
    "permuted": base.permute(1, 0, 2),
    "sliced": base[:, 1:, ::2],
    "offset": base[1],
    "expanded": torch.tensor([[1.5], [-2.5]]).expand(2, 3),
    "shared": base.view(-1)[5:11],
    "scalar": torch.tensor(3.25),
    "empty": torch.zeros(0, 3),
    "double": torch.randn(3, dtype=torch.float64),
    "half": torch.randn(2, 2).half(),
    "bfloat16": torch.randn(2, 2).bfloat16().t(),
    "int64": torch.tensor([-1, 2 ** 62]),
    "int32": torch.tensor([-5, 6], dtype=torch.int32),
    "int16": torch.tensor([-300, 300], dtype=torch.int16),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint8": torch.tensor([0, 255, 7], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "größe": torch.ones(1),
}
module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(2, 3))
optimiser = torch.optim.Adam(module.parameters())
module(torch.randn(1, 1, 4, 4)).sum().backward()
optimiser.step()
checkpoint = {
    "epoch": 3, "state_dict": module.state_dict(), "optimizer": optimiser.state_dict(), "history": [0.5, 0.25],
    "layers": [{"weight": torch.ones(2)}, torch.zeros(1)], "size": torch.Size([2, 3]), "dtype": torch.float32,
    "flag": True, "note": "trained", "nothing": None, "large": 2 ** 70,
}
parameters = {"weight": torch.nn.Parameter(torch.randn(2, 3)),
              "frozen": torch.nn.Parameter(base[0].t(), requires_grad=False)}

saved = {
    "views.pth": (tensors, {}),
    "module.pth": (module.state_dict(), {}),
    "checkpoint.pth": (checkpoint, {}),
    "parameters.pth": (parameters, {}),
    "protocol4.pth": (tensors, {"pickle_protocol": 4}),
    "protocol5.pth": (checkpoint, {"pickle_protocol": 5}),
    "legacy.pth": (tensors, {"_use_new_zipfile_serialization": False}),
    "legacy-checkpoint.pth": (checkpoint, {"_use_new_zipfile_serialization": False}),
}
expected = {}
for name, (value, options) in saved.items():
    torch.save(value, folder / name, **options)
    arrays, ignored = flattened(value)
    expected[name] = {"arrays": arrays, "ignored": ignored}

contiguous = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
contiguous["a \"quoted\\name\"\n\t\x01"] = torch.ones(1)
save_file(contiguous, folder / "arrays.safetensors", metadata={"note": "line 1\nline \"2\" µ"})
expected["arrays.safetensors"] = {"arrays": [described(*item) for item in contiguous.items()], "ignored": []}


class Attack:
    def __reduce__(self):
        return os.system, ("touch norma-pickle-was-run",)


torch.save({"weight": torch.ones(1), "epoch": Attack()}, folder / "malicious.pth")
torch.save({"epoch": Attack()}, folder / "malicious-legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": Attack()}, folder / "malicious-protocol4.pth", pickle_protocol=4)
torch.save(torch.ones(2), folder / "single.pth")
torch.save({"epoch": 3}, folder / "no-tensors.pth")
torch.save({"negated": torch._neg_view(torch.ones(2))}, folder / "negated.pth")
torch.save({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}}, folder / "colliding.pth")
(folder / "plain-pickle.pth").write_bytes(pickle.dumps({"epoch": 3}, protocol=2))
torch.jit.trace(torch.nn.ReLU(), torch.ones(1)).save(folder / "torchscript.pt")
cyclic = collections.OrderedDict(weight=torch.ones(1))
cyclic["self"] = cyclic
torch.save(cyclic, folder / "cyclic.pth")

(folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
