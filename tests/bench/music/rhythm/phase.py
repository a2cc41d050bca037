"""Learns the templates of bars: a softmax over meters and turns of the mean bar.

usage: phase.py WEIGHTS.npz (DUMP.jsonl TRUTH_DIR WEIGHT)...
"""
import json, sys
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from pulsecheck import load_truth

MARKS, LAYERS, PLACES, REP = [0, 3, 4, 6, 8, 9], 7, 12, 70
METERS = [4, 3, 3]
def turns(q): return [t for t in range(q * PLACES) if t % 3 == 0 or t % 4 == 0]
HYP = [(m, t) for m, q in enumerate(METERS) for t in turns(q)]
INDEX = {}
for m, q in enumerate(METERS):
    for t in turns(q):
        INDEX[m, t] = [(((b * PLACES + mark + t) % (q * PLACES))) for b in range(q) for mark in MARKS]

def meter_of(t):
    return {"4/4": 0, "3/4": 1, "6/8": 2, 4: 0, 3: 1, 6: 2}.get(t["meter"])

def label(c, t):
    m = meter_of(t)
    if m is None: return None
    q = METERS[m]
    beats = np.array(c["beats_s"])
    d = np.array([x for x in t["downbeats_s"] if beats[0] <= x <= beats[-1]])
    if len(d) < 3: return None
    pos = (np.interp(d, beats, np.arange(len(beats))) + c["first_beat"]) * PLACES
    z = np.exp(2j * np.pi * pos / (q * PLACES)).mean()
    if abs(z) < 0.9: return None
    at = np.angle(z) / (2 * np.pi) * q * PLACES
    best = min(turns(q), key=lambda x: abs((x - at + q * PLACES / 2) % (q * PLACES) - q * PLACES / 2))
    if abs((best - at + q * PLACES / 2) % (q * PLACES) - q * PLACES / 2) > 1.3: return None
    return HYP.index((m, best))

def candidate_bars(c):
    b4 = np.minimum(np.array(c["bar4"]), 6.0); b3 = np.minimum(np.array(c["bar3"]), 6.0)
    bars = [b4, b3, b3]
    X = [np.stack([bars[m][INDEX[m, t]].reshape(-1) for t in turns(q)]) for m, q in enumerate(METERS)]
    return X, np.array(c["rep"])

def load(args):
    rows = []
    for dump, folder, weight in zip(args[0::3], args[1::3], args[2::3]):
        truth = load_truth(folder)
        for line in open(dump):
            d = json.loads(line); t = truth.get(d["file"])
            if not t or not t["tempo_bpm"]: continue
            for c in d["candidates"]:
                if abs(c["bpm"] / t["tempo_bpm"] - 1) > 0.04: continue
                l = label(c, t)
                if l is None: continue
                X, r = candidate_bars(c)
                rows.append((d["file"], t["style"], float(weight), X, r, l))
                break
    return rows

SIZES = [168, 126, 126]
def unpack(w):
    out, at = [], 0
    for s in SIZES: out.append(w[at:at + s]); at += s
    reps = [w[at + i * REP: at + (i + 1) * REP] for i in range(3)]
    return out, reps

def scores(ws, reps, data):
    X, R = data
    return np.concatenate([X[m] @ ws[m] + (R @ reps[m])[:, None] for m in range(3)], axis=1)

def pack(rows):
    return [np.stack([r[3][m] for r in rows]).astype(np.float32) for m in range(3)], np.stack([r[4] for r in rows])

def fit(rows, l2=0.02):
    data = pack(rows); y = np.array([r[5] for r in rows]); sw = np.array([r[2] for r in rows]); n = sw.sum()
    size = sum(SIZES) + 3 * REP
    splits = np.cumsum([0] + [X.shape[1] for X in data[0]])
    def f(w):
        ws, reps = unpack(w)
        S = scores(ws, reps, data); Z = logsumexp(S, axis=1)
        loss = (sw * (Z - S[np.arange(len(y)), y])).sum() / n + 0.5 * l2 * (w @ w)
        G = np.exp(S - Z[:, None]); G[np.arange(len(y)), y] -= 1; G *= (sw / n)[:, None]
        g = [np.einsum("nt,ntd->d", G[:, splits[m]:splits[m + 1]], data[0][m]) for m in range(3)]
        g += [data[1].T @ G[:, splits[m]:splits[m + 1]].sum(1) for m in range(3)]
        return loss, np.concatenate(g).astype(float) + l2 * w
    return minimize(f, np.zeros(size), jac=True, method="L-BFGS-B", options=dict(maxiter=250)).x

def evaluate(w, rows, name):
    S = scores(*unpack(w), pack(rows)); p = S.argmax(1); y = np.array([r[5] for r in rows])
    full = (p == y); meter = np.array([HYP[a][0] == HYP[b][0] for a, b in zip(p, y)])
    beat = np.array([(HYP[a][1] - HYP[b][1]) % 12 == 0 for a, b in zip(p, y)])
    print(f"{name}: n {len(y)} bar {full.mean():.3f} meter {meter.mean():.3f} beat phase {beat.mean():.3f}")
    styles = sorted({r[1] for r in rows})
    print("  " + ", ".join(f"{s} {np.mean([f for f, r in zip(full, rows) if r[1] == s]):.2f}/{np.mean([f for f, r in zip(beat, rows) if r[1] == s]):.2f}" for s in styles))

if __name__ == "__main__":
    rows = load(sys.argv[2:])
    own = [r for r in rows if r[0][0] in "0123456789"]; bed = [r for r in rows if r not in own] if False else [r for r in rows if not r[0][0].isdigit()]
    print(len(own), len(bed))
    if "--cv" in sys.argv or True:
        for l2 in (0.003, 0.01, 0.03):
            evaluate(fit(own, l2), bed, f"own -> bed, l2 {l2}")
            styles = sorted({r[1] for r in rows}); folds = [set(styles[i::4]) for i in range(4)]
            for rowset in [rows]:
                ps = []
                hit = {}
                alltest = []
                for f in folds:
                    w = fit([r for r in rowset if r[1] not in f], l2)
                    test = [r for r in rowset if r[1] in f]
                    S = scores(*unpack(w), pack(test)); p = S.argmax(1)
                    for a, r in zip(p, test): hit.setdefault(r[1], []).append((a == r[5], (HYP[a][1] - HYP[r[5]][1]) % 12 == 0))
                v = np.concatenate([np.array(x) for x in hit.values()])
                print(f"leave styles out l2 {l2}: bar {v[:,0].mean():.3f} beat {v[:,1].mean():.3f}")
        print("  " + ", ".join(f"{s} {np.mean([a for a, _ in h]):.2f}/{np.mean([b for _, b in h]):.2f}" for s, h in sorted(hit.items())))
    w = fit(rows, 0.01)
    evaluate(w, rows, "itself")
    np.savez(sys.argv[1], w=w)
