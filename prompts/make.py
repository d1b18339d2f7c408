#!/usr/bin/env python3
"""Makes the WAV files of the prompts: prompts/make.py [--all] [--check] [ID ...]

Reads manifest.toml beside it and speaks every line whose origin is not "person" with espeak-ng: Mandarin by its
pinyin, Tibetan by the rules of tibetan.py through phonemes. Makes only what changed (each file carries a mark of the
recipe that made it), and checks every file afterwards. Needs Debian's espeak-ng and sox, and Python 3.11.

    --all    make everything again        --check  make nothing, only check        ID  only these prompts
"""

import argparse
import array
import doctest
import hashlib
import math
import re
import struct
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import tibetan

HERE = Path(__file__).resolve().parent
RATE = 8000
FORMAT = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
RECIPE = "1"  # raise it when the sound changes
VOICE = ["espeak-ng", "-v", "cmn-latn-pinyin", "-s", "160", "-p", "45", "--stdout"]
SOX = "sox -V1 -D -t wav --ignore-length - -t raw -e signed -b 16 -c 1 - vol 0.5".split()
SHAPE = ["highpass", "150", "highpass", "150", "lowpass", "3500", "lowpass", "3500", "rate", "-h", str(RATE)]

ACTIVE_DBOV = -21.0
PEAK_DBFS = -3.0
TRIM_DB = -40.0
FADE_MS = 5
# Silence before and after: less where clips follow each other without a break.
PHRASE_MS = (50, 120)
PART_MS = (10, 20)
PARTS = {"digit", "num", "year", "month", "day", "daypart", "clock", "rel", "unit", "weekday", "city", "office"}

ONSET_PHONEMES = {
    "": "", "k": "k", "kh": "kh", "ky": "kj", "khy": "khj", "ng": "N", "c": "tS;", "ch": "tS;h", "ny": "n^",
    "t": "t", "th": "th", "n": "n", "p": "p", "ph": "ph", "m": "m", "ts": "ts", "tsh": "tsh",
    "tr": "ts.", "thr": "ts.h", "sh": "S;", "s": "s", "rh": "s.", "h": "h", "y": "j", "r": "r", "l": "l", "lh": "lh",
    "w": "w",
}
VOWEL_PHONEMES = {"a": "A", "ä": "E", "e": "e", "i": "i", "o": "o", "ö": "o-", "u": "u", "ü": "y"}
CODA_PHONEMES = {"": "", "'": "?", "k": "k", "p": "p", "m": "m", "n": "n", "ng": "N"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("ids", nargs="*", metavar="ID")
    options = arguments.parse_args()
    lines = [line for line in manifest_lines() if not options.ids or line["id"] in options.ids]
    if not options.check:
        make_changed(lines, options.all)
    return check(lines)


def manifest_lines():
    """Every spoken line as a dict: id, language, text, pinyin, origin, file."""
    groups = tomllib.loads((HERE / "manifest.toml").read_text(encoding="utf-8"))
    for group, names in groups.items():
        for name, languages in names.items():
            for language, line in languages.items():
                if line["text"] != "-":
                    yield {"id": f"{group}.{name}", "language": language, **line}


def make_changed(lines, everything):
    synthetic = [line for line in lines if line.get("origin", "synthetic") == "synthetic"]
    due = [line for line in synthetic if everything or mark_of(HERE / line["file"]) != mark(line)]
    for language in ("bo", "zh"):
        (HERE / language).mkdir(exist_ok=True)
    with ProcessPoolExecutor(max_workers=2) as workers:
        for done, line in enumerate(workers.map(make, due, chunksize=4), 1):
            if sys.stdout.isatty() or done % 100 == 0:
                print(f"{done}/{len(due)} {line['file']:<40}", end="\r" if sys.stdout.isatty() else "\n", flush=True)
    print(f"made {len(due)} of {len(lines)} files{'':<40}")


def make(line):
    spoken = subprocess.run([*VOICE, spoken_form(line)], check=True, capture_output=True).stdout
    shaped = subprocess.run([*SOX, *SHAPE], check=True, capture_output=True, input=spoken).stdout
    samples = finish(array.array("h", shaped), PART_MS if line["id"].split(".")[0] in PARTS else PHRASE_MS)
    write_wav(HERE / line["file"], samples, mark(line))
    return line


def spoken_form(line):
    """What espeak-ng is given: pinyin, or Tibetan phonemes."""
    if line["language"] == "zh":
        return line["pinyin"].replace("ü", "v")
    phrases = tibetan.words(line["text"])
    return ", ".join("[[" + " ".join(phonemes(word) for word in phrase) + "]]" for phrase in phrases)


def phonemes(word):
    return " ".join(syllable_phonemes(sound, place, place == len(word) - 1) for place, sound in enumerate(word))


def syllable_phonemes(sound, place, last):
    vowel = "".join(VOWEL_PHONEMES[v] for v in sound.vowel)
    return ONSET_PHONEMES[sound.onset] + vowel + ":" * sound.long + CODA_PHONEMES[sound.coda] + tone(sound, last)


def tone(sound, last):
    """Lhasa's contours by the tones that the voice has: high level, high falling, low rising, low falling, low."""
    if not last:
        return "55" if sound.high else "21"
    if sound.falling:
        return "51" if sound.high else "21"
    return "55" if sound.high else "214"


def finish(samples, silence_ms):
    """Trims, sets the level, fades and pads."""
    peak = max(map(abs, samples), default=0)
    if peak == 0:
        return samples
    loud = peak * 10 ** (TRIM_DB / 20)
    first = next(at for at, sample in enumerate(samples) if abs(sample) > loud)
    last = len(samples) - next(at for at, sample in enumerate(reversed(samples)) if abs(sample) > loud)
    samples = samples[first:last]
    gain = min(ACTIVE_DBOV - active_dbov(samples), PEAK_DBFS - 20 * math.log10(peak / 32768))
    factor = 10 ** (gain / 20)
    samples = [sample * factor for sample in samples]
    fade = RATE * FADE_MS // 1000
    for at in range(min(fade, len(samples) // 2)):
        samples[at] *= at / fade
        samples[-1 - at] *= at / fade
    before, after = (RATE * ms // 1000 for ms in silence_ms)
    return array.array("h", [0] * before + [round(sample) for sample in samples] + [0] * after)


def active_dbov(samples):
    """Level of active speech after ITU-T P.56: frames of 20 ms down to 15.9 dB below their common level."""
    frame = RATE // 50
    frames = [samples[at:at + frame] for at in range(0, len(samples), frame)]
    powers = [sum(sample * sample for sample in frame) / len(frame) for frame in frames]
    count = None
    while powers and count != len(powers):
        count = len(powers)
        level = sum(powers) / count
        powers = [power for power in powers if power >= level / 38.9]
    level = sum(powers) / max(1, len(powers))
    return 10 * math.log10(level / 32768 ** 2) if level else -math.inf


def mark(line):
    """Names the recipe and the words, so that a change of either makes the file again."""
    recipe = "|".join([RECIPE, *VOICE, *SHAPE, spoken_form(line)])
    return "espeak-ng " + hashlib.sha256(recipe.encode()).hexdigest()[:16]


def write_wav(path, samples, comment):
    info = chunk(b"LIST", b"INFO" + chunk(b"ICMT", comment.encode() + b"\0"))
    body = b"WAVE" + chunk(b"fmt ", FORMAT) + info + chunk(b"data", samples.tobytes())
    path.write_bytes(chunk(b"RIFF", body))


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def chunks(body):
    while len(body) >= 8:
        size = struct.unpack("<I", body[4:8])[0]
        yield body[:4], body[8:8 + size]
        body = body[8 + size + size % 2:]


def mark_of(path):
    """The mark in a file; None without a file or a mark."""
    if not path.exists():
        return None
    found = re.search(rb"ICMT....([^\0]*)", path.read_bytes()[:200], re.S)
    return found and found[1].decode()


def check(lines):
    """Prints what is wrong and what was measured; 1 when something is wrong."""
    measured, faults = [], []
    if doctest.testmod(tibetan).failed:
        faults.append("tibetan.py: its examples fail")
    with ProcessPoolExecutor(max_workers=2) as workers:
        for line, found in zip(lines, workers.map(measure, lines, chunksize=8)):
            measured.append(found)
            faults += [f"{line['file']}: {what}" for what in found["faults"]]
    print("\n".join(faults), end="\n" if faults else "")
    if len(measured) > 1:
        summary(lines, measured)
    return 1 if faults else 0


def measure(line):
    path = HERE / line["file"]
    if not path.exists():
        return {"faults": ["missing"], "seconds": 0}
    parts = dict(chunks(path.read_bytes()[12:]))
    samples = array.array("h", parts[b"data"])
    seconds = len(samples) / RATE
    peak = 20 * math.log10(max(1, max(map(abs, samples))) / 32768)
    level = active_dbov(samples)
    count = syllables(line)
    pace = sum(1 for sample in samples if sample) / RATE / count
    faults = []
    if parts[b"fmt "][:16] != FORMAT:
        faults.append("not 8 kHz mono 16-bit PCM")
    if not -24.5 <= level <= -20:
        faults.append(f"active speech at {level:.1f} dBov")
    if peak > PEAK_DBFS + 0.1:
        faults.append(f"peaks at {peak:.1f} dBFS")
    if not 0.12 <= pace <= 0.65:
        faults.append(f"{pace * 1000:.0f} ms a syllable, {count} syllables")
    return {"faults": faults, "seconds": seconds, "level": level, "peak": peak, "pace": pace, "syllables": count,
            "nuclei": nuclei(samples)}


def syllables(line):
    if line["language"] == "zh":
        return len(re.findall(r"[a-zü]+[1-5]", line["pinyin"]))
    return sum(len(word) for phrase in tibetan.words(line["text"]) for word in phrase)


def nuclei(samples):
    """Peaks of loudness that rise 2 dB out of their valleys: about one a syllable."""
    hop, window = RATE // 100, RATE // 40
    levels = []
    for at in range(0, max(1, len(samples) - window), hop):
        power = sum(s * s for s in samples[at:at + window]) / window
        levels.append(10 * math.log10(power + 1))
    floor = max(levels, default=0) - 20
    count, valley, top, rising = 0, -math.inf, -math.inf, True
    valley = floor
    for level in levels:
        if rising:
            top = max(top, level)
            if level < top - 2:
                count += top > floor and top - valley >= 2
                rising, valley = False, level
        else:
            valley = min(valley, level)
            if level > valley + 2:
                rising, top = True, level
    return count + (rising and top > floor and top - valley >= 2)


def summary(lines, measured):
    for language in ("bo", "zh"):
        chosen = [m for line, m in zip(lines, measured) if line["language"] == language and m["seconds"]]
        if not chosen:
            continue
        near = sum(abs(m["nuclei"] - m["syllables"]) <= max(1, m["syllables"] // 5) for m in chosen)
        print(f"{language}: {len(chosen)} files, {sum(m['seconds'] for m in chosen):.0f} s, "
              f"level {min(m['level'] for m in chosen):.1f} to {max(m['level'] for m in chosen):.1f} dBov, "
              f"peak at most {max(m['peak'] for m in chosen):.1f} dBFS, "
              f"{sum(m['syllables'] for m in chosen) / sum(m['pace'] * m['syllables'] for m in chosen):.1f} syllables/s, "
              f"nuclei as syllables within a fifth in {near}")


if __name__ == "__main__":
    sys.exit(main())
