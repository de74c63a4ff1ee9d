"""Writes the trained model as one int8 ONNX file.

The graph is written node by node, not traced: it is small and has a fixed form, so the service's speed does not depend
on the exporter of a torch version. The table of pieces is stored as int8 with one scale a row, which a general
quantiser does not do. onnxruntime quantises the weights of the layers, with one scale a column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from monitor.detect.reader.pieces import FIRST, PAD, SECOND

HEADS = 12
_EPSILON = 1e-12
_FAR = -1e4

Weights = Mapping[str, NDArray[np.float32]]


class _Graph:
    """Nodes and constants under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if all(one.name != name for one in self.constants):
            self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x: str, weights: Weights, key: str) -> str:
        weight = self.constant(f"{key}.weight.T", weights[f"{key}.weight"].T.copy())
        return self.add("Add", self.add("MatMul", x, weight), self.constant(f"{key}.bias", weights[f"{key}.bias"]))

    def norm(self, x: str, weights: Weights, key: str) -> str:
        scale = self.constant(f"{key}.weight", weights[f"{key}.weight"])
        bias = self.constant(f"{key}.bias", weights[f"{key}.bias"])
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)

    def numbers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))


def int8_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the table in int8, and the scale of each row."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-6) / 127
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)


def graph_of(weights: Weights, layers: int) -> onnx.ModelProto:
    """Return the model as ONNX in float32, except for its table of pieces."""
    g = _Graph()
    table, scale = int8_rows(weights["emb.weight"])
    width = table.shape[1]
    rows = g.add("Cast", g.add("Gather", g.constant("table", table), "ids"), to=TensorProto.FLOAT)
    x = g.add("Mul", rows, g.add("Gather", g.constant("scale", scale), "ids"))
    length = g.add("Gather", g.add("Shape", "ids"), g.numbers("one", 1))
    places = g.add("Slice", g.constant("places", weights["pos"]), g.numbers("zero", 0), length, g.numbers("axis", 0))
    x = g.norm(g.add("Add", x, places), weights, "n0")
    padding = g.add("Cast", g.add("Equal", "ids", g.constant("pad", np.array(PAD, np.int32))), to=TensorProto.FLOAT)
    far = g.add("Mul", padding, g.constant("far", np.array(_FAR, np.float32)))
    mask = g.add("Unsqueeze", far, g.numbers("between", 1, 2))
    for layer in range(layers):
        x = _layer(g, (x, mask), weights, f"layers.{layer}", width)
    first = g.add("Gather", x, g.constant("start", np.array(0, np.int64)), axis=1)
    pooled = g.add("Concat", first, _mean(g, x, FIRST, "first"), _mean(g, x, SECOND, "second"), axis=1)
    hidden = g.add("Gelu", g.linear(pooled, weights, "h1"))
    last = g.linear(hidden, weights, "h2")
    g.nodes.append(helper.make_node("Identity", [last], ["scores"], name="scores"))
    outs = weights["h2.bias"].shape[0]
    graph = helper.make_graph(
        g.nodes,
        "reader",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["pairs", "pieces"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["pairs", outs])],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _layer(g: _Graph, given: tuple[str, str], weights: Weights, key: str, width: int) -> str:
    x, mask = given
    size = width // HEADS
    split = g.numbers("split", 0, 0, HEADS, size)
    weight, bias = weights[f"{key}.qkv.weight"], weights[f"{key}.qkv.bias"]
    parts = []
    for n, name in enumerate(("q", "k", "v")):
        one = {
            f"{key}.{name}.weight": weight[n * width : (n + 1) * width],
            f"{key}.{name}.bias": bias[n * width : (n + 1) * width],
        }
        if name == "q":
            one = {part: value / np.sqrt(size).astype(np.float32) for part, value in one.items()}
        parts.append(g.add("Reshape", g.linear(x, one, f"{key}.{name}"), split))
    q = g.add("Transpose", parts[0], perm=[0, 2, 1, 3])
    k = g.add("Transpose", parts[1], perm=[0, 2, 3, 1])
    v = g.add("Transpose", parts[2], perm=[0, 2, 1, 3])
    share = g.add("Softmax", g.add("Add", g.add("MatMul", q, k), mask), axis=-1)
    mixed = g.add("Transpose", g.add("MatMul", share, v), perm=[0, 2, 1, 3])
    joined = g.add("Reshape", mixed, g.numbers("join", 0, 0, width))
    x = g.norm(g.add("Add", x, g.linear(joined, weights, f"{key}.o")), weights, f"{key}.n1")
    inner = g.add("Gelu", g.linear(x, weights, f"{key}.f1"))
    return g.norm(g.add("Add", x, g.linear(inner, weights, f"{key}.f2")), weights, f"{key}.n2")


def _mean(g: _Graph, x: str, row: int, name: str) -> str:
    """The mean of the vectors at one marker."""
    here = g.add("Cast", g.add("Equal", "ids", g.constant(name, np.array(row, np.int32))), to=TensorProto.FLOAT)
    total = g.add("Squeeze", g.add("MatMul", g.add("Unsqueeze", here, g.numbers("axis1", 1)), x), g.numbers("axis1", 1))
    count = g.add("ReduceSum", here, g.numbers("axis1", 1), keepdims=1)
    return g.add("Div", total, g.add("Max", count, g.constant("least", np.array(1, np.float32))))


def write(weights: Weights, layers: int, path: Path) -> None:
    """Write the model to `path`, quantised: large constant matrices become int8, activations are quantised at run time.

    Weights use seven bits. On processors without an instruction for products of bytes (VNNI), the sum of two products
    of eight bits overflows sixteen bits, and the same file gives different results on different machines
    (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html, `reduce_range`).
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(graph_of(weights, layers), str(whole))
        quantize_dynamic(
            str(whole), str(path), per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"], extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )  # fmt: skip
