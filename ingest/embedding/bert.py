"""The network of BERT as an OpenVINO graph, from its weights.

Written out here instead of taken from torch: it starts in half a second where importing torch and transformers takes
several, and runs about twice as fast on a CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

# `import openvino` reports itself to Google Analytics and writes an id into the user's folder, unless this package of
# its is missing. None makes it so; nothing else needs it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the documented value, not in the stubs

import openvino as ov  # noqa: E402 - after the line above
import openvino.opset15 as op  # noqa: E402

MASKED = -1e9
"""Added to the attention of padding: its exponential is 0."""

Weights = Mapping[str, NDArray[np.float32]]
Node = Any
"""A value in the graph; OpenVINO's operators are not typed."""


def compile_bert(weights: Weights, *, heads: int, layers: int, options: Mapping[str, str] | None = None) -> Any:
    """The network of `bert_graph` on the CPU; each user makes an own `create_infer_request()` of it to `infer` with.

    Without `options` of OpenVINO's it computes in bfloat16 where the processor multiplies it in hardware, else in
    float32.
    """
    graph = bert_graph(weights, heads=heads, layers=layers)
    return ov.Core().compile_model(graph, "CPU", dict(options or {}))


def bert_graph(weights: Weights, *, heads: int, layers: int) -> ov.Model:
    """From token ids and attention bias (0 or `MASKED`), both `[batch, tokens]`, to the last hidden states.

    `weights` are named as in the checkpoints of the transformers library.
    """
    ids = op.parameter([-1, -1], np.int64, name="ids")
    bias = op.parameter([-1, -1], np.float32, name="bias")
    every_head = op.unsqueeze(bias, op.constant([1, 2]))
    states = reduce(
        lambda states, number: _layer(states, every_head, weights, f"encoder.layer.{number}.", heads),
        range(layers),
        _embeddings(ids, weights),
    )
    return ov.Model([states], [ids, bias], "bert")


def _embeddings(ids: Node, weights: Weights) -> Node:
    words, positions, types = (
        weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    count = op.gather(op.shape_of(ids), op.constant(1), op.constant(0))
    places = op.range(op.constant(np.int64(0)), count, op.constant(np.int64(1)), "i64")
    summed = op.add(_rows(words, ids), _rows(positions + types[0], places))
    return _norm(summed, weights, "embeddings.LayerNorm")


def _layer(states: Node, bias: Node, weights: Weights, prefix: str, heads: int) -> Node:
    query, key, value = (
        _split(_linear(states, weights, f"{prefix}attention.self.{name}"), heads) for name in ("query", "key", "value")
    )
    attended = _join(op.scaled_dot_product_attention(query, key, value, bias))
    attended = _linear(attended, weights, f"{prefix}attention.output.dense")
    states = _norm(op.add(attended, states), weights, f"{prefix}attention.output.LayerNorm")
    inner = op.gelu(_linear(states, weights, f"{prefix}intermediate.dense"), "erf")
    return _norm(op.add(_linear(inner, weights, f"{prefix}output.dense"), states), weights, f"{prefix}output.LayerNorm")


def _rows(table: NDArray[np.float32], indices: Node) -> Node:
    return op.gather(op.constant(table), indices, op.constant(0))


def _linear(states: Node, weights: Weights, name: str) -> Node:
    product = op.matmul(states, op.constant(weights[f"{name}.weight"]), transpose_a=False, transpose_b=True)
    return op.add(product, op.constant(weights[f"{name}.bias"]))


def _norm(states: Node, weights: Weights, name: str) -> Node:
    centred = op.mvn(states, op.constant([-1]), normalize_variance=True, eps=1e-12, eps_mode="inside_sqrt")
    scaled = op.multiply(centred, op.constant(weights[f"{name}.weight"]))
    return op.add(scaled, op.constant(weights[f"{name}.bias"]))


def _split(states: Node, heads: int) -> Node:
    """From `[batch, tokens, width]` to `[batch, heads, tokens, width of a head]`."""
    parted = op.reshape(states, op.constant([0, 0, heads, -1]), special_zero=True)
    return op.transpose(parted, op.constant([0, 2, 1, 3]))


def _join(states: Node) -> Node:
    together = op.transpose(states, op.constant([0, 2, 1, 3]))
    return op.reshape(together, op.constant([0, 0, -1]), special_zero=True)
