"""Interleaved medians of process time, and the lines that report them."""

import random
import statistics
import time


def turn(contestants, turns=41, repeat=1):
    """The median time of each, in ms: all take turns, so that what else runs on the machine hits them alike, each turn in
    another order, so that none always finds in the cache what its neighbour has left there."""
    order, dice = list(contestants.items()), random.Random(1)
    times = {name: [] for name in contestants}
    for work in contestants.values():
        work()
    for _ in range(turns):
        dice.shuffle(order)
        for name, work in order:
            begin = time.process_time_ns()
            for _ in range(repeat):
                work()
            times[name].append(1e-6 * (time.process_time_ns() - begin) / repeat)
    return {name: statistics.median(t) for name, t in times.items()}


def show(title, times):
    print(title)
    for name, ms in times.items():
        print(f"  {name:32} {ms:9.3f} ms")


def figure(name, value, unit="ratio"):
    print(f"figure {name} {value:.2f} {unit}", flush=True)
