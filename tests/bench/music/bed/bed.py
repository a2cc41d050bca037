"""bed.py SPLIT OUT_DIR [--only tempo|key|none] [--seed N]: writes the clips and truth.json of one half."""
import argparse
import importlib
import json
import os
import random
import sys
import time
import render


def main():
    args = argparse.ArgumentParser()
    args.add_argument("split", choices=["train", "heldout"])
    args.add_argument("out")
    args.add_argument("--only", choices=["tempo", "key", "none"])
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--resume", action="store_true", help="keep the clips that are there; write truth.json on the way")
    args.add_argument("--limit", type=int, help="every clip up to this many of each set")
    args = args.parse_args()
    generator = importlib.import_module("generator_" + args.split)
    os.makedirs(args.out, exist_ok=True)
    place = os.path.join(args.out, "truth.json")
    truth = []
    if os.path.exists(place):
        truth = json.load(open(place))
    begun, work = time.time(), []

    def save():
        with open(place + ".new", "w") as file:
            json.dump(sorted(truth, key=lambda t: (t["set"] != "tempo", t["set"] == "none", t["file"])), file, indent=1)
        os.replace(place + ".new", place)

    for kind in ["tempo", "key", "none"]:
        if args.only not in (None, kind):
            continue
        clips = getattr(generator, kind + "_clips")(args.seed)
        truth = [t for t in truth if t["set"] != kind]
        work += clips[:args.limit]
    random.Random(0).shuffle(work)           # so that a part is a fair part
    place_of = {clip.file: os.path.join(args.out, clip.file) for clip in work}
    ready = [c for c in work if args.resume and os.path.exists(place_of[c.file])]
    truth += [c.truth(render.DELAY) for c in ready]
    for number, clip in enumerate(c for c in work if c not in ready):
        if args.resume and number % 10 == 0:
            save()
        path = place_of[clip.file]
        render.render(clip, path[:-4] + ".part.wav")
        os.replace(path[:-4] + ".part.wav", path)
        truth.append(clip.truth(render.DELAY))
    save()
    print(len(work), "clips", round(time.time() - begun), "s", flush=True)


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
main()
