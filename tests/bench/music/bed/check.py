"""check.py DIR [EVERY]: levels, and how far spectral-flux peaks lie from the true beats. check.py --delay: the synthesizer's own delay."""
import json
import os
import sys
import numpy as np
import soundfile
import librosa


def flux(samples, rate, hop=64):
    spec = np.log1p(1000 * np.abs(librosa.stft(samples, n_fft=512, hop_length=hop, window="hann")))
    return np.maximum(np.diff(spec, axis=1, prepend=spec[:, :1]), 0).sum(axis=0), hop / rate


def offsets(path, beats, reach=0.04):
    samples, rate = soundfile.read(path, always_2d=True)
    curve, step = flux(samples.mean(axis=1), rate)
    found = []
    for t in beats:
        a, b = int((t - reach) / step), int((t + reach) / step) + 1
        if a < 0 or b >= len(curve):
            continue
        part = curve[a:b]
        if part.max() > 2.0 * np.median(curve) + 1e-9:
            found.append((a + part.argmax()) * step - t)
    return found


def delay():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import render
    from clip import Clip
    for font in ["/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf3/MuseScore_General.sf3"]:
        for drum, ch in ((36, 9), (38, 9), (37, 9), (42, 9), (60, 0)):
            clip = Clip("delay.wav", "tempo", "x", "x", tempo=120.0)
            clip.soundfont, clip.synth = font, ["-g", "0.5", "-R", "0", "-C", "0"]
            times = [0.5 + 0.6173 * i for i in range(40)]
            for t in times:
                clip.note(ch, t, 0.1, drum, 100)
            render.render(clip, "/tmp/delay.wav")
            x = soundfile.read("/tmp/delay.wav", always_2d=True)[0].mean(axis=1)
            late = []
            for t in times:
                i = int((t - 0.02) * 44100)
                part = np.abs(x[i:i + 4000])
                late.append((np.argmax(part > 0.1 * part.max()) + i) / 44100 - t)
            print(os.path.basename(font), drum, "10 % rise", round(np.mean(late) * 1000, 2), "ms, sd", round(np.std(late) * 1000, 2))


def main(folder, every=1):
    allv, shares = [], []
    for t in json.load(open(os.path.join(folder, "truth.json")))[::every]:
        path = os.path.join(folder, t["file"])
        x, rate = soundfile.read(path, always_2d=True)
        peak, rms = np.abs(x).max(), np.sqrt((x ** 2).mean())
        clipped = int((np.abs(x) >= 32766 / 32768).sum())
        odd = "" if t["set"] == "none" or (0.1 < peak and 0.01 < rms) else "QUIET "
        odd += "CLIPPED " if clipped > 20 else ""
        odd += "LENGTH " if abs(len(x) / rate - t["seconds"]) > 0.01 or rate != 44100 or x.shape[1] != 2 else ""
        line = ""
        if t["beats_s"]:
            found = offsets(path, t["beats_s"])
            near = [abs(f) < 0.015 for f in found]
            share = np.mean(near) if near else 0
            allv += found
            shares.append((t["style"], share))
            line = f"onset at {len(found)}/{len(t['beats_s'])} beats, {share:.0%} within 15 ms, median {np.median(found or [0]) * 1000:+.1f} ms"
        print(f"{t['file']:48s} peak {peak:.2f} rms {rms:.3f} {odd}{line}")
    print("all: median", round(np.median(allv) * 1000, 2), "ms; within 15 ms", round(np.mean(np.abs(allv) < 0.015), 3))
    for style in sorted({s for s, _ in shares}):
        print(f"  {style:20s} {np.mean([v for s, v in shares if s == style]):.0%}")


if __name__ == "__main__":
    delay() if sys.argv[1] == "--delay" else main(sys.argv[1], *map(int, sys.argv[2:]))
