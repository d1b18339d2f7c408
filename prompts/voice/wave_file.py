"""WAV files of the pack: 8 kHz mono 16-bit PCM that carry what is said in them (ICMT) and who made them (ISFT)."""

import re
import struct

import numpy as np

RATE = 8_000
FORMAT = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)


def write(path, samples, text, maker):
    info = chunk(b"LIST", b"INFO" + chunk(b"ICMT", text.encode() + b"\0") + chunk(b"ISFT", maker.encode() + b"\0"))
    body = b"WAVE" + chunk(b"fmt ", FORMAT) + info + chunk(b"data", samples.astype("<i2").tobytes())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(chunk(b"RIFF", body))


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def maker(path):
    """Who made the file; None without a file or a mark."""
    found = path.exists() and re.search(rb"ISFT....([^\0]*)", path.read_bytes()[:4_096], re.S)
    return found[1].decode() if found else None


def samples(path):
    """The samples as floats of full scale 1."""
    body = path.read_bytes()
    at = body.index(b"data")
    return np.frombuffer(body[at + 8:at + 8 + struct.unpack("<I", body[at + 4:at + 8])[0]], "<i2") / 32_768
