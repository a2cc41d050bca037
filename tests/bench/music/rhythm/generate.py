"""Renders short pieces of many styles with known tempo, beats and downbeats, to train on.

usage: generate.py OUT COUNT SEED
Needs fluidsynth and General MIDI sound fonts. Everything follows from the seed.
"""
import json, os, random, struct, subprocess, sys
import numpy as np

FONTS = ["/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2"]
TPQ = 480
K, R, S, CL, HC, HP, HO, CR, RD, RB, T1, T2, T3, CP, TB, CB = 36, 37, 38, 39, 42, 44, 46, 49, 51, 53, 50, 47, 43, 39, 54, 56
CG_H, CG_L, CG_M, CLV, MAR, TIM, AGO, SHK, WBL, BON = 63, 64, 62, 75, 70, 65, 67, 70, 76, 60

def vlq(n):
    out = [n & 127]
    n >>= 7
    while n:
        out.append((n & 127) | 128); n >>= 7
    return bytes(reversed(out))

def write_midi(path, events):
    """events: (tick, bytes)"""
    events = sorted(events, key=lambda e: (e[0], e[1][0] & 0xF0 != 0x80))
    data = b""; last = 0
    for tick, message in events:
        data += vlq(max(0, tick - last)) + message; last = max(last, tick)
    data += b"\x00\xff\x2f\x00"
    with open(path, "wb") as f:
        f.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, TPQ) + b"MTrk" + struct.pack(">I", len(data)) + data)

def pat(text):
    return text.replace(" ", "").replace("|", "")

# name: (bpm range, beats per bar, steps per beat, [drum kits], {pattern per instrument}, basses, comps, chord beats)
A = "alternatives"
def st(bpm, drums, bass, comp, harm, meter=4, grid=4, kits=(0,), mel=0.4, nodrum=0.05, swing=0.0):
    return dict(bpm=bpm, drums=drums, bass=bass, comp=comp, harm=harm, meter=meter, grid=grid, kits=kits, mel=mel, nodrum=nodrum, swing=swing)

HAT8 = "x.x.x.x.x.x.x.x."; HAT16 = "xxxxxxxxxxxxxxxx"; HAT4 = "x...x...x...x..."; OFF8 = "..x...x...x...x."
BACK = "....x.......x..."; FOUR = "x...x...x...x..."
STYLES = {
 "rock8": st((92,170), [{K:"x.......x.x.....",S:BACK,HC:HAT8},{K:"x.....x.x.......",S:BACK,RD:HAT8},{K:"x.x...x.x.x...x.",S:BACK,HC:HAT8},{K:"x.......x.......",S:BACK,HO:HAT4},{K:"x..x..x.x....x..",S:BACK,HC:HAT8}], ["root8","kick","root4"], ["power8","pad","strum","quarter"], (4,8,2), kits=(0,8,16)),
 "rockhalf": st((125,185), [{K:"x.....x.........",S:"........x.......",HC:HAT8},{K:"x...............|",S:"........x.......",RD:HAT4},{K:"x..x......x...x.",S:"........x.......",HO:HAT4}], ["root8","kick"], ["power8","pad","quarter"], (4,8), kits=(0,16)),
 "ballad": st((60,88), [{K:"x.......x.......",S:BACK,HC:HAT8},{K:"x.......x.x.....",S:BACK,HC:HAT16},{K:"x......xx.......",R:BACK,HC:HAT8},{K:"x.........x.....",S:BACK,RD:HAT8}], ["half","kick","root4","whole"], ["pad","arp8","arp16","quarter"], (4,2), kits=(0,8,16)),
 "ballad128": st((52,78), [{K:"x.....x.....",S:"...x.....x..",HC:"xxxxxxxxxxxx"},{K:"x....xx.....",S:"...x.....x..",RD:"xxxxxxxxxxxx"}], ["half","root4"], ["arp","pad","triplet"], (4,2), grid=3),
 "pop16": st((84,126), [{K:"x.....x...x.....",S:BACK,HC:HAT16},{K:"x..x..x.x.......",S:BACK,HC:HAT16},{K:"x.....x.x.....x.",S:BACK,HC:HAT8,TB:HAT16}], ["kick","sync","root8"], ["pad","arp16","strum","eighth"], (4,2), kits=(0,8,24)),
 "disco": st((108,130), [{K:FOUR,S:BACK,HC:HAT16,HO:OFF8},{K:FOUR,S:BACK,HO:OFF8},{K:FOUR,CP:BACK,HC:HAT8,HO:OFF8}], ["octave8","sync"], ["strum16","pad","stab"], (4,2,8), kits=(0,8)),
 "house": st((116,132), [{K:FOUR,CP:BACK,HO:OFF8},{K:FOUR,CP:BACK,HO:OFF8,HC:HAT16},{K:FOUR,HO:OFF8},{K:FOUR,CP:BACK,HC:HAT8,MAR:HAT16}], ["off8","sync","kick"], ["stab","pad","arp16","offchord"], (4,8,16), kits=(24,25)),
 "techno": st((124,150), [{K:FOUR,HC:OFF8},{K:FOUR,HO:OFF8,CP:BACK,RD:HAT16},{K:FOUR,HC:HAT16},{K:FOUR}], ["off8","root16","roll16"], ["stab","arp16","pad"], (8,16,4), kits=(24,25), mel=0.1),
 "trance": st((128,145), [{K:FOUR,HO:OFF8,CP:BACK},{K:FOUR,HO:OFF8,HC:HAT16}], ["off8","roll16"], ["arp16","pad","arp8"], (4,8), kits=(24,25)),
 "boombap": st((78,102), [{K:"x......x..x.....",S:BACK,HC:HAT8},{K:"x.x.......x..x..",S:BACK,HC:HAT8},{K:"x.....xx..x.....",S:BACK,HC:HAT16}], ["kick","sync"], ["pad","quarter","stab"], (4,8), kits=(0,25,24), swing=0.3),
 "trap": st((126,164), [{K:"x.....x.......x.",CP:"........x.......",HC:HAT8},{K:"x.........x..x..",S:"........x.......",HC:HAT16},{K:"x..x..x.....x...",S:"........x.......",HC:"x.x.x.xxx.x.xxx."}], ["kick","whole"], ["pad","arp8","quarter"], (8,4,16), kits=(25,24)),
 "dubstep": st((136,144), [{K:"x.........x.....",S:"........x.......",HC:HAT8},{K:"x.....x.........",S:"........x.......",HC:"x..x..x.x..x..x."}], ["kick","root8","sync"], ["pad","arp8"], (8,4), kits=(24,25)),
 "dnb": st((160,182), [{K:"x.........x.....",S:BACK,HC:HAT8},{K:"x.........x.....",S:BACK,HC:HAT16},{K:"x.x.......xx....",S:"....x..x.x..x..x",RD:HAT8}], ["whole","sync","kick"], ["pad","arp8"], (8,16,4), kits=(24,0,16)),
 "breakbeat": st((110,142), [{K:"x.x.......xx....",S:"....x..x.x..x...",HC:HAT8},{K:"x..x......x.....",S:"....x.......x..x",HC:HAT8}], ["kick","sync","root8"], ["pad","stab"], (4,8), kits=(0,24)),
 "funk": st((88,122), [{K:"x.x.......x..x..",S:"....x..x.x..x..x",HC:HAT16},{K:"x..x..x...x..x..",S:"....x..o....x...",HC:HAT16},{K:"x.....x.x.......",S:BACK,HC:HAT8}], ["sync","kick"], ["strum16","stab","offchord"], (8,4,16), kits=(0,8)),
 "reggae": st((62,92), [{K:"....x.......x...",R:"....x.......x...",HC:HAT8},{K:FOUR,R:"....x.......x...",HC:HAT8},{K:"x...x...x...x...",S:BACK,HC:HAT16}], ["sync","half","root8"], ["offchord","skank"], (4,8,2), kits=(0,8), swing=0.2),
 "dancehall": st((88,108), [{K:"x.....x.....x...",S:"...x..x....x..x.",HC:HAT8},{K:FOUR,S:"...x..x....x..x."}], ["sync","kick"], ["offchord","stab","pad"], (4,8), kits=(24,25,0)),
 "reggaeton": st((84,104), [{K:FOUR,S:"...x..x....x..x.",HC:HAT8},{K:FOUR,R:"...x..x....x..x.",HC:HAT16}], ["kick","sync"], ["pad","arp8","stab"], (4,8), kits=(24,25)),
 "ska": st((118,176), [{K:"x.......x.......",S:BACK,HC:OFF8},{K:FOUR,S:BACK,HC:HAT8}], ["walk","root8"], ["offchord","skank"], (4,8)),
 "punk": st((152,200), [{K:"x.x...x.x.x...x.",S:BACK,HC:HAT8},{K:"x..x..x.x..x..x.",S:"....x.......x...",CR:HAT4},{K:"x...x...x...x...",S:"..x...x...x...x.",HC:HAT8}], ["root8"], ["power8"], (4,8,2), kits=(0,16)),
 "metal": st((96,190), [{K:HAT16,S:BACK,RD:HAT4},{K:HAT8,S:BACK,HO:HAT4},{K:"x.xxx.xxx.xxx.xx",S:BACK,CR:HAT4},{K:HAT8,S:"..x...x...x...x.",RD:HAT8}], ["root8","root16","kick"], ["power8","power16","gallop"], (4,8), kits=(16,0), mel=0.2),
 "swing": st((110,200), [{RD:"x..x.xx..x.x",HP:"...x.....x.."},{RD:"x..x.xx..x.x",HP:"...x.....x..",K:"x..x..x..x.."},{RD:"x..x.xx..x.x",HP:"...x.....x..",R:".........x.."},{HC:"x..x.xx..x.x",K:"x.....x.....",S:"...x.....x.."}], ["walk","walk","half"], ["charleston","pad","stabs"], (4,2), grid=3, kits=(32,40), mel=0.6),
 "jazzballad": st((58,84), [{RD:"x..x.xx..x.x",HP:"...x.....x.."},{S:"x..x..x..x..",HP:"...x.....x.."}], ["half","walk"], ["pad","charleston"], (4,2), grid=3, kits=(40,32), mel=0.6),
 "shuffle": st((84,146), [{K:"x.....x.....",S:"...x.....x..",HC:"x.xx.xx.xx.x"},{K:"x....xx.....",S:"...x.....x..",RD:"x.xx.xx.xx.x"},{K:"x..x..x..x..",S:"...x.....x..",HC:"x.xx.xx.xx.x"}], ["walk","shuf","root4"], ["charleston","shuf","offsh"], (4,8,16), grid=3, kits=(0,8)),
 "bossa": st((112,156), [{K:"x..xx..xx..xx..x"[0:16],R:"x..x..x...x..x..",HC:HAT8},{K:"x.....x.x.....x.",R:"x..x..x...x..x..",HC:HAT8}], ["bossa"], ["bossachord","pad"], (4,8), kits=(0,40), mel=0.6),
 "samba": st((90,124), [{K:"x..xx..xx..xx..x",S:"x.xx.x.xx.xx.x.x",SHK:HAT16},{T3:"....x.......x...",K:"x..xx..xx..xx..x",AGO:"x.x..x.x.xx.x.x.",SHK:HAT16}], ["sambab","root4"], ["bossachord","strum16"], (4,8), kits=(0,)),
 "salsa": st((160,200), [{CLV:"x.....x.....x...|....x...x.......",CG_L:"......xx......xx",CB:"x...x.x.x...x.x.",BON:"x.x.x.x.x.x.x.x."},{CG_H:"..x...x...x...x.",CG_L:"............x.x.",CB:HAT4,MAR:HAT8}], ["tumbao"], ["montuno"], (4,8), mel=0.4),
 "chacha": st((108,130), [{CB:HAT4,CG_L:"............x.x.",CG_H:"....x...........",MAR:HAT8,K:"x...x...x...x..."}], ["tumbao","root4"], ["offchord","quarter"], (4,8)),
 "cumbia": st((84,108), [{K:"x.......x.......",MAR:"x.xxx.xxx.xxx.xx",CB:HAT4,CG_H:"..x...x...x...x."},{K:FOUR,MAR:"x..xx..xx..xx..x",S:"..x...x...x...x."}], ["cumb","half"], ["offchord","skank"], (4,8)),
 "tango": st((112,132), [{S:"x...x...x...x.x."},{}], ["root4"], ["quarter","stab"], (4,8), mel=0.7, nodrum=0.5),
 "waltz": st((84,190), [{K:"x...........",S:"....x...x...",HC:"x.x.x.x.x.x."},{K:"x...........",HC:"....x...x..."},{}], ["waltz"], ["waltzchord","arp8","pad"], (3,6), meter=3, mel=0.6, nodrum=0.4),
 "jazzwaltz": st((108,180), [{RD:"x..x.xx..",HP:"...x.....",K:"x........"},{RD:"x..x.xx.x",HP:"...x..x.."}], ["waltz","walk"], ["charleston","pad"], (3,), meter=3, grid=3, kits=(32,40), mel=0.5),
 "country": st((96,134), [{K:"x.......x.......",S:"xxx.xxx.xxx.xxx."},{K:"x.......x.......",S:BACK,HC:HAT8},{K:FOUR,S:OFF8}], ["oompah","half"], ["strum","offchord","boomchick"], (4,8), mel=0.5),
 "trainfast": st((150,200), [{K:"x.......x.......",S:BACK,HC:HAT8},{K:"x...x...x...x...",S:"..x...x...x...x."}], ["oompah"], ["offq","strum"], (4,8), mel=0.5),
 "march": st((104,126), [{K:"x.......x.......",S:"x.x.xxx.x.x.xxx."},{K:FOUR,S:"....x.......x.xx",CR:"x..............."},{K:"x.......x.......",S:BACK}], ["oompah"], ["offq","quarter"], (4,8), kits=(48,0), mel=0.8),
 "polka": st((104,132), [{K:"x...x...x...x...",S:OFF8},{K:"x.......x.......",S:BACK}], ["oompah8","oompah"], ["offchord"], (4,8), mel=0.8),
 "motown": st((100,140), [{K:"x.....x.x.x.....",S:HAT4,HC:HAT8},{K:"x..x..x...x.....",S:HAT4,TB:HAT8}], ["sync","root8"], ["offchord","quarter","pad"], (4,8)),
 "rnb": st((62,96), [{K:"x.....xx..x.....",S:BACK,HC:HAT16},{K:"x..x..x..x.x....",CP:BACK,HC:"x.xxx.x.x.xxx.xx"}], ["kick","sync"], ["pad","arp8","stab"], (4,8), kits=(25,24,8), swing=0.2),
 "lofi": st((68,92), [{K:"x.......x.x.....",S:BACK,HC:HAT8},{K:"x......x..x.....",S:BACK,RD:HAT8}], ["half","kick"], ["pad","stab","quarter"], (4,8), kits=(8,32,25), swing=0.4),
 "synthwave": st((80,120), [{K:FOUR,S:BACK,HC:HAT16},{K:"x.......x.......",S:BACK,HC:HAT8}], ["root8","root16","octave8"], ["arp16","pad","arp8"], (4,8), kits=(24,16)),
 "futurebass": st((140,164), [{K:"x.....x.......x.",CP:"........x.......",HC:HAT8},{K:"x.......x.......",S:BACK,HC:HAT8}], ["whole","kick"], ["stabs","pad","arp16"], (4,8), kits=(24,25)),
 "afrobeats": st((96,118), [{K:"x.....x...x.....",R:"...x..x....x..x.",SHK:HAT16},{K:FOUR,S:"...x..x...x.....",SHK:HAT8}], ["sync","kick"], ["arp8","stab","offchord"], (4,8), kits=(24,0)),
 "afro128": st((100,132), [{CB:"x.x.xx.x.x.x",CG_H:"..x..x..x..x",K:"x..x..x..x.."},{AGO:"x.x.xx.x.x.x",SHK:"xxxxxxxxxxxx"}], ["root4","half"], ["triplet","pad"], (4,8), grid=3),
 "pianopop": st((64,132), [{}], ["half","root4","whole"], ["quarter","arp8","eighth","pianoballad"], (4,2), mel=0.8, nodrum=1),
 "alberti": st((96,150), [{}], ["none"], ["alberti"], (2,4), mel=1.0, nodrum=1),
 "chorale": st((60,96), [{}], ["root4"], ["quarter"], (1,2), mel=1.0, nodrum=1),
 "fingerpick": st((70,136), [{},{MAR:HAT8}], ["altbass"], ["pick"], (4,8), mel=0.3, nodrum=0.8),
 "strings": st((66,140), [{}], ["root4","root8","half"], ["eighth","pad","quarter","arp8"], (4,2), mel=0.9, nodrum=1),
 "cinematic": st((80,150), [{T3:"x..x..x.x..x..x.",K:"x.......x......."},{T3:"x...x...x...x...",CR:"x..............."},{}], ["root8","whole"], ["eighth","pad","arp16"], (4,8), kits=(48,), nodrum=0.3),
 "seqarp": st((90,140), [{},{HC:HAT8},{K:FOUR}], ["none","whole","root8"], ["arp16","arp8"], (8,16,4), kits=(24,), nodrum=0.5),
 "gallop6": st((100,150), [{}, {K:"x...x...x...x..."}], ["root4","root8"], ["gallop"], (4,), nodrum=0.2),
 "five": st((100,180), [{K:"x.....x.....x.......",S:"....x.......x...x...",HC:"x.x.x.x.x.x.x.x.x.x."},{RD:"x..x.xx..x..x..", HP:"...x..x..x..x.."} ], ["root4"], ["quarter","pad"], (5,), meter=5),
 "six8": st((66,140), [{K:"x.........x.",S:"......x.....",HC:"x.x.x.x.x.x."},{K:"x...........",R:"......x.....",RD:"x.x.x.x.x.x."},{K:"x...x.......",S:"......x...x.",HC:"x.xxx.x.xxx."},{}], ["six","waltz","root8"], ["arp8","six","pad","eighth"], (3,6), meter=3, mel=0.4, nodrum=0.2),
 "six8b": st((66,140), [{K:"x.....x.....",S:"......x.....",HC:"x.x.x.x.x.x."}], ["six"], ["arp8","six"], (3,), meter=3, mel=0.2),
 "clicks": st((60,200), [{WBL:HAT4},{WBL:"x...............",77:"....x...x...x..."},{R:HAT4},{HC:HAT4}], ["none"], ["none"], (4,), mel=0.0),
 "drumloop16": st((80,130), [{K:"x..x..x...x.....",S:BACK,HC:HAT16},{K:"x.x...x...x..x..",S:"....x..x....x..x",RD:HAT8},{K:"x.....x..x......",S:"....x.......x.xx",HC:"x.x.xxx.x.x.xxx."}], ["none"], ["none"], (4,), kits=(0,8,16,24,25,32), mel=0),
}
SPREAD = len(sys.argv) > 4 and "none" not in sys.argv[0]
FIXED = {"ballad128", "jazzballad", "chorale", "salsa", "clicks"}
PROGRESSIONS = [[0,7,9,5],[9,5,0,7],[0,5,7,7],[0,9,5,7],[0,0,5,7],[2,7,0,9],[0,5],[0,10,5,0],[9,7,5,4],[0,3,5,10],[0],[0,4,9,5],[0,7,5,5]]
MINOR = {2, 4, 9, 11}

def chord_at(song, beat):
    slot = int(beat // song["harm"])
    root = song["prog"][slot % len(song["prog"])]
    third = 3 if root in MINOR else 4
    return song["key"] + root, third

class Song:
    def __init__(self, rng, name):
        self.rng, self.name, self.notes = rng, name, []
        style = STYLES[name]; self.style = style
        lo, hi = style["bpm"]
        if SPREAD and rng.random() < 0.6 and name not in FIXED:   # also where nobody writes it
            lo, hi = max(60, lo / 1.6), min(200, hi * 1.6)
        self.bpm = round(rng.uniform(lo, hi), rng.choice([0, 0, 1, 2]))
        self.meter, self.grid = style["meter"], style["grid"]
        if name == "five": self.grid = 4
        seconds = rng.uniform(18, 32)
        self.bars = max(4, int(seconds * self.bpm / 60 / self.meter) + 1)
        self.song = dict(key=rng.randrange(12), prog=rng.choice(PROGRESSIONS), harm=rng.choice(style["harm"]))
        self.swing = style["swing"] * rng.random()
        self.jitter = rng.choice([0, 0, 0.003, 0.006, 0.010])
        self.mix = dict(drums=rng.uniform(60, 127), bass=rng.uniform(50, 120), comp=rng.uniform(40, 115), mel=rng.uniform(50, 120))

    def add(self, channel, note, beat, duration, velocity):
        self.notes.append((channel, int(np.clip(note, 0, 127)), beat, duration, velocity))

    def warp(self, beat):
        if self.swing and self.grid == 4:
            whole, frac = divmod(beat * 2, 1)
            frac = frac + self.swing * 0.33 * (1 - abs(2 * frac - 1)) if frac else frac
            return (whole + frac) / 2
        return beat

    def drums(self):
        rng, style = self.rng, self.style
        if rng.random() < style["nodrum"]: return None
        pattern = rng.choice(style["drums"])
        grid = self.grid
        if self.name == "five" and 51 in pattern: grid = 3
        start = rng.choice([0, 0, 0, 0, 2, 4]) if self.bars > 8 else 0
        drop = rng.random() < 0.15
        mutate = rng.random() < 0.35
        parts = {}
        for inst, text in pattern.items():
            text = pat(text)
            if mutate and inst in (K, HC, RD):
                steps = list(text)
                for i in range(len(steps)):
                    if inst == K and i % 4 and rng.random() < 0.06: steps[i] = "x" if steps[i] != "x" else "."
                    if inst != K and rng.random() < 0.04: steps[i] = "x" if steps[i] != "x" else "."
                text = "".join(steps)
            parts[inst] = text
        if rng.random() < 0.12 and len(parts) > 2:
            parts.pop(rng.choice([i for i in parts if i not in (K,)] or list(parts)))
        per_bar = self.meter * grid
        level = {i: rng.uniform(0.65, 1.0) for i in parts}
        ghost = rng.random() < 0.3
        fills = rng.choice([0, 4, 8, 8])
        for bar in range(start, self.bars):
            if drop and bar % 8 == 7: continue
            fill = fills and bar % fills == fills - 1
            for inst, text in parts.items():
                for step in range(per_bar):
                    mark = text[(bar * per_bar + step) % len(text)]
                    if fill and step >= per_bar * 3 // 4: continue
                    if mark == ".": continue
                    accent = 1.0 if step % grid == 0 else (0.86 if step % 2 == 0 else 0.72)
                    if inst in (K, S, CP, R): accent = 1.0
                    if mark == "o": accent = 0.4
                    self.add(9, inst, bar * self.meter + step / grid, 0.1, 105 * level[inst] * accent)
            if fill:
                for i, step in enumerate(range(per_bar * 3 // 4, per_bar)):
                    if rng.random() < 0.8: self.add(9, [S, T1, T2, T3][min(3, i * 4 // max(1, per_bar // 4))] if self.parts_allow(parts) else S, bar * self.meter + step / grid, 0.1, 95)
            if fills and bar % fills == 0 and rng.random() < 0.6 and K in parts: self.add(9, CR, bar * self.meter, 1, 95)
            if ghost and S in parts and grid == 4:
                for step in (3, 7, 9, 11):
                    if rng.random() < 0.25: self.add(9, S, bar * self.meter + step / 4, 0.1, 40)
        return parts

    def parts_allow(self, parts):
        return K in parts

    def bass(self, parts):
        rng, m = self.rng, self.meter
        kind = rng.choice(self.style["bass"])
        if kind == "none": return
        third = 1 / 3
        syncs = sorted({0.0} | {rng.choice([0.75, 1.5, 2.5, 2.75, 3.5, 3.25, 1.75, 2.0, 3.0]) for _ in range(rng.randint(2, 5))})
        for bar in range(self.bars):
            base = bar * m
            def put(offset, length, interval=0, vel=92):
                if offset >= m: return
                root, _ = chord_at(self.song, base + offset)
                self.add(1, 28 + (root + 8) % 12 + interval, base + offset, length * 0.9, vel)
            if kind == "root8": [put(i / 2, .5) for i in range(2 * m)]
            elif kind == "root16": [put(i / 4, .25) for i in range(4 * m)]
            elif kind == "roll16": [put(i / 4, .25) for i in range(4 * m) if i % 4]
            elif kind == "root4": [put(i, 1) for i in range(m)]
            elif kind in ("half",): [put(i, 2) for i in range(0, m, 2)]
            elif kind in ("whole",): put(0, m)
            elif kind == "octave8": [put(i / 2, .5, 12 * (i % 2)) for i in range(2 * m)]
            elif kind == "off8": [put(i + .5, .5) for i in range(m)]
            elif kind == "kick" and parts and K in parts:
                text = parts[K]; n = m * self.grid
                for s in range(n):
                    if text[(bar * n + s) % len(text)] == "x": put(s / self.grid, .5)
            elif kind in ("sync", "kick"): [put(o, .5, rng.choice([0, 0, 0, 7, 12, 10])) for o in syncs]
            elif kind == "walk": [put(i, 1, [0, 4, 7, 9][i % 4] if i else 0) for i in range(m)]
            elif kind == "shuf":
                for i in range(m): put(i, 2 * third, [0, 7, 9, 7][i % 4]); put(i + 2 * third, third, [0, 7, 9, 7][i % 4])
            elif kind == "bossa": put(0, 1.5); put(1.5, .5, 7); put(2, 1.5, 7); put(3.5, .5)
            elif kind == "sambab": put(0, .75); put(.75, .25); put(1, .75, 7); put(1.75, .25, 7); put(2, .75); put(2.75, .25); put(3, .75, 7); put(3.75, .25, 7)
            elif kind == "tumbao": put(1.5, 1.5, 0); put(3, 1, 7)
            elif kind == "cumb": put(0, 1); put(1.5, .5, 7); put(2, 1); put(3.5, .5, 7)
            elif kind == "oompah": [put(i, 1, 7 * (i // 2 % 2)) for i in range(0, m, 2)]
            elif kind == "oompah8": [put(i, .5, 7 * (i % 2)) for i in range(m)]
            elif kind == "waltz": put(0, 1, 7 * (bar % 2))
            elif kind == "six": put(0, 1.5); put(1.5, 1.5, rng.choice([0, 7]))
            elif kind == "altbass": [put(i, 1, 7 * (i % 2)) for i in range(m)]

    def comp(self):
        rng, m = self.rng, self.meter
        kind = rng.choice(self.style["comp"])
        if kind == "none": return
        octave = rng.choice([48, 60, 60, 55])
        order = rng.choice([[0, 1, 2, 1], [0, 1, 2, 3], [0, 2, 1, 2], [3, 2, 1, 0], [0, 2, 3, 2, 1, 2]])
        riff = sorted({rng.choice([0, .5, .75, 1.5, 1.75, 2, 2.5, 3, 3.25, 3.5]) for _ in range(rng.randint(2, 5))})
        for bar in range(self.bars):
            base = bar * m
            def tones(offset):
                root, third = chord_at(self.song, base + offset); r = octave + root % 12
                return [r, r + third, r + 7, r + 12]
            def hit(offset, length, vel=80):
                if offset >= m: return
                for t in tones(offset)[:3]: self.add(2, t, base + offset, length * 0.95, vel + rng.randint(-6, 6))
            def one(offset, length, i, vel=80):
                if offset < m: self.add(2, tones(offset)[i % 4], base + offset, length * 0.95, vel)
            if kind == "pad":
                step = min(m, self.song["harm"]) if self.song["harm"] < m else m
                for o in np.arange(0, m, step): hit(float(o), step)
            elif kind in ("quarter",): [hit(i, 1, 88 if i == 0 else 76) for i in range(m)]
            elif kind == "eighth": [hit(i / 2, .5, 84 if i % 2 == 0 else 70) for i in range(2 * m)]
            elif kind == "power8": [hit(i / 2, .5, 90) for i in range(2 * m)]
            elif kind == "power16": [hit(i / 4, .25, 90) for i in range(4 * m)]
            elif kind == "gallop":
                for i in range(m): hit(i, .5, 92); hit(i + .5, .25, 80); hit(i + .75, .25, 80)
            elif kind == "strum": [hit(o, .5, 82) for o in (0, 1, 1.5, 2.5, 3, 3.5)]
            elif kind == "strum16": [hit(i / 4, .2, 60 + 30 * (i % 4 in (0, 3))) for i in range(4 * m) if rng.random() < .75]
            elif kind == "arp8": [one(i / 2, .5, order[(bar * 2 * m + i) % len(order)], 86 if i % 2 == 0 else 74) for i in range(2 * m)]
            elif kind == "arp16": [one(i / 4, .25, order[(bar * 4 * m + i) % len(order)], 84 if i % 4 == 0 else 72) for i in range(4 * m)]
            elif kind in ("arp", "triplet"): [(one if kind == "arp" else (lambda o, l, i, v: hit(o, l, v)))(i / 3, 1 / 3, order[i % len(order)], 84 if i % 3 == 0 else 70) for i in range(3 * m)]
            elif kind in ("stab", "stabs"): [hit(o, .3, 86) for o in riff]
            elif kind in ("offchord",): [hit(i + .5, .35, 84) for i in range(m)]
            elif kind == "skank":
                for i in range(m): hit(i + .5, .2, 84); hit(i + .75, .2, 60)
            elif kind == "offq": [hit(i, .6, 80) for i in range(1, m, 2)]
            elif kind == "boomchick":
                for i in range(1, m, 2): hit(i, .5, 80); hit(i + .5, .4, 66)
            elif kind == "offsh": [hit(i + 2 / 3, .3, 80) for i in range(m)]
            elif kind == "shuf":
                for i in range(m): hit(i, .6, 82); hit(i + 2 / 3, .3, 74)
            elif kind == "charleston":
                hit(0, .8); hit(1 + 2 / 3 if self.grid == 3 else 1.5, .5)
            elif kind == "bossachord": [hit(o, .4, 76) for o in ((0, 1.5, 3) if bar % 2 == 0 else (.5, 2, 3.5))]
            elif kind == "montuno": [hit(o, .4, 84) for o in ((0, 1, 1.5, 2.5, 3.5) if bar % 2 == 0 else (.5, 1.5, 2.5, 3.5))]
            elif kind == "alberti": [one(i / 2, .5, [0, 2, 1, 2][i % 4], 72) for i in range(2 * m)]
            elif kind == "pick": [one(i / 2, .6, [0, 2, 1, 3, 0, 2, 1, 2][i % 8], 80) for i in range(2 * m)]
            elif kind == "waltzchord": hit(1, .7); hit(2, .7)
            elif kind == "six": hit(0, 1.4, 84); hit(1.5, 1.4, 78)
            elif kind == "pianoballad":
                hit(0, 1, 84); [one(i / 2, .5, i, 66) for i in range(1, 2 * m)]

    def melody(self):
        rng = self.rng
        if rng.random() > self.style["mel"]: return
        scale = [0, 2, 4, 5, 7, 9, 11, 12, 14]
        durations = rng.choice([[.5, .5, 1, 1, 2], [1, 1, 2, .5], [.5, .5, .5, .25, .25, 1], [1, 2, 2], [.5, 1, 1.5]])
        if self.grid == 3: durations = rng.choice([[1, 1, 2, 2 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3, 1], [2 / 3, 1 / 3, 1]])
        phrase, t, length = [], 0.0, self.meter * rng.choice([1, 2, 4])
        degree = 4
        while t < length:
            d = rng.choice(durations)
            if self.grid == 3 and abs(d - 2 / 3) < .01: phrase += [(t, 2/3, degree), (t + 2/3, 1/3, degree)]; t += 1; continue
            degree = min(8, max(0, degree + rng.choice([-2, -1, -1, 1, 1, 2])))
            if rng.random() > 0.15: phrase.append((t, d, degree))
            t += d
        for start in range(0, self.bars * self.meter, length):
            for (t, d, deg) in phrase:
                if start + t < self.bars * self.meter: self.add(3, 66 + self.song["key"] % 7 + scale[deg], start + t, d * .9, 88 + rng.randint(-8, 8))

PROGRAMS = dict(bass=[32, 33, 34, 35, 36, 38, 39, 43], comp=[0, 1, 4, 5, 16, 19, 21, 24, 25, 26, 27, 28, 48, 49, 50, 51, 61, 62, 80, 81, 88, 89, 90, 46, 11, 12], mel=[0, 40, 52, 56, 65, 66, 71, 73, 80, 81, 11, 22, 25])
COMP_FOR = dict(pianopop=[0, 1, 2, 4], alberti=[0, 6, 0], chorale=[19, 48, 52, 60, 0], fingerpick=[24, 25], strings=[48, 49, 45, 40], cinematic=[48, 45, 49], punk=[29, 30], metal=[29, 30], rock8=[27, 29, 30, 0, 18], rockhalf=[29, 30, 27], seqarp=[80, 81, 38, 87, 0, 46], gallop6=[29, 30, 48])

def render(song, out, name):
    rng = song.rng
    lead = rng.choice([0.0, 0.0, rng.uniform(0, 0.6)])
    drift = rng.choice([0, 0, 0, 0, rng.uniform(-0.04, 0.04), rng.uniform(-0.02, 0.02)])
    beats = song.bars * song.meter
    # Tempo of each beat; a slow drift, and in some songs a small wander.
    wander = np.zeros(beats)
    if rng.random() < 0.15:
        r = np.random.default_rng(rng.randrange(1 << 30))
        wander = np.cumsum(r.normal(0, 0.004, beats)); wander -= wander.mean()
    tempo = song.bpm * (1 + drift * (np.arange(beats) / beats - .5) + wander)
    times = lead + np.concatenate([[0], np.cumsum(60 / tempo)])
    at = lambda beat: float(np.interp(beat, np.arange(beats + 1), times))
    events = [(0, bytes([0xFF, 0x51, 3]) + int(500000).to_bytes(3, "big"))]   # 1 beat = 0.5 s: ticks are time
    tick = lambda seconds: int(round(seconds * 2 * TPQ))
    kit = rng.choice(song.style["kits"])
    programs = {1: rng.choice(PROGRAMS["bass"]), 2: rng.choice(COMP_FOR.get(song.name, PROGRAMS["comp"])), 3: rng.choice(PROGRAMS["mel"])}
    if song.name == "pianopop": programs[1] = programs[3] = programs[2]
    for channel, program in list(programs.items()) + [(9, kit)]:
        events.append((0, bytes([0xC0 | channel, program])))
        key = {1: "bass", 2: "comp", 3: "mel", 9: "drums"}[channel]
        events.append((0, bytes([0xB0 | channel, 7, int(song.mix[key])])))
        events.append((0, bytes([0xB0 | channel, 91, rng.randrange(20, 80)])))
    for channel, note, beat, duration, velocity in song.notes:
        start = max(0.0, at(song.warp(beat)) + rng.gauss(0, 1) * song.jitter)
        end = max(start + 0.03, at(min(beats, beat + duration)))
        velocity = int(np.clip(velocity * rng.uniform(.92, 1.05), 1, 127))
        events.append((tick(start), bytes([0x90 | channel, note, velocity])))
        events.append((tick(end), bytes([0x80 | channel, note, 0])))
    mid, raw = f"{out}/{name}.mid", f"{out}/{name}.wav"
    write_midi(mid, events)
    subprocess.run(["fluidsynth", "-ni", "-q", "-g", str(round(rng.uniform(.25, .7), 2)), "-r", "44100", "-O", "s16", "-T", "wav", "-F", raw, rng.choice(FONTS), mid], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.remove(mid)
    duration = float(times[-1])
    six = song.name.startswith("six8")
    return dict(file=f"{name}.wav", set="own", style=song.name, beat_bpm=song.bpm / (1.5 if six else 1), tempo_bpm=float(60 / np.median(np.diff(times))) if (drift or wander.any()) else song.bpm, meter=6 if six else song.meter,
                beats_s=[round(at(b), 5) for b in np.arange(0, beats, 1.5 if six else 1)], downbeats_s=[round(float(t), 5) for t in times[:-1:song.meter]], swing=song.swing)

def main():
    out, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(out, exist_ok=True)
    truth = []
    names = sorted(STYLES)
    for index in range(count):
        rng = random.Random(seed * 100003 + index)
        name = names[index % len(names)]
        song = Song(rng, name)
        parts = song.drums()
        if rng.random() < 0.9 or not parts: song.bass(parts)
        if rng.random() < 0.9 or not parts: song.comp()
        song.melody()
        if not song.notes: continue
        truth.append(render(song, out, f"{seed}_{index:04d}_{name}"))
        if index % 20 == 0: json.dump(truth, open(f"{out}/truth.json", "w"))
    json.dump(truth, open(f"{out}/truth.json", "w"))

if __name__ == "__main__":
    main()
