"""report.py TRUTH RESULTS: keys, chords and nulls, by progression."""
import json, os, sys
import numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from data import key_of
from train_keys import mirex
truth, got = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
rows, sure = {}, 0
for t in truth:
    r = got.get(t["file"])
    if r is None: continue
    if t["set"] == "key":
        m = mirex(key_of(t["key"]), key_of(r["key"])) if r["key"] else 0.0
        if m < 1 and (r.get("confidence") or 0) > 0.3: sure += 1; print("wrong&sure", t["file"], r["key"], round(r["confidence"], 2))
        tun = abs(1200 * np.log2(r["tuning_hz"] / t["tuning_hz"])) if r["key"] else np.nan
        for g in ("all", t["program"] + (" minor" if t["key"][-1] == "m" else " major")):
            rows.setdefault(g, []).append((m == 1, m, r.get("confidence") or 0, tun, bool(r.get("changes")), r["key"] is None))
    elif t["set"] == "none":
        print("none", t["file"], t["key"], "->", r["key"], r.get("confidence") and round(r["confidence"], 2))
for g in sorted(rows):
    a = np.array(rows[g], float)
    print(f"{g:20s}{len(a):4d} exact {a[:,0].mean():.3f} mirex {a[:,1].mean():.3f} conf {a[:,2].mean():.2f} tuning err med {np.nanmedian(a[:,3]):.1f} max {np.nanmax(a[:,3]):.1f} c  changes {a[:,4].sum():.0f} null {a[:,5].sum():.0f}")
print("wrong&sure", sure)
