"""Finds the constants and weights of the features, and how well halves of a track find each other.

    train.py VALUES.jsonl... TRACKS.json [STANDARD.rs]

VALUES are what the test `values_of_a_folder` writes of FOLDER/halves. Constants and weights come from the even tracks
alone; the odd ones say what they are worth. With STANDARD.rs, writes `core/dsp/src/features/standard.rs`.
"""

import json
import sys

import numpy as np

GROUPS = [("spectral", 40), ("dynamics", 20), ("energy", 5), ("stereo", 10), ("attack", 8), ("rhythm", 21),
          ("tonality", 24)]
OF_GROUP = np.repeat(np.arange(7), [count for _, count in GROUPS])
VALUE_MAX = 3.0
# Share of the mean variance that is added to each: covariances of 40 dimensions from 151 tracks are noisy. Of 0.03, 0.1
# and 0.3, one by which halves of tracks that were not trained on found each other well both ways.
SHRINKAGE = 0.1


def load(paths):
    rows = {}
    for path in paths:
        for line in open(path):
            name, values = json.loads(line)
            rows[name] = [np.nan if value is None else value for value in values]
    numbers = sorted({name[:3] for name in rows if name[:3] + "-a" in rows and name[:3] + "-b" in rows})
    return numbers, np.array([[rows[number + "-" + half] for half in "ab"] for number in numbers])


def standard(values):
    """Median and 1.4826 times the median absolute deviation, or a fifth of the spread where half are equal."""
    flat = values.reshape(-1, values.shape[-1])
    mean = np.nanmedian(flat, 0)
    scale = 1.4826 * np.nanmedian(np.abs(flat - mean), 0)
    scale = np.maximum(scale, 0.2 * np.nanstd(flat, 0))
    return mean, np.maximum(scale, 1e-6)


def find_metric(values):
    """For each group the inverse covariance of what differs between halves, scaled so that the mean length is 1."""
    difference = np.nan_to_num(values[:, 0]) - np.nan_to_num(values[:, 1])
    covariance = difference.T @ difference / len(difference) / 2
    added = SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    metric = np.zeros_like(covariance)
    for group in range(len(GROUPS)):
        block = np.ix_(OF_GROUP == group, OF_GROUP == group)
        metric[block] = np.linalg.inv(covariance[block] + added[block])
    return metric / np.trace(metric)


def scores(x, y, metric):
    """The cosine of every pair, over what both have."""
    mx, my = ~np.isnan(x), ~np.isnan(y)
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    out = np.zeros((len(x), len(y)))
    for i in range(len(x)):
        shared = mx[i] & my
        u, v = x[i] * shared, y * shared
        image = u @ metric
        product = (image * v).sum(1)
        norms = (image * u).sum(1) * ((v @ metric) * v).sum(1)
        out[i] = np.where(norms > 0, product / np.sqrt(np.maximum(norms, 1e-30)), -1.0)
    return out


def recall(values, metric):
    """Share of halves whose most similar among all other halves is the track's other half."""
    count = len(values)
    flat = values.reshape(2 * count, -1)
    score = scores(flat, flat, metric)
    np.fill_diagonal(score, -9)
    return score.argmax(1) == np.arange(2 * count) ^ 1


def main():
    tracks_at = next(i for i, path in enumerate(sys.argv) if path.endswith(".json"))
    numbers, values = load(sys.argv[1:tracks_at])
    even = np.array([int(number) % 2 == 0 for number in numbers])
    mean, scale = standard(values[even])
    values = np.clip((values - mean) / scale, -VALUE_MAX, VALUE_MAX)
    metric = find_metric(values[even])
    print("tracks", len(numbers), "trained on", even.sum())
    for name, part in [("trained", values[even]), ("held out", values[~even]), ("all", values)]:
        equal = recall(part, np.eye(len(OF_GROUP))).mean()
        print(name, len(part), "recall@1 %.3f, without a metric %.3f" % (recall(part, metric).mean(), equal))
    print("trained on the others, held out %.3f" % recall(values[even], find_metric(values[~even])).mean())
    for group, (name, _) in enumerate(GROUPS):
        masks = [np.diag((OF_GROUP == group).astype(float)), np.diag((OF_GROUP != group).astype(float))]
        both = [recall(values[~even], mask @ metric @ mask).mean() for mask in masks]
        print("held out, only %s %.3f, without it %.3f" % (name, *both))
    about = json.load(open(sys.argv[tracks_at]))
    found = recall(values, metric).reshape(-1, 2)
    missed = [about[int(number)] for number, both in zip(numbers, found) if not both.all()]
    print("missed", [(one["package"], one["name"], round(one["half_s"])) for one in missed])
    packages = sorted({about[int(number)]["package"] for number in numbers})
    if len(sys.argv) > tracks_at + 1:
        write(sys.argv[tracks_at + 1], mean, scale, metric, packages, int(even.sum()))


def number(value):
    """A number without an exponent."""
    text = repr(round(float(value), 6))
    text = f"{float(value):.6f}" if "e" in text else text
    return "0.0" if float(text) == 0 else text


def write(path, mean, scale, metric, packages, count):
    lines = []
    for package in packages:
        if not lines or len(lines[-1]) + len(package) > 108:
            lines.append("//!")
        lines[-1] += " " + package
    rows = "".join(f"    ({number(m)}, {number(s)}),\n" for m, s in zip(mean, scale))
    numbers = []
    for group in range(len(GROUPS)):
        block = metric[np.ix_(OF_GROUP == group, OF_GROUP == group)]
        numbers += [number(block[i, j]) for i in range(len(block)) for j in range(i + 1)]
    count_of_all = len(numbers)
    numbers = "".join("    " + ", ".join(numbers[i : i + 8]) + ",\n" for i in range(0, len(numbers), 8))
    text = f'''//! Constants of the features, found by `tests/bench/references/train.py`: do not edit.
//!
//! Corpus: both halves of {count} tracks of game music, every other one of the corpus that `corpus.py` makes of the
//! Debian packages
{chr(10).join(lines)}

/// For each group the lower triangle of its metric, row by row: the inverse covariance of what differs between halves
/// of a track, after a tenth of the mean variance was added to each.
#[rustfmt::skip]
pub(super) const METRIC: [f32; {count_of_all}] = [
{numbers}];

/// Median and spread of each dimension over the corpus. The spread is 1.4826 times the median absolute deviation, which
/// is the standard deviation of a normal distribution, or a fifth of the standard deviation if that is more.
#[rustfmt::skip]
pub(super) const STANDARD: [(f32, f32); super::DIMENSION_COUNT] = [
{rows}];
'''
    open(path, "w").write(text)


main()
