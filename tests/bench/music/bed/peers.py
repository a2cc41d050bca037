"""peers.py DIR [--every N]: runs other programs over DIR and writes DIR/peers.json.

Tempo peers run on the tempo and none sets, key peers on the key and none sets.
"""
import argparse
import json
import os
import random
import time
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
import aubio
import essentia
import essentia.standard as es
import librosa
import numpy as np
import soundfile

essentia.log.infoActive = essentia.log.warningActive = False
NAMES = "C C# D D# E F F# G G# A A# B".split()
PROFILES = {
    "krumhansl-kessler": ([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
                          [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
    "temperley": ([5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0],
                  [5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0]),
}


def best_key(chroma, profiles):
    if not np.isfinite(chroma).all() or chroma.std() < 1e-9:
        return None
    scores = [(np.corrcoef(np.roll(profile, k), chroma)[0, 1], NAMES[k] + mark)
              for profile, mark in zip(profiles, ("", "m")) for k in range(12)]
    return max(scores)[1]


def librosa_beats(x44, x22):
    tempo, beats = librosa.beat.beat_track(y=x22, sr=22050, units="time")
    tempo = float(np.atleast_1d(tempo)[0])
    return {"tempo_bpm": tempo if tempo > 0 else None, "beats_s": [float(b) for b in beats]}


def librosa_tempo(x44, x22):
    return {"tempo_bpm": float(np.atleast_1d(librosa.feature.tempo(y=x22, sr=22050))[0])}


def rhythm(method):
    def run(x44, x22):
        bpm, ticks, _, _, _ = es.RhythmExtractor2013(method=method)(x44)
        return {"tempo_bpm": float(bpm) if bpm > 0 else None, "beats_s": [float(t) for t in ticks]}
    return run


def percival(x44, x22):
    bpm = float(es.PercivalBpmEstimator()(x44))
    return {"tempo_bpm": bpm if bpm > 0 else None}


def aubio_tempo(x44, x22):
    """As the aubio command does: beats, and the median of 60 / interval."""
    tracker = aubio.tempo("default", 1024, 512, 44100)
    beats = []
    for i in range(0, len(x44) - 511, 512):
        if tracker(x44[i:i + 512]):
            beats.append(float(tracker.get_last_s()))
    return {"tempo_bpm": float(np.median(60 / np.diff(beats))) if len(beats) > 2 else None, "beats_s": beats}


def librosa_key(x44, x22):
    chroma = librosa.feature.chroma_cqt(y=x22, sr=22050).mean(axis=1)
    return {name: best_key(chroma, profiles) for name, profiles in PROFILES.items()}


def essentia_key(profile):
    def run(x44, x22):
        key, scale, strength = es.KeyExtractor(profileType=profile)(x44)
        return {"key": key + ("m" if scale == "minor" else "")}
    return run


TEMPO = {"librosa beat_track": librosa_beats, "librosa feature.tempo": librosa_tempo,
         "essentia multifeature": rhythm("multifeature"), "essentia degara": rhythm("degara"),
         "essentia percival": percival, "aubio tempo": aubio_tempo}
KEY = {"essentia key " + p: essentia_key(p) for p in ("bgate", "edma", "temperley", "krumhansl")}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("dir")
    args.add_argument("--every", type=int, default=1, help="only each N-th clip")
    args.add_argument("--resume", action="store_true", help="only the clips not yet in peers.json")
    args.add_argument("--minutes", type=float, default=1e9, help="stop after so many minutes")
    args = args.parse_args()
    started = time.time()
    truth = json.load(open(os.path.join(args.dir, "truth.json")))[::args.every]
    results, cost, minutes = {}, {}, {}
    place = os.path.join(args.dir, "peers.json")
    done = set()
    if args.resume and os.path.exists(place):
        before = json.load(open(place))
        results, cost, minutes = before["results"], before["cost"], before["minutes"]
        done = {f for r in results.values() for f in r}

    def timed(name, run, x44, x22):
        begun = time.process_time()
        out = run(x44, x22)
        cost[name] = cost.get(name, 0) + time.process_time() - begun
        minutes[name] = minutes.get(name, 0) + len(x44) / 44100 / 60
        return out

    warm = np.random.default_rng(0).normal(0, 0.1, 44100 * 5).astype(np.float32)      # compilation is not counted
    for run in [*TEMPO.values(), *KEY.values(), librosa_key]:
        run(warm, warm[::2].copy())
    random.Random(0).shuffle(truth)       # so that what is there early is a fair part
    truth = [t for t in truth if t["file"] not in done]
    for number, t in enumerate(truth):
        stop = time.time() - started > args.minutes * 60
        stereo, _ = soundfile.read(os.path.join(args.dir, t["file"]), dtype="float32", always_2d=True)
        x44 = np.ascontiguousarray(stereo.mean(axis=1))
        x22 = librosa.resample(x44, orig_sr=44100, target_sr=22050, res_type="soxr_hq")
        if t["set"] != "key":
            for name, run in TEMPO.items():
                results.setdefault(name, {})[t["file"]] = timed(name, run, x44, x22)
        if t["set"] != "tempo":
            for name, run in KEY.items():
                results.setdefault(name, {})[t["file"]] = timed(name, run, x44, x22)
            for profile, key in timed("librosa chroma_cqt", librosa_key, x44, x22).items():
                results.setdefault("librosa cqt " + profile, {})[t["file"]] = {"key": key}
        if number % 10 == 9 or t is truth[-1] or stop:
            kinds = {name: "tempo" if name in TEMPO else "key" for name in results}
            with open(place + ".new", "w") as file:
                json.dump({"results": results, "kind": kinds, "cost": cost, "minutes": minutes,
                           "cpu_s_per_min": {n: round(cost[n] / minutes[n], 3) for n in cost}}, file)
            os.replace(place + ".new", place)
        if stop:
            break


if __name__ == "__main__":
    main()
