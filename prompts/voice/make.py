"""Makes the prompts that a voice of the machine speaks: see `prompts/voice/run --help`."""

import argparse
import hashlib
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import heard
import kokoro
import lhasa
import mandarin
import manifest
import master
import wave_file

RECIPE = {"zh": "6", "bo": "7"}  # raise one when the sound of everything in its language changes
MODELS = Path(os.environ.get("VOICE_HOME", "")) / "models"

# Silence before and after, in ms: less where clips follow each other without a break.
PHRASE_MS, PART_MS, GROUP_MS = (50, 120), (10, 20), (0, 0)
PARTS = "digit num year month day daypart clock rel unit weekday city office".split()
GROUPS = "trio trio_end pair pair_end".split()
FINAL = "trio_end pair_end".split()  # the last group of a number: the pitch comes down
ENDING = FINAL + "digit num day weekday office".split()  # spoken as the end of a sentence although no mark says so

# Ways to speak a Mandarin line: speed, and the style of at least so many phonemes; alone, or in the sentence around it
# (heard.py) and cut out. Short lines differ most in how well they are understood; the manifest's `take` names the one
# that a listener understood best (audition.py).
TAKES = ((1.0, 30), (0.9, 30), (1.1, 60), (0.8, 60), (1.0, 0), (0.85, 0), (0.75, 0))
FIRST_IN_SENTENCE = 4
GROUP_TAKE = (1.0, 0)
BRIEF_STEPS = 3  # of 25 ms; a phoneme or tone that is shorter gets one more, for ears on a telephone
TIBETAN_SPEED = 1.0
GROUP_TRIM_DB = -34.0  # Mandarin digits end in vowels and nasals: their last breath is not missed
FINAL_FALL = 2.5  # semitones over the last group
EDGE_STEPS = {"start": 16, "mark": 6, "end": 2}  # silence at most; with less before it the voice swallows its first sound
LAST_PHONEME_STEPS = 14

voice = None


def main():
    parser = argparse.ArgumentParser(prog="prompts/voice/run make", description="Makes what has changed, then writes the hashes.")
    parser.add_argument("--all", action="store_true", help="make everything again")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these prompts or groups (menu.head, trio)")
    options = parser.parse_args()
    lines = [line for line in manifest.lines() if line.origin == "synthetic"]
    chosen = [line for line in lines if not options.ids or {line.id, line.group} & set(options.ids)]
    due = [line for line in chosen if options.all or wave_file.maker(line.path) != mark(line)]
    started = time.monotonic()
    with ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=load) as workers:
        for done, line in enumerate(workers.map(make, due, chunksize=8), 1):
            progress(done, len(due), line, time.monotonic() - started)
    changed = manifest.write_hashes([line for line in manifest.lines() if line.path.exists()])
    print(f"made {len(due)} of {len(chosen)} files in {time.monotonic() - started:.0f} s, {changed} hashes changed")


def load():
    global voice
    voice = kokoro.Kokoro(MODELS, "zf_xiaoyi", threads=1)


def progress(done, due, line, seconds):
    if sys.stdout.isatty() or done % 100 == 0 or done == due:
        left = seconds / done * (due - done)
        end = "\r" if sys.stdout.isatty() and done < due else "\n"
        print(f"{done}/{due}  {line.language}/{line.id:<24} {left / 60:.0f} min left ", end=end, flush=True)


def make(line):
    sound = mandarin_sound(line) if line.language == "zh" else voice.speak(tibetan_plan(line)[0])
    samples, _ = prompt_of(sound, line)
    wave_file.write(line.path, samples, line.text, mark(line))
    return line


def prompt_of(sound, line):
    trim_db = GROUP_TRIM_DB if line.group in GROUPS and line.language == "zh" else master.TRIM_DB
    return master.mastered(sound, kokoro.RATE, silence_ms(line), trim_db)


def mandarin_sound(line):
    return cut_from_sentence(line) if line.take >= FIRST_IN_SENTENCE else voice.speak(mandarin_plan(line))


def cut_from_sentence(line):
    before, own, after = sentence(line)
    plan = clear(voice.plan(before + own + after, *TAKES[line.take]))
    starts = (plan.starts() - kokoro.LEAD_FRAMES) * kokoro.FRAME
    first, last = len(before) + 1, len(before) + len(own) + 1  # the token before the phonemes is silence
    sound = voice.speak(plan)
    return sound[starts[first] if before else 0:starts[last] if after else None]


def sentence(line):
    """The phonemes before a line, its own, and those after it: they run on where the clips do."""
    ids, place = heard.chain(line)
    parts = [mandarin.phonemes(part.text, part.pinyin) for part in map(manifest.by_id("zh").get, ids)]
    before, own, after = " ".join(parts[:place]), parts[place], " ".join(parts[place + 1:])
    end = "" if (after or own)[-1] in ",.!?" else "."
    return f"{before} " if before else "", own, (f" {after}" if after else "") + end


def mandarin_plan(line):
    in_group = line.group in GROUPS
    plan = voice.plan(spoken(line), *(GROUP_TAKE if in_group else TAKES[line.take]))
    if not in_group:
        plan = clear(plan)
    if line.group in FINAL:
        fall = np.linspace(0, FINAL_FALL, len(plan.pitch))
        plan.pitch = np.where(plan.pitch > 60, plan.pitch * 2 ** (-fall / 12), plan.pitch)
    return without_edges(plan)


def clear(plan):
    """The plan with its briefest sounds lengthened; the silence around them stays."""
    steps = plan.durations.astype(int).copy()
    steps[1:-2] += steps[1:-2] < BRIEF_STEPS
    return plan.stretched(steps)


def tibetan_plan(line):
    """The plan and its syllables."""
    text, syllables = lhasa.transcribed(line.words or line.text, ending(line))
    plan = lhasa.shaped(voice.plan(text, TIBETAN_SPEED), syllables, TIBETAN_SPEED)
    return without_edges(plan), syllables


def spoken(line):
    """The phonemes of a line with the mark that its place in a sentence asks for; those of the whole sentence where it is cut out."""
    if line.language == "bo":
        return lhasa.transcribed(line.words or line.text, ending(line))[0]
    if line.take >= FIRST_IN_SENTENCE:
        return sentence(line)
    apart = line.group in GROUPS  # digits are clearer as words of their own
    phonemes = mandarin.phonemes(" ".join(line.text) if apart else line.text, line.pinyin)
    return phonemes if phonemes[-1] in ",.!?" else phonemes + ending(line)


def ending(line):
    goes_on = line.group.startswith("opt") or line.text[-1] not in "།。" and line.group not in ENDING
    return "," if goes_on else "."


def without_edges(plan):
    steps = plan.durations.astype(int).copy()
    steps[0] = min(steps[0], EDGE_STEPS["start"])
    steps[-3] = min(steps[-3], LAST_PHONEME_STEPS)
    steps[-2:] = np.minimum(steps[-2:], [EDGE_STEPS["mark"], EDGE_STEPS["end"]])
    return plan.stretched(steps)


def silence_ms(line):
    return GROUP_MS if line.group in GROUPS else PART_MS if line.group in PARTS else PHRASE_MS


def mark(line):
    """Names the voice, the recipe and the sounds, so that a change of any makes the file again."""
    numbers = [RECIPE[line.language], silence_ms(line), line.group in FINAL, line.group in GROUPS, line.take, spoken(line)]
    return f"kokoro-82m zf_xiaoyi {hashlib.sha256(repr(numbers).encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    main()
