"""Lhasa syllables on a voice that knows Mandarin: phonemes, lengths, and tones laid over the planned pitch.

The tones follow the usual description of Lhasa (high level 55, high falling 52, low rising 13, low falling 132; inside a
word 55 or 12); the shapes in semitones and the lengths are ours, tuned by measurement.
"""

from dataclasses import dataclass

import numpy as np

import tibetan
from kokoro import LEAD_FRAMES, PITCH_FRAMES, Plan

ONSETS = {
    "": "", "k": "k", "kh": "kʰ", "ky": "kj", "khy": "kʰj", "ng": "ŋ", "c": "ʨ", "ch": "ʨʰ", "ny": "ɲ", "t": "t", "th": "tʰ",
    "n": "n", "p": "p", "ph": "pʰ", "m": "m", "ts": "ʦ", "tsh": "ʦʰ", "tr": "ꭧ", "thr": "ꭧʰ", "sh": "ɕ", "s": "s", "rh": "ʂ",
    "h": "h", "y": "j", "r": "ɻ", "l": "l", "lh": "hl", "w": "w",
}
VOWELS = {"a": "a", "ä": "ɛ", "e": "e", "i": "i", "o": "o", "ö": "ø", "u": "u", "ü": "y", "ə": "ə"}
CODAS = {"": "", "'": "", "k": "k", "p": "p", "m": "m", "n": "n", "ng": "ŋ"}
# The voice's own marks of tone that lie nearest.
MARKS = {"55": "→", "52": "↘", "13": "↗", "12": "↓", "132": "↓"}
# Semitones from the middle of the voice at a tenth, a half and nine tenths of the rime.
SHAPES = {"55": (3.6, 4.0, 3.8), "52": (4.5, 3.0, -1.5), "13": (-4.4, -3.0, 1.0), "12": (-4.4, -3.8, -2.8),
          "132": (-4.2, -1.5, -5.0)}
MIDDLE_HZ = 225.0
DECLINATION = 0.2  # semitones a syllable, anew after each pause

ONSET_STEPS = 2  # of 25 ms
RIME_STEPS = (5, 10)  # at least and at most, an open short vowel
LONG_STEPS = 1  # more for a long or closed rime
LAST_STEPS = (1, 4)  # more at the end of a word
LEAST_VOICED_STEPS, LEAST_LAST_STEPS = 4, 6  # 6 before a pause, where the voice would fade at once
AUDIBLE = 4.0  # of the energy, about the natural logarithm of the loudness: 9 is a loud vowel
VOWEL_ENERGY, SONORANT_ENERGY, NASAL_CODA_ENERGY, RELEASE_ENERGY = 8.7, 4.2, 7.0, 0.5
STOPS = ("k", "p")
SONORANTS = ("", "m", "n", "ny", "ng", "l", "lh", "r", "w", "y")
PAUSE_STEPS = {",": 8, ".": 12}


@dataclass
class Syllable:
    tone: str
    sound: tibetan.Sound
    last: bool  # of its word
    onset: int  # places in the phoneme string
    rime: int
    end: int
    first: bool  # after a pause


def transcribed(words, mark):
    """The phoneme string with `mark` at its end, and its syllables."""
    text, syllables = "", []
    for phrase in tibetan.phrases(words):
        text += ", " if text else ""
        first = True
        for number, word in enumerate(phrase):
            text += " " if number else ""
            for place, sound in enumerate(word):
                onset, rime = ONSETS[sound.onset], rime_of(sound, tone(word, place))
                at = len(text)
                text += onset + rime
                syllables.append(Syllable(tone(word, place), sound, place == len(word) - 1, at, at + len(onset),
                                          len(text), first))
                first = False
    return text + mark, syllables


def tone(word, place):
    high = word[0].high or place > 0
    if place < len(word) - 1:
        return "55" if high else "12"
    if word[place].falling:
        return "52" if high else "132"
    return "55" if high else "13"


def rime_of(sound, tone_name):
    long = "ː" if sound.long and not CODAS[sound.coda] else ""
    return "".join(VOWELS[vowel] for vowel in sound.vowel) + long + MARKS[tone_name] + CODAS[sound.coda]


def shaped(plan, syllables, speed):
    """The plan with Lhasa's lengths, tones and a loudness peak in every syllable."""
    plan = plan.stretched(lengths(plan, syllables, speed))
    before_pause = [syllable.first for syllable in syllables[1:]] + [True]
    spans = [voiced_span(plan, *each) for each in zip(syllables, before_pause)]
    return Plan(plan.phonemes, plan.style, plan.durations, tones(plan, syllables, spans),
                loudness(plan, syllables, spans))


def sounding(plan):
    """The frame at which each token sounds: pitch and energy are the sound's, which runs ahead of the durations."""
    return (plan.starts() - LEAD_FRAMES) * PITCH_FRAMES


def voiced_span(plan, syllable, before_pause):
    """The frames of a rime that sound: without a stop at its end, and before a pause only while there is energy."""
    starts = sounding(plan)
    stop = 1 if CODAS[syllable.sound.coda] in STOPS else 0
    start, end = starts[syllable.rime + 1], starts[syllable.end + 1 - stop]
    least = start + (LEAST_LAST_STEPS if before_pause and not stop else LEAST_VOICED_STEPS) * PITCH_FRAMES
    silent = np.flatnonzero(plan.energy[start:end] < AUDIBLE)
    return start, max(least, start + silent[0] if len(silent) else end)


def lengths(plan, syllables, speed):
    """Every onset and rime inside its bounds; token 0 is the silence before the first phoneme."""
    steps = plan.durations.astype(int).copy()
    for syllable in syllables:
        onset = range(syllable.onset + 1, syllable.rime + 1)
        rime = range(syllable.rime + 1, syllable.end + 1)
        aspirated = "h" in syllable.sound.onset[1:]
        slow = 1 if aspirated or syllable.sound.onset in SONORANTS and not syllable.first else 0
        while len(onset) and steps[list(onset)].sum() < ONSET_STEPS + slow:
            steps[onset[0] + int(np.argmin(steps[list(onset)]))] += 1
        heavy = LONG_STEPS if syllable.sound.long or syllable.sound.coda in ("m", "n", "ng") else 0
        least = round((RIME_STEPS[0] + heavy + LAST_STEPS[0] * syllable.last) / speed)
        most = round((RIME_STEPS[1] + LAST_STEPS[1] * syllable.last) / speed)
        steps[rime[0]] += max(0, least - steps[list(rime)].sum())
        while steps[list(rime)].sum() > most:
            steps[rime[0] + int(np.argmax(steps[list(rime)]))] -= 1
    for place, phoneme in enumerate(plan.phonemes):
        if phoneme in PAUSE_STEPS and place < len(plan.phonemes) - 1:
            steps[place + 1] = PAUSE_STEPS[phoneme]
    return steps


def tones(plan, syllables, spans):
    """The pitch of each frame: Lhasa's shape in every rime, which is voiced throughout; the plan's own voicing elsewhere."""
    places, heights, since = [], [], 0
    voiced = plan.pitch > 60
    for syllable, (start, end) in zip(syllables, spans):
        since = 0 if syllable.first else since + 1
        voiced[start + 1:end] = True
        for part, height in zip((0.0, 0.5, 0.95), SHAPES[syllable.tone]):
            places.append(start + part * (end - start))
            heights.append(height - DECLINATION * since)
    frames = np.arange(len(plan.pitch))
    wanted = MIDDLE_HZ * 2 ** (smoothed(np.interp(frames, places, heights)) / 12)
    return np.where(voiced, wanted, np.minimum(plan.pitch, 10))


def loudness(plan, syllables, spans):
    """The energy with a floor under every vowel and a ceiling over every sonorant onset, so that syllables stand apart.
    A stop before a pause is not released: the voice would add half a vowel."""
    energy = plan.energy.copy()
    starts = sounding(plan)
    for syllable, after, (start, end) in zip(syllables, [*syllables[1:], None], spans):
        if syllable.sound.onset in SONORANTS and not syllable.first:
            onset = slice(starts[syllable.onset + 1], max(start, starts[syllable.onset + 1] + PITCH_FRAMES))
            energy[onset] = np.minimum(energy[onset], SONORANT_ENERGY)
        coda = len(CODAS[syllable.sound.coda])
        vowel_end = min(end, starts[syllable.end + 1 - coda])
        core = slice(start + PITCH_FRAMES, max(start + 2 * PITCH_FRAMES, vowel_end - PITCH_FRAMES))
        energy[core] = np.maximum(energy[core], VOWEL_ENERGY)
        energy[vowel_end:end] = np.minimum(energy[vowel_end:end], NASAL_CODA_ENERGY)
        if CODAS[syllable.sound.coda] in STOPS and (after is None or after.first):
            pause = slice(starts[syllable.end + 1], starts[after.onset + 1] - PITCH_FRAMES if after else len(energy))
            energy[pause] = np.minimum(energy[pause], RELEASE_ENERGY)
    return energy


def smoothed(values, width=2):
    kernel = np.hanning(2 * width + 1)
    return np.convolve(np.pad(values, width, mode="edge"), kernel / kernel.sum(), mode="valid")
