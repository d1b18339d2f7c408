"""Reads prompts/manifest.toml and writes the hashes back into it."""

import functools
import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

PROMPTS = Path(__file__).resolve().parent.parent
PATH = PROMPTS / "manifest.toml"
DIGITS = "{digits}"


@dataclass(frozen=True)
class Line:
    """What one language says of one prompt; `table` is the manifest's, which a range shares."""
    id: str
    language: str
    text: str
    words: str | None
    pinyin: str | None
    origin: str
    voice: str
    take: int
    table: str

    @property
    def group(self):
        return self.id.split(".")[0]

    @property
    def path(self):
        return PROMPTS / self.language / f"{self.id}.wav"


def lines():
    """Every spoken line in the manifest's order, ranges written out."""
    groups = tomllib.loads(PATH.read_text(encoding="utf-8"))
    for group, names in groups.items():
        for name, languages in names.items():
            for language, table in languages.items():
                if table["text"] != "-":
                    yield from written_out(group, name, language, table, groups)


@functools.cache
def by_id(language):
    return {line.id: line for line in lines() if line.language == language}


def written_out(group, name, language, table, groups):
    def line(name_of_one, text, words):
        return Line(f"{group}.{name_of_one}", language, text, words, table.get("pinyin"),
                    table.get("origin", "synthetic"), table.get("voice", ""), table.get("take", 0), f"{group}.{name}.{language}")
    if table["text"] != DIGITS:
        yield line(name, table["text"], table.get("words"))
        return
    first, last = name.split("-")
    between = {"zh": "", "bo": "་"}[language]
    for number in range(int(first), int(last) + 1):
        digits = str(number).zfill(len(first))
        said = [groups["digit"][digit][language]["text"] for digit in digits]
        yield line(digits, between.join(said), " ".join(said) if language == "bo" else None)


def write_hashes(all_lines):
    """Puts the SHA-256 of each table's files, in their order, into the manifest; returns how many changed."""
    digests = {}
    for line in all_lines:
        digest = digests.setdefault(line.table, hashlib.sha256())
        digest.update(line.path.read_bytes())
    text = PATH.read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=\[)", text)
    changed = 0
    for place, part in enumerate(parts):
        table = re.match(r"\[([^\]]+)\]", part)
        if table and table[1] in digests:
            hashed = with_hash(part, digests[table[1]].hexdigest())
            changed += hashed != part
            parts[place] = hashed
    PATH.write_text("".join(parts), encoding="utf-8")
    return changed


def with_hash(part, digest):
    line = f'sha256 = "{digest}"'
    if re.search(r"(?m)^sha256 = ", part):
        return re.sub(r'(?m)^sha256 = ".*"$', line, part)
    keys = list(re.finditer(r"(?m)^\w+ = .*$", part))
    return part[:keys[-1].end()] + "\n" + line + part[keys[-1].end():]
