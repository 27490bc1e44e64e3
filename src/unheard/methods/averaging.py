"""What makes the copies of a model on several devices one model: their gradients and statistics are averaged.

A wrapper that averages while it goes back through the network (PyTorch's DistributedDataParallel) wants every weight to
learn from every batch by one pass; pretraining leaves some of them alone, and other rules make several passes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor

from unheard.methods.model import Model


@torch.no_grad()
def mean_gradients(fabric: Fabric, weights: Sequence[Tensor]) -> None:
    """Give each weight the mean of its gradients over all devices; one that has none there counts as zero.

    A weight without a gradient on any device keeps none. With one device nothing changes.
    """
    if fabric.world_size == 1:
        return
    here = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.float32, device=fabric.device)
    anywhere = torch.as_tensor(fabric.all_reduce(here, reduce_op="sum")).tolist()
    learning = [weight for weight, count in zip(weights, anywhere, strict=True) if count]
    for weight in learning:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    _average(fabric, [weight.grad for weight in learning if weight.grad is not None])


@torch.no_grad()
def mean_statistics(fabric: Fabric, model: Model) -> None:
    """Give whatever learns without a gradient its mean over all devices: running statistics, centres of classes."""
    if fabric.world_size == 1:
        return
    kept = model.state_dict()  # what is no part of it never changes
    running = [buffer for name, buffer in model.named_buffers() if name in kept and buffer.is_floating_point()]
    _average(fabric, running + [weight for weight in model.terms.parameters() if not weight.requires_grad])


def _average(fabric: Fabric, tensors: Sequence[Tensor]) -> None:
    """In place, in one message for each type of number."""
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        chosen = [tensor for tensor in tensors if tensor.dtype == dtype]
        together = torch.cat([tensor.flatten() for tensor in chosen])
        means = torch.as_tensor(fabric.all_reduce(together, reduce_op="mean"))
        for tensor, mean in zip(chosen, torch.split(means, [tensor.numel() for tensor in chosen]), strict=True):
            tensor.copy_(mean.view_as(tensor))
