"""score.py DIR [RESULTS.json] [--peers] [--errors]: compares results with DIR/truth.json.

RESULTS is what `wavemill analyze --json --only rhythm,tonality,chords` prints, or {file: {tempo_bpm|null, beats_s: [...], downbeats_s: [...], key|null, chords: [[start, end, label]]}}; a file that is
missing counts as a null (a peer is scored on the clips it was run on). Only the clips named in RESULTS are scored when --present is given.
"""
import argparse
import csv
import json
import os
import sys
import warnings
import mir_eval
import numpy as np

warnings.filterwarnings("ignore")
FACTORS = (1, 2, 0.5, 3, 1 / 3)
PITCH = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = "C C# D D# E F F# G G# A A# B".split()


def key_words(key):
    """'Bbm', 'Bb minor', 'Bb:min' -> 'A# minor'; 'C' -> 'C major'."""
    text = key.strip().replace("♯", "#").replace("♭", "b").replace(":", " ")
    pitch, rest = PITCH[text[0].upper()], text[1:]
    while rest[:1] in ("#", "b") and rest:
        pitch, rest = pitch + (1 if rest[0] == "#" else -1), rest[1:]
    rest = rest.strip()
    minor = rest.lower().startswith("min") or rest == "m"
    return SHARPS[pitch % 12] + (" minor" if minor else " major")


def tempo_error(truth, guess, factors):
    """The smallest relative error against the truth times one of the factors; in 6/8 both readings of the tempo count."""
    return min(abs(guess / (t * f) - 1) for t in {truth["tempo_bpm"], truth["beat_bpm"]} for f in factors)


def beat_score(truth, guess):
    truth, guess = (mir_eval.beat.trim_beats(np.array(sorted(x or []), dtype=float)) for x in (truth, guess))
    return mir_eval.beat.f_measure(truth, guess) if len(truth) else None


def chord_scores(truth, guess):
    intervals = np.array([[s, e] for s, e, _ in truth], dtype=float)
    labels = [c for _, _, c in truth]
    guess = [g for g in guess or [] if g[1] > g[0]]
    start, end = intervals.min(), intervals.max()
    if not guess:
        guess = [[start, end, "N"]]
    found, names = mir_eval.util.adjust_intervals(np.array([[s, e] for s, e, _ in guess], dtype=float), [g[2] for g in guess],
                                                  start, end, mir_eval.chord.NO_CHORD, mir_eval.chord.NO_CHORD)
    parts, a, b = mir_eval.util.merge_labeled_intervals(intervals, labels, found, names)
    lengths = mir_eval.util.intervals_to_durations(parts)
    return [mir_eval.chord.weighted_accuracy(f(a, b), lengths) for f in (mir_eval.chord.majmin, mir_eval.chord.sevenths)]


def measure(truth, result):
    """All the numbers of one clip; None where there is nothing to measure."""
    row = {}
    if truth["tempo_bpm"]:
        guess = result.get("tempo_bpm")
        row["acc1"] = bool(guess) and tempo_error(truth, guess, (1,)) <= 0.04
        row["acc2"] = bool(guess) and tempo_error(truth, guess, FACTORS) <= 0.04
        row["error"] = tempo_error(truth, guess, (1,)) * 100 if row["acc1"] else None
        row["beat F"] = beat_score(truth["beats_s"], result.get("beats_s")) if result.get("beats_s") is not None else None
        row["down F"] = beat_score(truth["downbeats_s"], result.get("downbeats_s")) if result.get("downbeats_s") is not None else None
    if truth["key"]:
        guess = result.get("key")
        row["key"] = bool(guess) and key_words(guess) == key_words(truth["key"])
        row["mirex"] = mir_eval.key.weighted_score(key_words(truth["key"]), key_words(guess)) if guess else 0.0
    if truth["chords"] and result.get("chords") is not None:
        row["majmin"], row["7ths"] = chord_scores(truth["chords"], result["chords"])
    return row


COLUMNS = ["acc1", "acc2", "error", "beat F", "down F", "key", "mirex", "majmin", "7ths"]


def line(name, rows):
    cells = []
    for c in COLUMNS:
        values = [r[c] for r in rows if r.get(c) is not None]
        if not values:
            cells.append("      -")
        elif c == "error":
            cells.append(f"{np.median(values):6.2f}%")
        else:
            cells.append(f"{np.mean(values):7.3f}")
    print(f"{name:34s}{len(rows):5d} " + " ".join(cells))


def head(title):
    print(f"\n{title:34s}    n " + " ".join(f"{'med.err' if c == 'error' else c:>7s}" for c in COLUMNS))


def groups(truth):
    """(title, [(name, clips)]) in the order of printing."""
    def split(name, clips, of):
        return [(f"  {name} {v}", [t for t in clips if of(t) == v]) for v in sorted({of(t) for t in clips}, key=str)]
    tempo, key = [t for t in truth if t["set"] == "tempo"], [t for t in truth if t["set"] == "key"]
    if tempo:
        five = {"rock", "half-time", "shuffle", "breakbeat", "four-on-the-floor"}
        spread = [t for t in tempo if t["program"] == "spread"]
        yield "tempo set", [("all", tempo)] + split("part", tempo, lambda t: t["program"]) + \
            [("  spread, the five drum styles", [t for t in spread if t["style"] in five]),
             ("  drums alone", [t for t in tempo if t["key"] is None])] + \
            split("style", tempo, lambda t: t["style"]) + \
            [(f"  {a}-{b} a minute", [t for t in tempo if a <= t["tempo_bpm"] < b]) for a, b in ((60, 80), (80, 110), (110, 140), (140, 170), (170, 201))]
    if key:
        yield "key set", [("all", key)] + split("timbre", key, lambda t: t["style"]) + \
            [("  major", [t for t in key if t["key"][-1] != "m"]), ("  minor", [t for t in key if t["key"][-1] == "m"]),
             ("  A = 440 Hz", [t for t in key if t["tuning_hz"] == 440]), ("  other tuning", [t for t in key if t["tuning_hz"] != 440])] + \
            split("progression", key, lambda t: t["program"] + (" minor" if t["key"][-1] == "m" else " major"))


def none_line(truth, results, kind=None):
    clips = [t for t in truth if t["set"] == "none"]
    for field, name in (("tempo_bpm", "tempo"), ("key", "key"), ("beats_s", "beats")):
        if kind and name != kind:
            continue
        bare = [t for t in clips if not t[field]]
        wrong = [t for t in bare if results.get(t["file"], {}).get(field)]
        styles = sorted({t["style"] for t in wrong})
        print(f"  {name}: given where there is none {len(wrong)}/{len(bare)}" +
              (": " + ", ".join(f"{s} {sum(t['style'] == s for t in wrong)}" for s in styles) if styles else ""))
    if kind:
        return
    pulse, tonal = [t for t in clips if t["tempo_bpm"]], [t for t in clips if t["key"]]
    rows = {t["file"]: measure(t, results.get(t["file"], {})) for t in clips}
    print(f"  right where there is one: tempo {sum(rows[t['file']]['acc1'] for t in pulse)}/{len(pulse)} (any octave "
          f"{sum(rows[t['file']]['acc2'] for t in pulse)}), key {sum(rows[t['file']]['key'] for t in tonal)}/{len(tonal)}")


def read_results(path):
    data = json.load(open(path))
    if "files" not in data:
        return {os.path.basename(f): r for f, r in data.items()}
    chords = lambda r: [[c["start_s"], c["end_s"], c["label"]] for c in r["chords"]]
    return {os.path.basename(r["path"]): {**r["rhythm"], "key": r["tonality"]["key"], "chords": chords(r)} for r in data["files"]}


def write_csv(path, half, truth, entrants, rows, kinds):
    """A line for each entrant in each group of clips; those without a kind do everything."""
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["half", "set", "group", "entrant", "clips", *(c.replace(" ", "_") for c in COLUMNS)])
        for title, parts in groups(truth):
            kind = title.split()[0]
            for name, clips in parts:
                for e, r in entrants.items():
                    seen = [t["file"] for t in clips if e not in kinds or t["file"] in r]
                    if not seen or kinds.get(e, kind) != kind:
                        continue
                    done = COLUMNS if e not in kinds else COLUMNS[:5] if kind == "tempo" else COLUMNS[5:]
                    values = [[v for f in seen if c in done and (v := rows[e][f].get(c)) is not None] for c in COLUMNS]
                    means = [f"{(np.median(v) if c == 'error' else np.mean(v)):.4f}" if v else "" for c, v in zip(COLUMNS, values)]
                    out.writerow([half, kind, name.strip().replace(",", ""), e, len(seen), *means])


def main():
    args = argparse.ArgumentParser()
    args.add_argument("dir")
    args.add_argument("results", nargs="?")
    args.add_argument("--peers", action="store_true", help="every peer of DIR/peers.json as a row of every table")
    args.add_argument("--brief", action="store_true", help="of the peers' tables only the main ones")
    args.add_argument("--errors", action="store_true", help="list the clips with a wrong tempo or key")
    args.add_argument("--csv", metavar="FILE", help="write all tables there instead of printing them")
    args.add_argument("--name", default="RESULTS", help="what RESULTS are called")
    args.add_argument("--present", action="store_true", help="score only the clips named in RESULTS")
    args = args.parse_args()
    truth = json.load(open(os.path.join(args.dir, "truth.json")))
    entrants = {}
    if args.results:
        entrants[args.name] = read_results(args.results)
        if args.present:
            truth = [t for t in truth if t["file"] in entrants[args.name]]
    if args.peers:
        peers = json.load(open(os.path.join(args.dir, "peers.json")))
        entrants.update(peers["results"])
    rows = {e: {t["file"]: measure(t, r.get(t["file"], {})) for t in truth} for e, r in entrants.items()}
    if args.csv:
        return write_csv(args.csv, os.path.basename(os.path.normpath(args.dir)), truth, entrants, rows, peers["kind"] if args.peers else {})
    keep = {"tempo": COLUMNS[:5], "key": COLUMNS[5:]}

    def fair(entrant, clips, kind):
        """A peer appears only in the tables of what it does."""
        return entrant == args.name or peers["kind"][entrant] == kind
    if args.results:
        for title, parts in groups(truth):
            head(title)
            for name, clips in parts:
                if clips:
                    line(name, [rows[args.name][t["file"]] for t in clips])
        print("\n'none' set")
        none_line(truth, entrants[args.name])
    if args.peers:
        for title, parts in groups(truth):
            kind = title.split()[0]
            for name, clips in parts:
                if not clips or args.brief and name != "all" and "spread" not in name:
                    continue
                head(title + ": " + name.strip())
                for e in entrants:
                    if fair(e, clips, kind):
                        line("  " + e, [{c: v for c, v in rows[e][t["file"]].items() if c in keep[kind]}
                                        for t in clips if e == args.name or t["file"] in entrants[e]])
        print("\nCPU seconds a minute of audio")
        for e, cost in peers["cpu_s_per_min"].items():
            print(f"  {e:32s} {cost:.2f}")
        for e in entrants:
            if e != args.name:
                print(f"'none' set: {e}")
                none_line([t for t in truth if t["file"] in entrants[e]], entrants[e], peers["kind"][e])
    if args.errors and args.results:
        print("\nwrong")
        for t in truth:
            row, guess = rows[args.name][t["file"]], entrants[args.name].get(t["file"], {})
            if t["set"] != "key" and row.get("acc1") is False:
                g = guess.get("tempo_bpm")
                print(f"  {t['file']:48s} tempo {t['tempo_bpm']:g} -> {g if g is None else round(g, 2)}"
                      + (f" (x {g / t['tempo_bpm']:.3f})" if g else ""))
            if t["set"] != "tempo" and row.get("key") is False:
                print(f"  {t['file']:48s} key {t['key']} -> {guess.get('key')} ({row['mirex']})")


if __name__ == "__main__":
    sys.exit(main())
