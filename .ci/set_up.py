"""Sets up what the project runs with: Python packages in .venv, and the CDK CLI in node_modules.

Needs nothing but Python 3.11 and a network, and runs with any older Python far enough to say so. What is there already
is left alone: it is done again only when a pin has changed, and an interrupted set-up is simply done again.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
STAMP = os.path.join(VENV, "set-up")
LOG = os.path.join(ROOT, "build", "set-up.log")
UV = "uv==0.13.9"
PINS = ("requirements-dev.txt", "package-lock.json", "pyproject.toml", os.path.join(".ci", "set_up.py"))
NEEDED = (3, 11)
NO_NETWORK = (
    "failed to establish a new connection",
    "temporary failure in name resolution",
    "name or service not known",
    "network is unreachable",
    "dns error",
    "failed to lookup address",
    "could not connect",
    "connection refused",
    "tunnel error",
    "getaddrinfo",
    "enotfound",
    "econnrefused",
    "eai_again",
)


def stop(message):
    sys.stderr.write("set-up: %s\n" % message)
    sys.exit(1)


def wanted():
    digest = hashlib.sha256(("%d.%d " % sys.version_info[:2]).encode())
    for name in PINS:
        with open(os.path.join(ROOT, name), "rb") as pins:
            digest.update(pins.read())
    return digest.hexdigest()


def is_done():
    try:
        with open(STAMP) as stamp:
            done = stamp.read().strip() == wanted()
    except OSError:
        return False
    tools = [os.path.join(BIN, "patchops"), os.path.join(ROOT, "node_modules", ".bin", "cdk")]
    return done and all(os.path.exists(tool) for tool in tools)


def run(what, command):
    """Run a command with its output in the log, and show that it goes on."""
    environment = dict(os.environ, PATH=BIN + os.pathsep + os.environ.get("PATH", ""), VIRTUAL_ENV=VENV)
    started = time.time()
    with open(LOG, "a") as log:
        log.write("$ %s\n" % " ".join(command))
        log.flush()
        try:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        except OSError as error:
            stop("%s: %s: %s" % (what, command[0], error.strerror))
        shown = -1
        try:
            while process.poll() is None:
                time.sleep(0.1)
                seconds = int(time.time() - started)
                if seconds != shown and (sys.stderr.isatty() or (seconds and seconds % 10 == 0)):
                    shown = seconds
                    end = "" if sys.stderr.isatty() else "\n"
                    sys.stderr.write("%sset-up: %s ... %d s%s" % ("\r" if not end else "", what, seconds, end))
                    sys.stderr.flush()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            stop("interrupted; run it again to go on")
    if process.returncode:
        sys.stderr.write("\n" if sys.stderr.isatty() else "")
        explain(what)
    line = "set-up: %s: done in %.0f s" % (what, time.time() - started)
    sys.stderr.write(("\r" if sys.stderr.isatty() else "") + line + "\n")


def explain(what):
    """Say in one line why a command failed."""
    with open(LOG) as log:
        lines = [line.strip() for line in log.read().splitlines() if line.strip()]
    text = "\n".join(lines[-40:]).lower()
    if any(sign in text for sign in NO_NETWORK):
        stop(
            "%s: no network, or no way to the package registry; connect, and run it again (see build/set-up.log)" % what
        )
    if "no space left" in text:
        stop("%s: no space left on the disk; about 1.5 GB are needed" % what)
    if "ensurepip" in text:
        stop("%s: this Python has no venv module; install it (on Debian: apt install python3-venv)" % what)
    errors = [line for line in lines[-40:] if "error" in line.lower()] or lines[-1:]
    stop("%s failed: %s (see build/set-up.log)" % (what, errors[0]))


def main():
    if sys.version_info[:2] < NEEDED:
        stop("Python %d.%d is too old; 3.11 or newer is needed: make PYTHON=python3.12 ..." % sys.version_info[:2])
    if is_done():
        return
    os.makedirs(os.path.dirname(LOG), exist_ok=True)
    open(LOG, "w").close()
    python = os.path.join(BIN, "python")
    if not os.path.exists(os.path.join(BIN, "pip")) or not same_python(python):
        shutil.rmtree(VENV, ignore_errors=True)
        run("make a virtual environment", [sys.executable, "-m", "venv", VENV])
    if os.path.exists(STAMP):
        os.remove(STAMP)
    uv = os.path.join(BIN, "uv")
    run("install uv", [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
    run(
        "install Python packages (about 1 GB)",
        [uv, "pip", "install", "--python", python, "--require-hashes", "-r", "requirements-dev.txt"],
    )
    run("install patchops", [uv, "pip", "install", "--python", python, "--no-deps", "--no-build-isolation", "-e", "."])
    run("install the CDK CLI", [os.path.join(BIN, "npm"), "ci", "--no-fund", "--no-audit"])
    with open(STAMP, "w") as stamp:
        stamp.write(wanted())


def same_python(python):
    """Tell whether the virtual environment is of the Python that runs this."""
    try:
        version = subprocess.check_output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    except (OSError, subprocess.CalledProcessError):
        return False
    return version.decode().strip() == "%d.%d" % sys.version_info[:2]


if __name__ == "__main__":
    main()
