"""Exact search by faiss and usearch on one thread, for benchmarks/vectors.cc. Reads float32 rows
and queries from files, then answers requests, a line of JSON each.

    {"peer": "faiss" | "usearch", "query": i}  →  {"ms": …, "ids": […]}
"""

import json
import sys
import time

import faiss
import numpy
import usearch
from usearch.index import search


def main():
    size = int(sys.argv[3])
    rows = numpy.fromfile(sys.argv[1], "<f4").reshape(-1, size)
    queries = numpy.fromfile(sys.argv[2], "<f4").reshape(-1, size)
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(size)
    flat.add(rows)
    # Its 8-bit codes.
    small = faiss.IndexScalarQuantizer(size, faiss.ScalarQuantizer.QT_8bit_direct_signed,
                                       faiss.METRIC_INNER_PRODUCT)
    codes = numpy.round(rows / numpy.abs(rows).max() * 127)
    small.add(codes.astype("f4"))
    print(json.dumps({"faiss": faiss.__version__, "usearch": usearch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        query = queries[request["query"]]
        start = time.perf_counter()
        if request["peer"] == "faiss":
            ids = flat.search(query[None], 10)[1][0]
        elif request["peer"] == "faiss-int8":
            ids = small.search(numpy.round(query / numpy.abs(query).max() * 127)[None], 10)[1][0]
        else:
            ids = search(rows, query, 10, "ip", exact=True, threads=1).keys
        ms = (time.perf_counter() - start) * 1000
        print(json.dumps({"ms": ms, "ids": [int(i) for i in ids]}), flush=True)


main()
