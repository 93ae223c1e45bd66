"""Train the shipped embedding model from scratch: the whole recipe, from public data to assistant/model/.

    python -m eval.train_embedding --data DIR                 # train, about fifteen minutes on two cores
    python -m eval.train_embedding --data DIR --evaluate      # measure what is shipped
    python -m eval.train_embedding --data DIR --without cmrc2018 drcd lecoqa --output MODEL   # to fit the reranker

DIR holds the data sets that the model card (assistant/model/README.md) names. Steps: texts → tokenizer → tokens of every
clause → contrastive training (in-batch negatives: Henderson et al., Efficient Natural Language Response Suggestion for
Smart Reply, 2017) on queries made anew for every batch → int8 rows → files. The steps before training do not depend on
--without, and are kept in --work.
"""

import argparse
import json
import pickle
import random
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from assistant.embedding import MODEL, StaticEmbeddings
from assistant.text import normalise
from eval.benchmarks import rows

SEED = 20260822
VOCABULARY = 32_000
TOKENIZER_TEXTS = 80_000  # windows that the tokenizer learns from
DIMENSION = 256
STEPS = 1500
BATCH = 2048
LEARNING_RATE = 0.1
SCALE = 20.0  # of the cosines in the loss
DROPOUT = 0.15  # of a passage's tokens, so that no single word decides
WINDOW = 320  # characters of a passage, about what the assistant indexes
# How questions end: words that ask carry no subject, and the model must learn to pass over them.
ASKED = (
    "有哪些 是什么 有什么规定 如何 怎么办 怎么办理 多少 有多少 什么时候 哪些 有哪些措施 有何政策 如何规定 由谁负责 怎么做 怎么申请 是谁 "
    "哪一年 在哪里 为什么 是怎么规定的 有什么要求 有哪些要求 采取了哪些措施 有什么优惠 标准是什么 条件是什么 可以吗 怎样 能不能 "
    "应该怎么处理 请问 做了什么 有什么内容 主要内容是什么 什么 吗 谁 哪里 我想问 怎么 哪个 何时 几个"
).split()
Ids = np.ndarray  # token ids, int32

_SENTENCE_END = re.compile(r"(?<=[.!?;\n])")
_CLAUSE_END = re.compile(r"[.!?;,\n:]+")
_DATELINE = re.compile(r"^[\d\-: ]+,?正文:")


class Window(NamedTuple):
    """The tokens of a stretch of text, clause by clause, and of the title above it."""

    title: Ids
    clauses: list[Ids]


class Example(NamedTuple):
    """A question and a passage that answers it; `source` is its data set."""

    source: str
    question: Ids
    passage: Ids


@dataclass(frozen=True, slots=True)
class Material:
    """All training text as tokens."""

    news: list[Window]
    bulletins: list[Window]
    laws: list[Window]
    examples: list[Example]


def windows(text: str, size: int = WINDOW) -> list[str]:
    """Cut normalised text into windows of whole sentences, each of about `size` characters."""
    found, current = [], ""
    for sentence in _SENTENCE_END.split(text):
        if current and len(current) + len(sentence) > size:
            found.append(current)
            current = ""
        current += sentence
    return [*found, current] if current.strip() else found


def texts(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Return (title, window) pairs of the unlabelled sets, normalised."""
    news = (_DATELINE.sub("", normalise(row["text"])) for row in rows(data, "news.passages"))
    articles = (
        (normalise(row["title"]), normalise(article[:WINDOW]))
        for row in rows(data, "laws.documents")
        for article in re.split(r"\n+(?=第\S{1,6}条)", row["text"])
        if len(article) > 60
    )
    return {
        "news": [("", window) for text in news for window in windows(text)],
        "bulletins": [
            (normalise(row["title_clean"]), window)
            for row in rows(data, "xinwenlianbo.title_body")
            for window in windows(normalise(row["body"]))
        ],
        "laws": [
            *articles,
            *(
                (normalise(row["title"]), window)
                for row in rows(data, "gov_work_report.passages")
                for window in windows(normalise(row["text"]))
            ),
        ],
    }


def labelled(data: Path, rng: random.Random) -> list[tuple[str, str, str]]:
    """Return (set, question, passage that answers it), normalised, of the sets that may train a shipped model."""
    found = [("csl", row["title"], row["body"][:WINDOW]) for row in rows(data, "csl.title_abstract.dev")]
    found += [("stsb", row["a"], row["b"]) for row in rows(data, "stsb_zh.train") if row["label"] >= 4]
    for name, split in (("lecoqa", "train"), ("cmrc2018", "trial"), ("drcd", "dev")):
        passages = {row["id"]: f"{row.get('title') or ''}\n{row['text']}" for row in rows(data, f"{name}.passages")}
        for row in rows(data, f"{name}.queries.{split}"):
            told = [normalise(answer) for answer in row["answers"]]
            for key in row["positive_ids"][:4]:
                cut = windows(normalise(passages[key]))
                found.append((name, row["query"], rng.choice([w for w in cut if any(t in w for t in told)] or cut)))
            if name == "lecoqa" and told:
                found.append((name, row["query"], told[0][:WINDOW]))
    return [(name, normalise(question), normalise(passage)) for name, question, passage in found]


def train_tokenizer(sample: Sequence[str]) -> Tokenizer:
    """Train a unigram tokenizer: whole common words, and every character as a fallback."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"[\u3400-\u9fff]+|[a-z]+|\d+(?:\.\d+)?"), "removed", invert=True),
        pre_tokenizers.Split(Regex(r"\d"), "isolated"),
    ])  # fmt: skip
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, unk_token="[UNK]", special_tokens=["[UNK]"], max_piece_length=6, show_progress=False
    )
    tokenizer.train_from_iterator(sample, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, batch: Sequence[str]) -> list[Ids]:
    """Return each text's token ids, unknown ones (0) left out."""
    encodings = tokenizer.encode_batch_fast(list(batch), add_special_tokens=False)
    ids = [np.array(e.ids, dtype=np.int32) for e in encodings]
    return [i[i > 0] for i in ids]


def pack(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[Window]:
    """Return the tokens of (title, window) pairs."""
    found = []
    for start in range(0, len(pairs), 2000):
        batch = pairs[start : start + 2000]
        titles = encode(tokenizer, [title for title, _ in batch])
        clauses = [[clause for clause in _CLAUSE_END.split(window) if clause.strip()] for _, window in batch]
        tokens = iter(encode(tokenizer, [clause for each in clauses for clause in each]))
        for title, each in zip(titles, clauses, strict=True):
            found.append(Window(title, [ids for _ in each if len(ids := next(tokens))]))
    return [window for window in found if sum(map(len, window.clauses)) > 8]


def prepare(data: Path, work: Path) -> tuple[Tokenizer, Material]:
    """Return the tokenizer and all text as tokens, made once and kept in `work`."""
    tokenizer_file, material_file = work / "tokenizer.json", work / "tokens.pickle"
    work.mkdir(parents=True, exist_ok=True)
    if not material_file.exists():
        rng = random.Random(SEED)
        unlabelled, questions = texts(data), labelled(data, rng)
        everything = [window for pairs in unlabelled.values() for _, window in pairs]
        tokenizer = train_tokenizer(rng.sample(everything, TOKENIZER_TEXTS))
        tokenizer.save(str(tokenizer_file), pretty=False)
        sides = [encode(tokenizer, [row[i] for row in questions]) for i in (1, 2)]
        examples = [
            Example(name, question, passage)
            for (name, *_), question, passage in zip(questions, *sides, strict=True)
            if len(question) and len(passage)
        ]
        material = Material(**{name: pack(tokenizer, pairs) for name, pairs in unlabelled.items()}, examples=examples)
        material_file.write_bytes(pickle.dumps(material))
    return Tokenizer.from_file(str(tokenizer_file)), pickle.loads(material_file.read_bytes())


def thin(rng: np.random.Generator, ids: Ids, share: float) -> Ids:
    """Return ids with about a `share` of them dropped, never all."""
    kept = ids[rng.random(len(ids)) >= share] if len(ids) > 3 else ids
    return kept if len(kept) else ids


class Drawer:
    """Makes queries and their passages, other ones every time."""

    def __init__(self, forms: list[Ids]) -> None:
        self._forms, self._py, self._np = forms, random.Random(SEED), np.random.default_rng(SEED)

    def clause(self, window: Window, titled: float) -> tuple[Ids, Ids] | None:
        """Return some words of a clause, perhaps after some of the title, perhaps as a question; half stay in their passage."""
        fit = [i for i, clause in enumerate(window.clauses) if 3 <= len(clause) <= 25]
        if not fit:
            return None
        at = self._py.choice(fit)
        query = window.clauses[at]
        if self._py.random() < 0.6:
            query = thin(self._np, query, self._py.uniform(0.2, 0.5))
        elif self._py.random() < 0.3 and at + 1 < len(window.clauses):
            query = np.concatenate([thin(self._np, query, 0.4), thin(self._np, window.clauses[at + 1], 0.6)])
        parts = [query]
        if len(window.title) and self._py.random() < titled:
            parts.insert(0, thin(self._np, window.title, self._py.uniform(0.3, 0.8))[:12])
        if self._py.random() < 0.5:
            parts.append(self._py.choice(self._forms))
        stays = self._py.random() < 0.5
        rest = [clause for i, clause in enumerate(window.clauses) if stays or i != at]
        if not rest:
            return None
        passage = np.concatenate([thin(self._np, window.title, 0.1), thin(self._np, np.concatenate(rest), DROPOUT)])
        return np.concatenate(parts), passage

    def title(self, window: Window) -> tuple[Ids, Ids] | None:
        """Return the title, perhaps as a question, and the text under it."""
        if not len(window.title):
            return None
        query = thin(self._np, window.title, self._py.choice([0.15, 0.15, 0.4]))
        if self._py.random() < 0.3:
            query = np.concatenate([query, self._py.choice(self._forms)])
        return query, thin(self._np, np.concatenate(window.clauses), DROPOUT)

    def example(self, example: Example) -> tuple[Ids, Ids]:
        """Return a question and its passage."""
        return thin(self._np, example.question, 0.1), thin(self._np, example.passage, DROPOUT)


def train(tokenizer: Tokenizer, material: Material, without: Collection[str]) -> np.ndarray:
    """Return the trained matrix, float32, shape (vocabulary, DIMENSION).

    Each batch is of one sort of text, so that the passages beside the right one are like it.
    """
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    drawer = Drawer(encode(tokenizer, ASKED))
    examples = [example for example in material.examples if example.source not in without]
    sorts: list[tuple[float, Sequence[Any], Callable[[Any], tuple[Ids, Ids] | None]]] = [
        (0.20, material.bulletins, drawer.title),
        (0.10, material.bulletins, lambda window: drawer.clause(window, 0.5)),
        (0.33, material.news, lambda window: drawer.clause(window, 0.0)),
        (0.25, material.laws, lambda window: drawer.clause(window, 0.7)),
        (0.12, examples, drawer.example),
    ]
    orders = [iter(()) for _ in sorts]
    parameter = torch.nn.Parameter(torch.randn(tokenizer.get_vocab_size(), DIMENSION))
    optimizer = torch.optim.Adam([parameter], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=0.1)
    started = time.time()
    for step in range(1, STEPS + 1):
        sort = int(rng.choice(len(sorts), p=[share for share, *_ in sorts]))
        _, texts_of_sort, draw = sorts[sort]
        batch: list[tuple[Ids, Ids]] = []
        while len(batch) < min(BATCH, len(texts_of_sort) // 2):
            at = next(orders[sort], None)
            if at is None:
                orders[sort] = iter(rng.permutation(len(texts_of_sort)))
            elif pair := draw(texts_of_sort[at]):
                batch.append(pair)
        queries, passages = (means(parameter, side) for side in zip(*batch, strict=True))
        loss = torch.nn.functional.cross_entropy(queries @ passages.T * SCALE, torch.arange(len(batch)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step}/{STEPS} sort {sort} loss {loss.item():.3f} {time.time() - started:.0f} s", flush=True)
    return parameter.detach().numpy()


def means(matrix: torch.Tensor, ids: Sequence[Ids]) -> torch.Tensor:
    """Return each text's mean vector, of length one, shape (texts, DIMENSION)."""
    offsets = torch.from_numpy(np.cumsum([0, *(len(i) for i in ids[:-1])]))
    flat = torch.from_numpy(np.concatenate(ids).astype(np.int64))
    found = torch.nn.functional.embedding_bag(flat, matrix, offsets, mode="mean")
    return torch.nn.functional.normalize(found, dim=1)


def ship(tokenizer: Tokenizer, matrix: np.ndarray, output: Path) -> None:
    """Write the model's files: rows stored as int8 with one scale each."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / 127
    output.mkdir(exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=False)
    quantised = np.round(matrix / scales[:, None]).astype(np.int8)
    save_file({"rows": quantised, "scales": scales.astype(np.float32)}, output / "model.safetensors")
    config = {"name": "jiading-static-zh", "version": 2, "dimension": DIMENSION, "normalised": True, "quantised": "int8 rows, float32 scale each"}  # fmt: skip
    (output / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def retrieval(
    model: StaticEmbeddings, passages: Sequence[dict[str, Any]], queries: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """Return recall@1, recall@10 and MRR@10 of exact cosine search, a document scoring as its best window."""
    texts, owners = [], []
    for number, row in enumerate(passages):
        for window in windows(normalise(row["text"]), 300):
            texts.append(f"{row.get('title', '')}\n{window}")
            owners.append(number)
    vectors = np.concatenate([model.encode(texts[i : i + 5000]) for i in range(0, len(texts), 5000)])
    ids = [row["id"] for row in passages]
    ranks = []
    for row, vector in zip(queries, model.encode([q["query"] for q in queries]), strict=True):
        scores = np.full(len(passages), -1.0, dtype=np.float32)
        np.maximum.at(scores, owners, vectors @ vector)
        gold = [scores[ids.index(key)] for key in row["positive_ids"] if key in ids]
        ranks.append(1 + int((scores > max(gold)).sum()) if gold else 10**6)
    reciprocal = [1 / rank if rank <= 10 else 0.0 for rank in ranks]
    return {
        "recall@1": float(np.mean([r == 1 for r in ranks])),
        "recall@10": float(np.mean([r <= 10 for r in ranks])),
        "mrr@10": float(np.mean(reciprocal)),
    }


def evaluate(data: Path, folder: Path) -> None:
    """Print what a model reaches on sets that it was not trained on."""
    model = StaticEmbeddings.load(folder)
    news = [row for row, _ in zip(rows(data, "news.passages"), range(15_000), strict=False)]
    policy = [*rows(data, "ncp_policy.passages"), *news]
    print("policy Q&A dev", retrieval(model, policy, list(rows(data, "ncp_policy.queries.dev"))))
    print(
        "CMRC 2018 dev",
        retrieval(model, list(rows(data, "cmrc2018.passages")), list(rows(data, "cmrc2018.queries.dev"))),
    )
    print("DRCD test", retrieval(model, list(rows(data, "drcd.passages")), list(rows(data, "drcd.queries.test"))))
    sts = list(rows(data, "stsb_zh.dev"))
    cosine = (model.encode([r["a"] for r in sts]) * model.encode([r["b"] for r in sts])).sum(axis=1)
    print("STS-B zh dev Spearman", round(spearman(cosine, np.array([r["label"] for r in sts])), 4))
    texts = [row["text"][:300] for row in news[:5000]]
    started = time.perf_counter()
    model.encode(texts)
    print(
        f"throughput {len(texts) / (time.perf_counter() - started):.0f} passages of 300 characters/s, normalising included"
    )


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return the rank correlation, ties taking their mean rank."""

    def rank(x: np.ndarray) -> np.ndarray:
        _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]

    return float(np.corrcoef(rank(a), rank(b))[0, 1])


def main() -> None:
    """Train and ship, or evaluate what is shipped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--without", nargs="*", default=[], help="question sets to leave out")
    parser.add_argument("--output", type=Path, default=MODEL)
    parser.add_argument("--work", type=Path, default=Path("build/embedding"), help="where the first steps are kept")
    arguments = parser.parse_args()
    if not arguments.evaluate:
        tokenizer, material = prepare(arguments.data, arguments.work)
        ship(tokenizer, train(tokenizer, material, arguments.without), arguments.output)
    evaluate(arguments.data, arguments.output)


if __name__ == "__main__":
    main()
