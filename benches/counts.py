#!/usr/bin/env python3
"""Counts the instructions of the hot paths with callgrind and compares them with benches/counts.json.

Instructions do not depend on what else the machine does, so a regression is seen on any machine.

    python3 benches/counts.py             compare; exit code 1 if a path takes more than 3 % more than is kept
    python3 benches/counts.py --update    keep what is counted now
    python3 benches/counts.py intake      only these paths
"""

import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "counts.json"
TOLERANCE = 0.03


def build():
    """The program that runs one path, built as it is released, whatever the environment says of profiles."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CARGO_PROFILE_")}
    command = ["cargo", "build", "--release", "--locked", "--bench", "counts", "--message-format", "json-render-diagnostics"]
    out = subprocess.run(command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    messages = (json.loads(line) for line in out.splitlines())
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "counts")


def count(program, path):
    """The instructions within `counted`."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counts::counted*", program, path]
    run = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found or found[1] == "0":
        sys.exit(f"{' '.join(command)} counted nothing:\n{run.stderr}")
    return int(found[1])


def built_with():
    """The compiler and the C library, whose code is counted too."""
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, check=True, text=True).stdout.strip()
    return f"{compiler}, {' '.join(platform.libc_ver())}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--update", action="store_true", help="keep what is counted now")
    arguments.add_argument("--program", help="the built program, where it is not to be built")
    arguments.add_argument("paths", nargs="*", help="the paths to count, where not all of them")
    given = arguments.parse_args()
    program = given.program or build()
    known = subprocess.run([program], capture_output=True, check=True, text=True).stdout.split()
    unknown = [p for p in given.paths if p not in known]
    if unknown:
        sys.exit(f"no path is called {unknown[0]}: there are {', '.join(known)}")
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"instructions": {}}
    # Another compiler makes other code: then there is something to look at, but nothing that is wrong.
    same = kept.get("with") == built_with()
    now, worse, better = {}, [], []
    for path in given.paths or known:
        now[path] = count(program, path)
        before = kept["instructions"].get(path)
        change = "new" if before is None else f"{(now[path] / before - 1) * 100:+6.1f} %"
        print(f"{path:24}{now[path]:>14,}  {change}", flush=True)
        if before and now[path] > before * (1 + TOLERANCE):
            worse.append(f"{path}: {before:,} -> {now[path]:,} instructions ({change.strip()})")
        elif before is None or now[path] < before * (1 - TOLERANCE):
            better.append(path)
    if given.update:
        kept = {"with": built_with(), "instructions": {k: v for k, v in {**kept["instructions"], **now}.items() if k in known}}
        KEPT.write_text(json.dumps(kept, indent=2) + "\n")
        print(f"kept in {KEPT.relative_to(HERE.parent)}")
        return
    if worse and not same:
        print(f"\nthe numbers were kept with {kept.get('with')}, this is {built_with()}: no verdict")
    elif worse:
        print("\nmore instructions than before:\n  " + "\n  ".join(worse))
        print("find out why; if it is meant, `python3 benches/counts.py --update` keeps the new numbers")
        sys.exit(1)
    elif better:
        print(f"\nfewer than before, or new: {', '.join(better)}; `python3 benches/counts.py --update` keeps it")


if __name__ == "__main__":
    main()
