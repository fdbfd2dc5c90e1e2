"""One script per promise: each measures its reference in the same run, on the local cluster, and prints a ratio.

    .venv/bin/python -m benchmarks.provision --stores 100 --pods slow --slots 4
    .venv/bin/python -m benchmarks.thousand
    .venv/bin/python -m benchmarks.ten_thousand

Numbers depend on the machine, ratios much less; run them on one that does nothing else.
"""
