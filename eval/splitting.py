"""Check the cleaner and the splitter on laws: nothing lost, each article at the start of a passage.

    python -m eval.splitting --data DIR

DIR holds laws.documents.jsonl.gz. Prints the share of characters that cleaning keeps (spaces aside), how many
characters lie in no passage or in two, how many articles (第…条) begin neither a passage nor its text below the
headings, and how many passages are longer than MAX_CHARS besides the headings they begin with.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from assistant.clean import clean_markdown, clean_page
from assistant.schema import Document, Passage
from assistant.split import MAX_CHARS, split
from eval.benchmarks import rows

_ARTICLE = re.compile(
    r"^(?:\*\*)?第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?(?=[\s\u3000])", re.MULTILINE
)


def misplaced(document: Document, passages: list[Passage]) -> Iterator[str]:
    """Yield the articles that stand behind other text of their passage, by their first words."""
    for match in _ARTICLE.finditer(document.text):
        passage = next(p for p in passages if p.start <= match.start() < p.end)
        if _body(passage.text[: match.start() - passage.start], passage).strip():
            yield document.text[match.start() : match.start() + 20]


def _body(text: str, passage: Passage) -> str:
    """Return a text without the lines that are headings: marked so, or among those of its passage."""
    return "\n".join(line for line in text.split("\n") if line[:1] != "#" and line.strip() not in passage.headings)


def astray(document: Document, passages: list[Passage]) -> int:
    """Return how many characters lie in no passage, or in two."""
    counts = [0] * len(document.text)
    for passage in passages:
        for at in range(passage.start, passage.end):
            counts[at] += 1
    return sum(count != 1 for count in counts)


def main() -> None:
    """Print the counts over all laws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    kept, whole = {"markdown": 0, "page": 0}, 0
    lost, wrong, articles, long, documents, passages_of_all = 0, 0, 0, 0, 0, 0
    for row in rows(arguments.data, "laws.documents"):
        whole += len("".join(row["text"].split()))
        kept["markdown"] += len("".join(clean_markdown(row["text"]).text.split()))
        kept["page"] += len("".join(clean_page(row["text"]).text.split()))
        document = Document(row["id"], row["title"], clean_markdown(row["text"]).text)
        passages = split(document)
        lost += astray(document, passages)
        articles += len(_ARTICLE.findall(document.text))
        wrong += sum(1 for _ in misplaced(document, passages))
        long += sum(len(_body(passage.text, passage)) > MAX_CHARS + 2 for passage in passages)  # and a line's end
        documents += 1
        passages_of_all += len(passages)
    print(f"{documents} documents, {passages_of_all} passages, {articles} articles")
    print("kept by cleaning: " + ", ".join(f"{name} {count / whole:.5f}" for name, count in kept.items()))
    print(f"characters astray {lost}, articles misplaced {wrong}, passages too long {long}")


if __name__ == "__main__":
    main()
