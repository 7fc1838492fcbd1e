"""What the peers of training have in common: the pairs, the model, TRL's Python."""
import json, os, subprocess, sys

from peer_python import peer_python
from llama_server import find_model

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("SELENE_SHARED", os.path.join(ROOT, os.pardir, "shared"))
PACKAGES = ("torch==2.15.0", "transformers==5.24.0", "trl==1.16.0", "peft==0.21.2", "gguf==0.19.0", "sentencepiece==0.2.3")


def find_pairs(given):
    """`given`, else the 256 pairs of ../shared."""
    path = given or os.path.join(SHARED, "perf", "pairs_256.jsonl")
    if not os.path.exists(path):
        sys.exit(f"{path} is not there: give --pairs FILE, rows of {{prompt, chosen, rejected}} as conversations")
    return path


def find_program(name):
    path = os.path.join(ROOT, "build", "bench", name)
    if not os.path.exists(path):
        sys.exit(f"{path} is not there: make bench")
    return path


def run_json(command):
    """What a program prints: one JSON object, on its last line."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_peer(*arguments):
    return run_json([peer_python(*PACKAGES), os.path.join(os.path.dirname(os.path.abspath(__file__)), "trl_peer.py"),
                     *arguments])
