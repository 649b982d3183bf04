"""Attention over a packed row: each sequence sees the keys of its head and its own, and no other's.

A model of the transformers library calls `packed_attention` in place of its own attention once its implementation is
set to `PACKED`; the row travels with the call as the keyword argument `packed`. That works for every architecture of
the library that takes its attention from `AttentionInterface` and has no window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface

from retrievers.rerank.errors import first_line
from retrievers.rerank.packing import Layout, lay_out

logger = logging.getLogger(__name__)

PACKED = "packed_rows"

QUERY_BLOCK = 128
"""Queries that `sdpa_attention` takes at once on a CPU: fewer waste less above the diagonal, more call less often."""

ACCELERATOR_QUERY_BLOCK = 2048
"""The same where calls are dear and arithmetic is cheap."""

Kernel = Callable[[Tensor, Tensor, Tensor, "PackedRow", float], Tensor]
"""Queries `[t, heads, dim]`, keys and values `[keys, kv_heads, dim]`, the row, the scale -> `[t, heads, dim]`."""


@dataclass(frozen=True, slots=True)
class Head:
    """Keys and values of the tokens that several sequences begin with: two `[length, kv_heads, dim]` a layer."""

    length: int
    layers: tuple[tuple[Tensor, Tensor], ...]


class PackedRow:
    """The sequences of one forward pass, on the device, and the kernel that lets each see its own keys.

    A row over `heads` reads their keys and values; a row without any is a row of heads to come, and keeps its own.
    """

    def __init__(self, layout: Layout, heads: Sequence[Head], kernel: Kernel, device: torch.device) -> None:
        move = partial(torch.as_tensor, device=device)
        self.heads = heads
        self.kernel = kernel
        self.positions = move(layout.positions)
        self.last = move(layout.last)
        self.key_index = move(layout.key_index)
        self.query_bounds = layout.query_bounds.tolist()
        self.key_bounds = layout.key_bounds.tolist()
        self.query_offsets = move(layout.query_bounds, dtype=torch.int32)
        self.key_offsets = move(layout.key_bounds, dtype=torch.int32)
        self.longest_query, self.longest_keys = (
            int((bounds[1:] - bounds[:-1]).max()) for bounds in (layout.query_bounds, layout.key_bounds)
        )
        self._kept: list[tuple[Tensor, Tensor]] = []

    def with_heads(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values that the sequences see, sequence by sequence."""
        if not self.heads:
            self._kept.append((key, value))
            return key, value
        keys = torch.cat([*(head.layers[layer][0] for head in self.heads), key])
        values = torch.cat([*(head.layers[layer][1] for head in self.heads), value])
        return keys[self.key_index], values[self.key_index]

    def as_heads(self) -> list[Head]:
        """The sequences of this row as heads of others, in order; after the forward pass."""
        return [
            Head(end - start, tuple((keys[start:end], values[start:end]) for keys, values in self._kept))
            for start, end in pairwise(self.query_bounds)
        ]


def packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packed: PackedRow,
    scaling: float,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """What a layer of the transformers library calls: `[1, heads, t, dim]` each -> `[1, t, heads, dim]`."""
    if sliding_window is not None or softcap is not None:
        raise NotImplementedError("Packed rows have full causal attention; this model's layers want a window or a cap.")
    layer: int = module.layer_idx  # type: ignore[assignment]  # the library sets it on every attention module
    keys, values = packed.with_heads(layer, key[0].transpose(0, 1), value[0].transpose(0, 1))
    return packed.kernel(query[0].transpose(0, 1), keys, values, packed, scaling).unsqueeze(0), None


def sdpa_attention(query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float) -> Tensor:
    """Sequence by sequence through scaled_dot_product_attention, on any device and in any precision."""
    groups = query.shape[1] // key.shape[1]
    most = QUERY_BLOCK if query.device.type == "cpu" else ACCELERATOR_QUERY_BLOCK
    output = torch.empty_like(query)
    bounds = zip(pairwise(row.query_bounds), pairwise(row.key_bounds), strict=True)
    for (start, end), (first, stop) in bounds:
        keys, values = (part[first:stop].transpose(0, 1).repeat_interleave(groups, 0) for part in (key, value))
        past = (stop - first) - (end - start)
        for block in range(0, end - start, most):
            rows = slice(start + block, min(start + block + most, end))
            size = rows.stop - rows.start
            seen = past + block + size
            mask = torch.ones(size, seen, dtype=torch.bool, device=query.device).tril(seen - size)
            attended = F.scaled_dot_product_attention(
                query[rows].transpose(0, 1)[None], keys[None, :, :seen], values[None, :, :seen], mask, scale=scale
            )
            output[rows] = attended[0].transpose(0, 1)
    return output


def varlen_attention(query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float) -> Tensor:
    """All sequences in one call of the flash kernel for sequences of different lengths: CUDA, bfloat16 or float16."""
    from torch.nn.attention.varlen import varlen_attn

    attended = varlen_attn(
        query.contiguous(),
        key,
        value,
        row.query_offsets,
        row.key_offsets,
        row.longest_query,
        row.longest_keys,
        scale=scale,
        window_size=(-1, 0),
        enable_gqa=True,
    )
    assert isinstance(attended, Tensor)  # a tuple only where more than the output is asked for
    return attended


def choose_kernel(wanted: Kernel, heads: int, kv_heads: int, dim: int, like: Tensor) -> Kernel:
    """`wanted`, if it gives what `sdpa_attention` gives on tensors such as `like`; else `sdpa_attention`, with a log.

    Tried before the first question, for a card without the kernel raises only when it is called.
    """
    layout = lay_out([3, 5], [0, 0], [4])
    row = PackedRow(layout, (), wanted, like.device)
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(length, count, dim, generator=generator).to(like)
        for length, count in ((8, heads), (16, kv_heads), (16, kv_heads))
    )
    scale = dim**-0.5
    try:
        found = wanted(query, key, value, row, scale)
    except (ImportError, NotImplementedError, RuntimeError, TypeError) as error:
        logger.warning("The fast attention kernel does not run here (%s); using the plain one.", first_line(error))
        return sdpa_attention
    error_size = (found - sdpa_attention(query, key, value, row, scale)).abs().max().item()
    if not error_size < 0.05:  # of values around 1; half precision is off by less than 0.01
        logger.warning("The fast attention kernel is off by %.3g here; using the plain one.", error_size)
        return sdpa_attention
    return wanted


AttentionInterface.register(PACKED, packed_attention)
