"""The page on limiting: what limiters do to a wave, to pure tones and to music.

Each gets the same signal, turned up so that it needs some decibels of reduction, and the same
ceiling. The true peak is measured after a resampling by 16 with 128 coefficients a phase.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy
import pedalboard
import pyloudnorm
import scipy.signal
from common import FOLDER, arguments, call, decibels, read, run_pipeline, table, user_s, write

RATE = 48000
CEILING_DB = -1.0
CEILING = 10 ** (CEILING_DB / 20)
REDUCTION_DB = 3.0


def wavemill(program):
    def limit(samples):
        step = f'[[step]]\nuse = "limit"\nwith = {{ ceiling_dbtp = {CEILING_DB} }}'
        return run_pipeline(program, write("in", samples, RATE), step)[0]

    return limit


def by_ffmpeg(samples):
    """`alimiter` works on samples; oversampled by four, as its users are advised, it sees true peaks."""
    source, out = write("in", samples, RATE), FOLDER / "peer.wav"
    chain = f"aresample={4 * RATE},alimiter=limit={CEILING}:level=false:latency=true,aresample={RATE}"
    call("ffmpeg", "-nostdin", "-y", "-i", source, "-af", chain, "-c:a", "pcm_f32le", out)
    return read(out)[0]


def by_pedalboard(samples):
    limiter = pedalboard.Limiter(threshold_db=CEILING_DB, release_ms=100)
    return limiter(samples.T.astype("float32"), RATE).T.astype("float64")


# The last one is drawn on top.
LIMITERS = {"pedalboard": "C1", "ffmpeg alimiter, 4x": "C2", "Wavemill": "C0"}


def true_peak_db(samples):
    window = scipy.signal.firwin(2 * 16 * 64 + 1, 1 / 16, window=("kaiser", 12.0))
    return max(
        decibels(numpy.abs(scipy.signal.upfirdn(window * 16, channel, 16)).max())
        for channel in samples.T
    )


def tone(frequency, gain_db=0.0):
    """Its peak needs `REDUCTION_DB` and `gain_db` of reduction."""
    time = numpy.arange(6 * RATE) / RATE
    wave = numpy.sin(2 * numpy.pi * frequency * time) * CEILING * 10 ** ((REDUCTION_DB + gain_db) / 20)
    return numpy.stack([wave, wave], axis=1)


def residue_db(samples, frequency):
    """Distortion and noise below the fitted sine, over the last two seconds."""
    wave = samples[4 * RATE : 6 * RATE, 0]
    time = 2 * numpy.pi * frequency * numpy.arange(len(wave)) / RATE
    basis = numpy.stack([numpy.sin(time), numpy.cos(time)], axis=1)
    parts = numpy.linalg.lstsq(basis, wave, rcond=None)[0]
    return decibels(numpy.std(wave - basis @ parts) / numpy.std(basis @ parts))


def spectrum(samples):
    wave = samples[4 * RATE : 6 * RATE, 0]
    window = scipy.signal.windows.kaiser(len(wave), 20)
    levels = numpy.abs(numpy.fft.rfft(wave * window)) / window.sum() * 2
    return numpy.fft.rfftfreq(len(wave), 1 / RATE), decibels(levels)


def excerpt(music):
    """Thirty seconds with the loudest peak in them, turned up to need `2 * REDUCTION_DB`."""
    samples, rate = read(music)
    samples = scipy.signal.resample_poly(samples, RATE, rate, axis=0) if rate != RATE else samples
    loudest = int(numpy.abs(samples).max(axis=1).argmax())
    first = max(0, min(loudest - 15 * RATE, len(samples) - 30 * RATE))
    samples = samples[first : first + 30 * RATE]
    return samples * 10 ** ((CEILING_DB + 2 * REDUCTION_DB - true_peak_db(samples)) / 20)


def draw(piece, limited, spectra, path):
    figure, axes = plt.subplots(2, 2, figsize=(14, 8), layout="constrained")
    wave, gain, low, middle = axes.flat
    loudest = int(numpy.abs(piece[:, 0]).argmax())
    near = slice(loudest - RATE // 200, loudest + RATE // 200)
    time = (numpy.arange(near.start, near.stop) - loudest) * 1000 / RATE
    wave.plot(time, piece[near, 0], color="0.7", lw=1, label="turned up")
    far = slice(loudest - RATE, loudest + 2 * RATE)
    for name, color in LIMITERS.items():
        wave.plot(time, limited[name][near, 0], color, lw=1.2, label=name)
        level = scipy.ndimage.maximum_filter1d(numpy.abs(piece[far, 0]), 240)
        ratio = scipy.ndimage.maximum_filter1d(numpy.abs(limited[name][far, 0]), 240) / level
        gain.plot((numpy.arange(far.start, far.stop) - loudest) / RATE, decibels(ratio), color, lw=1, label=name)
    for edge in (CEILING, -CEILING):
        wave.axhline(edge, color="k", lw=0.6, ls="--")
    wave.set(title="The loudest peak of the music", xlabel="Time (ms)", ylabel="Sample")
    gain.set(title="Gain around it (peaks in 5 ms)", xlabel="Time (s)", ylabel="Gain (dB)", ylim=(-9, 1))
    for place, frequency in ((low, 50), (middle, 1000)):
        for name, color in LIMITERS.items():
            frequencies, levels = spectra[name, frequency]
            place.semilogx(frequencies[1:], levels[1:], color, lw=0.8, label=name)
        title = f"{frequency} Hz, {REDUCTION_DB:.0f} dB of reduction"
        place.set(title=title, xlim=(20, RATE / 2), ylim=(-180, 5), xlabel="Frequency (Hz)", ylabel="Level (dBFS)")
    for place in axes.flat:
        place.grid(alpha=0.25)
        place.legend(fontsize=8, loc="lower left")
    figure.savefig(path, dpi=80)


def main():
    program, folder, music = arguments("what limiters do")
    piece = excerpt(music)
    limiters = dict(zip(LIMITERS, [by_pedalboard, by_ffmpeg, wavemill(program)]))
    # An inter-sample peak: a sine of a quarter of the rate, between whose samples 3 dB hide.
    time = numpy.arange(6 * RATE)
    hidden = numpy.sin(numpy.pi / 2 * time + numpy.pi / 4)[:, None] * CEILING * 10 ** (6 / 20)
    meter = pyloudnorm.Meter(RATE)
    before = meter.integrated_loudness(piece)
    limited, spectra, rows = {}, {}, []
    for name, limit in limiters.items():
        limited[name] = limit(piece)
        tones = {frequency: limit(tone(frequency)) for frequency in (50, 1000)}
        spectra |= {(name, frequency): spectrum(samples) for frequency, samples in tones.items()}
        rows.append(
            [
                name,
                f"{true_peak_db(limited[name]) - CEILING_DB:+.2f}",
                f"{true_peak_db(limit(numpy.repeat(hidden, 2, axis=1))) - CEILING_DB:+.2f}",
                f"{residue_db(tones[1000], 1000):.0f}",
                f"{residue_db(tones[50], 50):.0f}",
                f"{meter.integrated_loudness(limited[name]) - before:+.1f}",
                f"{user_s(lambda: limit(piece)):.2f}",
            ]
        )
    draw(piece, limited, spectra, folder / "limiters.png")
    heads = [
        "limiter",
        "music: true peak over the ceiling (dB)",
        "hidden peaks (dB)",
        "1 kHz: THD+N (dB)",
        "50 Hz: THD+N (dB)",
        "music: loudness (LU)",
        "user CPU of 30 s, files included (s)",
    ]
    print(table(heads, rows))


main()
