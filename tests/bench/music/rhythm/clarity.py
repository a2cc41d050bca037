"""Learns whether there is a pulse. usage: clarity.py (DUMP TRUTH_DIR)... ; prints what belongs into core/dsp/src/music/rhythm/clarity.rs"""
import json, sys
import numpy as np
from pulsecheck import load_truth
rows = []
for dump, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    truth = load_truth(folder)
    for line in open(dump):
        d = json.loads(line); t = truth.get(d["file"])
        if not t: continue
        if not d["candidates"]: print("nothing:", d["file"]); continue
        c = d["clarity"]
        if len(c) != 8:   # a dump of an earlier form
            rep = max(np.array(x["rep"])[56:][[5, 7, 8, 9, 10, 11, 12, 13]].max() for x in d["candidates"])
            c = c[:3] + [np.log(c[3]), np.log(max(c[4], 1e-3)), np.log(c[5]), 0.0, max(0.0, rep)]
        d["clarity"] = c[:6] + [0.0, c[7]]
        rows.append((d["file"], t["style"], bool(t["tempo_bpm"]), d["clarity"]))
X = np.array([r[3] for r in rows]); y = np.array([r[2] for r in rows]); m, s = X.mean(0), X.std(0) + 1e-9
names = ["strength", "local", "agreement", "contrast", "mean", "deviation", "roughness", "repetition"]
for k, n in enumerate(names): print(f"{n:12s} pulse {np.percentile(X[y, k], [2, 10, 50, 90]).round(3)}  none {np.percentile(X[~y, k], [10, 50, 90, 98]).round(3)}")
from scipy.optimize import minimize
Z = np.c_[(X - m) / s, np.ones(len(X))]; w8 = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum())
def f(w):
    z = Z @ w * np.where(y, 1, -1); p = 1 / (1 + np.exp(z))
    return (w8 * np.logaddexp(0, -z)).sum() + 0.004 * (w[:-1] @ w[:-1]), -(Z * (w8 * p * np.where(y, 1, -1))[:, None]).sum(0) + 0.008 * np.r_[w[:-1], 0]
w = minimize(f, np.zeros(9), jac=True, method="L-BFGS-B").x
p = 1 / (1 + np.exp(-Z @ w))
print("missed", [(r[0], round(v, 2)) for r, v in zip(rows, p) if r[2] and v < .5]); print("wrong", [(r[0], round(v, 2)) for r, v in zip(rows, p) if not r[2] and v > .4])
a = w[:-1] / s
print("const WEIGHTS: [f64; COUNT] = [" + ", ".join(f"{v:.3f}" for v in a) + "];"); print(f"const BIAS: f64 = {w[-1] - (a * m).sum():.3f};")
