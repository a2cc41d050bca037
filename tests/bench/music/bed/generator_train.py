"""The train half: written-out patterns, close voicings, FluidR3 soundfont, the synthesizer's own reverb."""
import os
import random
import subprocess
import tempfile
import numpy as np
import soundfile
from chord import SCALES, SHAPES, key_name, label, numeral
from clip import Clip

FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
K, S, X, H, O, R, T1, T2, T3, C, W, TB, CW, CH, CL = 36, 38, 37, 42, 46, 51, 50, 47, 43, 49, 70, 54, 56, 63, 64

# One string for each drum and bar: x loud, o middling, g ghost. The bar is divided into as many steps as the string has.
DRUMS = {
    "rock": [
        {K: "x.......x.......", S: "....x.......x...", H: "x.o.x.o.x.o.x.o."},
        {K: "x.......x.x.....", S: "....x.......x...", H: "x.o.x.o.x.o.x.o."},
        {K: "x..x....x.x....o", S: "....x.......x...", R: "x...x...x...x..."},
        {K: "x.x.....x.......", S: "....x.......x..o", H: "x.o.x.o.x.o.x...", O: "..............x."}],
    "four-on-the-floor": [
        {K: "x...x...x...x...", S: "....x.......x...", H: "..x...x...x...x."},
        {K: "x...x...x...x...", 39: "....x.......x...", O: "..x...x...x...x."},
        {K: "x...x...x...x...", 39: "....x.......x...", H: "xgogxgogxgogxgog"},
        {K: "x...x...x...x..o", O: "..x...x...x...x.", TB: "x.o.x.o.x.o.x.o."}],
    "half-time": [
        {K: "x.......o.......", S: "........x.......", H: "x.o.x.o.x.o.x.o."},
        {K: "x..o......o.....", S: "........x.......", H: "x...x...x...x..."},
        {K: "x.....x.....o...", S: "........x.....g.", R: "x.o.x.o.x.o.x.o."}],
    "half-time-slow": [
        {K: "x..........x..o.", S: "....x.......x...", H: "xoxoxoxoxoxoxoxo"},
        {K: "x......x..x.....", S: "....x.......x..g", H: "xgogxgogxgogxgox"}],
    "shuffle": [
        {K: "x.....x.....", S: "...x.....x..", H: "x.ox.ox.ox.o"},
        {K: "x....ox....o", S: "...x.....x..", R: "x.ox.ox.ox.o"},
        {K: "x.....x..o..", S: "..gx....gx..", R: "x..x.ox..x.o"}],
    "swing": [
        {K: "o..o..o..o..", 44: "...x.....x..", R: "x..x.ox..x.o"},
        {K: "o.....o....o", 44: "...x.....x..", R: "x..x.ox..x.o", S: ".....g......"}],
    "breakbeat": [
        {K: "x.x.......xx....", S: "....x..g.g..x..g", R: "x.x.x.x.x.x.x.x."},
        {K: "x.....o...x.....", S: "....x..g.g..x...", H: "x.o.x.o.x.o.x.o."},
        {K: "x..x..x....x..x.", S: "....x....g..x...", H: "xoxoxoxoxoxoxoxo"},
        {K: "x.x....o..x.....", S: "....x..g.g....x.", H: "x.o.x.o.x.o.x.o."}],
    "drum-and-bass": [
        {K: "x.........x.....", S: "....x.......x...", H: "x.o.x.o.x.o.x.o."},
        {K: "x.........x....o", S: "....x..g.g..x...", H: "x.x.x.x.x.x.x.x."},
        {K: "x..o......x.....", S: "....x..g....x..g", R: "x.o.x.o.x.o.x.o."}],
    "waltz": [
        {K: "x...........", X: "....o...o...", H: "x...o...o..."},
        {K: "x...........", S: "....o...o...", R: "x...o.g.o..."},
        {K: "x.........o.", S: "....x...x...", H: "x.o.x.o.x.o."}],
    "6/8": [
        {K: "x.........o.", S: "......x.....", H: "x.o.o.x.o.o."},
        {K: "x...o.....o.", S: "......x.....", R: "x.g.o.x.g.o."},
        {K: "x...........", X: "......x.....", H: "x.o.o.x.o.o."}],
    "latin": [
        {K: "x..ox..ox..ox..o", X: "x..x..x...x..x..", H: "x.o.x.o.x.o.x.o."},
        {K: "x..ox..ox..ox..o", X: "..x...x..x..x...", W: "xgogxgogxgogxgog"},
        {CW: "x...x...x...x...", CH: "..o....o..o.....", CL: "......xx......xx", K: "......o.......o.", W: "x.o.x.o.x.o.x.o."}],
    "hip-hop": [
        {K: "x..o...x..x.....", S: "....x.......x...", H: "x.o.x.o.x.o.x.o."},
        {K: "x.......o.x....o", S: "....x.......x...", H: "x.o.x.o.xoo.x.o."},
        {K: "x.x....x..x..o..", 39: "....x.......x...", H: "xgogxgogxgogxgog"}],
    "ballad": [
        {K: "x...............", X: "........o......."},
        {K: "x.......o.......", X: "....o.......o...", H: "o...o...o...o..."},
        {K: "x.........o.....", X: "....o.......o..."}],
    "no drums": [{}],
}
# style: meter, tempi it is written in, comping rhythms, bass rhythms (r root, f fifth, o octave, t third, a approach)
PIANO, EPIANO, ORGAN, NYLON, STEEL, CLEAN, DRIVE, STRINGS, PAD = 0, 4, 16, 24, 25, 27, 29, 48, 89
STYLES = {
    "rock": ("4/4", 90, 180, ["x.x.x.x.x.x.x.x.", "x.......x.x.....", "x..x..x.x..x..x."], ["r.r.r.r.r.r.r.r.", "r.......r.r...f.", "r...r...r...r.a."], [DRIVE, CLEAN, STEEL, PIANO, ORGAN], [33, 34]),
    "four-on-the-floor": ("4/4", 112, 138, ["..x...x...x...x.", "x..x..x...x..x..", "x..............."], ["..r...r...r...r.", "r.o.r.o.r.o.r.o.", "r..r..r.r..r..r."], [81, 62, 4, 50, 0], [38, 39]),
    "half-time": ("4/4", 120, 160, ["x...............", "x.......x.......", "x.....x........."], ["r...............", "r.....r.....f...", "r.......r......."], [PAD, 81, CLEAN, PIANO, 50], [38, 33]),
    "half-time-slow": ("4/4", 60, 90, ["x...............", "x.......x......."], ["r.......r.....f.", "r..r............"], [PAD, EPIANO, PIANO], [38, 39]),
    "shuffle": ("4/4", 84, 150, ["x..x..x..x..", "..x..x..x..x", "x.xx.xx.xx.x"], ["r..t..f..t..", "r.rr.rf.ff.a", "r..r..f..a.."], [PIANO, CLEAN, ORGAN], [32, 33]),
    "swing": ("4/4", 120, 200, ["x....x......", "..x.....x...", "...x.....x.."], ["r..t..f..a..", "r..f..o..a.."], [PIANO, 26], [32]),
    "breakbeat": ("4/4", 100, 150, ["x..x..x.........", "x.......x..x....", "..x...x...x...x."], ["r..r..r...f.....", "r.......r.r..o..", "r.r....r..f...a."], [EPIANO, ORGAN, CLEAN, 50], [33, 36, 38]),
    "drum-and-bass": ("4/4", 160, 180, ["x...............", "x.....x.....x..."], ["r.........r.....", "r.....r.....f...", "r..............."], [PAD, EPIANO, 50], [38, 39]),
    "waltz": ("3/4", 80, 200, ["....x...x...", "x...x...x...", "....x......."], ["r...........", "r.......f...", "r...t...f..."], [PIANO, 21, NYLON, STRINGS], [32, 33]),
    "6/8": ("6/8", 66, 130, ["x.x.x.x.x.x.", "x.....x.....", "x..........."], ["r...........", "r.....f.....", "r...r.f...r."], [PIANO, STEEL, ORGAN, CLEAN], [33]),
    "latin": ("4/4", 100, 200, ["x..x..x...x..x..", "..x..x..x.x..x..", "x.xx.x.x.x.xx.x."], ["r..ff..rr..ff..r", "r.....f.....r...", "...f....r..f...."], [NYLON, PIANO, EPIANO], [32, 33]),
    "hip-hop": ("4/4", 70, 105, ["x...............", "x..x......x.....", "....x.......x..."], ["r......r..r.....", "r..........r..f.", "r.r....r........"], [EPIANO, STRINGS, 11, PIANO], [38, 33]),
    "ballad": ("4/4", 60, 90, ["x.x.x.x.x.x.x.x.", "x...x...x...x...", "x.......x......."], ["r...............", "r.......f......."], [PIANO, EPIANO, NYLON], [32, 35]),
    "no drums": ("4/4", 60, 180, ["x.x.x.x.x.x.x.x.", "x...x...x...x...", "x..x..x...x..x..", "x.......x......."], ["r.......f.......", "r...f...o...f...", "r..............."], [PIANO, NYLON, STEEL, STRINGS, 45], [32, 42]),
}
LOOPS = [("I vi ii V", 0), ("I IV vi V", 0), ("I iii IV V", 0), ("I V IV IV", 0), ("I I IV V", 0), ("i bVII bVI bVII", 1),
         ("i iv bVII bIII", 1), ("i bVI iv V", 1), ("i v bVI bVII", 1), ("I IV I V", 0), ("Imaj7 vi7 ii7 V7", 0), ("i7 iv7 i7 V7", 1)]


def velocity(letter, rng, spread=8):
    return {"x": 100, "o": 76, "g": 45}.get(letter, 84) + rng.gauss(0, spread)


class Band:
    def __init__(self, clip, rng, jitter):
        self.clip, self.rng, self.jitter = clip, rng, jitter

    def play(self, channel, quarter, length, pitch, vel):
        clip = self.clip
        start = clip.time(quarter)
        clip.note(channel, start + self.rng.gauss(0, self.jitter), clip.time(quarter + length) - start, pitch, vel)

    def drums(self, bar, pattern, fill, crash):
        clip, rng = self.clip, self.rng
        at = bar * clip.bar
        limit = clip.bar - (1.0 if fill else 0.0)
        for drum, steps in pattern.items():
            step = clip.bar / len(steps)
            for i, letter in enumerate(steps):
                if letter != "." and i * step < limit:
                    self.play(9, at + i * step, 0.1, drum, velocity(letter, rng))
        if fill:
            ways = rng.choice([[S, S, T1, T3], [T1, T1, T2, T3], [S, S, S, S], [T2, None, T3, T3], [S, None, S, None]])
            for i, drum in enumerate(ways):
                if drum:
                    self.play(9, at + limit + i / 4, 0.1, drum, 80 + 8 * i + rng.gauss(0, 6))
        if crash:
            self.play(9, at, 0.2, C, 96 + rng.gauss(0, 6))

    def voicing(self, root, quality, before):
        """The inversion nearest to the chord before it."""
        pitches = [(root + i) % 12 for i in SHAPES[quality]]
        best = None
        for turn in range(len(pitches)):
            order = pitches[turn:] + pitches[:turn]
            chord = [order[0] + 48]
            for p in order[1:]:
                chord.append(chord[-1] + (p - chord[-1]) % 12)
            for lift in (0, 12):
                now = [c + lift for c in chord]
                middle = sum(before) / len(before) if before else 60
                cost = abs(sum(now) / len(now) - middle) + 0.3 * abs(sum(now) / len(now) - 60)
                if best is None or cost < best[0]:
                    best = (cost, now)
        return best[1]

    def comp(self, channel, at, span, rhythm, pitches, arpeggio, vel=76):
        clip, rng = self.clip, self.rng
        step = clip.bar / len(rhythm)
        hits = [i for i, letter in enumerate(rhythm) if letter != "." and i * step < span]
        for n, i in enumerate(hits):
            length = ((hits[n + 1] if n + 1 < len(hits) else span / step) - i) * step * 0.92
            stress = 10 if i * step % clip.beat == 0 else 0
            notes = [pitches[(n * 2 if n % 4 == 3 else n) % len(pitches)]] if arpeggio else pitches
            for p in notes:
                self.play(channel, at + i * step, length, p, vel + stress + rng.gauss(0, 6))

    def bass(self, at, span, rhythm, root, quality, after):
        clip, rng = self.clip, self.rng
        low = 28 + (root - 28) % 12
        step = clip.bar / len(rhythm)
        third, fifth = SHAPES[quality][1], SHAPES[quality][2]
        hits = [i for i, letter in enumerate(rhythm) if letter != "." and i * step < span]
        for n, i in enumerate(hits):
            length = ((hits[n + 1] if n + 1 < len(hits) else span / step) - i) * step * 0.9
            near = low + ((after - low + 6) % 12 - 6)
            pitch = {"r": low, "f": low + fifth, "o": low + 12, "t": low + third, "a": near + rng.choice([-1, 1, 2])}[rhythm[i]]
            self.play(1, at + i * step, length, pitch, 92 + rng.gauss(0, 6))

    def melody(self, channel, bars, chord_at, scale, tonic, vel=90, low=62, high=84):
        """A walk through the scale; chord notes on the beats."""
        clip, rng = self.clip, self.rng
        cells = [[1], [1], [0.5, 0.5], [1.5, 0.5], [2], [0.5, 0.5, 1], [0.5, 1, 0.5]]
        if clip.bar == 3:
            cells = [[1.5], [1, 0.5], [0.5, 0.5, 0.5], [3]] if clip.beat == 1.5 else [[1], [2], [0.5, 0.5], [1.5, 0.5], [3]]
        ladder = [p for p in range(low, high) if (p - tonic) % 12 in scale]
        here, at = len(ladder) // 2, 0.0
        while at < bars * clip.bar - 3:
            for length in rng.choice(cells):
                root, quality = chord_at(at)
                here = min(max(here + rng.choice([-2, -1, -1, 0, 1, 1, 2]), 0), len(ladder) - 1)
                tones = {(root + i) % 12 for i in SHAPES[quality]}
                if at % 1 == 0:
                    near = [i for i, p in enumerate(ladder) if p % 12 in tones]
                    here = min(near, key=lambda i: abs(i - here) + rng.random() * 0.1) if near else here
                if rng.random() > 0.12:
                    self.play(channel, at, length * 0.9, ladder[here], vel + rng.gauss(0, 8))
                at += length


def arrange(clip, rng, style, loop, minor, tonic, options):
    """Writes the notes of one clip. options: drums, comp, programs, melody, scale, per (bars of each chord)."""
    jitter = rng.uniform(0.003, 0.010)
    clip.details.update(jitter_ms=round(jitter * 1000, 1), timbre=options.get("timbre", "band"))
    wander = [0.0]
    drift = rng.random() < 0.25
    bars = int(clip.tempo / 60 * (clip.seconds + 3) / clip.bar) + 2
    for _ in range(bars + 2):
        wander.append(max(-0.015, min(0.015, wander[-1] + (rng.gauss(0, 0.003) if drift else 0))))
    clip.details["drift"] = drift
    clip.lay_grid(rng.uniform(0.05, 1.0), bars, lambda q: 1 + wander[int(q // clip.bar)])
    band = Band(clip, rng, jitter)
    _, _, _, comps, basses, instruments, bass_programs = STYLES[style]
    patterns = DRUMS[style]
    pattern, rhythm, walk = rng.choice(patterns), rng.choice(comps), rng.choice(basses)
    intro = rng.choice([0, 0, 0, 2]) if options["harmony"] and options["drums"] else 0
    phrase = rng.choice([4, 8])
    numerals = [numeral(n) for n in loop.split()]
    per = options.get("per", 1)

    def chord_at(quarter):
        return ((lambda d: ((tonic + d[0]) % 12, d[1]))(numerals[int(quarter / clip.bar / per) % len(numerals)]))

    programs = options.get("programs") or [rng.choice(instruments)]
    clip.programs = {0: programs[0], 1: rng.choice(bass_programs), 2: programs[-1], 3: options.get("lead", 73)}
    clip.controls = {0: {7: rng.randint(70, 95), 10: rng.randint(30, 64)}, 1: {7: rng.randint(85, 110), 10: 64},
                     2: {7: rng.randint(60, 85), 10: rng.randint(64, 100)}, 3: {7: rng.randint(75, 100), 10: rng.randint(50, 80)},
                     9: {7: rng.randint(85, 115)}}
    arpeggio = options.get("arpeggio", programs[0] in (PIANO, NYLON, STEEL, EPIANO, 45) and rng.random() < 0.4)
    before = None
    for bar in range(bars):
        at = bar * clip.bar
        if options["drums"] and bar >= intro:
            if phrase == 8 and bar % 8 == 4 and rng.random() < 0.5:
                pattern = rng.choice(patterns)
            sparse = style in ("ballad", "waltz", "6/8", "swing", "latin")
            fill = bar % phrase == phrase - 1 and clip.bar == 4 and not sparse and rng.random() < 0.7
            band.drums(bar, pattern, fill, crash=bar and bar % phrase == 0 and not sparse)
        if options["harmony"]:
            root, quality = chord_at(at)
            after = chord_at(at + clip.bar)[0]
            before = band.voicing(root, quality, before)
            if bar % per == 0:
                clip.chord(at, at + clip.bar * per, label(root, quality))
            band.comp(0, at, clip.bar, rhythm, before, arpeggio)
            if len(programs) > 1:
                band.comp(2, at, clip.bar, "x" + "." * (len(rhythm) - 1), [p + 12 for p in before] if options.get("high") else before, False, 66)
            if options.get("bass", True):
                band.bass(at, clip.bar, walk, root, quality, after)
    if options.get("melody"):
        band.melody(3, bars, chord_at, options["scale"], tonic)


def master(clip, rng):
    clip.soundfont = FONT
    clip.synth = ["-g", "0.5", "-R", "1", "-C", "0", "-o", f"synth.reverb.room-size={rng.uniform(0.1, 0.7):.2f}",
                  "-o", f"synth.reverb.level={rng.uniform(0.1, 0.6):.2f}"]
    clip.effects = ["bass", f"{rng.uniform(-2, 3):.1f}", "treble", f"{rng.uniform(-3, 2):.1f}"]
    if rng.random() < 0.5:
        clip.effects += ["compand", "0.005,0.12", "6:-40,-36,-24,-18,-12,-9,0,-4", "0", "-20", "0"]
    clip.level = round(rng.uniform(-9, -0.5), 1)
    return clip


def tempo_clips(seed):
    rng = random.Random(f"train tempo {seed}")
    five = ["rock", "half-time", "shuffle", "breakbeat", "four-on-the-floor"]
    others = [s for s in STYLES if s not in five and s != "half-time-slow"]
    plan = []
    for block in range(10):                                   # every style over the whole range
        styles = five + [others[(2 * block + i) % len(others)] for i in range(2)]
        rng.shuffle(styles)
        for i, style in enumerate(styles):
            plan.append(("spread", style, 60 + 2 * (7 * block + i)))
    plan.append(("spread", "rock", 200))
    for style, entry in STYLES.items():                       # every style where musicians write it
        count = 3 if style.startswith("half-time") or style in ("swing", "shuffle") else 5
        for i in range(count):
            plan.append(("idiom", style, round(entry[1] + (entry[2] - entry[1]) * (i + rng.random()) / count, 2)))
    clips = []
    bare = 0
    for number, (part, style, tempo) in enumerate(plan):
        rng = random.Random(f"train tempo {seed} {number}")
        loop, minor = rng.choice(LOOPS)
        tonic = rng.randrange(12)
        shown = style.replace("-slow", "")
        only_drums = False
        if style in five and part == "spread":
            bare += 1
            only_drums = bare % 3 == 0
        clip = Clip(f"tempo_{number:03d}_{shown.replace('/', '')}_{tempo:g}.wav".replace(" ", "_"), "tempo", shown,
                    part, tempo=float(tempo), meter=STYLES[style][0], key=None if only_drums else key_name(tonic, minor))
        options = {"drums": style != "no drums", "harmony": not only_drums, "per": 2 if tempo > 150 and rng.random() < 0.6 else 1,
                   "melody": not only_drums and rng.random() < 0.4, "scale": SCALES["harmonic" if minor and "V" in loop.split() else "minor" if minor else "major"],
                   "bass": style != "no drums" or rng.random() < 0.5, "lead": rng.choice([73, 65, 80, 56, 11]),
                   "timbre": "drums" if only_drums else "band"}
        arrange(clip, rng, style, loop, minor, tonic, options)
        clip.details["progression"] = None if only_drums else loop
        clips.append(master(clip, rng))
    return clips


FORMS = {   # (numerals, scale, lowest tempo, highest tempo, styles)
    False: {"cadence": ("I IV V I", "major", 80, 140), "pop loop": ("I V vi IV", "major", 80, 140),
            "relative": ("vi IV I V", "major", 80, 140), "ii-V-I": ("ii7 V7 Imaj7 Imaj7", "major", 90, 140),
            "vamp": ("I bVII IV I", "mixolydian", 80, 140),
            "blues": ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", "blues", 112, 140)},
    True: {"cadence": ("i iv V i", "harmonic", 80, 140), "axis": ("i bVI bIII bVII", "minor", 80, 140),
           "loop": ("i bVII bVI bVII", "minor", 80, 140), "ii-V-I": ("iih7 V7 i7 i7", "harmonic", 90, 140),
           "vamp": ("i7 IV7 i7 IV7", "dorian", 80, 140),
           "blues": ("i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 i7", "minor", 112, 140)},
}


def key_clips(seed):
    clips = []
    for minor in (False, True):
        for tonic in range(12):
            for n, (name, (loop, scale, slow, fast)) in enumerate(FORMS[minor].items()):
                number = len(clips)
                rng = random.Random(f"train key {seed} {number}")
                timbre = ["full", "pads", "guitars"][(tonic + n + (n >= 3)) % 3]
                style = {"blues": "shuffle", "ii-V-I": "swing"}.get(name) or rng.choice(["rock", "four-on-the-floor", "hip-hop", "ballad"])
                key = key_name(tonic, minor)
                clip = Clip(f"key_{number:03d}_{key}_{name.replace(' ', '')}_{timbre}.wav".replace("#", "s"), "key", timbre, name,
                            seconds=28.0, tempo=round(rng.uniform(slow, fast), 1), key=key)
                programs = {"full": [PIANO], "pads": [PAD, STRINGS], "guitars": [rng.choice([STEEL, CLEAN, NYLON]), ORGAN]}[timbre]
                options = {"drums": timbre != "pads" and (timbre == "full" or rng.random() < 0.5), "harmony": True,
                           "melody": True, "scale": SCALES[scale], "programs": programs, "timbre": timbre,
                           "high": rng.random() < 0.5, "lead": {"full": rng.choice([65, 56, 52]), "pads": rng.choice([73, 68, 40]), "guitars": rng.choice([27, 22, 53])}[timbre]}
                if rng.random() < 0.25:
                    clip.cents = 1200 * np.log2(rng.uniform(432, 446) / 440)
                arrange(clip, rng, style, loop, minor, tonic, options)
                clip.details["progression"] = loop
                clips.append(master(clip, rng))
    return clips


def none_clips(seed):
    noise = np.random.default_rng(seed)
    clips = []

    def blank(style, **more):
        clip = Clip(f"none_{len(clips):02d}_{style.replace(' ', '_')}.wav", "none", style, style, seconds=25.0, **more)
        clip.soundfont, clip.synth = FONT, ["-g", "0.5", "-R", "1", "-C", "0"]
        clips.append(clip)
        return clip, random.Random(f"train none {seed} {len(clips)}")

    n = 44100 * 25
    white = noise.normal(0, 0.1, (n, 2))
    blank("white noise")[0].samples = white
    spectrum = np.fft.rfft(white, axis=0)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 20))[:, None], axis=0, n=n)
    blank("pink noise")[0].samples = pink / np.abs(pink).max() * 0.7
    lines = ["The council met on Thursday to discuss the new bridge. Nobody expected the weather to turn, and yet by noon the "
             "whole valley was white. We drove slowly, stopping twice for sheep, and arrived an hour late.",
             "Good evening and welcome to the program. Tonight we look at the history of salt: where it was found, who sold it, "
             "and why so many towns still carry its name."]
    for i, (text, voice) in enumerate(zip(lines, ["en-us", "en-gb+f3"])):
        clip, _ = blank("speech")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(150 + 20 * i), "-w", folder + "/s.wav", text * 4], check=True)
            subprocess.run(["sox", folder + "/s.wav", "-r", "44100", "-c", "2", folder + "/t.wav", "pad", "0", "30"], check=True)
            clip.samples = soundfile.read(folder + "/t.wav")[0][:n]
    for style, tempo in (("rock", 118.0), ("breakbeat", 132.0), ("four-on-the-floor", 126.0)):
        clip, rng = blank("drums only", tempo=tempo)
        arrange(clip, rng, style, "I", False, 0, {"drums": True, "harmony": False, "timbre": "drums"})
    for root in (45, 38):
        clip, rng = blank("drone")
        clip.programs = {0: 91}
        for p in (root, root + 12, root + 7):
            for start in range(0, 26, 13):
                clip.note(0, start + rng.random(), 13, p, 70)
    for _ in range(3):
        clip, rng = blank("ambient pads")
        clip.programs = {0: rng.choice([89, 92, 95]), 1: 94}
        at = 0.0
        while at < 25:
            clip.note(rng.randrange(2), at, rng.uniform(3, 8), rng.randrange(48, 84), rng.randint(40, 80))
            at += rng.expovariate(0.7)
    clip, _ = blank("silence")
    clip.samples, clip.level = np.zeros((n, 2)), None
    blank("sine")[0].samples = np.repeat(0.3 * np.sin(2 * np.pi * 437.0 * np.arange(n) / 44100)[:, None], 2, axis=1)
    for _ in range(2):
        clip, rng = blank("irregular clicks")
        clip.samples = np.zeros((n, 2))
        at = 0.3
        while at < 24.9:
            i = int(at * 44100)
            clip.samples[i:i + 300] += 0.6 * np.exp(-np.arange(300) / 40)[:, None] * noise.normal(0, 1, (300, 1))
            at += rng.choice([rng.uniform(0.08, 0.3), rng.uniform(0.3, 1.6)])
    for tonal in (True, True, False, False):
        tonic = [3, 8, 0, 0][len(clips) % 4]
        clip, rng = blank("rubato piano" if tonal else "atonal piano", key=key_name(tonic, False) if tonal else None)
        clip.programs = {0: 0}
        at, step = 0.2, 0
        while at < 25:
            if tonal:
                root, quality = numeral(["I", "IV", "ii", "V", "I", "vi", "IV", "V"][step % 8])
                notes = [36 + (tonic + root) % 12] + [60 + (tonic + root + i) % 12 for i in SHAPES[quality]]
            else:
                notes = [rng.randrange(36, 84) for _ in range(rng.randint(2, 5))]
            for p in notes:
                clip.note(0, at, rng.uniform(0.5, 2.0), p, rng.randint(45, 90))
                at += rng.uniform(0.05, 0.55) * rng.choice([0.5, 1, 1.7])
            at += rng.uniform(0.2, 1.4)
            step += 1
    return clips
