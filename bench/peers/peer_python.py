"""A Python with the peers' packages: PEERS_PYTHON, else an environment that is made once under ~/.cache."""
import os, subprocess, sys

CACHE = os.path.expanduser(os.environ.get("SELENE_CACHE", "~/.cache/selene"))


def peer_python(*packages):
    """The path of a Python that has `packages` ("name==version")."""
    if os.environ.get("PEERS_PYTHON"):
        return os.environ["PEERS_PYTHON"]
    folder = os.path.join(CACHE, "peers-" + "-".join(package.replace("==", "-") for package in packages))
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(os.path.join(folder, "done")):
        print(f"making an environment with {', '.join(packages)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        open(os.path.join(folder, "done"), "w").close()
    return python
