import json, sys, os
import numpy as np
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bed"))
def load_truth(folder):
    p = folder + "/truth.json"
    if os.path.exists(p): return {t["file"]: t for t in json.load(open(p))}
    import generator_train as g
    return {c.file: c.truth(0.0) for c in g.tempo_clips(1)}
if __name__ == "__main__":
    folder, dump = sys.argv[1:3]
    truth = load_truth(folder)
    n = ok = simple = cand = 0
    offs = []
    for line in open(dump):
        d = json.loads(line)
        t = truth.get(d["file"])
        if not t or not t["tempo_bpm"] or not d["candidates"]: continue
        n += 1
        r = d["grid_bpm"] / t["tempo_bpm"]
        good = [x for x in (1, 2, .5, 3, 1/3, 1.5, 2/3, 4/3, .75, .25, 4) if abs(r / x - 1) < .02]
        hit = [c for c in d["candidates"] if abs(c["bpm"] / t["tempo_bpm"] - 1) < .04]
        cand += bool(hit)
        if not hit: print("MISS", d["file"], t["style"], round(d["grid_bpm"], 2), t["tempo_bpm"], round(r, 3), d["clarity"][:4])
        elif not any(x in (1, 2, .5) for x in good): print("odd", d["file"], t["style"], round(r, 3))
        if hit:
            b = np.array(hit[0]["beats_s"]); tb = np.array(t["beats_s"])
            dd = [np.min(np.abs(b - x)) * np.sign(b[np.argmin(np.abs(b - x))] - x) for x in tb]
            m = np.median(dd)
            if abs(m) < .06: offs.append(m)
    print(n, "candidates hold the truth", cand / n, "offset ms", np.round(1000 * np.percentile(offs, [5, 25, 50, 75, 95]), 1), "aligned", len(offs) / n)
