"""Commands that are killed at random moments: `python -m verification.kills [COMMAND ...]`.

Every command that writes something, or runs programs, is begun again and again on a tiny network and killed (SIGKILL), or ended
(SIGTERM), at a random moment within the time that it takes undisturbed. After each time:

    lost        the earlier result or the new one must be there, whole
    processes   nothing that the command started may run on; each process is known by a variable of its environment
    others      files of others beside the result, among the temporary files and in the cache must be as they were
    ended       after SIGTERM: status 143 and a line within two seconds
    next        the same command, given again, must succeed, and leave nothing of the killed one; with --next-each N, after each
                N-th kill, so that the others leave what the next command to be killed meets

A command runs in a fork of this process, which has imported all that it needs, so that the moments fall into its work and not
into its imports; workers and programs are started as always.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from platformdirs import user_cache_dir

from duospike.cosim.errors import CosimError
from duospike.cosim.folder import LIST_FILE, TRANSIENT_PREFIX, temporary_folder
from duospike.cosim.interrupts import run_command
from duospike.cosim.system import end_with_parent
from duospike.reference.files import write_atomically
from duospike.scripts import main as commands
from tests.benches.fashion_files import write_fashion

KILLS, TERMS = 40, 20
MARK = "DUOSPIKE_KILLS"
WAIT_SECONDS = 5.0
"""Seconds after a kill in which processes must have ended; a machine that is busy needs some."""
PROMPT = 2.0
"""Seconds in which a command must end after SIGTERM."""
MINE = "somebody's own"
"""Content of files that are not the project's."""

SETTINGS = """
architecture = "2C3-MP2-FC10"
dataset = "fashion-mnist"
weight_bits = 4
timesteps = 2
beta = "5/32"
threshold = 1.0
reset = "subtract"
classes = 10
seed = {seed}
epochs = 2
batch_size = 16
learning_rate = 0.01
"""
STUDY = """
lanes = 4
cycle_images = 2
clock_mhz = 100
"""


@dataclass(frozen=True)
class Case:
    """A command: its words and what it writes, a file or a folder.

    {kind} of 0 and 1, and {more}, one more, give two results that differ. begins_anew: folders of what a killed run goes on from,
    or uses again; they are removed before each run, so that, if `out` is among them, there is no earlier result. last: the file
    that a result in the making does not have yet, of a command that writes its result bit by bit.
    """

    text: str
    out: str = "out"
    begins_anew: tuple[str, ...] = ()
    last: str = ""

    def words(self, kind: int) -> list[str]:
        return [word.replace("+", " ") for word in self.text.format(kind=kind, more=kind + 1).split()]


NETWORK = "random 2C3-MP2-FC4 --input 1x6x6 --classes 4 --rate 0.3 --beta 1/1 --reset zero --seed {kind} --out "
SMALLEST = "random FC2 --input 1x1x2 --classes 2 --rate 0.3 --beta 1/1 --reset zero --seed 0 --out n0"
"""For commands that synthesise."""
EXPORT = "export m{kind} --to nir --dt 0.0001 --out "
IMPORT = "import g{kind} --from nir --input 1x6x6 --timesteps 2 --classes 4 --image-scale 1 --dt 0.0001 --out out"
LOADABLE = "convert m{kind} --axi --loadable --out "
BOARD = "--board ulx3s-25f "
IMAGES = "m0 --data random --out out --seed {more}"

CASES = {
    "random": Case(NETWORK + "out"),
    "evaluate": Case(f"evaluate {IMAGES} --limit 20"),
    "cycles": Case(f"cycles {IMAGES}"),
    "energy": Case(f"energy {IMAGES} --images 4"),
    "export": Case(EXPORT + "out"),
    "import": Case(IMPORT),
    "convert": Case("convert m0 --lanes {more} --out out"),
    "convert --axi --loadable": Case(LOADABLE + "out"),
    "pack": Case("pack m{kind} --core core{kind} --out out"),
    "report": Case("report run --image {kind} --out run/report.html", "run"),
    "cosim icarus": Case(f"cosim {IMAGES} --images 4"),
    "cosim ghdl": Case(f"cosim {IMAGES} --images 2 --simulator ghdl"),
    # Other lanes need another program, and so a compilation, where the cache has none.
    "cosim verilator": Case("cosim m0 --data random --simulator verilator --out out --lanes {more}", "out", ("cache",)),
    "cosim --batch": Case(f"cosim {IMAGES} --images 4 --batch 1 --workers 2"),
    "explore": Case("explore m0 --data random --out out --budget lanes={more}0"),
    "explore luts": Case("explore n0 --data random --out out --budget luts=2000{kind}"),
    "synth": Case("synth n0 --lanes {more} --out out"),
    "synth --pnr": Case("synth n0 --family ecp5 --pnr --data random --seed {more} --out out"),
    "build": Case(f"build n0 {BOARD}" + "--seed {more} --out out"),
    # It writes nothing.
    "run": Case("run m0 --port verilator --build board --data random --images 2 --seed {kind}", "none", ("none",)),
    "train": Case("train t.toml --data data --work work --out out", "out", ("work", "out")),
    "study": Case("study s.toml --data data --workers 2 --out out", "out", ("out",), "results.json"),
    "prove": Case("prove pool,+2+x+4,+groups+1 --out out.json", "out.json"),
}
UNSTEADY = (".log", ".fst", ".vvp", ".cf")
"""Files that hold times; of them only the names are compared. JSON is compared without `seconds`."""


@dataclass
class Count:
    """The results for a command. seconds: undisturbed. slowest: from SIGTERM to the end. in_time: kills that met it running."""

    seconds: float
    kills: int = 0
    terms: int = 0
    in_time: int = 0
    slowest: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fault(self, kind: str, what: str) -> None:
        self.faults.setdefault(kind, []).append(what)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N", help="SIGKILLs of each (default: %(default)s)")
    parser.add_argument("--terms", type=int, default=TERMS, metavar="N", help="SIGTERMs of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the moments (default: %(default)s)")
    parser.add_argument("--next-each", type=int, default=1, metavar="N", help="see above (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results to this JSON file")
    args = parser.parse_args()
    unknown = [name for name in args.commands if name not in CASES]
    if unknown:
        parser.error(f"no command {', '.join(unknown)}; there are {', '.join(CASES)}")
    warm_up()
    counts = {}
    for name in args.commands or CASES:
        with temporary_folder() as folder:
            moments = random.Random(f"{args.seed} {name}")
            try:
                counts[name] = Trial(CASES[name], folder, args.next_each).run(args.kills, args.terms, moments)
            except CosimError as error:
                counts[name] = Count(0, faults={"undisturbed": [str(error)]})
        print(line(name, counts[name]), flush=True)
        if args.out:
            found = {name: asdict(count) for name, count in counts.items()}
            write_atomically(args.out, (json.dumps(found, indent=2) + "\n").encode())
    return 1 if any(count.faults for count in counts.values()) else 0


def warm_up() -> None:
    """Import what the commands need, and let numba compile the cycle model, which else each of them would do."""
    for module, _ in commands.COMMANDS.values():
        importlib.import_module(f"duospike.scripts.{module}")
    # Threads of torch would not be there in a fork, which waits for them for ever.
    torch.set_num_threads(1)
    with temporary_folder() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        model, run = str(folder / "m0"), str(folder / "run")
        commands.main([*NETWORK.format(kind=0).split(), model])
        commands.main(["cycles", model, "--data", "random", "--images", "2", "--out", run])


def line(name: str, count: Count) -> str:
    """What is printed of a command."""
    faults = "; ".join(f"{kind} {len(what)} ({what[0]})" for kind, what in count.faults.items()) or "no fault"
    return (
        f"{name:<25} {count.seconds:6.1f} s  {count.kills:>3} SIGKILL {count.terms:>3} SIGTERM, {count.in_time:>3} while it ran, "
        f"slowest end {count.slowest:.2f} s: {faults}"
    )


class Trial:
    """One command in a folder of its own, with temporary files and a cache of its own."""

    def __init__(self, case: Case, folder: Path, next_each: int = 1):
        self.case, self.folder, self.next_each = case, folder, next_each
        self.mark = f"{MARK}={folder.parent.name}"
        for place in ("work", "cache", "temporary", "data"):
            (folder / place).mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        (folder / "work").rmdir()
        for parent in (self.home, folder / "temporary", folder / "cache"):
            (parent / "mine").write_text(MINE)
            (parent / ".duospike-mine").mkdir()
            (parent / ".duospike-mine" / "mine").write_text(MINE)
        (folder / "temporary" / "duospike-mine").mkdir()
        self.prepare()

    def prepare(self) -> None:
        """Write what the command reads."""
        data = self.home / "data"
        data.mkdir()
        for prefix, count in (("train", 64), ("t10k", 20)):
            write_fashion(data, prefix, count, [i % 10 for i in range(count)])
        (self.home / "t.toml").write_text(SETTINGS.format(seed=1))
        (self.home / "s.toml").write_text(STUDY + "[base]" + SETTINGS.format(seed=1) + "\n[[grid]]\nseed = [1, 2]\n")
        words = [*(NETWORK + f"m{kind}" for kind in (0, 1)), SMALLEST]
        if self.case.text == IMPORT:
            words += [EXPORT + f"g{kind}" for kind in (0, 1)]
        elif self.case.text.startswith("pack"):
            words += [LOADABLE + f"core{kind}" for kind in (0, 1)]
        elif self.case.text.startswith("run"):
            words += [f"build m0 {BOARD}--out board"]
        elif self.case.text.startswith("report"):
            words += ["cosim m0 --data random --images 2 --out run"]
        for i, each in enumerate(words):
            self.succeed(Case(each).words(i % 2))

    def run(self, kills: int, terms: int, moments: random.Random) -> Count:
        """Measure the command undisturbed, then disturb it."""
        results, seconds = [], 0.0
        for kind in (0, 1):
            self.start_anew()
            started = time.monotonic()
            self.succeed(self.words(kind))
            seconds = max(seconds, time.monotonic() - started)
            results.append(self.result())
        count, before = Count(seconds), self.others()
        signals = [signal.SIGKILL] * kills + [signal.SIGTERM] * terms
        moments.shuffle(signals)
        for i, number in enumerate(signals):
            self.start_anew()
            moment = moments.uniform(0, 1.05 * seconds)
            where = f"{signal.Signals(number).name} after {moment:.2f} s of kind {i % 2}"
            self.disturb(number, i % 2, moment, results, before, count, where)
            if (i + 1) % self.next_each == 0 or i + 1 == len(signals):
                self.succeed_next(i % 2, results, count, where)
        return count

    def start_anew(self) -> None:
        for name in self.case.begins_anew:
            for place in (self.home, self.folder):
                path = place / name
                for inside in path.iterdir() if name == "cache" and path.is_dir() else [path]:
                    if "mine" not in inside.name:
                        shutil.rmtree(inside, ignore_errors=True)

    def words(self, kind: int) -> list[str]:
        """The words of the command; train needs --resume where there is a checkpoint."""
        return self.case.words(kind) + (["--resume"] if any((self.home / "work").glob("checkpoint*")) else [])

    def disturb(self, number: int, kind: int, moment: float, results: list, before: str, count: Count, where: str) -> None:
        """One kill, and all that must hold right after it."""
        begun = self.begin(self.words(kind))
        time.sleep(moment)
        ended, _ = os.waitpid(begun, os.WNOHANG)
        sent = time.monotonic()
        if not ended:
            os.kill(begun, number)
            status = self.finish(begun)
            count.in_time += 1
            if number == signal.SIGTERM:
                count.slowest = max(count.slowest, time.monotonic() - sent)
                self.check_end(status, time.monotonic() - sent, count)
        count.kills += number == signal.SIGKILL
        count.terms += number == signal.SIGTERM
        left = self.left_processes()
        if left:
            count.fault("processes", f"{where}: {left}")
        found = self.result()
        if not self.is_whole(found, results):
            count.fault("lost", f"{where}: {difference(found, results)}")
        if self.others() != before:
            count.fault("others", where)

    def succeed_next(self, kind: int, results: list, count: Count, where: str) -> None:
        """The same command again, after the kill that `where` names."""
        status = self.finish(self.begin(self.words(kind)))
        if status or self.result() != results[kind]:
            count.fault("next", f"{where}: status {status}, {self.printed()[-200:]!r}, {difference(self.result(), results)}")
        if self.leftovers():
            count.fault("next", f"{where}: left {self.leftovers()}")

    def is_whole(self, found: str, results: list[str]) -> bool:
        """Whether what is there is one of the results, or nothing where there was no earlier one, or a result in the making."""
        if not found:
            return self.case.out in self.case.begins_anew
        return found in results or (self.case.last != "" and self.case.last not in found)

    def check_end(self, status: int, seconds: float, count: Count) -> None:
        """After SIGTERM; a command that was just done may have ended well, one that had not begun by the signal itself."""
        if seconds > PROMPT:
            count.fault("ended", f"ended after {seconds:.1f} s")
        if status in (0, -signal.SIGTERM):
            return
        if status != 128 + signal.SIGTERM or not self.printed().endswith("terminated\n"):
            count.fault("ended", f"status {status}, {self.printed()[-200:]!r}")

    def begin(self, words: list[str]) -> int:
        """Fork a process for a command; returns its number."""
        sys.stdout.flush()
        # A signal to a child that is not the command yet would end this process' own code.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        parent, pid = os.getpid(), os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
        else:
            try:
                end_with_parent(parent)
                self.in_child(words)
            finally:
                os._exit(99)
        return pid

    def succeed(self, words: list[str]) -> None:
        """Run a command undisturbed; CosimError if it fails."""
        status = self.finish(self.begin(words))
        if status:
            raise CosimError(f"{' '.join(words)} ends with status {status}: {self.printed()[-300:]}")

    def in_child(self, words: list[str]) -> None:
        with suppress(OSError):
            os.setsid()
        os.chdir(self.home)
        with open(self.folder / "printed", "wb", buffering=0) as printed:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
        # What the wheels of Yosys and nextpnr compile at their first use takes a minute, and is not the command's.
        os.environ.setdefault("YOWASP_CACHE_DIR", user_cache_dir("YoWASP", appauthor=False))
        os.environ |= {MARK: self.folder.parent.name, "XDG_CACHE_HOME": str(self.folder / "cache")}
        os.environ["TMPDIR"] = str(self.folder / "temporary")
        tempfile.tempdir = None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
        if words[0] == "prove":
            from . import prove

            sys.argv = words
            status = run_command("prove", prove.main)
        else:
            sys.argv = ["duospike", *words]
            status = commands.main()
        sys.stdout.flush()
        os._exit(status)

    def finish(self, pid: int) -> int:
        """Exit status of a command, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def printed(self) -> str:
        return (self.folder / "printed").read_text(errors="replace")

    def left_processes(self) -> list[str]:
        """What still runs of the command after a while."""
        end = time.monotonic() + WAIT_SECONDS
        while (running := list(marked(self.mark))) and time.monotonic() < end:
            time.sleep(0.02)
        for pid, _ in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return [command for _, command in running]

    def result(self) -> str:
        """The names of the result's files, with a hash of what in them is the same in each run."""
        out = self.home / self.case.out
        files = sorted(file for file in out.rglob("*") if file.is_file()) if out.is_dir() else [out] if out.exists() else []
        if out.is_dir() and out.name == "out" and LIST_FILE in [file.name for file in files]:
            listed = (out / LIST_FILE).read_text().splitlines()
            if sorted([*listed, LIST_FILE]) != sorted(str(file.relative_to(out)) for file in files):
                return "other files than those of its list"
        return "\n".join(f"{file.relative_to(self.home)} {digest(file)}" for file in files if TRANSIENT_PREFIX not in file.name)

    def others(self) -> str:
        """The files that are not the command's."""
        mine = [path for place in (self.home, self.folder) for path in place.rglob("*mine*")]
        reads = [self.home / name for name in ("m0", "m1", "n0", "t.toml", "s.toml")]
        return "\n".join(f"{path} {digest(path) if path.is_file() else ''}" for path in sorted({*mine, *reads}))

    def leftovers(self) -> list[str]:
        """What is there only while a command runs."""
        passing = [path for place in (self.home, self.folder / "cache") for path in place.rglob(f"{TRANSIENT_PREFIX}*")]
        # That one is torch's own cache, which it makes where it is imported.
        passing += [path for path in (self.folder / "temporary").iterdir() if not path.name.startswith("torchinductor")]
        passing += [*(self.folder / "cache").rglob("duospike-*")]
        return [str(path.relative_to(self.folder)) for path in passing if "mine" not in str(path.relative_to(self.folder))]


def digest(file: Path) -> str:
    data = file.read_bytes()
    if file.suffix in UNSTEADY:
        return "-"
    if file.suffix == ".json":
        data = json.dumps(without_times(json.loads(data))).encode()
    return hashlib.sha256(data).hexdigest()[:12]


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if "seconds" not in key}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def difference(found: str, results: list[str]) -> str:
    """What there is that is in none of the results, and what is in one of them and missing."""
    lines = set(found.splitlines())
    return f"{sorted(lines - set(results[0].splitlines()) - set(results[1].splitlines()))[:3]}, {len(lines)} files"


def marked(mark: str) -> Iterable[tuple[int, str]]:
    """Processes with the mark in their environment: number and command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                    if state != "Z":
                        yield int(entry.name), command[:200]


if __name__ == "__main__":
    sys.exit(run_command("kills", main))
