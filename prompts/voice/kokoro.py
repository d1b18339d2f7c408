"""Kokoro-82M in two halves: `plan` says how long each phoneme takes and how high and strong it is, `speak` makes the sound.

Between them a plan can be changed: that is how Lhasa tones and even digits come about. The published ONNX graph does
both at once; `halves` cuts it at the three predictions. Fed back unchanged they give the published sound, bit for bit.
"""

import json
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, utils

RATE = 24_000
FRAME = RATE // 40  # samples of one step of a duration: 25 ms
PITCH_FRAMES = 2  # pitch and energy have two values a step
# The audio runs ahead of the durations by about 50 ms.
LEAD_FRAMES = 2

DURATIONS = "/encoder/Clip_output_0"
PITCH = "/encoder/F0_proj/Conv_output_0"
ENERGY = "/encoder/N_proj/Conv_output_0"
LONGEST = 500  # phonemes the model takes at once


@dataclass
class Plan:
    phonemes: str
    style: np.ndarray
    durations: np.ndarray  # 25 ms steps a token; the first and the last token are silence
    pitch: np.ndarray  # Hz, two values a step; under 60 means unvoiced
    energy: np.ndarray

    def starts(self):
        """The step at which each token starts, and the end."""
        return np.concatenate([[0], np.cumsum(self.durations)]).astype(int)

    def stretched(self, durations):
        """The same plan with other durations; pitch and energy follow token by token."""
        old = np.concatenate([[0], np.cumsum(self.durations)]).astype(int) * PITCH_FRAMES
        pitch, energy = [], []
        for token, steps in enumerate(durations):
            at = np.linspace(old[token], old[token + 1] - 1, int(steps) * PITCH_FRAMES)
            pitch.append(np.interp(at, np.arange(len(self.pitch)), self.pitch))
            energy.append(np.interp(at, np.arange(len(self.energy)), self.energy))
        return Plan(self.phonemes, self.style, np.asarray(durations), np.concatenate(pitch), np.concatenate(energy))


class Kokoro:
    def __init__(self, models, voice, threads=2):
        """`models` holds kokoro.onnx, vocabulary.json and voices/."""
        vocabulary = json.loads((models / "vocabulary.json").read_text(encoding="utf-8"))
        self.vocabulary = vocabulary["vocab"]
        self.styles = np.fromfile(models / "voices" / f"{voice}.bin", np.float32).reshape(-1, 1, 256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.planner, self.speaker = (
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for path in halves(models))

    def tokens(self, phonemes):
        unknown = sorted(set(phonemes) - self.vocabulary.keys())
        if unknown or len(phonemes) > LONGEST:
            raise ValueError(f"{phonemes}: {'unknown ' + ' '.join(unknown) if unknown else 'too long'}")
        return np.array([[0, *(self.vocabulary[p] for p in phonemes), 0]])

    def plan(self, phonemes, speed=1.0, style_of=0):
        """`style_of`: the voice has a style for each number of phonemes; at least that of so many."""
        tokens = self.tokens(phonemes)
        style = self.styles[min(max(len(phonemes), style_of), len(self.styles)) - 1]
        given = {"tokens": tokens, "style": style, "speed": np.array([speed], np.float32)}
        durations, pitch, energy = self.planner.run([DURATIONS, PITCH, ENERGY], given)
        return Plan(phonemes, style, durations.ravel(), pitch.ravel(), energy.ravel())

    def speak(self, plan):
        given = {"tokens": self.tokens(plan.phonemes), "style": plan.style,
                 "durations": np.asarray(plan.durations, np.float32)[None],
                 "pitch": np.asarray(plan.pitch, np.float32)[None, None],
                 "energy": np.asarray(plan.energy, np.float32)[None, None]}
        return self.speaker.run(["audio"], given)[0].ravel()


def halves(models):
    """Cuts kokoro.onnx once; the files stay beside it."""
    planner, speaker = models / "planner.onnx", models / "speaker.onnx"
    if not speaker.exists():
        whole = onnx.load(models / "kokoro.onnx")
        whole.graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (DURATIONS, PITCH, ENERGY))
        inputs = [tensor.name for tensor in whole.graph.input]
        onnx.save(utils.Extractor(whole).extract_model(inputs, [DURATIONS, PITCH, ENERGY]), planner)
        replaced = {DURATIONS: ("durations", [1, "phonemes"]), PITCH: ("pitch", [1, 1, "steps"]),
                    ENERGY: ("energy", [1, 1, "steps"])}
        for node in whole.graph.node:
            for place, name in enumerate(node.input):
                if name in replaced:
                    node.input[place] = replaced[name][0]
        whole.graph.input.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in replaced.values())
        cut = utils.Extractor(whole).extract_model(
            ["tokens", "style", "durations", "pitch", "energy"], ["audio"])
        onnx.save(cut, speaker)
    return planner, speaker
