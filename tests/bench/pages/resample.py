"""The page on sample-rate conversion: spectrograms of a sweep, and a table; with MUSIC.wav, what it costs.

A sweep from 0 to 48 kHz at 96 kHz becomes 44.1 kHz; what folds back below 22.05 kHz was not there
before. Source of the method: the sweeps of the "SRC Comparisons" by Infinite Wave.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy
import pedalboard
import scipy.signal
import soxr
from common import FOLDER, arguments, call, decibels, read, run_pipeline, table, user_s, write

FROM, TO = 96000, 44100
SWEEP_S = 8
FFT = 2048
# Side lobes below -200 dB.
KAISER_BETA = 22
# Where a converter may still let something of the sweep through: 22.05 kHz and its transition above.
BEYOND_HZ = 25000


def sweep():
    time = numpy.arange(SWEEP_S * FROM) / FROM
    return 0.9 * numpy.sin(numpy.pi * (FROM / 2) / SWEEP_S * time**2)


def tones():
    """Forty tones from 20 Hz to 20 kHz at whole hertz: each is one bin of a transform of a second."""
    frequencies = numpy.unique(numpy.geomspace(20, 20000, 40).astype(int))
    time = numpy.arange(4 * FROM) / FROM
    phases = numpy.random.default_rng(7).uniform(0, 2 * numpy.pi, len(frequencies))
    signal = sum(
        0.02 * numpy.sin(2 * numpy.pi * f * time + p) for f, p in zip(frequencies, phases)
    )
    return frequencies, signal


def wavemill(program, quality):
    def convert(samples):
        step = f'[[step]]\nuse = "resample"\nwith = {{ sample_rate_hz = {TO}, quality = "{quality}" }}'
        return run_pipeline(program, write("in", samples, FROM), step)[0][:, 0]

    return convert


def by_program(*command):
    def convert(samples):
        source, out = write("in", samples, FROM), FOLDER / "peer.wav"
        call(*[{"IN": source, "OUT": out}.get(word, word) for word in command])
        return read(out)[0][:, 0]

    return convert


def by_pedalboard(samples):
    quality = pedalboard.Resample.Quality.WindowedSinc
    stream = pedalboard.io.StreamResampler(FROM, TO, 1, quality)
    mono = samples.astype("float32")[None, :]
    return numpy.concatenate([stream.process(mono), stream.process(None)], axis=1)[0]


def converters(program):
    ffmpeg = ["ffmpeg", "-nostdin", "-y", "-i", "IN", "-ar", str(TO), "-c:a", "pcm_f64le", "OUT"]
    return {
        "Wavemill best": wavemill(program, "best"),
        "Wavemill high": wavemill(program, "high"),
        "Wavemill fast": wavemill(program, "fast"),
        "soxr VHQ": lambda samples: soxr.resample(samples, FROM, TO, "VHQ"),
        "soxr HQ": lambda samples: soxr.resample(samples, FROM, TO, "HQ"),
        "SoX rate -v": by_program("sox", "-D", "IN", "-e", "floating-point", "-b", "64", "OUT", "rate", "-v", str(TO)),
        "ffmpeg (swr)": by_program(*ffmpeg),
        "pedalboard": by_pedalboard,
    }


def spectrogram(samples):
    """Decibels below the sweep, times and frequencies."""
    window = scipy.signal.windows.kaiser(FFT, KAISER_BETA)
    frequencies, times, power = scipy.signal.spectrogram(
        samples, TO, window, noverlap=FFT * 3 // 4, mode="magnitude", scaling="spectrum", detrend=False
    )
    loudest = numpy.median(power.max(axis=0)[: len(times) // 3])
    return decibels(power / loudest), times, frequencies


def draw(pictures, path):
    figure, axes = plt.subplots(2, 4, figsize=(15, 6.4), sharex=True, sharey=True, layout="constrained")
    for place, (name, (levels, times, frequencies)) in zip(axes.flat, pictures.items()):
        extent = [0, times[-1], 0, frequencies[-1] / 1000]
        image = place.imshow(levels, origin="lower", aspect="auto", extent=extent, vmin=-180, vmax=0, cmap="magma")
        place.set_title(name, fontsize=11)
    for place in axes[-1]:
        place.set_xlabel("Time (s)")
    for place in axes[:, 0]:
        place.set_ylabel("Frequency (kHz)")
    figure.colorbar(image, ax=axes, label="Level (dB)", ticks=range(-180, 1, 30), aspect=30)
    figure.savefig(path, dpi=80)


def ripple(frequencies, converted):
    """From the second second, which begins and ends within the signal."""
    levels = decibels(numpy.abs(numpy.fft.rfft(converted[TO : 2 * TO]))[frequencies] * 2 / TO / 0.02)
    return levels.max(), levels.min()


def main():
    program, folder, music = arguments("spectrograms of sample-rate converters")
    pictures, rows = {}, []
    frequencies, forty = tones()
    for name, convert in converters(program).items():
        levels, times, bins = spectrogram(convert(sweep()))
        pictures[name] = levels, times, bins
        beyond = times > BEYOND_HZ / (FROM / 2) * SWEEP_S
        beyond &= times < SWEEP_S - FFT / TO
        high, low = ripple(frequencies, convert(forty))
        rows.append([name, f"{levels[:, beyond].max():.0f}", f"{high:+.4f} / {low:+.4f}"])
    draw(pictures, folder / "resample-sweeps.png")
    heads = ["converter", "largest alias (dB)", "20 Hz to 20 kHz, most / least (dB)"]
    print(table(heads, rows))
    if music:
        print()
        print(table(["program, a file of 44.1 kHz to 48 kHz", "user CPU (s)"], costs(program, music)))


def costs(program, music):
    """Programs, from file to file in 32-bit floats."""
    out = FOLDER / "cost.wav"
    sox = ["sox", "-D", music, "-e", "floating-point", "-b", "32", out, "rate", "-v", "48000"]
    ffmpeg = ["ffmpeg", "-nostdin", "-y", "-i", music, "-c:a", "pcm_f32le"]
    ours = [program, "export", music, out, "--sample-rate", "48000", "--force"]
    ours += ["--sample-format", "float", "--bit-depth", "32"]
    commands = {
        "wavemill export, verified and measured": ours,
        "sox rate -v": sox,
        "ffmpeg (swr)": [*ffmpeg, "-ar", "48000", out],
        "ffmpeg (soxr, precision 28)": [*ffmpeg, "-af", "aresample=48000:resampler=soxr:precision=28", out],
    }
    return [[name, f"{user_s(lambda: call(*command)):.2f}"] for name, command in commands.items()]


main()
