"""The train half's truth without rendering it."""
import os, sys, json
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bed"))
import generator_train as g, render
out = []
for kind in ("tempo", "key", "none"):
    out += [c.truth(render.DELAY) for c in getattr(g, kind + "_clips")(1)]
json.dump(out, open(sys.argv[1], "w"))
