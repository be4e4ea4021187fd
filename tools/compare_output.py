"""Compare what the sample's report looks like now, byte by byte, with what an earlier commit makes of it.

    python tools/compare_output.py COMMIT [--folder KEPT]

Both report the sample of the working tree, each with its own instrument and notebooks. Compared are handouts,
portfolio, index and `results/`; manifest and history, which say when a run was and hold random keys, are left out.
Exit code 0: equal; 1: something differs, each file named.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPARED = ("overview/*.html", "units/*.html", "records/results/**/*")
CODE = """
from importlib.metadata import entry_points
[command] = entry_points(group="console_scripts", name="aiready")
command.load()()
"""


def main() -> int:
    """Report twice, compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit")
    parser.add_argument("--folder", type=Path, help="keep both reports here; the one of COMMIT is made once")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        commit = _git("rev-parse", "--verify", f"{chosen.commit}^{{commit}}").strip()
        before, now = folder / commit, folder / "now"
        if not before.exists():
            with tempfile.TemporaryDirectory() as package:
                _git("worktree", "add", "--detach", f"{package}/tree", commit)
                try:
                    _report(Path(package) / "tree", before)
                finally:
                    _git("worktree", "remove", "--force", f"{package}/tree")
        shutil.rmtree(now, ignore_errors=True)
        _report(ROOT, now)
        different = differences(before, now)
        files = sum(path.is_file() for pattern in COMPARED for path in now.glob(pattern))
    print("\n".join(different) or f"{files} files equal those of {commit[:9]}")
    return int(bool(different))


def differences(before: Path, now: Path) -> list[str]:
    """Files that only one folder has, or that are not the same to the byte."""
    names = sorted({path.relative_to(folder) for folder in (before, now) for pattern in COMPARED
                    for path in folder.glob(pattern) if path.is_file()})  # fmt: skip
    lines = []
    for name in names:
        if not (before / name).exists() or not (now / name).exists():
            lines.append(f"{name}: only {'now' if (now / name).exists() else 'before'}")
        elif not filecmp.cmp(before / name, now / name, shallow=False):
            lines.append(f"{name}: differs")
    return lines


def _report(tree: Path, out: Path) -> None:
    """Report the sample with the package of a tree, installed by itself and before any other on the path."""
    with tempfile.TemporaryDirectory() as site:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, str(tree)]
        subprocess.run(install, check=True)
        environment = os.environ | {"PYTHONPATH": site}
        sample = str(ROOT / "data" / "sample")
        command = [sys.executable, "-P", "-c", CODE, "report", sample, "--out", str(out), "--quiet"]
        process = subprocess.run(command, env=environment, check=False)
        if process.returncode:
            raise SystemExit(f"{tree}: the report ended with {process.returncode}")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
