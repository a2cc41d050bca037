"""train_keys.py OUT.rs|- FOLDER=TRUTH...: trains the key model and the map from its probabilities to the confidence.

Validation: each progression's clips by a model that saw no clip with that progression, however it is rotated or named
(vi-IV-I-V in major and i-VI-III-VII in minor are one), and each timbre of the bed's key set by one that did not see it.
"""
import json, os, sys
import numpy as np
from scipy.optimize import minimize
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bed"))
from chord import numeral
from data import key_of

# Evidence::features, by name; those of OWN have a weight of their own in each mode, all others share one.
NAMES = ("KK treble,KK bass,T treble,T bass,bass 1,bass 5,bass 4,leading note,I,I7,V,V7,v,IV,iv,ii,vi,iii,bVII,other I,first I,last I,last V,"
         "V-I,V7-I,v-I,IV-I,bVII-I,I-V,I-IV,vi-I,ii-I,treble 1,treble 3,treble 5,length I,bVII-IV-I,IV-V-I,ii-V-I").split(",")
OWN = {"v", "IV", "iv", "ii", "vi", "iii", "bVII"}
L2 = float(os.environ.get("L2", "0.02"))
P = 12


def progression(text):
    """The chords of a progression, whatever its first and its key."""
    chords = [(n[0], {"maj7": "maj", "min7": "min"}.get(n[1], n[1])) for n in map(numeral, text.split())]
    chords = [c for i, c in enumerate(chords) if i == 0 or c != chords[i - 1]]
    return min(tuple(((r - chords[i][0]) % P, q) for r, q in chords[i:] + chords[:i]) for i in range(len(chords)))


def load(pairs):
    clips = []
    for pair in pairs:
        folder, truth = pair.split("=")
        about = json.load(open(os.path.join(folder, "about.json")))
        for t in json.load(open(truth)):
            a = about.get(t["file"][:-4])
            if a and a.get("features") and t["key"] and t.get("progression"):
                tonic, minor = key_of(t["key"])
                forms = [progression(t[k]) for k in ("progression", "chorus") if t.get(k)]
                kind = t["program"] if t["program"] in ("variety", "songs") else t["set"]
                clips.append(dict(file=t["file"], style=t["style"], program=t["program"], kind=kind, key=(tonic, minor), y=tonic + P * minor,
                                  form=forms[0], forms=set(forms), x=np.array(a["features"], dtype=float)))
    return clips


def tied(x):
    """n, 24, features -> n, 24, weights: features of OWN once for each mode; last the mode."""
    columns, places = [], []
    for i, name in enumerate(NAMES):
        for modes in ((0,), (1,)) if name in OWN else (((0,),) if name == "I7" else ((0, 1),)):
            c = np.zeros(x.shape[:2])
            for m in modes:
                c[:, P * m:P * m + P] = x[:, P * m:P * m + P, i]
            columns.append(c)
            places.append((i, modes))
    mode = np.zeros(x.shape[:2])
    mode[:, P:] = 1
    return np.stack(columns + [mode], axis=2), places


def mirex(truth, guess):
    (a, m), (b, n) = truth, guess
    if (a, m) == (b, n):
        return 1.0
    if m == n and (b - a) % 12 in (7, 5):
        return 0.5
    if m != n and (b - a) % 12 == (3 if m else 9):
        return 0.3
    return 0.2 if a == b else 0.0


def fit(x, y, weight, l2, start=None):
    n, k, f = x.shape
    flat, weight, rows = x.reshape(-1, f), weight / weight.sum(), np.arange(n)

    def cost(v):
        z = (flat @ v).reshape(n, k)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -(weight * np.log(np.maximum(p[rows, y], 1e-30))).sum() + l2 * (v ** 2).sum()
        p[rows, y] -= 1
        return loss, flat.T @ (p * weight[:, None]).ravel() + 2 * l2 * v

    return minimize(cost, np.zeros(f) if start is None else start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x


def predict(x, v):
    z = x @ v
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def table(clips, p, confidence, by):
    rows = {}
    for c, q, s in zip(clips, p, confidence):
        guess = int(q.argmax())
        m = mirex(c["key"], (guess % 12, guess // 12))
        rows.setdefault(by(c), []).append((m == 1.0, m, s))
    for name in sorted(rows, key=str):
        r = np.array(rows[name], dtype=float)
        wrong = [int(((r[:, 0] == 0) & (r[:, 2] > s)).sum()) for s in (0.3, 0.5, 0.7, 0.8)]
        print(f"   {str(name):28s}{len(r):4d} exact {r[:, 0].mean():.3f} mirex {r[:, 1].mean():.3f} confidence {r[:, 2].mean():.2f} wrong above .3 .5 .7 .8: {wrong}")


def logit(p):
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def is_loop(clips, p):
    """As Evidence::is_loop_of_minor, of the likeliest key."""
    out = []
    for c, k in zip(clips, p.argmax(axis=1)):
        major = k if k < P else (k + 3) % P
        f = dict(zip(NAMES, c["x"][major]))
        four = [f["I"], f["IV"], f["V"] + f["V7"], f["vi"]]
        out.append(c["x"][P + (major + 9) % P][NAMES.index("first I")] > 0 and min(four) >= 0.1 and sum(four) >= 0.85)
    return np.array(out, dtype=float)


def sure(clips, p, curve):
    return 1 / (1 + np.exp(-(curve[0] * logit(p.max(axis=1)) + curve[1] + curve[2] * is_loop(clips, p))))


def calibration(right, clips, p, weight):
    """Slope and intercepts of the logistic map of the highest probability to how often it is right (Platt)."""
    z, loop = logit(p.max(axis=1)), is_loop(clips, p)
    print("loops of I, V, vi and IV from vi on:", int(loop.sum()), "right", right[loop > 0].mean())

    def cost(v):
        s = np.clip(1 / (1 + np.exp(-(v[0] * z + v[1] + v[2] * loop))), 1e-9, 1 - 1e-9)
        return -(weight * (right * np.log(s) + (1 - right) * np.log(1 - s))).sum() / weight.sum()

    return minimize(cost, [0.5, 0.0, 0.0], method="Nelder-Mead", options={"maxiter": 2000}).x


def row(numbers):
    return "[" + ", ".join(f"{x:.3f}" for x in numbers) + "]"


def write(path, weights, biases, curve):
    text = open(path).read()
    presence = text[text.index("/// How much each number of `presence_features`"):]
    with open(path, "w") as out:
        out.write('''//! The weights of the key model. Written by `tests/bench/music/tonality/train_keys.py`, those of the
//! presence by `train_presence.py`.

use super::evidence::FEATURE_COUNT;
use super::presence::PRESENCE_COUNT;

/// How much each number of the evidence speaks for a major key, and for a minor one. In the order of
/// `Evidence::features`.
pub(super) const WEIGHTS: [[f32; FEATURE_COUNT]; 2] = [
    ''' + row(weights[0]) + ",\n    " + row(weights[1]) + ''',
];

/// How frequent major and minor are, as logarithms.
pub(super) const BIASES: [f32; 2] = ''' + row(biases) + ''';

/// How often the likeliest key is right: a logistic function of its log-odds times the first, plus the
/// second, plus the third for a loop of which that is not certain.
pub(super) const CALIBRATION: [f64; 3] = ''' + row(curve) + ";\n\n" + presence)


def main():
    clips = load(sys.argv[2:])
    raw, places = tied(np.stack([c["x"] for c in clips]))
    scale = raw.reshape(-1, raw.shape[2]).std(axis=0) + 1e-6
    x, y = raw / scale, np.array([c["y"] for c in clips])
    weight = np.array([0.5 if c["kind"] == "tempo" else 1.0 for c in clips])
    print(len(clips), "clips,", x.shape[2], "weights, L2", L2)
    full = fit(x, y, weight, L2)
    p = np.zeros((len(clips), 24))
    for form in sorted({c["form"] for c in clips}):
        seen = np.array([form not in c["forms"] for c in clips])
        tested = np.array([c["form"] == form for c in clips])
        p[tested] = predict(x[tested], fit(x[seen], y[seen], weight[seen], L2, full))
    curve = calibration(p.argmax(axis=1) == y, clips, p, weight)
    bed = np.array([c["kind"] == "key" for c in clips])
    of = lambda mask: [c for c, m in zip(clips, mask) if m]
    print("leave one progression out:"); table(clips, p, sure(clips, p, curve), lambda c: "all, " + c["kind"])
    table(clips, p, sure(clips, p, curve), lambda c: "all")
    table(of(bed), p[bed], sure(of(bed), p[bed], curve), lambda c: (c["program"], "minor" if c["key"][1] else "major"))
    bins = np.digitize(sure(clips, p, curve), [0.3, 0.5, 0.7, 0.8, 0.9])
    for b in range(6):
        if (bins == b).any():
            print("   confidence", round(sure(clips, p, curve)[bins == b].mean(), 2), "right", round((p.argmax(axis=1) == y)[bins == b].mean(), 2), "of", (bins == b).sum())
    q = np.zeros((len(clips), 24))
    for kind in sorted({c["kind"] for c in clips}):
        tested = np.array([c["kind"] == kind for c in clips])
        q[tested] = predict(x[tested], fit(x[~tested], y[~tested], weight[~tested], L2, full))
    print("leave one generator out:"); table(clips, q, sure(clips, q, curve), lambda c: "all, " + c["kind"])
    for style in sorted({c["style"] for c in of(bed)}):
        tested = np.array([c["kind"] == "key" and c["style"] == style for c in clips])
        q[tested] = predict(x[tested], fit(x[~tested], y[~tested], weight[~tested], L2, full))
    print("leave one timbre out:"); table(of(bed), q[bed], sure(of(bed), q[bed], curve), lambda c: "all"); table(of(bed), q[bed], sure(of(bed), q[bed], curve), lambda c: (c["program"], "minor" if c["key"][1] else "major"))
    v = full / scale
    weights, biases = np.zeros((2, len(NAMES))), (0.0, v[-1])
    for (i, modes), w in zip(places, v):
        for m in modes:
            weights[m, i] = w
    print("calibration", curve)
    if sys.argv[1] != "-":
        write(sys.argv[1], weights, biases, curve)


if __name__ == "__main__":
    main()
