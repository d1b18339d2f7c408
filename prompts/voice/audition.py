"""Speaks badly understood Mandarin lines in other ways and keeps the best: see `prompts/voice/run --help`.

Which lines are badly understood is read from zh/report.tsv, so `run check zh` comes first. The listener is the one of
check_mandarin.py; so that a take is not chosen for that check's one condition, each is also heard with noise 20 dB
below the speech.
"""

import argparse
import csv
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

import check_mandarin
import heard
import make
import manifest

LEAST_RATE = 0.2  # of wrong syllables: lines that are understood better stay as they are
NOISE_DB = -41.0  # dBFS: 20 dB under the speech


def main():
    parser = argparse.ArgumentParser(prog="prompts/voice/run audition", description=__doc__.split("\n\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these prompts or groups")
    options = parser.parse_args()
    lines = [line for line in manifest.lines() if line.language == "zh" and line.origin == "synthetic"]
    single = [line for line in lines if line.group not in make.GROUPS]
    badly = set(options.ids or badly_understood())
    chosen = [line for line in single if {line.id, line.group} & badly]
    with ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=load) as workers:
        for line, errors in workers.map(best_take, chosen):
            print(f"{line.id}: take {line.take}, wrong syllables by take {errors}", flush=True)
            write_take(line)
    print("now: prompts/voice/run make")


def load():
    make.load()
    check_mandarin.load()


def badly_understood():
    with (manifest.PROMPTS / "zh" / "report.tsv").open(encoding="utf-8") as report:
        for row in csv.DictReader(report, delimiter="\t", quoting=csv.QUOTE_NONE):
            if int(row["errors"]) > LEAST_RATE * int(row["syllables"]):
                yield row["id"]


def best_take(line):
    """The line with its best take, its own where none is better, and the wrong syllables of all takes."""
    alone = heard.chain(line)[0] == [line.id]
    takes = range(make.FIRST_IN_SENTENCE if alone else len(make.TAKES))
    errors = [wrong(replace(line, take=take)) for take in takes]
    best = min(takes, key=lambda take: (errors[take], take != line.take))
    return replace(line, take=best), errors


def wrong(line):
    """Wrong syllables in quiet and in noise, the line between its neighbours."""
    samples = make.prompt_of(make.mandarin_sound(line), line)[0] / 32_768
    ids, sound, *rest = check_mandarin.heard_in_chain(line, samples)
    noise = np.random.default_rng(1).standard_normal(len(sound)) * 10 ** (NOISE_DB / 20)
    return sum(check_mandarin.row(line.id, ids, condition, *rest)["errors"] for condition in (sound, sound + noise))


def write_take(line):
    text = manifest.PATH.read_text(encoding="utf-8")
    start = text.index(f"[{line.table}]")
    end = text.find("\n[", start) + 1 or len(text)
    table = re.sub(r"(?m)^take = \d+\n", "", text[start:end])
    if line.take:
        table = re.sub(r"(?m)^(voice = .*\n)", rf"\1take = {line.take}\n", table)
    manifest.PATH.write_text(text[:start] + table + text[end:], encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
