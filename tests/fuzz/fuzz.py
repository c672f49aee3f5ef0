#!/usr/bin/env python3
"""Runs the fuzzers of tests/fuzz, built by the preset `fuzz`.

Short, for ./check: a number of inputs from a fixed seed, nothing is kept. Long: --seconds S, and what reaches new code is
kept in build-fuzz/corpus/TARGET, where the next long run begins. An input that breaks a claim is left in
build-fuzz/findings; the program build-fuzz/TARGET_fuzz repeats it: give it the file.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
HERE = SOURCE / "tests" / "fuzz"
BUILD = SOURCE / "build-fuzz"

# Dictionary, the longest input, how many inputs a short run takes, and what config/ adds to the corpus.
TARGETS = {
    "api_answer": ("api_answer", 6000, 3000, []),
    "sse": ("sse", 2000, 6000, []),
    "batch_state": ("json", 4000, 5000, []),
    "gap_report": ("json", 4000, 6000, []),
    "models": ("json", 4000, 6000, ["models.json"]),
    "languages": ("languages", 8000, 2000, ["languages"]),
    "code_extractor": ("code", 3000, 3000, []),
    "merge": ("code", 3000, 2000, []),
    "sources": ("code", 3000, 300, []),
}

# Their parsers keep memory from one input to the next, which libFuzzer takes for a sign of a leak and looks for one after
# each input: half of the time. A leak is still found, at the end of the run.
KEEP_MEMORY = {"languages", "code_extractor", "merge", "sources"}


def seeds(target, folder):
    """The corpus of the tree, and the real files of config/, in one folder."""
    folder.mkdir(parents=True)
    for path in sorted((HERE / "corpus" / target).iterdir()):
        shutil.copy(path, folder / path.name)
    for name in TARGETS[target][3]:
        there = SOURCE / "config" / name
        for path in sorted(there.rglob("*.json")) if there.is_dir() else [there]:
            shutil.copy(path, folder / "-".join(path.relative_to(SOURCE).parts))
    return folder


def command(target, found, corpus, how):
    dictionary, longest, _, _ = TARGETS[target]
    findings = BUILD / "findings"
    findings.mkdir(exist_ok=True)
    return [str(BUILD / f"{target}_fuzz"), str(found), str(corpus), f"-dict={HERE}/dictionaries/{dictionary}.dict",
            f"-max_len={longest}", f"-artifact_prefix={findings}/{target}-", "-timeout=60", "-rss_limit_mb=2048",
            "-print_final_stats=1", "-verbosity=0", "-print_funcs=0", f"-detect_leaks={int(target not in KEEP_MEMORY)}", *how]


def figures(said):
    """Executions and memory, from libFuzzer's last words."""
    found = dict(re.findall(r"^stat::(\w+):\s+(\d+)$", said, re.M))
    return int(found.get("number_of_executed_units", 0)), int(found.get("peak_rss_mb", 0))


def fuzz(target, options):
    program = BUILD / f"{target}_fuzz"
    if not program.exists():
        print(f"{program} is missing: run `cmake --preset fuzz && ninja -C build-fuzz`, or ./check")
        return False
    with tempfile.TemporaryDirectory(prefix="cohort-fuzz-") as room:
        room = pathlib.Path(room)
        corpus = seeds(target, room / "seeds")
        if options.seconds:
            found = BUILD / "corpus" / target
            how = [f"-max_total_time={options.seconds}"]
        else:
            found = room / "found"
            how = [f"-runs={options.runs or TARGETS[target][2]}", f"-seed={options.seed}"]
        found.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        # Nobody's key or configuration steers a fuzzer; symbols come from Debian's llvm-symbolizer, if it is there.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COHORT_", "ANTHROPIC_", "ASAN_"))}
        done = subprocess.run(command(target, found, corpus, how), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(kept, TMPDIR=str(room)))
    said = done.stdout.decode("utf-8", "replace")
    runs, memory = figures(said)
    sound = done.returncode == 0 and runs > 0
    print(f"{'ok    ' if sound else 'FAILED'} {target:15} {runs:9,} inputs in {time.monotonic() - begun:6.1f} s, "
          f"{memory} MB at most", flush=True)
    if not sound:
        print(said[-8000:])
    return sound


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("targets", nargs="*", metavar="TARGET", help="all of them if none is named")
    reader.add_argument("--runs", type=int, default=0, help="inputs, the corpus included (default: by target)")
    reader.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    reader.add_argument("--seconds", type=int, default=0, help="run for so long instead")
    options = reader.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        reader.error(f"unknown target {unknown[0]}; there are {', '.join(TARGETS)}")
    sound = [fuzz(target, options) for target in options.targets or TARGETS]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
