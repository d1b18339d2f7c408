"""From the voice's sound to a telephone prompt: 8 kHz, 150 Hz to 3.5 kHz, -21 dBov active speech, peaks at most -3 dBFS."""

import numpy as np
from scipy.signal import butter, resample_poly, sosfiltfilt

RATE = 8_000
ACTIVE_DBOV = -21.0
PEAK = 10 ** (-3.1 / 20)
TRIM_DB = -40.0
FADE_MS = 5
KNEE = 0.75  # of the peak: below it a sample stays as it is
HIGH_PASS = butter(2, 150, "hp", fs=RATE, output="sos")
LOW_PASS = butter(6, 3_500, "lp", fs=RATE, output="sos")


def mastered(sound, rate, silence_ms, trim_db=TRIM_DB):
    """16-bit samples with the given milliseconds of silence before and after, and where the sound began, in seconds."""
    sound = resample_poly(np.asarray(sound, np.float64), RATE, rate)
    sound = sosfiltfilt(LOW_PASS, sosfiltfilt(HIGH_PASS, sound))
    first, last = loud_part(sound, trim_db)
    sound = faded(sound[first:last])
    for _ in range(4):  # limiting lowers the level a little
        sound = limited(sound * 10 ** ((ACTIVE_DBOV - active_dbov(sound)) / 20))
    before, after = (np.zeros(RATE * ms // 1000) for ms in silence_ms)
    samples = np.round(np.concatenate([before, sound, after]) * 32_768).astype("<i2")
    return samples, (first - len(before)) / RATE


def loud_part(sound, trim_db):
    """The samples between what is so many dB below the loudest 10 ms at both ends."""
    frame = RATE // 100
    power = np.array([np.mean(sound[at:at + frame] ** 2) for at in range(0, len(sound) - frame, frame)])
    loud = np.flatnonzero(power > power.max() * 10 ** (trim_db / 10))
    return max(0, loud[0] - 1) * frame, (loud[-1] + 2) * frame


def faded(sound):
    edge = np.linspace(0, 1, RATE * FADE_MS // 1000)
    sound = sound.copy()
    sound[:len(edge)] *= edge
    sound[-len(edge):] *= edge[::-1]
    return sound


def limited(sound):
    """Bent softly towards the peak above the knee."""
    size, knee = np.abs(sound), KNEE * PEAK
    bent = knee + (PEAK - knee) * np.tanh((size - knee) / (PEAK - knee))
    return np.where(size > knee, np.sign(sound) * bent, sound)


def active_dbov(sound):
    """Level of active speech after ITU-T P.56: frames of 20 ms down to 15.9 dB below their common level."""
    frame = RATE // 50
    powers = np.array([np.mean(sound[at:at + frame] ** 2) for at in range(0, len(sound), frame)])
    while True:
        level = powers.mean()
        kept = powers[powers >= level / 38.9]
        if len(kept) == len(powers):
            return 10 * np.log10(level + 1e-12)
        powers = kept
