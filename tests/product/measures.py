"""Prints what librosa and scipy say of a file's spectrum, bands and stereo image, as JSON.

The definitions are those of the reports; everything is computed in float64 from the samples as
float32, which is what librosa itself loads.
"""

import json
import sys
import warnings

import librosa
import numpy
import soundfile
from scipy.signal import butter, sosfilt

warnings.simplefilter("ignore")

EDGES_HZ = [20, 200, 500, 2000, 6000, 20000]
POWER_MIN = 1e-10


def sides(left, right):
    """Width, correlation."""
    rms = lambda x: numpy.sqrt(numpy.mean(x * x))
    mid, side = rms((left + right) / 2), rms((left - right) / 2)
    product = numpy.sum(left * right)
    return side / (mid + side), product / numpy.sqrt(numpy.sum(left**2) * numpy.sum(right**2))


def cut(planes, low, high, rate):
    """Linkwitz-Riley's fourth order: Butterworth's second order twice."""
    for edge, kind in ((low, "high"), (high, "low")):
        if edge < rate / 2:
            sections = butter(2, edge, kind, fs=rate, output="sos")
            planes = sosfilt(sections, sosfilt(sections, planes))
    return planes


def band(planes, S, low, high, rate):
    planes = cut(planes, low, high, rate)
    energy = numpy.mean(planes**2)
    frequencies = librosa.fft_frequencies(sr=rate)
    inside = (frequencies >= low) & (frequencies < high)
    s = S[inside]
    s = s[:, s.sum(0) > 0]
    power = numpy.maximum(s * s, POWER_MIN)
    found = {
        "level_dbfs": 10 * numpy.log10(energy),
        "energy_share": energy,
        "crest_factor_db": 20 * numpy.log10(numpy.abs(planes).max()) - 10 * numpy.log10(energy),
        "centroid_hz": numpy.mean((s * frequencies[inside][:, None]).sum(0) / s.sum(0)),
        "rolloff_hz": numpy.mean(
            frequencies[inside][(s.cumsum(0) < 0.85 * s.sum(0)).sum(0)],
        ),
        "flatness": numpy.mean(numpy.exp(numpy.log(power).mean(0)) / power.mean(0)),
    }
    if len(planes) == 2:
        found["width"], found["correlation"] = sides(*planes)
    return found


def report(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = librosa.to_mono(samples.T)
    planes = samples.T.astype(numpy.float64)
    S = numpy.abs(librosa.stft(mono.astype(numpy.float64), dtype=numpy.complex128))
    feature = librosa.feature
    spectrum = {
        "centroid_hz": feature.spectral_centroid(y=mono, sr=rate),
        "bandwidth_hz": feature.spectral_bandwidth(y=mono, sr=rate),
        "rolloff_hz": feature.spectral_rolloff(y=mono, sr=rate),
        "flatness": feature.spectral_flatness(y=mono),
    }
    spectrum = {key: numpy.mean(value, dtype=numpy.float64) for key, value in spectrum.items()}
    bands = [
        band(planes, S, low, high, rate)
        for low, high in zip(EDGES_HZ, EDGES_HZ[1:])
        if low < rate / 2
    ]
    total = sum(one["energy_share"] for one in bands)
    for one in bands:
        one["energy_share"] /= total
    found = {"spectrum": spectrum, "bands": bands}
    if len(planes) == 2:
        width, correlation = sides(*planes)
        balance = 10 * numpy.log10(numpy.mean(planes[1] ** 2) / numpy.mean(planes[0] ** 2))
        found["stereo"] = {"width": width, "correlation": correlation, "balance_db": balance}
    return found


print(json.dumps([report(path) for path in sys.argv[1:]], default=float))
