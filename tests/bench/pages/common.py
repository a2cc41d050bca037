"""What both pages share: the product, its peers, and how results are measured and drawn."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy
import soundfile

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="wavemill-page-"))


def arguments(about):
    """The program to look at and the folder for the page."""
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} PATH_OF_WAVEMILL FOLDER [MUSIC.wav]: {about}")
    music = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    return pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), music


def call(*command):
    """Runs a program; what it says is of interest only when it fails."""
    said = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if said.returncode != 0:
        sys.exit(f"{command[0]}: {said.stderr.strip()}")


def write(name, samples, rate):
    path = FOLDER / f"{name}.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def read(path):
    samples, rate = soundfile.read(path, always_2d=True, dtype="float64")
    return samples, rate


def run_pipeline(wavemill, source, steps):
    """The source through steps in TOML; 32-bit floats come out."""
    pipeline = FOLDER / "page.toml"
    out = FOLDER / "out.wav"
    out.unlink(missing_ok=True)
    pipeline.write_text(
        f'version = 1\n[pipeline]\nname = "page"\n{steps}\n[[export]]\nformat = "wav"\n'
        'sample_format = "float"\nbit_depth = 32\npath = "out.wav"\n'
    )
    call(wavemill, "run", "--root", FOLDER, pipeline, source)
    return read(out)


def user_s(work, rounds=5):
    """Processor time of some work in user mode, its programs' included: the median of some rounds."""

    def once():
        before = os.times()
        work()
        after = os.times()
        return after.user + after.children_user - before.user - before.children_user

    work()
    return statistics.median(once() for _ in range(rounds))


def decibels(ratio):
    return 20 * numpy.log10(numpy.maximum(numpy.abs(ratio), 1e-15))


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
