"""A chat server with a small real model, on loopback: server.py MODEL.gguf PORT. Ends when its standard input is closed."""

import os
import sys
import threading

import xllamacpp

SLOTS = 4
TOKENS_PER_SLOT = 4096
# Two would wait for each other on a machine that is busy.
THREADS = 1


def main() -> None:
    path, port = sys.argv[1], int(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * TOKENS_PER_SLOT
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.use_jinja = True
    params.endpoint_slots = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    # The server stops when its object is no longer used.
    threading.Event().wait()


if __name__ == "__main__":
    # Whoever started this holds the other end, so it ends with them however they end.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    main()
