"""Writes sounds without a pulse, to learn when to be silent. usage: generate_none.py OUT COUNT SEED"""
import json, os, random, subprocess, sys
import numpy as np, soundfile
from generate import write_midi, TPQ
RATE = 44100
def notes_to_wav(out, name, notes, program):
    events = [(0, bytes([0xFF, 0x51, 3]) + int(500000).to_bytes(3, "big")), (0, bytes([0xC0, program]))]
    for t, d, n, v in notes:
        events += [(int(t * 2 * TPQ), bytes([0x90, n, v])), (int((t + d) * 2 * TPQ), bytes([0x80, n, 0]))]
    write_midi(f"{out}/{name}.mid", events)
    subprocess.run(["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", "44100", "-O", "s16", "-T", "wav", "-F", f"{out}/{name}.wav", random.choice(["/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2"]), f"{out}/{name}.mid"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.remove(f"{out}/{name}.mid")
def filtered(noise, tilt, rng):
    s = np.fft.rfft(noise); f = np.maximum(np.arange(len(s)), 20.0); s *= f ** tilt
    x = np.fft.irfft(s, len(noise)); return x / np.abs(x).max() * 0.5
KINDS = ["noise", "clicks", "rubato", "pads", "sine", "speech", "atonal", "chirps", "rain", "recitative", "windy", "flexnotes", "speech2", "clicks2"]
def make(out, name, kind, seed):
    rng = random.Random(seed); nr = np.random.default_rng(seed); secs = rng.uniform(15, 40); n = int(secs * RATE); t = np.arange(n) / RATE
    x = None
    if kind == "noise": x = filtered(nr.normal(0, 1, n), rng.choice([0, -.5, -1]), rng)
    elif kind == "windy":
        x = filtered(nr.normal(0, 1, n), -.5, rng); m = np.interp(t, np.arange(0, secs + 2, 0.7), nr.random(int((secs + 2) / .7) + 1)); x *= m[:n]
    elif kind in ("clicks", "clicks2", "rain"):
        x = np.zeros(n + RATE); at = .2; mean = {"clicks": .5, "clicks2": .3, "rain": .03}[kind]
        while at < secs:
            i = int(at * RATE); L = rng.choice([200, 800, 3000]); x[i:i + L] += nr.normal(0, 1, L) * np.exp(-np.arange(L) / (L / 5)) * rng.uniform(.2, .8)
            at += rng.expovariate(1 / mean) if kind != "clicks2" else rng.uniform(.1, .9)
        x = x[:n]
    elif kind == "sine": x = .3 * np.sin(2 * np.pi * rng.uniform(60, 3000) * t) + (0.1 * np.sin(2 * np.pi * rng.uniform(60, 3000) * t) if rng.random() < .5 else 0)
    elif kind == "chirps":
        f = np.interp(t, np.arange(0, secs + 3, 1.3), nr.uniform(100, 2000, int((secs + 3) / 1.3) + 1)); x = .3 * np.sin(2 * np.pi * np.cumsum(f) / RATE)
    elif kind in ("speech", "speech2"):
        words = "the council of seven rivers met at dawn to weigh a question that nobody had dared to ask why should stones remember what people forget perhaps because rain falls alike on every roof and no letter ever arrived before its ink was dry she laughed then turned away remarkable considering everything".split()
        text = ""
        for _ in range(90): text += rng.choice(words) + rng.choice([" ", " ", " ", " ", ", ", ". "])
        subprocess.run(["espeak-ng", "-v", rng.choice(["en-us", "en-gb", "en-us+f2", "en-gb+m3", "de", "fr", "es", "it+f4"]), "-s", str(rng.randint(120, 210)), "-w", f"{out}/{name}.wav", text], check=True)
        return
    else:
        notes, at = [], .2; program = 0
        if kind == "pads":
            program = rng.choice([89, 92, 95, 48, 91])
            while at < secs: notes.append((at, rng.uniform(3, 8), rng.randrange(40, 84), rng.randint(40, 90))); at += rng.expovariate(.7)
        elif kind in ("rubato", "recitative", "atonal", "flexnotes"):
            program = rng.choice([0, 0, 24, 40, 73, 46]); pace = .5; key = rng.randrange(12)
            while at < secs:
                if kind == "flexnotes":
                    pace = min(1.2, max(.15, pace * np.exp(rng.gauss(0, .3)))); notes.append((at, pace, 60 + rng.choice([0, 2, 4, 5, 7, 9, 11]), rng.randint(50, 100))); at += pace
                elif kind == "rubato":
                    root = key + rng.choice([0, 5, 7, 9])
                    for p in [36 + root % 12, 60 + root % 12, 64 + root % 12, 67 + root % 12]: notes.append((at, 1.5, p, rng.randint(45, 90))); at += rng.uniform(.05, .6) * rng.choice([.4, 1, 1.8])
                    at += rng.uniform(.1, 1.3)
                elif kind == "recitative":
                    for _ in range(rng.randint(2, 7)): notes.append((at, .3, 60 + rng.randrange(12), rng.randint(60, 100))); at += rng.uniform(.1, .45)
                    at += rng.uniform(.4, 2)
                else:
                    for _ in range(rng.randint(1, 4)): notes.append((at, rng.uniform(.2, 2), rng.randrange(36, 90), rng.randint(40, 100)))
                    at += rng.uniform(.08, 1.2)
        notes_to_wav(out, name, notes, program); return
    soundfile.write(f"{out}/{name}.wav", np.stack([x, x], 1), RATE, subtype="PCM_16")
if __name__ == "__main__":
    out, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]); os.makedirs(out, exist_ok=True); truth = []
    for i in range(count):
        kind = KINDS[i % len(KINDS)]; name = f"{seed}_{i:03d}_{kind}"
        random.seed(i); make(out, name, kind, seed * 1000 + i); truth.append(dict(file=name + ".wav", set="none", style=kind, tempo_bpm=None, beats_s=[], downbeats_s=[], meter=None))
        json.dump(truth, open(f"{out}/truth.json", "w"))
