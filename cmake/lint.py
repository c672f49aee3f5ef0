#!/usr/bin/env python3
"""Formatting and static analysis of our own files. Arguments: SOURCE BUILD CLANG_FORMAT CLANG_TIDY.

Each room is analysed as one unit that includes all of its .cpp files: most of the time goes into the headers of libraries,
which so are read once a room. It asks that names in a room differ, those in unnamed namespaces, too.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOMS = ("base", "messages", "settings", "languages", "planning", "answers", "claude", "state", "cluster", "simulator", "actors", "app",
         "cli")


def tracked(source):
    listed = subprocess.run(["git", "ls-files", "-z", "*.cpp", "*.hpp"], cwd=source, check=True, capture_output=True)
    return [path for path in listed.stdout.decode().split("\0") if path and not path.startswith("examples/")]


def preprocessing(commands, folder):
    """The -I, -isystem and -D flags with which the files below one folder are compiled."""
    flags = {}
    for entry in commands:
        if folder not in pathlib.Path(entry["file"]).parents:
            continue
        words = shlex.split(entry["command"])
        for at, word in enumerate(words):
            if word == "-isystem":
                flags["-isystem" + words[at + 1]] = None
            elif re.match(r"-[ID].", word):
                flags[word] = None
    return list(flags)


def analyse(tidy, source, build, room, files, commands):
    # The analyser looks into included .cpp files only where the unit's name says that it is one of this kind.
    unit = build / "lint" / f"UnifiedSource-{room}.cpp"
    unit.parent.mkdir(exist_ok=True)
    unit.write_text("".join(f'#include "{source / path}"\n' for path in files))
    ours = "(" + "|".join(ROOMS) + r")/.*\.[ch]pp$"
    return subprocess.run(
        [tidy, "-quiet", f"-header-filter=.*/{ours}", "-checks=-bugprone-suspicious-include", str(unit), "--", "-std=c++20",
         "-w", *preprocessing(commands, source / room)], cwd=source, capture_output=True, text=True, check=False)


def is_formatted(clang_format, source, path):
    """By what the formatter would write: version 14 complains of the ends of inline namespaces and changes nothing."""
    wanted = subprocess.run([clang_format, path], cwd=source, check=True, capture_output=True).stdout
    same = wanted == (source / path).read_bytes()
    if not same:
        print(f"{path}: not formatted", flush=True)
    return same


def main(source, build, clang_format, clang_tidy):
    source, build = pathlib.Path(source), pathlib.Path(build)
    files = tracked(source)
    fine = all([is_formatted(clang_format, source, path) for path in files])
    commands = json.loads((build / "compile_commands.json").read_text())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        rooms = {room: [path for path in files if re.fullmatch(room + r"/.*\.cpp", path)] for room in ROOMS}
        runs = {room: pool.submit(analyse, clang_tidy, source, build, room, rooms[room], commands)
                for room in sorted(rooms, key=lambda room: -len(rooms[room]))}
        for room, run in runs.items():
            done = run.result()
            fine = fine and done.returncode == 0
            print(f"{room}: {len(rooms[room])} files, {'clean' if done.returncode == 0 else 'not clean'}", flush=True)
            if done.returncode != 0:
                print(done.stdout + done.stderr, flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
