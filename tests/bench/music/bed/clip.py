"""One clip: notes on a grid of quarter notes, and the truth about it."""
import bisect
import mido

METERS = {"4/4": (4.0, 1.0), "3/4": (3.0, 1.0), "6/8": (3.0, 1.5)}  # quarters in a bar, quarters in a beat


class Clip:
    def __init__(self, file, set, style, program, seconds=30.0, tempo=None, meter="4/4", key=None):
        self.file, self.set, self.style, self.program = file, set, style, program
        self.seconds, self.tempo, self.meter, self.key = seconds, tempo, meter, key
        self.bar, self.beat = METERS[meter]
        self.notes, self.programs, self.controls, self.chords = [], {}, {}, []
        self.cut = 0.0            # seconds cut off at the start after rendering
        self.effects = []         # sox effects
        self.synth = []           # fluidsynth options
        self.level = -1.0         # peak in dB after the effects
        self.soundfont = None
        self.cents = 0.0
        self.samples = None       # given instead of notes: float array (n, 2)
        self.details = {}
        self.grid = None

    def lay_grid(self, lead, bars, speed=lambda quarter: 1.0):
        """Times of the quarters: lead seconds, then quarters at tempo * speed(quarter)."""
        times = [lead]
        for q in range(int(bars * self.bar) + 1):
            times.append(times[-1] + 60.0 / (self.tempo * speed(q)))
        self.grid = times

    def time(self, quarter):
        i = min(max(int(quarter // 1), 0), len(self.grid) - 2)
        return self.grid[i] + (quarter - i) * (self.grid[i + 1] - self.grid[i])

    def note(self, channel, start_s, length_s, pitch, velocity):
        if channel != 9:
            pitch = int(min(max(pitch, 12), 120))
        self.notes.append((max(start_s, 0.0), max(length_s, 0.03), channel, int(pitch), int(min(max(velocity, 8), 127))))

    def chord(self, start_quarter, end_quarter, name):
        self.chords.append((self.time(start_quarter), self.time(end_quarter), name))

    def write_midi(self, path):
        midi = mido.MidiFile(ticks_per_beat=5000)       # at 120 a minute: 0.1 ms
        track = mido.MidiTrack()
        midi.tracks.append(track)
        track.append(mido.MetaMessage("set_tempo", tempo=500000))
        channels = sorted({n[2] for n in self.notes})
        for ch in channels:
            track.append(mido.Message("program_change", channel=ch, program=self.programs.get(ch, 0)))
            for cc, value in self.controls.get(ch, {}).items():
                track.append(mido.Message("control_change", channel=ch, control=cc, value=int(value)))
            if self.cents and ch != 9:
                word = int(round(8192 + self.cents / 100 * 8192))
                for cc, value in ((101, 0), (100, 1), (6, word >> 7), (38, word & 127)):
                    track.append(mido.Message("control_change", channel=ch, control=cc, value=value))
        end = self.cut + self.seconds + 1.0
        events, sounding = [], {}
        for start, length, ch, pitch, velocity in sorted(self.notes):
            if start >= end:
                continue
            last = sounding.get((ch, pitch))            # a repeated note ends the one before it
            if last is not None and events[last][0] > start:
                events[last] = (max(start - 0.004, events[last - 1][0]),) + events[last][1:]
            events.append((start, 1, ch, pitch, velocity))
            events.append((min(start + length, end), 0, ch, pitch, 0))
            sounding[ch, pitch] = len(events) - 1
        now = 0
        for t, on, ch, pitch, velocity in sorted(events):
            tick = int(round(t * 10000))
            track.append(mido.Message("note_on" if on else "note_off", channel=ch, note=pitch,
                                      velocity=velocity if on else 64, time=tick - now))
            now = tick
        track.append(mido.MetaMessage("end_of_track", time=max(0, int(end * 10000) - now)))
        midi.save(path)

    def truth(self, delay=0.0):
        """delay: seconds by which the synthesizer's sound comes later than the MIDI says."""
        shift = delay - self.cut
        beats, downbeats = [], []
        if self.grid:
            n = 0
            while n * self.beat <= len(self.grid) - 2:
                t = self.time(n * self.beat) + shift
                if 0 <= t < self.seconds:
                    beats.append(round(t, 4))
                    if n * self.beat % self.bar == 0:
                        downbeats.append(round(t, 4))
                n += 1
        chords = None
        if self.chords:
            chords = []
            for start, end, name in sorted(self.chords):
                start, end = max(start + shift, 0.0), min(end + shift, self.seconds)
                if end - start < 0.005:
                    continue
                if not chords and start > 0.005:
                    chords.append([0.0, round(start, 4), "N"])
                if chords and chords[-1][2] == name:
                    chords[-1][1] = round(end, 4)
                else:
                    chords.append([round(start, 4), round(end, 4), name])
        return {"file": self.file, "set": self.set, "style": self.style, "program": self.program,
                "tempo_bpm": self.tempo, "beat_bpm": self.tempo and round(self.tempo / self.beat, 4),
                "meter": self.meter if self.tempo else None, "beats_s": beats, "downbeats_s": downbeats,
                "key": self.key, "chords": chords, "seconds": self.seconds,
                "tuning_hz": round(440 * 2 ** (self.cents / 1200), 2), **self.details}
