"""Count in how many news articles each word stands, so that everyday words weigh little in a question.

    python -m eval.train_word_frequency --data DIR

Reads DIR/news.passages.jsonl.gz (IAAR-Shanghai/CRUD_RAG, Apache-2.0) and writes assistant/model/word_frequency.tsv:
the number of articles, then one word and its document frequency a line.
"""

import argparse
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import rjieba

from assistant.text import normalise

OUTPUT = Path(__file__).parent.parent / "assistant" / "model" / "word_frequency.tsv"
LEAST = 40  # articles; rarer words all weigh as this one
_WORD = re.compile(r"[\u3400-\u9fff]{2,6}")


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    counts: Counter[str] = Counter()
    articles = 0
    with gzip.open(parser.parse_args().data / "news.passages.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            text = normalise(json.loads(line)["text"])
            counts.update({word for word in rjieba.cut_for_search(text) if _WORD.fullmatch(word)})
            articles += 1
    kept = sorted((word, count) for word, count in counts.items() if count >= LEAST)
    body = "".join(f"{word}\t{count}\n" for word, count in kept)
    OUTPUT.write_text(f"{articles}\n{body}", encoding="utf-8")
    print(f"{len(kept)} words of {articles} articles, {OUTPUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
