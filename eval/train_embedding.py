"""Train the shipped embedding model from scratch: the whole recipe, from public data to assistant/model/.

    python -m eval.train_embedding --data DIR                 # train, some minutes on two cores
    python -m eval.train_embedding --data DIR --evaluate      # measure what is shipped
    python -m eval.train_embedding --data DIR --without cmrc2018 drcd lecoqa --output MODEL   # to fit the reranker

DIR holds the data sets that the model card (assistant/model/README.md) names. Steps: pairs → tokenizer →
StaticEmbedding trained with MultipleNegativesRankingLoss in MatryoshkaLoss → int8 rows → files.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from assistant.embedding import MODEL, StaticEmbeddings
from assistant.text import normalise
from eval.benchmarks import rows

SEED = 20260822
VOCABULARY = 32_000
TOKENIZER_PAIRS = 40_000  # whose texts the tokenizer learns from
DIMENSION = 512
NESTED = [512, 256, 128]  # Kusupati et al., Matryoshka Representation Learning, NeurIPS 2022
BATCH = 2048
LEARNING_RATE = 0.1
EPOCHS = 3
TOKEN_DROPOUT = 0.15  # of each side's tokens, so that no single word decides
WINDOW = 320  # characters of a passage, about what the assistant indexes
Pair = tuple[str, str]

_SENTENCE_END = re.compile(r"(?<=[。!?;！？；\n])")


def windows(text: str, size: int = WINDOW) -> list[str]:
    """Cut a text into windows of whole sentences, each of about `size` characters."""
    found, current = [], ""
    for sentence in _SENTENCE_END.split(text):
        if current and len(current) + len(sentence) > size:
            found.append(current)
            current = ""
        current += sentence
    return [*found, current] if current.strip() else found


def cut_out(rng: random.Random, passage: str, title: str = "") -> Pair | None:
    """Return (a clause, the passage without it), as if the clause were asked for; None if it is too short.

    Half of the clauses stay in their passage: a question often repeats its answer's words.
    """
    clauses = [c.strip() for c in re.split(r"[。!?;,！？；，\n]", passage) if 6 <= len(c.strip()) <= 40]
    if len(clauses) < 3:
        return None
    clause = rng.choice(clauses)
    rest = passage if rng.random() < 0.5 else passage.replace(clause, "")
    return clause, f"{title}\n{rest}" if title else rest


def training_pairs(data: Path, rng: random.Random, without: Collection[str] = ()) -> list[Pair]:
    """Return (query-like text, passage) pairs from the sets that may train a shipped model, but for those `without`."""
    pairs: list[Pair] = []
    for row in rows(data, "xinwenlianbo.title_body"):
        cut = windows(row["body"])
        pairs += [(row["title_clean"], rng.choice(cut[:2]))] if cut else []
        pairs += [(row["title_clean"], rng.choice(cut))] if len(cut) > 2 else []
    for row in rows(data, "csl.title_abstract.dev"):
        pairs.append((row["title"], row["body"][:WINDOW]))
    for name, weight in (("lecoqa", 4), ("cmrc2018", 3), ("drcd", 3)):
        if name in without:
            continue
        passages = {row["id"]: row for row in rows(data, f"{name}.passages")}
        split = {"lecoqa": "train", "cmrc2018": "trial", "drcd": "dev"}[name]
        for row in rows(data, f"{name}.queries.{split}"):
            for key in row["positive_ids"][:weight]:
                passage = passages[key]
                text = f"{passage.get('title', '')}\n{passage['text']}"
                near = [w for w in windows(text) if any(a in w for a in row["answers"])] or windows(text)
                pairs += [(row["query"], rng.choice(near)) for _ in range(weight)]
            if name == "lecoqa" and row["answers"]:
                pairs.append((row["query"], row["answers"][0][:WINDOW]))
    pairs += [(r["a"], r["b"]) for r in rows(data, "stsb_zh.train") if r["label"] >= 4]
    for row in rows(data, "news.passages"):
        cut = windows(re.sub(r"^[\d\-: ]+[,，]?正文[:：]", "", row["text"]))[:4]
        pairs += filter(None, (cut_out(rng, w) for w in rng.sample(cut, min(3, len(cut)))))
    for row in rows(data, "laws.documents"):
        articles = [a for a in re.split(r"\n+(?=第\S{1,6}条)", row["text"]) if len(a) > 60]
        for article in rng.sample(articles, min(22, len(articles))):
            pairs += filter(None, [cut_out(rng, article[:WINDOW], row["title"])])
        pairs += [(row["title"], rng.choice(articles)[:WINDOW])] if articles else []
    for row in rows(data, "gov_work_report.passages"):
        pairs += filter(None, (cut_out(rng, w, row["title"]) for w in windows(row["text"])))
    return [(normalise(a), normalise(b)) for a, b in pairs]


def train_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """Train a unigram tokenizer: whole common words, and every character as a fallback."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"[\u3400-\u9fff]+|[a-z]+|\d+(?:\.\d+)?"), "removed", invert=True),
        pre_tokenizers.Split(Regex(r"\d"), "isolated"),
    ])  # fmt: skip
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, unk_token="[UNK]", special_tokens=["[UNK]"], max_piece_length=6, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return each text's token ids, unknown ones (0) left out."""
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    ids = [np.array(e.ids, dtype=np.int64) for e in encodings]
    return [i[i > 0] for i in ids]


def bag(ids: Sequence[np.ndarray], dropout: np.random.Generator) -> dict[str, torch.Tensor]:
    """Return the features that StaticEmbedding takes, with some tokens dropped."""
    kept = [i[dropout.random(len(i)) >= TOKEN_DROPOUT] if len(i) > 3 else i for i in ids]
    offsets = np.cumsum([0, *(len(k) for k in kept[:-1])])
    return {"input_ids": torch.from_numpy(np.concatenate(kept)), "offsets": torch.from_numpy(offsets)}


def train(tokenizer: Tokenizer, pairs: list[Pair], epochs: int) -> np.ndarray:
    """Return the trained matrix, float32, shape (vocabulary, DIMENSION)."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    queries, passages = (encode(tokenizer, side) for side in zip(*pairs, strict=True))
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=DIMENSION)], device="cpu")
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), NESTED)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    usable = np.array([i for i in range(len(pairs)) if len(queries[i]) and len(passages[i])])
    steps = epochs * (len(usable) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    started, step = time.time(), 0
    for epoch in range(epochs):
        order = rng.permutation(usable)
        for start in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            sides = [bag([side[i] for i in batch], rng) for side in (queries, passages)]
            value = loss(sides, torch.empty(0))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            step += 1
            if step % 25 == 0:
                print(
                    f"epoch {epoch} step {step}/{steps} loss {value.item():.3f} {time.time() - started:.0f} s",
                    flush=True,
                )
    return next(model.parameters()).detach().numpy()


def ship(tokenizer: Tokenizer, matrix: np.ndarray, dimension: int, output: Path) -> None:
    """Write the model's files: rows cut to `dimension` and stored as int8 with one scale each."""
    rows = matrix[:, :dimension].astype(np.float32)
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-12) / 127
    output.mkdir(exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=False)
    quantised = np.round(rows / scales[:, None]).astype(np.int8)
    save_file({"rows": quantised, "scales": scales.astype(np.float32)}, output / "model.safetensors")
    config = {"name": "jiading-static-zh", "version": 1, "dimension": dimension, "normalised": True, "quantised": "int8 rows, float32 scale each"}  # fmt: skip
    (output / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def retrieval(
    model: StaticEmbeddings, passages: Sequence[dict[str, Any]], queries: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """Return recall@1, recall@10 and MRR@10 of exact cosine search, a document scoring as its best window."""
    texts, owners = [], []
    for number, row in enumerate(passages):
        for window in windows(row["text"], 300):
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
    parser.add_argument("--dimension", type=int, default=256, help="of what is shipped")
    parser.add_argument("--without", nargs="*", default=[], help="question sets to leave out")
    parser.add_argument("--output", type=Path, default=MODEL)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    if not arguments.evaluate:
        rng = random.Random(SEED)
        pairs = training_pairs(arguments.data, rng, arguments.without)
        rng.shuffle(pairs)
        print(f"{len(pairs)} pairs", flush=True)
        tokenizer = train_tokenizer([text for pair in pairs[:TOKENIZER_PAIRS] for text in pair])
        print(f"{tokenizer.get_vocab_size()} tokens", flush=True)
        matrix = train(tokenizer, pairs, arguments.epochs)
        ship(tokenizer, matrix, arguments.dimension, arguments.output)
    evaluate(arguments.data, arguments.output)


if __name__ == "__main__":
    main()
