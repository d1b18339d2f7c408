"""A machine listener for the Mandarin prompts: see `prompts/voice/run --help`.

Every prompt goes through A-law as on the telephone and is written down by Whisper base; what it heard and what was said
are compared as pinyin with tones. Fragments are heard in their sentences (heard.py). Digit groups are heard in whole
ticket and phone numbers behind their sentence; there tones do not count, since no two digits differ by tone alone.
Writes prompts/zh/report.tsv.
"""

import argparse
import csv
import itertools
import os
import random
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cn2an
import numpy as np
from faster_whisper import WhisperModel
from scipy.signal import resample_poly
from zhconv import convert

import heard
import mandarin
import manifest
import wave_file

WHISPER = Path(os.environ.get("VOICE_HOME", "")) / "models" / "whisper-base"
CONTEXT = "以下是政务服务热线的普通话语音提示。"
SEED = 12345
NUMBERS_HEARD = 50
PAUSE = np.zeros(wave_file.RATE * 180 // 1000)
SHORT_PAUSE = np.zeros(wave_file.RATE * 60 // 1000)
MOST_PACK, MOST_PROMPT, MOST_DIGITS = 0.08, 0.25, 0.02
KEYS = ("id", "in", "syllables", "errors", "said", "heard")
CHINESE_DIGITS = "零一二三四五六七八九"

listener = None
lines = manifest.by_id("zh")


def main():
    parser = argparse.ArgumentParser(prog="prompts/voice/run check zh", description="Listens to the Mandarin prompts.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these prompts or groups")
    parser.add_argument("--numbers", type=int, default=NUMBERS_HEARD, help="how many of each kind are read out [50]")
    options = parser.parse_args()
    prompts = [line for line in manifest.by_id("zh").values() if line.group not in ("trio", "trio_end", "pair", "pair_end")]
    chosen = [line for line in prompts if not options.ids or {line.id, line.group} & set(options.ids)]
    numbers = list(itertools.islice(read_outs(random.Random(SEED)), options.numbers * len(KINDS)))
    with ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=load) as workers:
        rows = list(workers.map(row_of_prompt, chosen, chunksize=4))
        read = list(workers.map(row_of_number, numbers, chunksize=4))
    write_report(rows + read)
    for row in rows + read:
        if row["rate"] > MOST_PROMPT or options.ids or row in read and row["errors"]:
            print(f"{row['id']}: {row['errors']} of {row['syllables']}: {row['said']} | {row['heard']}")
    return summary()


def load():
    global listener
    listener = WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=1)


def row_of_prompt(line):
    return row(line.id, *heard_in_chain(line, wave_file.samples(line.path)))


def heard_in_chain(line, samples):
    """The ids, the sound, the syllables, the own ones' place and the text of a prompt among its neighbours."""
    ids, place = heard.chain(line)
    sound = [samples if each == line.id else wave_file.samples(lines[each].path) for each in ids]
    spoken = [mandarin.syllables(lines[each].text, lines[each].pinyin) for each in ids]
    start = sum(map(len, spoken[:place]))
    own = range(start, start + len(spoken[place]))
    return ids, np.concatenate(sound), sum(spoken, []), own, line.text


def row(name, ids, sound, spoken, own, said, like=None):
    """What was heard and how many of the own syllables wrongly; `like` makes syllables comparable."""
    like, text = like or normal, listen(sound)
    errors = min(wrong(like(spoken), like(mandarin.syllables(reading)), own) for reading in readings(text))[1]
    return {"id": name, "in": " ".join(ids) if len(ids) > 1 else "alone", "said": said, "heard": text,
            "syllables": len(own), "errors": errors, "rate": errors / len(own)}


def listen(sound):
    """What Whisper writes for a sound at 8 kHz, after A-law."""
    at_16k = resample_poly(np.concatenate([np.zeros(3_200), through_alaw(sound), np.zeros(3_200)]), 2, 1)
    segments, _ = listener.transcribe(
        at_16k.astype(np.float32), language="zh", beam_size=5, initial_prompt=CONTEXT, temperature=0.0,
        condition_on_previous_text=False, without_timestamps=True)
    return convert("".join(segment.text for segment in segments).strip(), "zh-cn")


def through_alaw(sound):
    """A-law and back (G.711): 13-bit segments of 16 steps."""
    size = np.clip(np.round(np.abs(sound) * 4_096), 0, 4_095).astype(int)
    segment = np.maximum(0, np.floor(np.log2(np.maximum(size, 1))).astype(int) - 4)
    step = 2 ** np.maximum(1, segment)
    return np.sign(sound) * (size // step * step + step / 2) / 4_096


def readings(text):
    """A text with its Arabic numbers read digit by digit or as numbers: what was heard is the same."""
    parts = re.split(r"(\d+)", re.sub(r"(?<=\d),(?=\d{3})", "", text))
    options = [number_readings(part) if part.isdigit() else [only_han(part)] for part in parts]
    for choice in itertools.islice(itertools.product(*options), 256):
        yield "".join(choice)


def number_readings(digits):
    one_by_one = "".join(CHINESE_DIGITS[int(digit)] for digit in digits)
    return [one_by_one, cn2an.an2cn(digits)] if len(digits) <= 8 else [one_by_one]


def only_han(text):
    return re.sub("[^\u4e00-\u9fff]", "", text.replace("〇", "零"))


def normal(syllables):
    """幺 and 一 are one digit, tones of 一 and 不 and of two third tones in a row follow their neighbours."""
    plain = ["yi1" if each in ("yao1", "yi2", "yi4", "yi5") else "bu4" if each in ("bu2", "bu5") else each
             for each in syllables]
    for place, (this, after) in enumerate(zip(plain, plain[1:])):
        if this.endswith("3") and after.endswith("3"):
            plain[place] = this[:-1] + "2"
    return ["liang3" if each == "liang2" else each for each in plain]


def toneless(syllables):
    return ["yi" if each[:-1] == "yao" else "er" if each[:-1] == "liang" else each[:-1] for each in syllables]


def wrong(said, written, own):
    """Levenshtein's distance, and how many of its errors fall on the syllables `own`; one too many counts on the one before."""
    before = [(column, column if own.start == 0 else 0) for column in range(len(written) + 1)]
    for place, this in enumerate(said):
        mine = place in own
        current = [(before[0][0] + 1, before[0][1] + mine)]
        for column, other in enumerate(written, 1):
            differs = this != other
            current.append(min(
                (before[column][0] + 1, before[column][1] + mine),
                (current[-1][0] + 1, current[-1][1] + mine),
                (before[column - 1][0] + differs, before[column - 1][1] + (differs and mine))))
        before = current
    return before[-1]


def ticket(chance):
    number = "".join(str(chance.randrange(10)) for _ in range(12))
    return number, [("trio", 3, PAUSE)] * 3 + [("trio_end", 3, None)]


def mobile_pairs(chance):
    """3-4-4, the fours as two pairs."""
    number = f"1{chance.choice('3578')}" + "".join(str(chance.randrange(10)) for _ in range(9))
    pairs = [("pair", 2, SHORT_PAUSE), ("pair", 2, PAUSE), ("pair", 2, SHORT_PAUSE), ("pair_end", 2, None)]
    return number, [("trio", 3, PAUSE), *pairs]


def mobile_trios(chance):
    """3-3-3-2."""
    number, _ = mobile_pairs(chance)
    return number, [("trio", 3, PAUSE)] * 3 + [("pair_end", 2, None)]


KINDS = (ticket, mobile_pairs, mobile_trios)


def read_outs(chance):
    while True:
        for kind in KINDS:
            number, groups = kind(chance)
            yield kind.__name__, number, groups


def row_of_number(read_out):
    kind, number, groups = read_out
    before = lines["tk.again" if kind == "ticket" else "phone.is"]
    sound, rest, ids = [wave_file.samples(before.path)], number, []
    for group, size, pause in groups:
        ids.append(f"{group}.{rest[:size]}")
        sound.append(wave_file.samples(lines[ids[-1]].path))
        rest = rest[size:]
        if pause is not None:
            sound.append(pause)
    sentence = mandarin.syllables(before.text, before.pinyin)
    spoken = sentence + [mandarin.DIGITS[int(digit)] for digit in number]
    own = range(len(sentence), len(spoken))
    return row(kind, [before.id, *ids], np.concatenate(sound), spoken, own, number, toneless)


def write_report(rows):
    """The rows in place of those of the same prompts and numbers; the others stay."""
    path = manifest.PROMPTS / "zh" / "report.tsv"
    old = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    new = {"\t".join(str(row[key]) for key in KEYS) for row in rows}
    told = {row["id"] for row in rows}
    kept = [line for line in old if line.split("\t")[0] not in told]
    text = "\n".join(["\t".join(KEYS), *sorted([*kept, *new])])
    path.write_text(text + "\n", encoding="utf-8")


def summary():
    """What the whole report says; 1 when it is not good enough."""
    with (manifest.PROMPTS / "zh" / "report.tsv").open(encoding="utf-8") as report:
        rows = list(csv.DictReader(report, delimiter="\t", quoting=csv.QUOTE_NONE))
    kinds = {kind.__name__: [row for row in rows if row["id"] == kind.__name__] for kind in KINDS}
    prompts = [row for row in rows if row["id"] not in kinds]
    rates = {}
    for kind, found in {"prompts": prompts, **kinds}.items():
        syllables, errors = (sum(int(row[key]) for row in found) for key in ("syllables", "errors"))
        rates[kind] = errors / max(1, syllables)
        print(f"{kind}: {len(found)} heard, {errors} of {syllables} syllables wrong, {rates[kind]:.1%}")
    worst = [row["id"] for row in prompts if int(row["errors"]) > MOST_PROMPT * int(row["syllables"])]
    print(f"over {MOST_PROMPT:.0%}: {len(worst)}: {' '.join(worst)}")
    return int(rates["prompts"] > MOST_PACK or bool(worst) or rates["ticket"] > MOST_DIGITS)


if __name__ == "__main__":
    sys.exit(main())
