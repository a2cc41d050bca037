"""no_key.py OUT_DIR: makes lone tones, fifths, fourths and octaves that stay, with and without noise, a repeated note and sirens: what
has no key however clear its pitches are."""
import json
import os
import sys
import numpy as np
import soundfile

RATE, SECONDS = 44100, 12
N = RATE * SECONDS
TIME = np.arange(N) / RATE
noise = np.random.default_rng(5)


def tone(kind, hz):
    """A steady tone: the sine series of the wave, below half the rate."""
    series = {"sine": lambda k: float(k == 1), "triangle": lambda k: (k % 2) * (-1) ** (k // 2) / k ** 2, "square": lambda k: (k % 2) / k, "saw": lambda k: 1 / k}[kind]
    return sum(series(k) * np.sin(2 * np.pi * hz * k * TIME) for k in range(1, 40) if k * hz < RATE / 2 and series(k))


def bursts(decay=0.9997, step=24000):
    return 0.5 * decay ** (np.arange(N) % step) * noise.uniform(-1, 1, N)


def hiss(level):
    return level * noise.uniform(-1, 1, N)


def signals():
    for kind in ("sine", "triangle", "square", "saw"):
        for hz in (110.0, 196.0, 261.6, 400.0, 440.0, 623.0):
            for name, beside in (("clean", 0), ("bursts", bursts()), ("hiss", hiss(0.05)), ("loud hiss", hiss(0.4))):
                yield f"tone {kind} {hz:g} {name}", 0.3 * tone(kind, hz) + beside
        for hz in (65.4, 110.0, 146.8, 220.0, 277.2):
            for interval, ratio in (("fifth", 1.5), ("fourth", 4 / 3), ("octave", 2.0)):
                for name, beside in (("clean", 0), ("bursts", bursts()), ("hiss", hiss(0.1))):
                    yield f"{interval} {kind} {hz:g} {name}", 0.2 * (tone(kind, hz) + tone(kind, hz * ratio)) + beside
    for kind in ("triangle", "square", "saw"):
        for hz in (55.0, 82.4, 98.0, 130.8):
            yield f"repeated {kind} {hz:g}", 0.4 * tone(kind, hz) * np.exp(-12 * (TIME % 0.25)) + bursts(0.9995, 11025)
    for hz in (440.0, 600.0):
        yield f"siren {hz:g}", 0.3 * np.where(TIME % 1 < 0.5, tone("sine", hz), tone("sine", 1.2 * hz))


def main():
    out, truth = sys.argv[1], []
    os.makedirs(out, exist_ok=True)
    for name, samples in signals():
        file = name.replace(" ", "_") + ".wav"
        soundfile.write(os.path.join(out, file), 0.7 * samples / np.abs(samples).max(), RATE, subtype="PCM_16")
        truth.append({"file": file, "set": "none", "style": name.split()[0], "program": "no key", "key": None})
    with open(os.path.join(out, "truth.json"), "w") as about:
        json.dump(truth, about)


if __name__ == "__main__":
    main()
