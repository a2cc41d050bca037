"""A VST3 host: pedalboard, told what to do on the command line, answers as JSON.

    host.py BUNDLE pass CHANNELS RATE       do blocks of odd lengths come out bit by bit?
    host.py BUNDLE params                   what parameters are there?
    host.py BUNDLE state                    does a saved state come back in another instance?
    host.py BUNDLE measure CHANNELS FILE..  the readings of raw files of interleaved 32-bit floats
"""

import json
import sys

import numpy
import pedalboard

RATE = 48000


def load(bundle):
    return pedalboard.load_plugin(bundle, plugin_name="Wavemill Meter")


def forget(plugin):
    """This host tries a plugin with noise when it loads it; the meters begin anew with another rate."""
    plugin.process(numpy.zeros((2, 64), "f4"), 2 * RATE, buffer_size=64, reset=False)


def state(plugin):
    """The plugin's own state: JSON inside of a preset, which says where."""
    preset = plugin.preset_data
    text = preset[preset.index(b'{"version"'):].decode("utf-8", "replace")
    return json.JSONDecoder().raw_decode(text)[0]


def same(one, other):
    return one.shape == other.shape and bool((one.view("u4") == other.view("u4")).all())


def passes(bundle, channels, rate):
    plugin = load(bundle)
    random = numpy.random.default_rng(7)
    signal = random.standard_normal((channels, 50021)).astype("f4")
    signal[:, :8] = [0, -0.0, 1e30, -1e30, 1e-30, 1, -1, 2]
    wrong = []
    for frames in [1, 7, 64, 333, 1021, 4096, 8192]:
        # One frame at a time is slow in this host.
        part = signal[:, : min(50021, 2000 * frames)]
        out = plugin.process(part, rate, buffer_size=frames, reset=False)
        if not same(part, out):
            wrong.append(frames)
    return {"wrong": wrong}


def params(bundle):
    plugin = load(bundle)
    values = lambda param: [str(value) for value in param.valid_values]
    return {name: values(param) for name, param in plugin.parameters.items()}


def states(bundle):
    one, other = load(bundle), load(bundle)
    one.dual_mono = True
    one.reset_on_start = True
    one.pause_with_transport = False
    noise = numpy.random.default_rng(3).standard_normal((2, 5 * RATE)).astype("f4") * 0.1
    forget(one)
    one.process(noise, RATE, buffer_size=511, reset=False)
    other.raw_state = one.raw_state
    forget(other)
    names = list(one.parameters)
    values = lambda plugin: {name: str(getattr(plugin, name)) for name in names}
    return {
        "one": {"values": values(one), "state": state(one)},
        "other": {"values": values(other), "state": state(other)},
    }


def measure(bundle, channels, files):
    readings = []
    for path in files:
        signal = numpy.fromfile(path, "<f4").reshape(-1, channels).T.copy()
        plugin = load(bundle)
        forget(plugin)
        plugin.process(signal, RATE, buffer_size=509, reset=False)
        readings.append(json.loads(state(plugin)["fields"]["readings"]))
    return readings


def main(bundle, what, *words):
    if what == "pass":
        return passes(bundle, int(words[0]), int(words[1]))
    if what == "params":
        return params(bundle)
    if what == "state":
        return states(bundle)
    if what == "measure":
        return measure(bundle, int(words[0]), words[1:])
    raise SystemExit(f"{what} is not one of pass, params, state, measure")


print(json.dumps(main(*sys.argv[1:])))
