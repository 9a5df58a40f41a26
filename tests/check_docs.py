#!/usr/bin/env python3
"""Checks that the YAML in the documentation loads.

    python3 tests/check_docs.py [path to the program]      (target/debug/engine if not given)

Every ```yaml block of README.md and docs/language.md is a file of its own, or a part of a playbook, which is put into
a small one. The blocks of one page stand in one folder, so that they can use what the others declare.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = {"playbook", "library", "signals", "actions", "incident_types", "lists", "permissions", "overlay"}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/debug/engine").resolve()
    bad = 0
    for page in ("README.md", "docs/language.md"):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
        with tempfile.TemporaryDirectory() as folder:
            for n, block in enumerate(blocks):
                first = re.search(r"^([a-z_]+):", block, re.M)
                if not first or first.group(1) not in FILES:
                    block = f"playbook: page.part_{n}\nformat: 1\nversion: 1.0.0\ntitle: Part {n}\nuse: [identity]\n{block}"
                (pathlib.Path(folder) / f"{n:02}.yaml").write_text(block, encoding="utf-8")
            done = subprocess.run([program, "check", "--format", "human", folder], capture_output=True, text=True)
            print(f"{page}: {len(blocks)} blocks: {done.stderr.strip()}")
            # A part shown by itself is used by nothing: that is a warning.
            if done.returncode > 1:
                print(done.stdout)
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
