"""Feed the readers of office files with mutated ones: each must be read, or refused in words, within its limits.

    python -m eval.fuzz --seeds DIR [--count N] [--seed N]

DIR holds sound files (.docx, .xlsx, .pdf, .html, .csv). Each mutation flips, cuts, repeats or blanks bytes, of the file or,
in an Office package, of one of its parts. Prints how many were read and refused by format, the slowest, and each that
neither was read nor refused.
"""

import argparse
import io
import random
import tempfile
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.errors import CorpusError
from assistant.formats import READERS, SECONDS, convert

AT_ONCE = 2


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to eight faults of a random kind; never the bytes themselves, unless empty."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if not found:
            break
        at, length = chance.randrange(len(found)), chance.choice((1, 4, 64, 1024))
        match chance.randrange(5):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                del found[at : at + length]
            case 2:
                found[at:at] = found[at : at + length] * chance.choice((1, 2, 50))
            case 3:
                found[at : at + length] = bytes(min(length, len(found) - at))
            case _:
                found = found[: max(1, at)] if chance.random() < 0.2 else found
                found[at % len(found)] = chance.randrange(256)
    return bytes(found)


def in_package(data: bytes, chance: random.Random) -> bytes:
    """Return an Office package with one of its parts mutated."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {info.filename: package.read(info) for info in package.infolist()}
    name = chance.choice(sorted(parts))
    parts[name] = mutated(parts[name], chance)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return target.getvalue()


def tried(file: Path) -> tuple[str, float]:
    """Return what came of reading a file (read, refused, or what went wrong) and the seconds it took."""
    start = time.perf_counter()
    try:
        convert(file)
        outcome = "read"
    except CorpusError as error:
        outcome = "refused" if "\n" not in str(error) else f"in many lines: {error}"
    except Exception as error:  # what this program looks for
        outcome = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - start
    return (outcome if seconds < SECONDS + 10 else f"took {seconds:.0f} s"), seconds


def main() -> None:
    """Mutate, read and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261126)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    seeds = sorted(file for file in arguments.seeds.iterdir() if file.suffix.lower() in READERS)
    counts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        files = []
        for number in range(arguments.count):
            seed = seeds[number % len(seeds)]
            package = seed.suffix in (".docx", ".xlsx") and chance.random() < 0.7
            content = (in_package if package else mutated)(seed.read_bytes(), chance)
            files.append(Path(folder) / f"{number}{seed.suffix}")
            files[-1].write_bytes(content)
        for file, (outcome, seconds) in zip(files, pool.map(tried, files), strict=True):
            counts[file.suffix, outcome] += 1
            slowest = max(slowest, seconds)
    for (suffix, outcome), count in sorted(counts.items()):
        print(f"{suffix} {outcome}: {count}")
    print(f"slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
