"""Learns which candidate is the notated tempo: boosted trees, and writes core/dsp/src/music/rhythm/trees.rs.

usage: level.py OUT.rs|- (DUMP.jsonl TRUTH_DIR WEIGHT)...
"""
import json, sys
import numpy as np
from pulsecheck import load_truth

def load(args):
    files = []
    for dump, folder, weight in zip(args[0::3], args[1::3], args[2::3]):
        truth = load_truth(folder)
        for line in open(dump):
            d = json.loads(line); t = truth.get(d["file"])
            if not t or not t["tempo_bpm"] or not d["candidates"]: continue
            X = np.array([c["features"] for c in d["candidates"]], dtype=np.float32)
            bpm = np.array([c["bpm"] for c in d["candidates"]])
            right = np.zeros(len(bpm), bool)
            for v in {t["tempo_bpm"], t.get("beat_bpm") or t["tempo_bpm"]}: right |= np.abs(bpm / v - 1) < 0.04
            main = np.abs(bpm / t["tempo_bpm"] - 1) < 0.04
            files.append(dict(name=d["file"], style=t["style"], set=t["set"], program=t.get("program"), X=X, bpm=bpm, right=right, main=main, weight=float(weight), tempo=t["tempo_bpm"]))
    return files

class Tree:
    """A regression tree on gradients and curvatures, depth-first, by histograms."""
    def __init__(self, B, g, h, depth, columns, leaf_min, l2):
        self.nodes = []
        self.build(B, g, h, np.arange(len(g)), depth, columns, leaf_min, l2)
    def build(self, B, g, h, rows, depth, columns, leaf_min, l2):
        at = len(self.nodes); self.nodes.append(None)
        G, H = g[rows].sum(), h[rows].sum()
        best = (1e-6, None, None)
        if depth > 0:
            for c in columns:
                b = B[rows, c]
                gs = np.cumsum(np.bincount(b, g[rows], 64))[:-1]; hs = np.cumsum(np.bincount(b, h[rows], 64))[:-1]
                gain = gs**2 / (hs + l2) + (G - gs)**2 / (H - hs + l2) - G**2 / (H + l2)
                gain[(hs < leaf_min) | (H - hs < leaf_min)] = -1
                k = gain.argmax()
                if gain[k] > best[0]: best = (gain[k], c, k)
        if best[1] is None:
            self.nodes[at] = ("leaf", -G / (H + l2), 0, 0); return at
        _, c, k = best
        m = B[rows, c] <= k
        l = self.build(B, g, h, rows[m], depth - 1, columns, leaf_min, l2)
        r = self.build(B, g, h, rows[~m], depth - 1, columns, leaf_min, l2)
        self.nodes[at] = (c, k, l, r); return at
    def predict(self, B):
        out = np.zeros(len(B)); stack = [(0, np.arange(len(B)))]
        while stack:
            n, rows = stack.pop(); f, t, l, r = self.nodes[n]
            if f == "leaf": out[rows] = t; continue
            m = B[rows, f] <= t
            stack += [(l, rows[m]), (r, rows[~m])]
        return out

def bins(X):
    return [np.unique(np.quantile(X[:, c], np.linspace(0, 1, 65)[1:-1]).astype(np.float32)) for c in range(X.shape[1])]
def digitize(X, edges):
    return np.stack([np.searchsorted(e, X[:, c], side="left") for c, e in enumerate(edges)], axis=1).astype(np.int64)

def fit(files, rounds=130, rate=0.12, depth=3, seed=0, keep=0.25, sub=0.7, leaf_min=1.5, l2=3.0):
    """Listwise: a softmax over the candidates of each file."""
    X = np.concatenate([f["X"] for f in files]); edges = bins(X); B = digitize(X, edges)
    group = np.repeat(np.arange(len(files)), [len(f["X"]) for f in files])
    right = np.concatenate([f["right"] for f in files]).astype(float)
    weight = np.repeat([f["weight"] * f["right"].any() for f in files], [len(f["X"]) for f in files])
    S = np.zeros(len(X)); rng = np.random.default_rng(seed); trees = []
    def softmax(S, mask=None):
        m = np.full(len(files), -1e9); np.maximum.at(m, group, S)
        e = np.exp(S - m[group]) * (1 if mask is None else mask)
        z = np.bincount(group, e, len(files)); return e / np.maximum(z, 1e-30)[group]
    for _ in range(rounds):
        p = softmax(S); q = softmax(S, right)
        g = (p - q) * weight; h = np.maximum(p * (1 - p), 1e-3) * weight
        pick = rng.random(len(files)) < sub; rows = pick[group]
        columns = rng.choice(X.shape[1], int(keep * X.shape[1]), replace=False)
        tree = Tree(B[rows], g[rows], h[rows], depth, columns, leaf_min, l2)
        tree.nodes = [(f, v * rate, l, r) if f == "leaf" else (f, v, l, r) for f, v, l, r in tree.nodes]
        S += tree.predict(B); trees.append(tree)
    return trees, edges

def predict(model, X):
    trees, edges = model; B = digitize(X, edges)
    return sum(t.predict(B) for t in trees)

def outcome(files, score):
    rows = []
    for f in files:
        s = score(f); ok = (f["bpm"] >= 58) & (f["bpm"] <= 206)
        s = np.where(ok, s, -1e9); k = s.argmax(); rows.append((f["right"][k], f["bpm"][k] / f["tempo"]))
    return rows

def report(name, files, rows):
    hit = np.array([r for r, _ in rows])
    parts = {s: np.mean([h for h, f in zip(hit, files) if f["style"] == s]) for s in sorted({f["style"] for f in files})}
    print(f"{name}: n {len(hit)} acc1 {hit.mean():.3f}   " + " ".join(f"{p}={np.mean([h for h, f in zip(hit, files) if f['program'] == p]):.2f}" for p in ("spread", "idiom")))
    print("   " + ", ".join(f"{s} {v:.2f}" for s, v in parts.items()), flush=True)

def write(model, path):
    trees, edges = model
    out = ["//! Decision trees. Written by `tests/bench/music/rhythm/level.py`.\n", "#![expect(clippy::approx_constant, reason = \"learned numbers are near anything\")]\n", "use super::level::{LEAF, Node};\n",
           "const fn branch(feature: u16, threshold: f32, left: u16, right: u16) -> Node {", "    Node { feature, threshold, left, right }", "}\n",
           "const fn leaf(value: f32) -> Node {", "    Node { feature: LEAF, threshold: value, left: 0, right: 0 }", "}\n",
           "/// Of each tree the places, the root first.", f"pub(crate) static TREES: [&[Node]; {len(trees)}] = ["]
    for t in trees:
        out.append("    &[")
        for f, v, l, r in t.nodes:
            # Binned value <= k means X <= edges[k].
            out.append(f"        leaf({v:.5f})," if f == "leaf" else f"        branch({f}, {edges[f][min(v, len(edges[f]) - 1)]:.6g}, {l}, {r}),")
        out.append("    ],")
    out.append("];")
    text = "\n".join(out) + "\n"
    import re
    text = re.sub(r"branch\((\d+), (-?\d+), ", r"branch(\1, \2.0, ", text); text = re.sub(r"leaf\((-?\d+)\)", r"leaf(\1.0)", text)
    open(path, "w").write(text)

if __name__ == "__main__":
    files = load(sys.argv[2:])
    own = [f for f in files if f["set"] == "own"]; bed = [f for f in files if f["set"] == "tempo"]; rest = [f for f in files if f["set"] not in ("own", "tempo")]
    print(len(own), len(bed), len(rest), "upper bound", np.mean([f["right"].any() for f in bed]), np.mean([f["right"].any() for f in own]))
    prior = lambda f: -((np.log2(f["bpm"] / 115)) ** 2)
    report("prior only, bed", bed, outcome(bed, prior))
    if "quick" not in sys.argv[1]:
        model = fit(own); report("own -> bed", bed, outcome(bed, lambda f: predict(model, f["X"])))
        styles = sorted({f["style"] for f in files}); k = 5; done = []; rows = []
        for i in range(k):
            out = set(styles[i::k])
            m = fit([f for f in files if f["style"] not in out])
            test = [f for f in files if f["style"] in out]
            done += test; rows += outcome(test, lambda f: predict(m, f["X"]))
        for name in ("own", "tempo"):
            pairs = [(f, r) for f, r in zip(done, rows) if f["set"] == name]
            report("leave styles out, " + name, [p[0] for p in pairs], [p[1] for p in pairs])
    model = fit(files, rounds=160); report("itself", bed, outcome(bed, lambda f: predict(model, f["X"])))
    if sys.argv[1].endswith(".rs"): write(model, sys.argv[1])
