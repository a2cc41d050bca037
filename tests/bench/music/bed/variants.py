"""variants.py DIR OUT [--every N]: each N-th clip of a half as it is, at -30 dB, as one channel, at 48 and 96 kHz, and through MP3 at
192 kbit/s (lame), each in a folder of OUT.
variants.py --compare OUT: how many clips have the same tempo (within 0.2 %) and key in OUT/KIND.json as in OUT/plain.json.
"""
import argparse
import json
import os
import subprocess
from score import read_results

SOX = {"plain": [[], []], "quiet": [[], ["gain", "-30"]], "mono": [["-c", "1"], []], "48-khz": [["-r", "48000"], []], "96-khz": [["-r", "96000"], []]}
KINDS = [*SOX, "mp3-192"]


def make(source, kind, target):
    if kind in SOX:
        options, effects = SOX[kind]
        subprocess.run(["sox", "-V1", source, *options, target, *effects], check=True)
        return
    subprocess.run(["lame", "--quiet", "-b", "192", source, target + ".mp3"], check=True)
    subprocess.run(["lame", "--quiet", "--decode", target + ".mp3", target], check=True)
    os.remove(target + ".mp3")


def compare(out):
    results = {kind: read_results(os.path.join(out, kind + ".json")) for kind in KINDS}
    plain = results.pop("plain")

    def same_tempo(a, b):
        a, b = a["tempo_bpm"], b["tempo_bpm"]
        return a == b or bool(a) and bool(b) and abs(a / b - 1) < 0.002
    for kind, found in results.items():
        tempo = sum(same_tempo(found[f], plain[f]) for f in plain)
        key = sum(found[f]["key"] == plain[f]["key"] for f in plain)
        print(f"{kind}: of {len(plain)} clips the same tempo {tempo}, the same key {key}")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("dir", nargs="?")
    args.add_argument("out")
    args.add_argument("--every", type=int, default=10)
    args.add_argument("--compare", action="store_true")
    args = args.parse_args()
    if args.compare:
        return compare(args.out)
    for clip in json.load(open(os.path.join(args.dir, "truth.json")))[::args.every]:
        for kind in KINDS:
            os.makedirs(os.path.join(args.out, kind), exist_ok=True)
            make(os.path.join(args.dir, clip["file"]), kind, os.path.join(args.out, kind, clip["file"]))


if __name__ == "__main__":
    main()
