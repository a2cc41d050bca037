"""Clips, their truth and their peaks, as dump_chroma wrote them."""
import json
import os
import numpy as np

ROOTS = {"C": 0, "Db": 1, "C#": 1, "D": 2, "Eb": 3, "D#": 3, "E": 4, "F": 5, "F#": 6, "Gb": 6, "G": 7, "Ab": 8, "G#": 8, "A": 9, "Bb": 10, "A#": 10, "B": 11}
QUALITIES = ["maj", "min", "7", "maj7", "min7", "dim", "hdim7"]


def key_of(name):
    """'F#m' -> (6, 1)"""
    minor = name.endswith("m")
    return ROOTS[name[:-1] if minor else name], int(minor)


def chord_of(label):
    """'G:7' -> (7, 2); N and what is not modeled -> None"""
    if label == "N":
        return -1, -1
    root, quality = label.split(":")
    return ROOTS[root], QUALITIES.index(quality) if quality in QUALITIES else -2


def read_peaks(path):
    numbers = np.fromfile(path, "<f4")
    frames, i = [], 0
    while i < len(numbers):
        n = int(numbers[i])
        frames.append(numbers[i + 1:i + 1 + 3 * n].reshape(n, 3))
        i += 1 + 3 * n
    index = np.repeat(np.arange(len(frames)), [len(f) for f in frames])
    return len(frames), index, np.concatenate(frames) if frames else np.zeros((0, 3))


OVERTONES = ((19, 0.45), (28, 0.35), (31, 0.25), (34, 0.2))


def profiles(count, index, peaks, tuning_hz, power=0.5, overtones=OVERTONES, center=65.0, width=14.0, bass=(45.0, 57.0), magnitude=0.0):
    tuning = 12 * np.log2(tuning_hz / 440.0)
    pitch = peaks[:, 0] - tuning
    near = np.round(pitch)
    strength = peaks[:, 1] ** power * np.cos(np.pi * (pitch - near))
    if magnitude:
        strength = strength * peaks[:, 2] ** magnitude
    note = near.astype(int) - 28
    ok = (note >= 0) & (note < 68)
    notes = np.zeros((count, 68))
    np.maximum.at(notes, (index[ok], note[ok]), strength[ok])
    for i in range(68):
        for semitones, share in overtones:
            if i + semitones < 68:
                notes[:, i + semitones] = np.maximum(notes[:, i + semitones] - share * notes[:, i], 0)
    n = np.arange(28, 96)
    fold = np.zeros((68, 12))
    fold[np.arange(68), n % 12] = 1
    low = notes * np.clip((bass[1] - n) / (bass[1] - bass[0]), 0, 1)
    high = notes / (1 + ((n - center) / width) ** 2)
    return np.concatenate([low @ fold, high @ fold], axis=1)


def load(folder, truth):
    about = json.load(open(os.path.join(folder, "about.json")))
    clips = []
    for t in truth:
        name = t["file"][:-4]
        if name not in about:
            continue
        clip = dict(t, name=name, **{k: v for k, v in about[name].items() if k != "tuning_hz"}, measured_hz=about[name]["tuning_hz"])
        path = os.path.join(folder, name + ".peaks")
        if os.path.exists(path):
            clip["peaks"] = read_peaks(path)
        clip["chroma"] = np.fromfile(os.path.join(folder, name + ".f32"), "<f4").reshape(-1, 24)
        clips.append(clip)
    return clips


def frame_chords(clip, count):
    """Per frame root and quality; -1 no chord, -2 not modeled, -3 near a boundary."""
    times = np.arange(count) * clip["hop_s"]
    roots, qualities = np.full(count, -1), np.full(count, -1)
    for start, end, label in clip["chords"] or []:
        root, quality = chord_of(label)
        inside = (times >= start) & (times < end)
        roots[inside], qualities[inside] = root, quality
        near = np.abs(times - start) < 0.1
        qualities[near] = -3
    return roots, qualities
