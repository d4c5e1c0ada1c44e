"""Lives through many worlds and tells of the first that breaks a promise (`make sim`)."""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.sim.checkers import Broken
from tests.sim.world import Options, World

TELL_EVERY_SECONDS = 5.0
ORDINARY = Options()


class Failed(AssertionError):
    """A world went wrong; the message says how, and how to see it again."""


@dataclass
class Tally:
    """What some worlds saw, all in all."""

    worlds: int = 0
    slowest_to_rest: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    def add(self, world: World) -> None:
        """One more world, lived through."""
        self.worlds += 1
        self.slowest_to_rest = max(self.slowest_to_rest, world.settled_after)
        self.faults += world.shown
        self.events += world.telemetry.counts
        self.counts += Counter(
            passes=world.passes,
            blocks=world.chain.mined,
            burns=len(world.chain.all_burns()),
            orders=len(world.people.orders),
            delivered=len(world.people.delivered),
            forks=world.chain.forks,
            deep_forks=len(world.chain.deep_forks),
            reverts=world.chain.reverted,
            rewinds=world.telemetry.counts["rewind"],
            stopped=world.stopped,
        )

    def __str__(self) -> str:
        def told(counts: Counter[str]) -> str:
            return ", ".join(f"{name} {counts[name]}" for name in sorted(counts))

        events = Counter({n: c for n, c in self.events.items() if not n.startswith("metric:")})
        return "\n".join(
            (
                f"{self.worlds} worlds: {told(self.counts)}",
                f"at rest after {self.slowest_to_rest} passes at most",
                f"faults: {told(self.faults)}",
                f"events: {told(events)}",
            )
        )


def replay_command(seed: int, options: Options) -> str:
    """How to see a world again, with all that happens in it."""
    flags = [
        flag
        for flag, given in (("--deep-forks", options.deep_forks), ("--sqlite", options.sqlite))
        if given
    ]
    return f"make sim SEED={seed}" + (f' ARGS="{" ".join(flags)}"' if flags else "")


def live(seed: int, options: Options = ORDINARY, *, aloud: bool = False) -> World:
    """The world of `seed`, lived through.

    Raises:
        Failed: a promise was broken, or the listener raised what it must not.
    """
    world = World(seed, options, tell=print if aloud else None)
    try:
        world.run()
    except (Broken, Exception) as error:
        if aloud:
            traceback.print_exc()
        told = f"{type(error).__name__}: {error}"
        raise Failed(f"seed {seed}: {told}\nreplay: {replay_command(seed, options)}") from error
    return world


def live_all(seeds: Iterable[int], options: Options = ORDINARY) -> Tally:
    """All those worlds, one after the other.

    Raises:
        Failed: the first of them that went wrong.
    """
    tally = Tally()
    for seed in seeds:
        tally.add(live(seed, options))
    return tally


def main(arguments: list[str] | None = None) -> int:
    """0 where every world kept every promise, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="seed of the first of them")
    parser.add_argument("--seed", type=int, help="this world only, with all that happens in it")
    parser.add_argument("--deep-forks", action="store_true", help="fork below finality in each")
    parser.add_argument("--sqlite", action="store_true", help="keep the books in SQLite")
    asked = parser.parse_args(arguments)
    options = Options(deep_forks=asked.deep_forks, sqlite=asked.sqlite)
    try:
        if asked.seed is not None:
            live(asked.seed, options, aloud=True)
            print(f"seed {asked.seed}: every promise kept")
            return 0
        return _many(range(asked.first, asked.first + asked.seeds), options)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1


def _many(seeds: range, options: Options) -> int:
    tally = Tally()
    begun = told = time.monotonic()
    used = time.process_time()
    for seed in seeds:
        tally.add(live(seed, options))
        if time.monotonic() - told >= TELL_EVERY_SECONDS:
            told = time.monotonic()
            rate = tally.worlds / (told - begun)
            print(f"{tally.worlds} of {len(seeds)} worlds, {rate:.0f} a second", flush=True)
    used = time.process_time() - used
    print(f"seeds {seeds.start} to {seeds.stop - 1}: every promise kept")
    print(f"{tally.worlds / (time.monotonic() - begun):.1f} worlds a second,", end=" ")
    print(f"{tally.worlds / used:.1f} a CPU-second\n{tally}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
