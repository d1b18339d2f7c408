"""Measures the Tibetan prompts: see `prompts/voice/run --help`.

No recogniser knows Lhasa Tibetan, so the sounds are measured after A-law: loudness peaks against syllables (after de Jong
and Wempe, 2009), voicing, and the direction of the tone in every syllable. Each prompt is made once more, which gives the
places of its syllables and shows that the file is what the recipe makes. Writes prompts/bo/report.tsv.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import parselmouth
from scipy.signal import find_peaks

import kokoro
import lhasa
import make
import manifest
import tibetan
import wave_file
from check_mandarin import through_alaw

STEP = kokoro.FRAME / kokoro.RATE
PITCH_STEP = 0.005
QUIET = np.zeros(wave_file.RATE // 10)  # around each sound, since a peak has two sides
PEAK_RANGE_DB, DIP_DB, APART = 25, 2, 12  # below the loudest; between two nuclei; in steps of 5 ms
LEAST_NUCLEI, LEAST_TONES = 0.90, 0.95
LEVEL, MOVE = 2.5, 0.7  # semitones: less is level, more is a rise or a fall


def main():
    parser = argparse.ArgumentParser(prog="prompts/voice/run check bo", description="Measures the Tibetan prompts.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these prompts or groups")
    options = parser.parse_args()
    lines = [line for line in manifest.lines() if line.language == "bo" and line.origin == "synthetic"]
    chosen = [line for line in lines if chosen_by(line, options.ids)]
    with ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=make.load) as workers:
        rows = list(workers.map(measured, chosen, chunksize=4))
    for row in rows:
        if options.ids or row["unvoiced"] or row["other"]:
            print(f"{row['id']}: {row['nuclei']} nuclei, {row['syllables']} syllables, wrong tones {row['wrong'] or 'none'}"
                  + ", unvoiced" * bool(row["unvoiced"]) + ", not what the recipe makes" * row["other"])
    if not options.ids:
        write_report(rows)
    return summary(rows) or any(tibetan.mistakes())


def chosen_by(line, ids):
    """Without ids all but the groups of three digits, of which every 37th stands for the others."""
    if ids:
        return bool({line.id, line.group} & set(ids))
    return line.group not in ("trio", "trio_end") or int(line.id.split(".")[1]) % 37 == 0


def measured(line):
    plan, syllables = make.tibetan_plan(line)
    samples, began = make.prompt_of(make.voice.speak(plan), line)
    sound = parselmouth.Sound(np.concatenate([QUIET, through_alaw(wave_file.samples(line.path)), QUIET]), wave_file.RATE)
    pitch = sound.to_pitch_ac(PITCH_STEP, 75, very_accurate=False, pitch_ceiling=600)
    heights, times = pitch.selected_array["frequency"], pitch.xs()
    starts = plan.starts() * STEP - kokoro.LEAD_FRAMES * STEP - began + len(QUIET) / wave_file.RATE
    wrong, unvoiced = [], 0
    for syllable in syllables:
        inside = (times >= starts[syllable.rime + 1]) & (times < starts[syllable.end + 1]) & (heights > 0)
        unvoiced += inside.sum() < 4
        if inside.sum() >= 4 and not goes_as(syllable.tone, 12 * np.log2(heights[inside] / lhasa.MIDDLE_HZ)):
            wrong.append(f"{syllable.sound.onset}{syllable.sound.vowel}{syllable.sound.coda}/{syllable.tone}")
    return {"id": line.id, "syllables": len(syllables), "nuclei": nuclei(sound, heights, times), "unvoiced": unvoiced,
            "wrong": " ".join(wrong), "wrong_count": len(wrong), "text": line.words or line.text,
            "other": not np.array_equal(samples / 32_768, wave_file.samples(line.path))}


def goes_as(tone, semitones):
    """Whether the pitch of a rime moves as its tone says; thirds of it are compared."""
    third = max(1, len(semitones) // 3)
    first, middle, last = (np.median(part) for part in (semitones[:third], semitones[third:-third], semitones[-third:]))
    return {
        "55": abs(last - first) < LEVEL,
        "52": last < middle + 0.3 and last < first - MOVE,
        "13": last > first + MOVE,
        "12": -MOVE < last - middle and middle < -1,
        "132": middle > first and last < middle - MOVE,
    }[tone]


def nuclei(sound, heights, times):
    """Voiced peaks of loudness with a dip between them."""
    intensity = sound.to_intensity(60, 0.005)
    levels = intensity.values[0]
    peaks, _ = find_peaks(levels, height=levels.max() - PEAK_RANGE_DB, prominence=DIP_DB, distance=APART)
    at = np.interp(intensity.xs()[peaks], times, np.arange(len(times))).round().astype(int)
    return int((heights[at] > 0).sum())


def write_report(rows):
    keys = ("id", "syllables", "nuclei", "unvoiced", "wrong", "text")
    with (manifest.PROMPTS / "bo" / "report.tsv").open("w", encoding="utf-8") as report:
        report.write("id\tsyllables\tnuclei\tunvoiced\twrong tones\ttext\n")
        for row in rows:
            report.write("\t".join(str(row[key]) for key in keys) + "\n")


def summary(rows):
    syllables = sum(row["syllables"] for row in rows)
    equal = sum(row["nuclei"] == row["syllables"] for row in rows) / len(rows)
    tones = 1 - sum(row["wrong_count"] for row in rows) / syllables
    unvoiced = sum(row["unvoiced"] for row in rows)
    print(f"{len(rows)} prompts, {syllables} syllables: nuclei as syllables in {equal:.1%} of the prompts, "
          f"tones right in {tones:.1%} of the syllables, {unvoiced} syllables unvoiced")
    return int(equal < LEAST_NUCLEI or tones < LEAST_TONES or unvoiced > 0)


if __name__ == "__main__":
    sys.exit(main())
