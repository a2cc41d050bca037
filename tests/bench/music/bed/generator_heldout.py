"""The held-out half: grooves by chance, spread voicings, motifs, push and drag, TimGM6mb soundfont, sox reverb and limiter.

Clips begin in the middle of the music. Shares only clip.py and chord.py with the train half.
"""
import math
import os
import random
import subprocess
import tempfile
import numpy as np
import soundfile
from chord import SHAPES, key_name, label, numeral
from clip import METERS, Clip

FONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"
KICK, KICK2, SNARE, SIDE, CLAP, HAT, PEDAL, OPEN, RIDE, BELL, CRASH, SHAKER, TAMB, CLAVE, CABASA, MUTE, OPENC = \
    35, 36, 40, 37, 39, 42, 44, 46, 59, 53, 57, 82, 54, 75, 69, 62, 63


def every(step, first=0.0, end=4.0):
    return [first + i * step for i in range(int(math.ceil((end - first) / step - 1e-6)))]


# A groove: lines of (drum, quarters in the bar, velocity, chance of each hit).
GROOVES = {
    "rock": [
        [(KICK, [0, 2], 104, 1), (KICK, [1.5, 2.5, 3.5], 88, 0.35), (SNARE, [1, 3], 106, 1), (HAT, every(0.5), 80, 0.97)],
        [(KICK, [0, 0.5, 2.5], 100, 0.95), (SNARE, [1, 3], 108, 1), (RIDE, every(1), 84, 1), (BELL, every(1, 0.5), 60, 0.3)],
        [(KICK, [0, 1.75, 2], 100, 0.9), (SNARE, [1, 3], 104, 1), (SNARE, [1.75, 2.25], 38, 0.3), (OPEN, every(1), 76, 1)],
        [(KICK, every(2), 104, 1), (SNARE, every(2, 1), 106, 1), (TAMB, every(0.5), 66, 0.9)]],
    "four-on-the-floor": [
        [(KICK2, every(1), 112, 1), (CLAP, [1, 3], 96, 1), (OPEN, every(1, 0.5), 84, 1), (SHAKER, every(0.25), 52, 0.9)],
        [(KICK2, every(1), 112, 1), (HAT, every(0.25), 60, 0.85), (SNARE, [1, 3], 70, 0.5)],
        [(KICK2, every(1), 112, 1), (PEDAL, every(1, 0.5), 90, 1), (CLAP, [3], 90, 1), (MUTE, [0.75, 1.5, 2.75, 3.5], 66, 0.7)],
        [(KICK2, every(1), 110, 1), (RIDE, every(1, 0.5), 82, 1), (CLAP, [1, 3], 92, 1), (TAMB, every(0.25), 50, 0.7)]],
    "half-time": [
        [(KICK, [0], 110, 1), (KICK, [0.75, 1.5, 3.5], 84, 0.35), (SNARE, [2], 112, 1), (HAT, every(0.5), 72, 0.95)],
        [(KICK, [0, 1.5], 104, 0.9), (SNARE, [2], 112, 1), (RIDE, every(1), 80, 1)],
        [(KICK2, [0, 2.75], 108, 0.85), (CLAP, [2], 106, 1), (HAT, every(0.5), 76, 1), (HAT, every(0.25, 0.25), 44, 0.25)]],
    "half-time slow": [
        [(KICK2, [0, 0.75, 2.5], 106, 0.85), (CLAP, [1, 3], 104, 1), (HAT, every(0.25), 70, 0.97), (HAT, every(0.125, 3.5), 50, 0.5)]],
    "shuffle": [
        [(KICK, [0, 2], 100, 1), (KICK, [1.5, 3.5], 80, 0.4), (SNARE, [1, 3], 100, 1), (HAT, every(0.5), 78, 0.96)],
        [(KICK, every(1), 88, 1), (SNARE, [1, 3], 102, 1), (RIDE, every(0.5), 78, 0.95), (SNARE, [0.5, 2.5], 36, 0.4)]],
    "swing": [
        [(RIDE, [0, 1, 1.5, 2, 3, 3.5], 84, 0.97), (PEDAL, [1, 3], 70, 1), (KICK, [0, 1.5, 2.5, 3.5], 50, 0.3), (SNARE, [0.5, 1.5, 2.5, 3.5], 44, 0.25)]],
    "breakbeat": [
        [(KICK, [0, 0.5, 2.75], 104, 0.95), (SNARE, [1, 3], 106, 1), (SNARE, [1.75, 2.25, 3.75], 50, 0.6), (HAT, every(0.5), 74, 1)],
        [(KICK, [0, 2.5, 3.25], 104, 0.9), (SNARE, [1, 2.25, 3], 100, 0.9), (RIDE, every(0.5), 74, 1)],
        [(KICK, [0, 1.25, 2.5], 104, 0.9), (SNARE, [1, 3.5], 104, 1), (SNARE, [1.75, 2.75], 46, 0.6), (HAT, every(0.25), 64, 0.85)]],
    "drum-and-bass": [
        [(KICK, [0, 2.5], 108, 1), (SNARE, [1, 3], 110, 1), (SNARE, [1.75, 2.25, 3.75], 44, 0.35), (HAT, every(0.5), 72, 1), (SHAKER, every(0.25), 44, 0.6)],
        [(KICK, [0, 1.75, 2.5], 106, 0.85), (SNARE, [1, 3], 110, 1), (RIDE, every(0.5), 74, 0.95)]],
    "waltz": [
        [(KICK, [0], 92, 1), (SIDE, [1, 2], 66, 0.95), (RIDE, [0, 1, 2], 72, 1), (RIDE, [1.5, 2.5], 52, 0.3)],
        [(KICK, [0], 98, 1), (SNARE, [1, 2], 70, 0.9), (HAT, every(0.5, 0, 3), 62, 0.7)],
        [(KICK, [0], 90, 1), (PEDAL, [1, 2], 76, 1), (SHAKER, every(0.5, 0, 3), 50, 0.8)]],
    "6/8": [
        [(KICK, [0], 98, 1), (KICK, [1, 2.5], 70, 0.4), (SNARE, [1.5], 100, 1), (HAT, every(0.5, 0, 3), 70, 0.98)],
        [(KICK, [0], 92, 1), (SIDE, [1.5], 88, 1), (RIDE, every(0.5, 0, 3), 64, 0.9)]],
    "latin": [
        [(CLAVE, [0, 0.75, 1.5, 2.5, 3], 84, 1), (OPENC, [3, 3.5], 80, 1), (MUTE, [1, 1.5], 66, 0.9), (CABASA, every(0.5), 60, 0.95), (KICK, [1.5, 3], 80, 0.9)],
        [(SIDE, [0, 1.5, 3], 80, 1), (SIDE, [5 / 4 + 1, 2], 60, 0.3), (KICK, [0, 1.5, 2, 3.5], 82, 1), (HAT, every(0.5), 62, 0.98)],
        [(BELL, [0, 1, 1.5, 2, 3, 3.5], 76, 0.95), (OPENC, [1.5, 3.5], 76, 0.9), (KICK, [1.5, 3], 84, 1), (SHAKER, every(0.25), 44, 0.8)]],
    "hip-hop": [
        [(KICK2, [0, 1.75, 2.5], 106, 0.9), (SNARE, [1, 3], 106, 1), (HAT, every(0.5), 74, 0.97), (HAT, every(0.5, 0.25), 46, 0.3)],
        [(KICK2, [0, 0.75, 2.25], 106, 0.9), (CLAP, [1, 3], 102, 1), (HAT, every(0.25), 62, 0.9), (OPEN, [3.5], 64, 0.4)]],
    "funk": [
        [(KICK, [0, 0.75, 2.5], 104, 0.9), (SNARE, [1, 3], 106, 1), (SNARE, [1.75, 2.25, 2.75, 3.75], 40, 0.5), (HAT, every(0.25), 66, 0.97)],
        [(KICK, [0, 1.5, 2.25, 3.5], 102, 0.85), (SNARE, [1, 3], 106, 1), (HAT, every(0.5), 74, 1), (OPEN, [1.5, 3.5], 70, 0.4)]],
    "ballad": [
        [(KICK, [0], 84, 1), (SIDE, [2], 72, 1), (SHAKER, every(1), 40, 0.7)],
        [(KICK, [0, 2.5], 88, 0.9), (SNARE, [1, 3], 80, 0.95), (RIDE, every(1), 58, 0.9)]],
    "no drums": [[]],
}
# style: meter, tempi it is written in, ways of comping, ways of the bass, instruments of the harmony, of the bass, kits
PLANS = {
    "rock": ("4/4", 84, 184, ["strum", "chug", "long"], ["pump", "roots"], [28, 30, 1, 18], [34, 35], [0, 16]),
    "four-on-the-floor": ("4/4", 114, 134, ["stabs", "off", "long"], ["octaves", "off", "roots"], [5, 51, 63, 88], [39, 87, 37], [24, 25]),
    "half-time": ("4/4", 122, 160, ["long", "halves"], ["long", "roots"], [52, 88, 28, 1], [39, 35], [0, 16, 24]),
    "half-time slow": ("4/4", 60, 88, ["long", "halves"], ["long", "roots"], [52, 88, 5], [39], [25]),
    "shuffle": ("4/4", 80, 152, ["chug", "off", "strum"], ["walk", "boogie"], [1, 26, 18], [32, 35], [0, 8]),
    "swing": ("4/4", 124, 196, ["charleston", "off"], ["walk"], [1, 26, 11], [32], [32, 40]),
    "breakbeat": ("4/4", 98, 152, ["stabs", "long", "off"], ["riff", "roots"], [5, 17, 51, 7], [37, 39, 34], [0, 24]),
    "drum-and-bass": ("4/4", 160, 180, ["long", "halves"], ["riff", "long"], [88, 51, 5], [39, 87], [24, 0]),
    "waltz": ("3/4", 84, 196, ["oompah", "long", "arpeggio"], ["roots", "walk"], [1, 23, 46, 49], [32, 43], [0, 40]),
    "6/8": ("6/8", 69, 132, ["arpeggio", "long"], ["roots"], [2, 26, 18, 46], [35, 32], [0, 8]),
    "latin": ("4/4", 96, 200, ["montuno", "charleston"], ["tumbao"], [1, 26, 5], [32, 35], [0]),
    "hip-hop": ("4/4", 72, 104, ["long", "stabs", "off"], ["riff", "long"], [5, 46, 49, 7], [39, 37], [25, 24]),
    "funk": ("4/4", 88, 124, ["stabs", "off"], ["riff", "octaves"], [28, 7, 17], [36, 37], [0, 8]),
    "ballad": ("4/4", 60, 92, ["arpeggio", "halves", "long"], ["long", "roots"], [2, 5, 46], [35, 32], [0, 40]),
    "no drums": ("4/4", 62, 176, ["arpeggio", "strum", "halves", "quarters"], ["long", "roots", "walk"], [2, 26, 46, 49, 6], [43, 32], [0]),
}
LOOPS = [("I ii IV V", 0), ("I V ii IV", 0), ("I iii vi IV", 0), ("I bVII IV I", 0), ("Imaj7 IVmaj7", 0), ("Imaj7*2 ii7 V7", 0),
         ("I*2 IV V", 0), ("I vi IV V", 0), ("i bVI bVII i", 1), ("i bIII bVII iv", 1), ("i iv i V7", 1), ("i7*2 bVImaj7 V7", 1),
         ("i bVII iv bVI", 1), ("i i iv V", 1)]


class Player:
    """Plays with a steady push or drag for each instrument and slow wander of its own timing."""

    def __init__(self, clip, rng, sd, swing, level):
        self.clip, self.rng, self.sd, self.swing, self.level = clip, rng, sd, swing, level
        self.lag, self.wander = {}, {}

    def swung(self, quarter):
        if self.level == 0:
            return quarter
        unit = self.level                    # 1: eighths swing, 0.5: sixteenths swing
        whole, part = divmod(quarter / unit, 1.0)
        s = self.swing
        return (whole + (part * 2 * s if part < 0.5 else s + (part - 0.5) * 2 * (1 - s))) * unit

    def hit(self, part, channel, quarter, length, pitch, velocity):
        lag = self.lag.setdefault(part, self.rng.gauss(0, self.sd / 3))
        w = 0.7 * self.wander.get(part, 0.0) + self.rng.gauss(0, self.sd * 0.7)
        self.wander[part] = w
        start = self.clip.time(self.swung(quarter))
        stop = self.clip.time(self.swung(quarter + length))
        self.clip.note(channel, start + lag + w, stop - start, pitch, velocity * self.rng.uniform(0.9, 1.08))


def spread_voicing(root, quality, rng, kind):
    shape = list(SHAPES[quality])
    if kind == "power":
        base = 40 + (root - 40) % 12
        return [base, base + 7, base + 12] + ([base + 12 + shape[1]] if quality not in ("maj", "min") or rng.random() < 0.8 else [])
    if kind == "open":
        base = 43 + (root - 43) % 12
        return [base, base + shape[2], base + 12 + shape[1]] + ([base + shape[3]] if len(shape) > 3 else [])
    if kind == "shell":
        base = 48 + (root - 48) % 12
        top = shape[3] if len(shape) > 3 else 12
        return [base + shape[1], base + top, base + 12 + shape[2]] + ([base] if top != 12 else [])
    base = 52 + (root - 52) % 12             # root position, fifth doubled below
    return [base - 12 + shape[2] - (12 if shape[2] > 8 else 0)] + [base + s for s in shape]


def comp_hits(way, bar, beat):
    """(start, length, which notes: None for all) in one bar."""
    if way == "long":
        return [(0, bar, None)]
    if way == "halves":
        return [(0, bar / 2, None), (bar / 2, bar / 2, None)]
    if way == "quarters":
        return [(q, 0.9, None) for q in every(1.0, 0, bar)]
    if way == "strum":
        return [(q, 0.45, None) for q in ([0, 1, 1.5, 2.5, 3, 3.5] if bar == 4 else [0, 1, 1.5, 2, 2.5])]
    if way == "chug":
        return [(q, 0.4, None) for q in every(0.5, 0, bar)]
    if way == "off":
        return [(q, 0.3, None) for q in every(1.0, 0.5, bar)]
    if way == "stabs":
        return [(q, 0.25, None) for q in (0, 0.75, 1.5, 2.75)]
    if way == "charleston":
        return [(0, 0.8, None), (1.5, 0.5, None), (3.5, 0.4, None)]
    if way == "oompah":
        return [(1, 0.6, None), (2, 0.6, None)]
    if way == "montuno":
        return [(q, 0.4, n) for n, q in enumerate((0, 0.5, 1.5, 2, 2.5, 3.5))]
    step = 0.5
    return [(q, step * 1.6, n) for n, q in enumerate(every(step, 0, bar))]       # arpeggio


def bass_hits(way, bar, root, shape, after, rng):
    """(start, length, pitch) in one bar."""
    low = 31 + (root - 31) % 12
    fifth = low + shape[2] - (12 if rng.random() < 0.5 and low > 36 else 0)
    target = low + ((after - low + 6) % 12 - 6)
    if way == "long":
        return [(0, bar, low)]
    if way == "roots":
        return [(0, bar / 2, low), (bar / 2, bar / 2, fifth)] if bar == 4 else [(0, bar * 0.6, low), (bar - 1, 0.9, fifth)]
    if way == "pump":
        return [(q, 0.45, low) for q in every(0.5, 0, bar)]
    if way == "octaves":
        return [(q, 0.4, low + (12 if q % 1 else 0)) for q in every(0.5, 0, bar)]
    if way == "off":
        return [(q, 0.4, low) for q in every(1.0, 0.5, bar)]
    if way == "walk":
        steps = [low, low + shape[1], low + shape[2], target + rng.choice([-1, 1])]
        return [(q, 0.9, p) for q, p in zip(every(1.0, 0, bar), steps if bar == 4 else [steps[0], steps[2], steps[3]])]
    if way == "boogie":
        return [(q, 0.45, low + n) for q, n in zip(every(0.5, 0, bar), (0, 0, 7, 7, 9, 9, 7, 7))]
    if way == "tumbao":
        return [(0, 1.4, low), (1.5, 1.4, fifth), (3, 1.0, target if rng.random() < 0.5 else low)]
    return [(0, 0.7, low), (0.75, 0.6, low), (2.5, 0.4, low + 12 if rng.random() < 0.4 else fifth), (3.5, 0.4, target)]   # riff


def motif_melody(player, clip, rng, bars, chord_at, tonic, minor, flavor, low=65, high=88):
    """A motif of two bars that returns, moved to the chord of the moment; mostly five-note scales."""
    scale = (0, 3, 5, 7, 10) if minor else (0, 2, 4, 7, 9)
    if flavor == "full":
        scale = (0, 2, 3, 5, 7, 8, 10) if minor else (0, 2, 4, 5, 7, 9, 11)
    if flavor == "bluesy":
        scale = (0, 3, 5, 6, 7, 10) if minor else (0, 2, 3, 4, 7, 9)
    ladder = [p for p in range(low, high) if (p - tonic) % 12 in scale]

    def motif():
        spots = sorted(rng.sample(every(0.5, 0, 2 * clip.bar), int(clip.bar * rng.choice([1.25, 1.5, 2]))))
        walk, here = [], 0
        for _ in spots:
            walk.append(here)
            here += rng.choice([-2, -1, -1, 1, 1, 2, 3, -3])
        return spots, walk
    first, second = motif(), motif()
    for pair in range(bars // 2):
        spots, walk = [first, first, second, first][pair % 4]
        if rng.random() < 0.1:
            continue
        for n, (spot, move) in enumerate(zip(spots, walk)):
            at = pair * 2 * clip.bar + spot
            root, quality = chord_at(at)
            tones = {(root + s) % 12 for s in SHAPES[quality]}
            i = min(max(len(ladder) // 2 + move, 0), len(ladder) - 1)
            pitch = ladder[i]
            if spot % clip.beat == 0:
                pitch = min((p for p in range(low - 2, high + 2) if p % 12 in tones), key=lambda p: abs(p - pitch))
            gap = (spots[n + 1] if n + 1 < len(spots) else 2 * clip.bar) - spot
            player.hit("lead", 4, at, min(gap, 2) * rng.choice([0.6, 0.95]), pitch, 92)


def perform(clip, rng, style, loop, minor, tonic, drums=True, harmony=True, melody=None, programs=None, bass=True, lead=None, stretch=1.0):
    meter, _, _, comps, basses, instruments, bass_programs, kits = PLANS[style]
    bar, beat = METERS[meter]
    sd = rng.uniform(0.003, 0.010)
    sway = rng.choice([0, 0, 0, rng.uniform(0.004, 0.012)])
    turn = rng.uniform(0, 6.28)
    level, ratio = 0, 0.5
    if style in ("shuffle", "swing"):
        level, ratio = 1, rng.uniform(0.62, 0.69)
    elif style in ("hip-hop", "funk") and rng.random() < 0.5:
        level, ratio = 0.5, rng.uniform(0.53, 0.60)
    lead_in = rng.uniform(0.05, 0.3)
    clip.cut = round(lead_in + rng.uniform(0.5, 2.2) * bar * 60 / clip.tempo, 4)
    bars = int(clip.tempo / 60 * (clip.seconds + clip.cut + 2) / bar) + 2
    clip.lay_grid(lead_in, bars, lambda q: 1 + sway * math.sin(turn + q * 0.21))
    clip.details.update(jitter_ms=round(sd * 1000, 1), drift=bool(sway), swing=round(ratio, 3))
    player = Player(clip, rng, sd, ratio, level)
    plan = []
    for word in loop.split():
        name, _, count = word.partition("*")
        plan += [numeral(name)] * int(count or 1)

    def chord_at(quarter):
        offset, quality = plan[int(quarter / bar / stretch + 1e-9) % len(plan)]
        return (tonic + offset) % 12, quality

    comp, walk, groove = rng.choice(comps), rng.choice(basses), rng.choice(GROOVES[style])
    programs = programs or [rng.choice(instruments)]
    kind = "power" if programs[0] in (30, 28) and rng.random() < 0.6 else rng.choice(["open", "shell", "low"])
    if programs[0] in (49, 51, 52, 88, 90, 95) and comp in ("strum", "chug", "arpeggio"):
        comp = "long"
    clip.programs = {0: programs[0], 1: programs[-1], 2: rng.choice(bass_programs), 4: lead or rng.choice([66, 71, 22, 81, 40]), 9: rng.choice(kits)}
    clip.controls = {0: {7: rng.randint(60, 100), 10: rng.randint(20, 60)}, 1: {7: rng.randint(50, 85), 10: rng.randint(70, 108)},
                     2: {7: rng.randint(80, 115)}, 4: {7: rng.randint(65, 100), 10: rng.randint(40, 90)}, 9: {7: rng.randint(70, 118)}}
    length = rng.choice([4, 8])
    for n in range(bars):
        at = n * bar
        last = n % length == length - 1
        rest = last and rng.random() < 0.15
        if drums:
            fill = last and not rest and bar == 4 and style not in ("ballad", "latin", "swing") and rng.random() < 0.65
            for drum, spots, loud, chance in groove:
                for q in spots:
                    if rng.random() < chance and not (rest and q >= bar / 2) and not (fill and q >= bar - beat and drum not in (KICK, KICK2)):
                        accent = 1.0 if drum in (KICK, KICK2, SNARE, CLAP) else (1.1 if q % 1 == 0 else 0.86)
                        player.hit(f"drum {drum}", 9, at + q, 0.1, drum, loud * accent)
            if fill:
                for q in every(rng.choice([0.25, 0.5, 1 / 3]) if not level else 0.5, bar - beat, bar):
                    player.hit("fill", 9, at + q, 0.1, rng.choice([SNARE, 48, 45, 41]), rng.uniform(76, 110))
            if n and n % length == 0 and rng.random() < 0.6 and style not in ("ballad", "latin", "waltz", "6/8"):
                player.hit("crash", 9, at, 0.3, CRASH, 98)
        if not harmony:
            continue
        pieces = max(1, int(round(1 / stretch)))          # chords in one bar
        for piece in range(pieces):
            begin = at + piece * bar / pieces
            span = bar / pieces
            root, quality = chord_at(begin)
            notes = spread_voicing(root, quality, rng, kind)
            clip.chord(begin, begin + span, label(root, quality))
            if not (rest and comp in ("stabs", "chug")):
                for start, size, which in comp_hits(comp, bar, beat):
                    if not piece * span <= start < (piece + 1) * span:
                        continue
                    size = min(size, (piece + 1) * span - start)
                    some = notes if which is None else [sorted(notes)[which % len(notes)]] + ([sorted(notes)[0]] if which == 0 else [])
                    roll = rng.uniform(0, 0.02) if comp == "strum" else 0
                    for i, p in enumerate(some):
                        player.hit("comp", 0, at + start + i * roll, size, p, 78 if start % beat else 86)
            if len(programs) > 1:
                for p in notes[-3:]:
                    player.hit("second", 1, begin, span * 0.98, p + 12 if p < 60 else p, 64)
            if bass:
                after = chord_at(begin + span)[0]
                for start, size, p in bass_hits(walk, bar, root, SHAPES[quality], after, rng):
                    if piece * span <= start < (piece + 1) * span:
                        player.hit("bass", 2, at + start, min(size, (piece + 1) * span - start), p, 94)
    if melody:
        motif_melody(player, clip, rng, bars, chord_at, tonic, minor, melody)


def finish(clip, rng):
    clip.soundfont = FONT
    clip.synth = ["-g", "0.6", "-R", "0", "-C", rng.choice(["0", "0", "1"])]
    clip.effects = ["highpass", str(rng.choice([20, 35, 60])), "equalizer", str(rng.choice([90, 250, 400])), "0.8q", f"{rng.uniform(-4, 4):.1f}",
                    "equalizer", str(rng.choice([2500, 5000, 9000])), "0.7q", f"{rng.uniform(-4, 4):.1f}"]
    if rng.random() < 0.8:
        clip.effects += ["reverb", str(rng.randint(8, 50)), "50", str(rng.randint(20, 100))]
    if rng.random() < 0.2:
        clip.effects += ["lowpass", str(rng.choice([7000, 10000, 14000]))]
    if rng.random() < 0.4:
        clip.effects += ["compand", "0.01,0.2", "6:-50,-44,-30,-20,-15,-9,0,-5", "0", "-20", "0"]
    clip.effects += ["gain", "-l", f"{rng.choice([0, 2, 5, 8])}"]
    clip.level = round(rng.uniform(-14, -0.3), 1)
    return clip


def tempo_clips(seed):
    rng = random.Random(f"held tempo {seed}")
    five = ["breakbeat", "four-on-the-floor", "half-time", "rock", "shuffle"]
    others = [s for s in PLANS if s not in five and s != "half-time slow"]
    plan = []
    tempi = [61 + 2 * i for i in range(70)]
    for i in range(10):
        slots = tempi[7 * i:7 * i + 7]
        rng.shuffle(slots)
        plan += [("spread", s, t) for s, t in zip(five + [others[(2 * i + 1) % len(others)], others[(2 * i + 4) % len(others)]], slots)]
    for style, entry in PLANS.items():
        count = {"half-time": 3, "half-time slow": 2, "swing": 3, "shuffle": 3}.get(style, 5)
        for i in range(count):
            low = entry[1] + (entry[2] - entry[1]) * i / count
            plan.append(("idiom", style, round(low + rng.random() * (entry[2] - entry[1]) / count, 1)))
    clips = []
    for number, (part, style, tempo) in enumerate(plan):
        rng = random.Random(f"held tempo {seed} {number}")
        loop, minor = rng.choice(LOOPS)
        tonic = rng.randrange(12)
        alone = part == "spread" and style in five and number % 3 == 1
        shown = style.replace(" slow", "")
        clip = Clip(f"t{number:03d}-{shown.replace('/', '').replace(' ', '-')}-{tempo:g}.wav", "tempo", shown, part, tempo=float(tempo),
                    meter=PLANS[style][0], key=None if alone else key_name(tonic, minor))
        clip.details.update(timbre="drums" if alone else "band", progression=None if alone else loop)
        perform(clip, rng, style, loop, minor, tonic, drums=style != "no drums", harmony=not alone, bass=style != "no drums" or rng.random() < 0.6,
                melody=None if alone or rng.random() < 0.5 else rng.choice(["five", "full"]),
                stretch=2.0 if tempo > 140 and rng.random() < 0.5 else 0.5 if tempo < 80 and rng.random() < 0.3 else 1.0)
        clips.append(finish(clip, rng))
    return clips


FORMS = {
    False: {"cadence": (["I IV I V7 I*2", "I ii V7 I", "I IV V7 I"], "full"), "pop loop": (["I V vi IV"], "five"), "relative": (["vi IV I V"], "five"),
            "ii-V-I": (["ii7 V7 Imaj7 vi7", "ii7 V7 Imaj7*2"], "full"), "vamp": (["I7*2 bVII*2", "I bVII I bVII"], "five"),
            "blues": (["I7 IV7 I7*2 IV7*2 I7*2 ii7 V7 I7 V7"], "bluesy")},
    True: {"cadence": (["i iv V7 i", "i bVI iv V7"], "full"), "axis": (["i bVI bIII bVII"], "five"), "loop": (["i bVII bVI V7"], "five"),
           "ii-V-I": (["iih7 V7 i i", "iih7 V7 i7*2"], "full"), "vamp": (["i7*2 IV7*2", "i IV i IV"], "five"),
           "blues": (["i7*4 iv7*2 i7*2 iih7 V7 i7*2"], "bluesy")},
}


def key_clips(seed):
    clips = []
    for tonic in range(12):
        for minor in (True, False):
            for n, (name, (loops, flavor)) in enumerate(FORMS[minor].items()):
                number = len(clips)
                rng = random.Random(f"held key {seed} {number}")
                timbre = ["pads", "guitars", "full"][(2 * tonic + n + (n > 2) + minor) % 3]
                loop = rng.choice(loops)
                style = {"blues": "shuffle"}.get(name) or rng.choice(["rock", "hip-hop", "funk", "half-time", "ballad", "latin"] if timbre != "pads" else ["no drums"])
                key = key_name(tonic, minor)
                tempo = rng.uniform(110, 140) if name == "blues" else rng.uniform(80, 140)
                clip = Clip(f"k{number:03d}-{key}-{name.replace(' ', '')}-{timbre}.wav".replace("#", "s"), "key", timbre, name,
                            seconds=27.0, tempo=round(tempo, 1), key=key)
                programs = {"full": [rng.choice([1, 2])], "pads": [rng.choice([88, 90, 95, 52]), 49], "guitars": [rng.choice([26, 28, 30, 25]), rng.choice([18, 19])]}[timbre]
                if rng.random() < 0.25:
                    clip.cents = 1200 * math.log2(rng.choice([rng.uniform(432, 437), rng.uniform(442, 446)]) / 440)
                clip.details.update(timbre=timbre, progression=loop)
                perform(clip, rng, style, loop, minor, tonic, drums=timbre == "full" or (timbre == "guitars" and rng.random() < 0.5), melody=flavor,
                        programs=programs, lead={"full": rng.choice([66, 59, 85]), "pads": rng.choice([71, 74, 79]), "guitars": rng.choice([26, 21, 54])}[timbre],
                        stretch=0.5 if name in ("cadence", "pop loop") and tempo < 100 and rng.random() < 0.4 else 1.0)
                clips.append(finish(clip, rng))
    return clips


def none_clips(seed):
    noise = np.random.default_rng(seed + 77)
    clips, n = [], 44100 * 28

    def new(style, samples=None, **more):
        clip = Clip(f"n{len(clips):02d}-{style.replace(' ', '-')}.wav", "none", style, style, seconds=28.0, **more)
        clip.soundfont, clip.samples, clip.level = FONT, samples, -3.0
        clip.synth = ["-g", "0.6", "-R", "1", "-C", "0"]
        clips.append(clip)
        return clip, random.Random(f"held none {seed} {len(clips)}")

    new("white noise", noise.uniform(-0.3, 0.3, (n, 2)))
    rows = np.repeat(noise.normal(0, 0.1, (n // 64 + 1, 2)), 64, axis=0)[:n]
    brown = sum(np.repeat(noise.normal(0, 0.05, (n // 2 ** k + 1, 2)), 2 ** k, axis=0)[:n] for k in range(9)) + 0 * rows
    new("pink noise", brown)
    wind = noise.normal(0, 0.1, n) * (0.2 + np.abs(np.interp(np.arange(n), np.sort(noise.uniform(0, n, 20)), noise.uniform(0, 1, 20))))
    new("wind", np.stack([wind, np.roll(wind, 300)], axis=1))
    texts = ["First take the eggs out of the cold. While they warm, butter the tin and set the oven. Sift the flour twice. Do not hurry the sugar.",
             "Case number forty one was adjourned. The witness could not say which of the two doors had been open, nor whether the lamp was lit."]
    for text, voice, speed in zip(texts * 2, ["en-us+f2", "en-gb", "en-us+m5"], [135, 165, 190]):
        clip, _ = new("speech")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", folder + "/s.wav", text * 6], check=True)
            subprocess.run(["sox", folder + "/s.wav", "-r", "44100", "-c", "2", folder + "/t.wav", "pad", "0", "30"], check=True)
            clip.samples = soundfile.read(folder + "/t.wav")[0][:n]
    for style, tempo in (("funk", 104.0), ("four-on-the-floor", 122.0)):
        clip, rng = new("drums only", tempo=tempo)
        perform(clip, rng, style, "I", False, 0, harmony=False)
    t = np.arange(n) / 44100
    new("drone", np.repeat(sum(0.1 / k * np.sin(2 * np.pi * 98.3 * k * t + k) for k in range(1, 8))[:, None], 2, axis=1))
    for _ in range(3):
        clip, rng = new("ambient pads")
        clip.programs = {0: rng.choice([52, 88, 93]), 1: 97}
        at = 0.0
        while at < 28:
            clip.note(rng.randrange(2), at, rng.uniform(4, 9), rng.randrange(45, 80), rng.randint(35, 75))
            at += rng.uniform(0.3, 3.1)
    clip, _ = new("silence", np.zeros((n, 2)))
    clip.level = None
    new("sine", np.repeat(0.2 * np.sin(2 * np.pi * 1000.0 * t)[:, None], 2, axis=1))
    for _ in range(2):
        clip, rng = new("irregular clicks")
        at = 0.2
        while at < 28:
            clip.note(9, at, 0.1, rng.choice([37, 42, 75, 76]), rng.randint(50, 120))
            at += rng.uniform(0.09, 0.2) if rng.random() < 0.3 else rng.lognormvariate(-0.6, 0.7)
    for tonal in (True, True, False, False):
        tonic = rng.randrange(12)
        clip, rng = new("rubato piano" if tonal else "atonal piano", key=key_name(tonic, True) if tonal else None)
        clip.programs = {0: 1}
        at, step = 0.3, 0
        while at < 28:
            if tonal:
                root, quality = numeral(["i", "iv", "V7", "i", "bVI", "iv", "V7", "i"][step % 8])
                notes = spread_voicing((tonic + root) % 12, quality, rng, "open")
                notes += [min(n for n in range(70, 94) if (n - tonic - root) % 12 == s) for s in SHAPES[quality][:rng.randint(0, 3)]]
            else:
                notes = [rng.randrange(33, 90) for _ in range(rng.randint(1, 6))]
            for p in notes:
                clip.note(0, at, rng.uniform(0.6, 2.5), p, rng.randint(40, 95))
                at += rng.choice([rng.uniform(0.03, 0.1), rng.uniform(0.2, 0.9)])
            at += rng.lognormvariate(-0.7, 0.7)
            step += 1
    return clips
