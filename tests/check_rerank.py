"""tinyarms rerank from outside: check_rerank.py TINYARMS

A cross-encoder is written as it is published, imported, and asked; its scores are compared with
those of the same model computed here in 64-bit floats.
"""

import array
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv[1]
LAYERS, WIDTH, INNER, HEADS, POSITIONS = 2, 32, 48, 2, 24
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sort", "a", "list", "of", "dates", "parse",
         "json", "##s", "file", "read", "the"]


def shapes():
    e = "bert.embeddings."
    yield e + "word_embeddings.weight", (len(WORDS), WIDTH)
    yield e + "position_embeddings.weight", (POSITIONS, WIDTH)
    yield e + "token_type_embeddings.weight", (2, WIDTH)
    norms = [e + "LayerNorm"]
    dense = [("bert.pooler.dense", WIDTH, WIDTH), ("classifier", 1, WIDTH)]
    for i in range(LAYERS):
        at = f"bert.encoder.layer.{i}."
        norms += [at + "attention.output.LayerNorm", at + "output.LayerNorm"]
        dense += [(at + "attention.self." + part, WIDTH, WIDTH)
                  for part in ("query", "key", "value")]
        dense += [(at + "attention.output.dense", WIDTH, WIDTH),
                  (at + "intermediate.dense", INNER, WIDTH), (at + "output.dense", WIDTH, INNER)]
    for name in norms:
        yield name + ".weight", (WIDTH,)
        yield name + ".bias", (WIDTH,)
    for name, rows, columns in dense:
        yield name + ".weight", (rows, columns)
        yield name + ".bias", (rows,)


def make_weights():
    chance = random.Random(3)
    weights = {}
    for name, shape in shapes():
        base = 1 if name.endswith("LayerNorm.weight") else 0
        values = [base + chance.uniform(-0.4, 0.4) for _ in range(math.prod(shape))]
        weights[name] = array.array("f", values)
    return weights


def write_model(folder, weights):
    folder.mkdir()
    config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"],
              "num_labels": 1, "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
              "num_attention_heads": HEADS, "intermediate_size": INNER,
              "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
              "vocab_size": len(WORDS), "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    table, data = {}, b""
    for name, shape in shapes():
        begin = len(data)
        data += weights[name].tobytes()
        table[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    head = json.dumps(table).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data)


class Reference:
    def __init__(self, weights):
        self.weights = weights

    def dense(self, x, name):
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return [sum(a * b for a, b in zip(x, weight[i * len(x):(i + 1) * len(x)])) + bias[i]
                for i in range(len(bias))]

    def norm(self, x, name):
        mean = sum(x) / WIDTH
        scale = 1 / math.sqrt(sum((v - mean) ** 2 for v in x) / WIDTH + 1e-12)
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return [(v - mean) * scale * weight[i] + bias[i] for i, v in enumerate(x)]

    def attend(self, rows, at):
        query, key, value = ([self.dense(x, at + "attention.self." + part) for x in rows]
                             for part in ("query", "key", "value"))
        size = WIDTH // HEADS
        out = [[] for _ in rows]
        for begin in range(0, WIDTH, size):
            span = slice(begin, begin + size)
            for i, q in enumerate(query):
                powers = [math.exp(sum(a * b for a, b in zip(q[span], k[span])) / math.sqrt(size))
                          for k in key]
                total = sum(powers)
                out[i] += [sum(p * v[c] for p, v in zip(powers, value)) / total
                           for c in range(begin, begin + size)]
        return out

    def score(self, query, passage):
        ids = [2] + query + [3] + passage + [3]
        e = "bert.embeddings."
        row = lambda name, i: self.weights[e + name][i * WIDTH:(i + 1) * WIDTH]
        rows = []
        for i, word in enumerate(ids):
            kind = 0 if i < len(query) + 2 else 1
            parts = zip(row("word_embeddings.weight", word), row("position_embeddings.weight", i),
                        row("token_type_embeddings.weight", kind))
            rows.append(self.norm([sum(p) for p in parts], e + "LayerNorm"))
        for i in range(LAYERS):
            at = f"bert.encoder.layer.{i}."
            context = self.attend(rows, at)
            for r, x in enumerate(rows):
                seen = self.dense(context[r], at + "attention.output.dense")
                x = self.norm([a + b for a, b in zip(x, seen)], at + "attention.output.LayerNorm")
                inner = [0.5 * v * (1 + math.erf(v / math.sqrt(2)))
                         for v in self.dense(x, at + "intermediate.dense")]
                made = self.dense(inner, at + "output.dense")
                rows[r] = self.norm([a + b for a, b in zip(x, made)], at + "output.LayerNorm")
        pooled = [math.tanh(v) for v in self.dense(rows[0], "bert.pooler.dense")]
        return self.dense(pooled, "classifier")[0]


QUERY = "parse a list of dates"
PASSAGES = ["sort dates", "read the json file", "parse dates", "lists of lists", "a file"]
PIECES = {"dates": [9], "lists": [7, 12]}


def ids_of(text):
    return [i for word in text.split() for i in PIECES.get(word, [WORDS.index(word)
                                                                   if word in WORDS else 1])]


class RerankTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        cls.environment = {**os.environ, "XDG_DATA_HOME": str(root / "data"),
                           "XDG_CONFIG_HOME": str(root / "config"),
                           "XDG_CACHE_HOME": str(root / "cache")}
        cls.weights = make_weights()
        write_model(root / "tiny", cls.weights)
        cls.imported = cls.run_program("models", "import", str(root / "tiny"), "--quantization",
                                       "f32", "--json")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def run_program(cls, *arguments, text="", check=0):
        done = subprocess.run([PROGRAM, *arguments], input=text, capture_output=True,
                              encoding="utf-8", errors="surrogateescape", env=cls.environment,
                              timeout=120)
        if check is not None and done.returncode != check:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def rank(self, *arguments, text=None, check=0):
        text = "\n".join(PASSAGES) if text is None else text
        return self.run_program("rerank", "--query", QUERY, *arguments, text=text, check=check)

    def test_import_recognises_it(self):
        self.assertEqual(json.loads(self.imported.stdout)["role"], "reranker")

    def test_scores_are_those_of_the_reference(self):
        reply = json.loads(self.rank("--json", "--model", "tiny").stdout)
        self.assertEqual(reply["method"], "cross-encoder")
        reference = Reference(self.weights)
        expected = [reference.score(ids_of(QUERY), ids_of(p)) for p in PASSAGES]
        self.assertEqual(len(reply["results"]), len(PASSAGES))
        for result in reply["results"]:
            self.assertAlmostEqual(result["score"], expected[result["index"]], delta=0.05)
            self.assertEqual(result["text"], PASSAGES[result["index"]])
        scores = [result["score"] for result in reply["results"]]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_objects_top_and_the_only_cross_encoder(self):
        lines = "\n".join(json.dumps({"id": f"p{i}", "text": p}) for i, p in enumerate(PASSAGES))
        by_line = json.loads(self.rank("--json", "--top", "2", "--method", "cross-encoder").stdout)
        by_object = json.loads(self.rank("--json", "--top", "2", "--method", "cross-encoder",
                                         text=lines).stdout)
        self.assertEqual(len(by_object["results"]), 2)
        for a, b in zip(by_line["results"], by_object["results"]):
            self.assertEqual(f"p{a['index']}", b["id"])
            self.assertEqual(a["score"], b["score"])

    def test_text_output(self):
        lines = self.rank("--model", "tiny", "--top", "3").stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[0], r"^-?\d+\.\d{4}\t\d+\t")

    def test_wrong_use(self):
        self.rank("--model", "tiny", text="", check=2)
        self.rank("--model", "tiny", text="\n \n", check=2)
        self.rank("--model", "tiny", "--top", "0", check=2)
        self.rank("--method", "magic", check=2)
        self.rank("--model", "absent", check=5)
        self.rank("--method", "late-interaction", "--model", "tiny", check=5)
        self.rank("--model", "tiny", text='{"id": 1, "text": "a"}\nplain', check=2)
        self.rank("--model", "tiny", text="a\udcff", check=2)
        self.run_program("rerank", "--query", " ", "--model", "tiny", text="a", check=2)
        self.run_program("rerank", text="a", check=2)

    def test_a_long_passage_is_cut_with_a_note(self):
        done = self.rank("--model", "tiny", "--json", text="sort a list " * 40)
        self.assertTrue(json.loads(done.stdout)["results"][0]["truncated"])
        self.assertIn("longer than the model reads", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
