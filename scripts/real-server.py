"""Runs llama.cpp's own HTTP server, as the package xllamacpp holds it, until it is told to end. Started by scripts/real-server."""

import argparse
import os
import signal
import threading

parser = argparse.ArgumentParser(prog="real-server")
parser.add_argument("model", help="GGUF file")
parser.add_argument("--port", type=int, default=8080)
parser.add_argument("--ctx", type=int, default=1024, help="context of each slot, in tokens")
parser.add_argument("--slots", type=int, default=2, help="requests answered at once")
parser.add_argument("--api-key", help="ask every client for this key")
parser.add_argument("--sleep", type=int, help="seconds without a request after which the model leaves the memory")
parser.add_argument("--threads", type=int, help="threads that calculate; 0: as it sees fit")
options = parser.parse_args()

import xllamacpp  # after the options: loading it takes a second

params = xllamacpp.CommonParams()
params.model.path = options.model
params.hostnames = ["127.0.0.1"]
params.port = options.port
# llama.cpp shares its context out among the slots.
params.n_ctx = options.ctx * options.slots
params.n_parallel = options.slots
params.endpoint_metrics = True
params.endpoint_slots = True
if options.sleep:
    params.sleep_idle_seconds = options.sleep
if options.threads:
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
if options.api_key:
    params.api_keys = [options.api_key]

ended = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: ended.set())

server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
ended.wait()
# Its own shutdown waits for running answers; a killed server does not.
os._exit(0)
