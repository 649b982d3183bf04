"""Three ways to score the same documents with the same Qwen3-Reranker weights: `python bench/rerank.py`.

    official   the transformers example of the model card: left padding, logits of every token
    st         sentence-transformers `CrossEncoder`, at its default batch size and at its best one (left out where the
               library is missing)
    engine     `retrievers.rerank.qwen3.Qwen3Reranker`

Needs torch and transformers only. Weights are random in the real shapes and texts are random words of one token each,
so nothing is downloaded and lengths are exact; every repeat has new words of the same lengths, so nothing is cached.
Without options: the shapes and workloads that this machine can do. `--json` prints one object.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # on a bare machine the project is not installed

from retrievers.rerank.prompt import PREFIX, SUFFIX  # after the path above
from retrievers.rerank.qwen3 import Qwen3Reranker

VOCABULARY = 151_936
CONTROL = ("<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|endoftext|>")
TEMPLATE = (
    PREFIX
    + "<Instruct>: {{ messages | selectattr('role', 'eq', 'system') | map(attribute='content') | first }}\n"
    + "<Query>: {{ messages | selectattr('role', 'eq', 'query') | map(attribute='content') | first }}\n"
    + "<Document>: {{ messages | selectattr('role', 'eq', 'document') | map(attribute='content') | first }}"
    + SUFFIX
    + "\n"  # Jinja drops one
)
ST_BATCHES = (1, 2, 4, 8, 16, 32)
OFFICIAL_BATCHES = (50, 16, 8, 4, 2, 1)


@dataclass(frozen=True)
class Shape:
    """The shape of a Qwen3, as its config names it."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int

    def linear_flops(self) -> int:
        """FLOPs a token outside attention and head."""
        attention = 2 * self.hidden_size * self.head_dim * (self.num_attention_heads + self.num_key_value_heads)
        return 2 * self.num_hidden_layers * (attention + 3 * self.hidden_size * self.intermediate_size)

    def attention_flops(self) -> int:
        """FLOPs of causal attention over L tokens, divided by L squared."""
        return 2 * self.num_hidden_layers * self.num_attention_heads * self.head_dim


SHAPES = {
    "small": Shape(768, 6, 12, 4, 64, 2304),
    "0.6B": Shape(1024, 28, 16, 8, 128, 3072),
    "4B": Shape(2560, 36, 32, 8, 128, 9728),
    "8B": Shape(4096, 36, 32, 8, 128, 12288),
}


def log_normal(count: int) -> tuple[int, ...]:
    draw = random.Random(7)
    return tuple(max(8, min(4000, round(350 * math.exp(draw.gauss(0, 0.7))))) for _ in range(count))


@dataclass(frozen=True)
class Workload:
    """Documents of so many tokens each, behind a shared head of so many."""

    head: int
    lengths: tuple[int, ...]

    def floor_flops(self, shape: Shape) -> float:
        """What cannot be left out: every token once, and the head once for all documents."""
        tails = [length + 9 for length in self.lengths]
        linear = shape.linear_flops() * (self.head + sum(tails))
        seen = self.head**2 + sum((self.head + tail) ** 2 - self.head**2 for tail in tails)
        return linear + shape.attention_flops() * seen


WORKLOADS = {
    "50 log-normal, head 80": Workload(80, log_normal(50)),
    "50 log-normal, head 512": Workload(512, log_normal(50)),
    "50x512": Workload(80, (512,) * 50),
    "50x2K": Workload(80, (2048,) * 50),
    "10x8K": Workload(80, (8192,) * 10),
    "4x32K": Workload(80, (32_000,) * 4),
}
CPU_WORKLOADS = ("50 log-normal, head 80", "50 log-normal, head 512")


@dataclass(frozen=True)
class Texts:
    instruction: str
    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One way on one workload. `times_floor` is its time over that of the floor at the measured matrix-product rate."""

    way: str
    seconds: float
    pairs_a_second: float
    speed_to_st_default: float | None
    times_floor: float
    peak_mb: float
    largest_difference: float


Scorer = Callable[[Texts], list[float]]


def make_texts(workload: Workload, seed: int) -> Texts:
    """Random words; the instruction fills the head up to its length."""
    draw = random.Random(seed)

    def words(count: int) -> str:
        return " ".join(f"w{draw.randrange(10_000, 90_000)}" for _ in range(count))

    fixed = len(tokenizer_of_words().encode(f"{PREFIX}<Instruct>: \n<Query>: \n<Document>:").ids)
    return Texts(words(workload.head - fixed - 8), words(8), tuple(words(length) for length in workload.lengths))


def tokenizer_of_words() -> Tokenizer:
    words = ["[UNK]", "yes", "no", *(f"w{number}" for number in range(10_000, 90_000))]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_tokens([AddedToken(token, special=True) for token in CONTROL])
    return tokenizer


def save_checkpoint(shape: Shape, folder: Path, dtype: torch.dtype, device: str) -> None:
    config = Qwen3Config(
        vocab_size=VOCABULARY, max_position_embeddings=40_960, tie_word_embeddings=True, dtype=dtype, **asdict(shape)
    )
    torch.manual_seed(0)
    with torch.device(device):
        model: Any = Qwen3ForCausalLM(config)
    model.to(dtype).save_pretrained(folder)
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        tokenizer_object=tokenizer_of_words(), pad_token="<|endoftext|>", unk_token="[UNK]", padding_side="left"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


def official(folder: Path, device: str, dtype: torch.dtype) -> tuple[Scorer, Callable[[], str]]:
    """The example of the model card, in the largest batches whose logits fit into half of the free memory."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    model = model.to(device).eval()
    prefix, suffix = (tokenizer.encode(text, add_special_tokens=False) for text in (PREFIX, SUFFIX))
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    used = [0]

    @torch.no_grad()
    def score(texts: Texts) -> list[float]:
        bodies = [
            f"<Instruct>: {texts.instruction}\n<Query>: {texts.query}\n<Document>: {text}" for text in texts.documents
        ]
        ids = tokenizer(bodies, add_special_tokens=False)["input_ids"]
        sequences = [prefix + body + suffix for body in ids]
        longest = max(map(len, sequences))
        room = free_bytes(device) / 2
        fitting = (size for size in OFFICIAL_BATCHES if size * longest * VOCABULARY * dtype.itemsize < room)
        used[0] = next(fitting, 1)
        found: list[float] = []
        for start in range(0, len(sequences), used[0]):
            batch = tokenizer.pad({"input_ids": sequences[start : start + used[0]]}, return_tensors="pt").to(device)
            logits = model(**batch).logits[:, -1, :]
            found += (logits[:, yes] - logits[:, no]).float().tolist()
        return found

    return score, lambda: f"official, batches of {used[0]}"


def cross_encoder(folder: Path, device: str, dtype: torch.dtype) -> Callable[[int], Scorer] | None:
    """sentence-transformers on the same checkpoint, by batch size; None where it is not installed."""
    try:
        from sentence_transformers import CrossEncoder
    except ImportError:
        return None
    model = CrossEncoder(str(folder), device=device, model_kwargs={"dtype": dtype})

    def with_batch(size: int) -> Scorer:
        def score(texts: Texts) -> list[float]:
            found: Any = model.predict(
                [(texts.query, document) for document in texts.documents],
                prompt=texts.instruction,
                batch_size=size,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
            return [float(value) for value in found]

        return score

    return with_batch


def engine(folder: Path, device: str, dtype: str) -> Scorer:
    reranker = Qwen3Reranker.from_pretrained(folder, device=device, dtype=dtype, self_test=False)
    return lambda texts: reranker.logits(texts.query, texts.documents, texts.instruction)


def measure(name: str, workload: Workload, shape: Shape, args: argparse.Namespace) -> list[Result]:
    """Every way in turn on one workload; each repeat has its own texts, the same for all ways."""
    device, dtype = args.device, getattr(torch, args.dtype)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_checkpoint(shape, folder, dtype, device)
        repeats = [make_texts(workload, seed) for seed in range(args.repeats)]
        warm = make_texts(Workload(workload.head, workload.lengths[:2]), 99)
        ways: list[tuple[Callable[[], str], list[float], float, list[float]]] = []

        def run(label: Callable[[], str], score: Scorer) -> None:
            score(warm)
            note(f"{name}: {label()}")
            with peak_memory(device) as peak:
                timed = [timed_call(score, texts, device) for texts in repeats]
            ways.append((label, [seconds for seconds, _ in timed], peak[0], timed[0][1]))

        run(lambda: "engine", engine(folder, device, args.dtype))
        release(device)
        with_batch = cross_encoder(folder, device, dtype)
        if with_batch:
            run(lambda: "st, default batch 32", with_batch(32))
            trial = {size: timed_call(with_batch(size), repeats[0], device)[0] for size in ST_BATCHES}
            best = min(trial, key=trial.__getitem__)
            run(lambda: f"st, best batch {best}", with_batch(best))
        del with_batch
        release(device)
        if args.official:
            score, label = official(folder, device, dtype)
            run(label, score)
    floor = workload.floor_flops(shape) / args.flops
    reference = ways[0][3]
    default = next((median(seconds) for label, seconds, _, _ in ways if label().startswith("st, default")), None)
    return [
        Result(
            way=label(),
            seconds=median(seconds),
            pairs_a_second=len(workload.lengths) / median(seconds),
            speed_to_st_default=default / median(seconds) if default else None,
            times_floor=median(seconds) / floor,
            peak_mb=peak,
            largest_difference=max(abs(one - other) for one, other in zip(scores, reference, strict=True)),
        )
        for label, seconds, peak, scores in ways
    ]


def timed_call(score: Scorer, texts: Texts, device: str) -> tuple[float, list[float]]:
    synchronize(device)
    started = time.perf_counter()
    found = score(texts)
    synchronize(device)
    return time.perf_counter() - started, found


@contextmanager
def peak_memory(device: str) -> Iterator[list[float]]:
    """Fills in the most megabytes held beyond what was held before: allocated on a GPU, resident on a CPU."""
    peak = [0.0]
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        yield peak
        peak[0] = (torch.cuda.max_memory_allocated() - before) / 1e6
        return
    done = threading.Event()
    start = resident_mb()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident_mb() - start)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def resident_mb() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * 4096 / 1e6 if path.exists() else 0.0


def free_bytes(device: str) -> float:
    if device == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    path = Path("/proc/meminfo")
    if not path.exists():
        return 4e9
    return next(int(line.split()[1]) * 1024 for line in path.read_text().splitlines() if "MemAvailable" in line)


def matrix_product_rate(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product here; the best of ten, on random numbers."""
    size = 8192 if device == "cuda" else 2048
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    times = []
    for _ in range(13):
        synchronize(device)
        started = time.perf_counter()
        torch.mm(left, right)
        synchronize(device)
        times.append(time.perf_counter() - started)
    return float(2 * size**3 / min(times[3:]))


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def release(device: str) -> None:
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine(device: str) -> str:
    name = (
        torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {torch.get_num_threads()} threads"
    )
    return f"{name}; torch {torch.__version__}, transformers {transformers.__version__}"


def print_table(name: str, results: Sequence[Result]) -> None:
    print(
        f"\n{name}\n{'way':28} {'seconds':>9} {'pairs/s':>9} {'x st':>6} {'x floor':>8} {'peak MB':>9} {'max diff':>9}"
    )
    for result in results:
        ratio = f"{result.speed_to_st_default:.2f}" if result.speed_to_st_default else "-"
        print(
            f"{result.way:28} {result.seconds:9.3f} {result.pairs_a_second:9.2f} {ratio:>6} {result.times_floor:8.2f} "
            f"{result.peak_mb:9.0f} {result.largest_difference:9.2g}"
        )


def main() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default=device, choices=["cpu", "cuda"])
    parser.add_argument("--shape", default="0.6B" if device == "cuda" else "small", choices=list(SHAPES))
    parser.add_argument("--dtype", default="bfloat16" if device == "cuda" else "float32")
    parser.add_argument("--workloads", nargs="*", choices=list(WORKLOADS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-official", dest="official", action="store_false")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    logging: Any = transformers.logging  # its functions are not typed
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    args.flops = matrix_product_rate(args.device, getattr(torch, args.dtype))
    names = args.workloads or (list(WORKLOADS) if args.device == "cuda" else CPU_WORKLOADS)
    title = f"{machine(args.device)}; {args.shape}, {args.dtype}; matrix product {args.flops / 1e12:.3g} TFLOP/s"
    if not args.json:
        print(title)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        results = measure(name, WORKLOADS[name], SHAPES[args.shape], args)
        found[name] = [asdict(result) for result in results]
        if not args.json:
            print_table(name, results)
    if args.json:
        print(json.dumps({"machine": title, "workloads": found}))


if __name__ == "__main__":
    main()
