"""How much memory this process holds, and how much of each GPU."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Bytes of a GPU: what models of this process hold there, what is free for anybody, and all of it."""

    name: str
    held: int
    free: int
    total: int


def process_bytes() -> int:
    """What this process holds in main memory."""
    held: int = psutil.Process().memory_info().rss
    return held


def release() -> None:
    """Gives back what no model holds any more, also on GPUs."""
    gc.collect()  # a network is full of circles
    torch = _loaded_torch()
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def gpu_memory() -> list[GpuMemory]:
    """Each CUDA GPU; none where torch was not needed so far: it is not loaded for this question."""
    torch = _loaded_torch()
    if torch is None or not torch.cuda.is_available():
        return []
    found = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name = f"cuda:{number}, {torch.cuda.get_device_name(number)}"
        found.append(GpuMemory(name, torch.cuda.memory_allocated(number), free, total))
    return found


def _loaded_torch() -> Any:
    """torch where it is loaded, after the end of a load that has begun in another thread; else None."""
    if "torch" not in sys.modules:
        return None
    import torch

    return torch
