"""all-MiniLM-L6-v2 in ONNX Runtime, for benchmarks/encoder.cc: builds the model from the published
safetensors, then answers requests, a line of JSON each.

    {"model": "fp32" | "int8", "ids": [[…], …]}  →  {"ms": …, "vectors": [[…], …]}

int8 is ONNX Runtime's dynamic quantisation with a scale for each output channel.
"""

import json
import pathlib
import sys
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

LAYERS, WIDTH, HEADS = 6, 384, 12


def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[8 + size + begin:8 + size + end], "<f4")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and weights under construction."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.initializers = []
        self.count = 0

    def constant(self, values, dtype=None):
        self.count += 1
        name = f"c{self.count}"
        self.initializers.append(numpy_helper.from_array(numpy.asarray(values, dtype), name))
        return name

    def add(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"n{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def linear(self, x, name):
        weight = self.constant(numpy.ascontiguousarray(self.weights[name + ".weight"].T))
        product = self.add("MatMul", x, weight)
        return self.add("Add", product, self.constant(self.weights[name + ".bias"]))

    def norm(self, x, name):
        return self.add("LayerNormalization", x, self.constant(self.weights[name + ".weight"]),
                        self.constant(self.weights[name + ".bias"]), axis=-1, epsilon=1e-12)

    def heads(self, x, order):
        shape = self.constant([0, 0, HEADS, WIDTH // HEADS], "int64")
        return self.add("Transpose", self.add("Reshape", x, shape), perm=order)

    def gelu(self, x):
        erf = self.add("Erf", self.add("Div", x, self.constant(2.0 ** 0.5, "f4")))
        product = self.add("Mul", x, self.add("Add", erf, self.constant(1.0, "f4")))
        return self.add("Mul", product, self.constant(0.5, "f4"))

    def layer(self, x, i):
        at = f"encoder.layer.{i}."
        query = self.heads(self.linear(x, at + "attention.self.query"), [0, 2, 1, 3])
        key = self.heads(self.linear(x, at + "attention.self.key"), [0, 2, 3, 1])
        value = self.heads(self.linear(x, at + "attention.self.value"), [0, 2, 1, 3])
        scores = self.add("Div", self.add("MatMul", query, key),
                          self.constant((WIDTH / HEADS) ** 0.5, "f4"))
        context = self.add("MatMul", self.add("Softmax", scores, axis=-1), value)
        context = self.add("Reshape", self.add("Transpose", context, perm=[0, 2, 1, 3]),
                           self.constant([0, 0, WIDTH], "int64"))
        out = self.linear(context, at + "attention.output.dense")
        x = self.norm(self.add("Add", out, x), at + "attention.output.LayerNorm")
        inner = self.gelu(self.linear(x, at + "intermediate.dense"))
        out = self.linear(inner, at + "output.dense")
        return self.norm(self.add("Add", out, x), at + "output.LayerNorm")


def export(folder, to):
    graph = Graph(read_safetensors(folder / "model.safetensors"))
    weights = graph.weights
    words = graph.add("Gather", graph.constant(weights["embeddings.word_embeddings.weight"]), "ids")
    places = graph.add("Gather", graph.constant(weights["embeddings.position_embeddings.weight"]),
                       "positions")
    kind = graph.constant(weights["embeddings.token_type_embeddings.weight"][0])
    x = graph.norm(graph.add("Add", graph.add("Add", words, places), kind), "embeddings.LayerNorm")
    for i in range(LAYERS):
        x = graph.layer(x, i)
    mean = graph.add("ReduceMean", x, axes=[1], keepdims=0)
    graph.nodes[-1].output[0] = "vectors"
    del mean
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"]),
              helper.make_tensor_value_info("positions", TensorProto.INT64, ["tokens"])]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "minilm", inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    onnx.save(made, to)


def open_session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main():
    folder, cache = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    threads = int(sys.argv[3])
    cache.mkdir(parents=True, exist_ok=True)
    plain, small = cache / "minilm.fp32.onnx", cache / "minilm.int8.onnx"
    if not plain.exists():
        export(folder, plain)
    if not small.exists():
        quantize_dynamic(str(plain), str(small), per_channel=True, weight_type=QuantType.QInt8)
    sessions = {"fp32": open_session(plain, threads), "int8": open_session(small, threads)}
    print(json.dumps({"version": onnxruntime.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        session = sessions[request["model"]]
        ids = numpy.asarray(request["ids"], "int64")
        feed = {"ids": ids, "positions": numpy.arange(ids.shape[1], dtype="int64")}
        session.run(None, feed)  # the caller's caches are not ours
        best = None
        for _ in range(request.get("repeat", 1)):
            start = time.perf_counter()
            (vectors,) = session.run(None, feed)
            seconds = time.perf_counter() - start
            best = seconds if best is None else min(best, seconds)
        print(json.dumps({"ms": best * 1000, "vectors": vectors.tolist()}), flush=True)


main()
