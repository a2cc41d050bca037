"""Wavemill's `match` beside Matchering 2 on pairs of real music.

    python match.py CORPUS WAVEMILL OUT.csv [PAIR...]

CORPUS holds Debian packages of game music, each extracted by `dpkg-deb -x` into a folder of its name. PAIR is a number
from 1 to 6; without any, all are run. Needs ffmpeg, numpy, scipy, soundfile and matchering (2.0.6).
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly
from scipy.signal.windows import blackmanharris

# Source, reference: acoustic to electronic, quiet to loud and the other way.
PAIRS = [
    ("wesnoth-1.16-music/**/battle.ogg", "fretsonfire-songs-sectoid/**/Metal madness/song.ogg"),
    ("wesnoth-1.16-music/**/elvish-theme.ogg", "extremetuxracer-data/**/race1-jt.ogg"),
    ("hedgewars-data/**/Freeway.ogg", "torus-trooper-data/**/tt1.ogg"),
    ("singularity-music/**/Awakening.ogg", "xmoto-data/**/ridealong.ogg"),
    ("warzone2100-music/**/track25.opus", "hedgewars-data/**/Brick.ogg"),
    ("pathological/**/background.ogg", "wesnoth-1.16-music/**/knolls.ogg"),
]

SECONDS = 120
RATE = 44_100
# Our filters have 8191 taps: of a shorter window their tails count as residual (65536: -38 dB where nothing is
# limited).
WINDOW = 262_144
# Thirds of an octave without any signal, Hz, and the window that looks into them.
NOTCHES = (300, 1000, 3500)
NOTCH_WINDOW = 65_536

# Matchering writes up to full scale; so does the second row of Wavemill.
WAYS = {
    "wavemill": [],
    "wavemill, 24 dB, 0 dBTP": ["--match-max-eq", "24", "--ceiling", "0"],
}
# With the loudness of Matchering's result, as more loudness needs more limiting: largest change of a band in dB,
# amount, flags.
EQUAL = {
    "as loud, 24 dB": (24, 1, []),
    "as loud, 24 dB, clean": (24, 1, ["--match-character", "clean"]),
    "as loud, 24 dB, amount 0.75": (24, 0.75, []),
    "as loud, 6 dB": (6, 1, []),
    "as loud, 6 dB, clean": (6, 1, ["--match-character", "clean"]),
}

MATCHERING = """
import sys, matchering as mg
plain = [mg.Result(path, "FLOAT", use_limiter=False, normalize=False) for path in sys.argv[4:]]
mg.process(target=sys.argv[1], reference=sys.argv[2], results=[mg.pcm24(sys.argv[3]), *plain])
"""


def decoded(corpus, pattern, path):
    source = sorted(corpus.glob(pattern))[0]
    command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-t", str(SECONDS), "-ar", str(RATE), "-ac", "2"]
    subprocess.run([*command, "-c:a", "pcm_s24le", path], check=True)
    return source.name


def timed(command):
    """Runs a command; returns its user CPU time in seconds."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command}: {error.decode()[-800:]}")
    return usage.ru_utime


def ebur128(path):
    """Integrated loudness and true peak by ffmpeg."""
    command = ["ffmpeg", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split("Summary:")[1]
    return (float(re.search(r"I:\s+(-?[\d.]+)", text)[1]), float(re.search(r"Peak:\s+(-?[\d.]+)", text)[1]))


def spectra(samples, size):
    """Windowed transforms, [channel, frame, frequency]."""
    window = np.hanning(size)
    starts = range(0, len(samples) - size + 1, size // 2)
    return np.stack([[np.fft.rfft(window * samples[s : s + size, c]) for s in starts] for c in (0, 1)])


def thirds(samples):
    """Levels of thirds of an octave, 40 Hz to 16 kHz, of both channels together, dB."""
    power = (np.abs(spectra(samples, 16_384)) ** 2).sum(axis=(0, 1))
    hertz = np.fft.rfftfreq(16_384, 1 / RATE)
    centers = 1000 * 2 ** (np.arange(-14, 13) / 3)
    bands = [power[(hertz >= c * 2 ** (-1 / 6)) & (hertz < c * 2 ** (1 / 6))].sum() for c in centers]
    return 10 * np.log10(np.array(bands) + 1e-30)


def distance(samples, reference):
    """RMS over the bands, dB: as it is, and without what a change of gain takes away."""
    differences = thirds(samples) - thirds(reference)
    return (np.sqrt(np.mean(differences**2)), np.std(differences))


def distortion(source, result):
    """Energy of the result that no linear filter of both channels of the source explains, dB of its whole.

    A filter of two inputs is fitted at each frequency over all frames, which gain that changes over time and clipping
    cannot be part of. The fit of few frames explains too much: the same for all.
    """
    x, y = spectra(source, WINDOW), spectra(result, WINDOW)
    inputs = x.transpose(2, 1, 0)
    outputs = y.transpose(2, 1, 0)
    gram = inputs.conj().transpose(0, 2, 1) @ inputs
    gram += 1e-9 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(2) + 1e-20 * np.eye(2)
    filters = np.linalg.solve(gram, inputs.conj().transpose(0, 2, 1) @ outputs)
    residual = outputs - inputs @ filters
    return 10 * np.log10((np.abs(residual) ** 2).sum() / (np.abs(outputs) ** 2).sum())


def limiting(plain, result):
    """Energy of the result that one gain for the whole signal before the limiter does not explain, dB of its whole."""
    left = result - plain * ((plain * result).sum() / (plain**2).sum())
    return 10 * np.log10(max((left**2).sum() / (result**2).sum(), 1e-15))


def octaves(hertz, center):
    return np.abs(np.log2(np.maximum(hertz, 1e-3) / center))


def notched(source, path):
    """Writes the source without the bands of NOTCHES, in floats that never clip: zero phase, edges of 1/24 octave."""
    samples = read(source)
    spectrum = np.fft.rfft(samples, axis=0)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    for center in NOTCHES:
        edge = np.clip((octaves(hertz, center) - 1 / 6) * 24, 0, 1)
        spectrum *= (0.5 - 0.5 * np.cos(np.pi * edge))[:, None]
    soundfile.write(path, np.fft.irfft(spectrum, len(samples), axis=0), RATE, subtype="FLOAT")


def notch_ratios(samples):
    """Density of energy in the inner half of each notch, against that of the thirds of an octave on both sides."""
    window = blackmanharris(NOTCH_WINDOW, sym=False)
    # Without the first and last window: filters have transients at the ends.
    starts = range(NOTCH_WINDOW, len(samples) - 2 * NOTCH_WINDOW + 1, NOTCH_WINDOW // 2)
    frames = (window[:, None] * samples[s : s + NOTCH_WINDOW] for s in starts)
    power = sum((np.abs(np.fft.rfft(frame, axis=0)) ** 2).sum(1) for frame in frames)
    hertz = np.fft.rfftfreq(NOTCH_WINDOW, 1 / RATE)
    away = [octaves(hertz, center) for center in NOTCHES]
    return np.array([power[a < 1 / 12].mean() / power[(a > 1 / 4) & (a < 7 / 12)].mean() for a in away])


def notch_fill(source, result):
    """What the result has in the notches and the notched source has not, mean of dB."""
    return np.mean(10 * np.log10(np.maximum(notch_ratios(result) - notch_ratios(source), 1e-15)))


def stereo_width(samples):
    mid, side = samples[:, 0] + samples[:, 1], samples[:, 0] - samples[:, 1]
    return 20 * np.log10((np.sqrt(np.mean(side**2)) + 1e-12) / np.sqrt(np.mean(mid**2)))


def read(path):
    samples, rate = soundfile.read(path, always_2d=True)
    return samples if rate == RATE else resample_poly(samples, RATE, rate)


def matched(wavemill, path, source, reference, flags):
    """A result of Wavemill with its time, and what it is before the limiter."""
    plain = path.with_stem(path.stem + "-plain")
    command = [wavemill, "export", "--match", reference, "--bit-depth", "24", "--force", *flags, source]
    cpu = timed([*command, path])
    timed([*command, plain, "--match-max-reduction", "0"])
    return path, cpu, plain


def equally_loud(path, source, reference, heard, amount):
    """Writes the reference with the gain that makes a result as loud as what is heard."""
    samples, loudness = reference
    before = ebur128(source)[0]
    aim = before + (ebur128(heard)[0] - before) / amount
    soundfile.write(path, samples * 10 ** ((aim - loudness) / 20), RATE, subtype="FLOAT")
    return path


def main():
    corpus, wavemill, out = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3]
    numbers = [int(number) for number in sys.argv[4:]] or range(1, len(PAIRS) + 1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for number in numbers:
            source, reference = PAIRS[number - 1]
            a, b = folder / "a.wav", folder / "b.wav"
            names = [decoded(corpus, source, a), decoded(corpus, reference, b)]
            wanted, target = read(b), ebur128(b)[0]
            notch = folder / "notch.wav"
            notched(a, notch)
            results = {"source": (a, 0.0, a, notch)}
            for way, flags in WAYS.items():
                filled, _, _ = matched(wavemill, folder / f"{way}-notch.wav", notch, b, flags)
                results[way] = (*matched(wavemill, folder / f"{way}.wav", a, b, flags), filled)
            path, plain, filled = (folder / f"matchering{end}.wav" for end in ("", "-plain", "-notch"))
            command = [sys.executable, "-c", MATCHERING]
            results["matchering 2.0.6"] = (path, timed([*command, a, b, path]), plain, filled)
            timed([*command, a, b, path, plain])
            timed([*command, notch, b, filled])
            quieter = folder / "quieter.wav"
            for way, (max_eq, amount, flags) in EQUAL.items():
                flags = ["--ceiling", "0", "--match-max-eq", max_eq, "--match-amount", amount, *flags]
                equally_loud(quieter, notch, (wanted, target), filled, amount)
                ours, _, _ = matched(wavemill, folder / f"{way}-notch.wav", notch, quieter, flags)
                equally_loud(quieter, a, (wanted, target), path, amount)
                results[way] = (*matched(wavemill, folder / f"{way}.wav", a, quieter, flags), ours)
            for way, (path, cpu, plain, filled) in results.items():
                samples = read(path)
                loudness, peak = ebur128(path)
                whole, shape = distance(samples, wanted)
                rows.append({
                    "pair": number, "source": names[0], "reference": names[1], "way": way,
                    "ltas_db": f"{whole:.2f}", "ltas_shape_db": f"{shape:.2f}",
                    "loudness_difference_lu": f"{loudness - target:.1f}", "true_peak_dbtp": f"{peak:.1f}",
                    "residual_db": f"{distortion(read(a), samples):.1f}" if way != "source" else "",
                    "limiting_db": f"{limiting(read(plain), samples):.1f}" if way != "source" else "",
                    "notch_fill_db": f"{notch_fill(read(notch), read(filled)):.1f}" if way != "source" else "",
                    "notch_loudness_difference_lu": f"{ebur128(filled)[0] - target:.1f}",
                    "width_difference_db": f"{stereo_width(samples) - stereo_width(wanted):.1f}",
                    "user_cpu_s": f"{cpu:.2f}",
                })
                print(*rows[-1].values(), sep="\t", flush=True)
    with open(out, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


main()
