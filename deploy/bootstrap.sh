#!/bin/sh
# Make .venv with the locked dependencies. Called by make when the lock changed; needs Python only.
# Every failure ends with one sentence: what happened, and what to do.

UV_VERSION=0.13.9      # the version that wrote uv.lock
NEED_KB=1000000        # measured: 450 MB of packages, and room for the first data
NEWEST_PYTHON=14       # 3.14: the newest for which PostgreSQL's wheel exists

say() { printf '%s\n' "$*" >&2; }
fail() { say "relance: $*"; exit 1; }

free_kb() { df -Pk . | awk 'NR == 2 { print $4 }'; }

check_platform() {
    case "$(uname -s)/$(uname -m)" in
        Linux/x86_64 | Linux/aarch64 | Darwin/x86_64 | Darwin/arm64) ;;
        *) fail "there is no embedded PostgreSQL and Java for $(uname -s) on $(uname -m):" \
                "use Linux or macOS (x86-64 or ARM), or docker compose." ;;
    esac
}

check_libc() {
    if [ "$(uname -s)" = Linux ] && ! "$python" - 2>/dev/null <<'PYTHON'; then
import os
name, version = os.confstr("CS_GNU_LIBC_VERSION").split()
assert tuple(map(int, version.split("."))) >= (2, 28)
PYTHON
        fail "embedded PostgreSQL and Java need glibc 2.28 or newer, which this Linux has not:" \
             "use a newer one that is not Alpine, or docker compose."
    fi
}

check_disk() {
    if [ "$(free_kb)" -lt "$NEED_KB" ]; then
        fail "only $(($(free_kb) / 1024)) MB are free on the disk of $PWD and the environment" \
             "needs $((NEED_KB / 1024)) MB: free some space and try again."
    fi
}

# Really run it: a name on the PATH may be a pyenv shim with no version behind it.
suits() {
    "$1" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $NEWEST_PYTHON))" \
        >/dev/null 2>&1
}

# Debian keeps what is needed for it in packages of their own.
makes_environments() {
    "$1" -c "import venv" >/dev/null 2>&1 &&
        { "$1" -m pip --version || "$1" -c "import ensurepip"; } >/dev/null 2>&1
}

find_python() {
    if [ -n "$1" ]; then
        suits "$1" || fail "PYTHON=$1 is not a Python 3.11 to 3.$NEWEST_PYTHON that runs:" \
                           "name another one, or leave PYTHON out."
        python=$1
        return
    fi
    # The system's own first: it is built with optimisation, a pyenv's as a rule is not, and then
    # everything takes a sixth longer.
    python=/usr/bin/python3
    if suits "$python" && makes_environments "$python"; then return; fi
    for python in python3.13 python3.12 python3.11 python3.14 python3 python; do
        if suits "$python"; then return; fi
    done
    fail "no Python 3.11 to 3.$NEWEST_PYTHON was found: install one (Debian: apt-get install" \
         "python3 python3-venv) or name it with make PYTHON=/path/to/python3."
}

# Debian keeps ensurepip in a package of its own; a pip of the machine can stand in for it.
make_environment() {
    # Somebody's own environment variables must not send the packages elsewhere.
    unset PYTHONHOME PYTHONPATH VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
    # Its last written file names its place: an environment that was moved, or cut short while
    # it was made, is made again.
    if [ -z "$1" ] && suits .venv/bin/python && grep -q "$PWD/.venv" .venv/bin/activate 2>/dev/null
    then return; fi
    rm -rf .venv
    say "Making .venv with $("$python" --version 2>&1) …"
    if problem=$("$python" -m venv .venv 2>&1); then return; fi
    rm -rf .venv
    if "$python" -m pip --version >/dev/null 2>&1 &&
        problem=$("$python" -m venv --without-pip .venv 2>&1); then return; fi
    rm -rf .venv
    why_not "$problem" "$python cannot make a virtual environment: install its venv package" \
            "(Debian: apt-get install $(package_of_venv))."
}

package_of_venv() {
    "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

install_uv() {
    if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" = "$UV_VERSION" ]; then return; fi
    say "Installing uv $UV_VERSION …"
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        problem=$(.venv/bin/python -m pip install --quiet --disable-pip-version-check \
            "uv==$UV_VERSION" 2>&1)
    else
        problem=$("$python" -m pip --python .venv/bin/python install --quiet \
            --disable-pip-version-check "uv==$UV_VERSION" 2>&1)
    fi || why_not "$problem" "uv could not be installed: this first run needs the Internet," \
                  "later ones do not; check the connection and try again."
}

install_packages() {
    say "Installing the locked packages (200 MB the first time, then cached) …"
    problem=.venv/sync.log
    # On a terminal uv draws its own progress; elsewhere its lines are kept for the failure.
    if [ -t 2 ]; then
        sync && return
        problem=
    else
        sync >"$problem" 2>&1 && return
        problem=$(cat "$problem")
    fi
    why_not "$problem" "the locked packages could not be installed: this first run needs the" \
            "Internet, later ones do not; check the connection and try again."
}

# Again with the machine's own certificates: a company's proxy has one that only they know.
# Compiled here (5 s, once): where PYTHONDONTWRITEBYTECODE is set, every start of every service
# would compile all of it again, which is half of what a start costs.
sync() {
    .venv/bin/uv sync --frozen --inexact --compile-bytecode --python .venv/bin/python ||
        .venv/bin/uv sync --frozen --inexact --compile-bytecode --python .venv/bin/python \
            --system-certs
}

# why_not PROBLEM SENTENCE…: a full disk has its own sentence, whatever failed because of it.
why_not() {
    problem=$1
    shift
    if [ "$(free_kb)" -lt 51200 ] || printf '%s' "$problem" | grep -q 'No space left'; then
        fail "the disk of $PWD is full: free $((NEED_KB / 1024)) MB and try again."
    fi
    if [ -n "$problem" ]; then printf '%s\n' "$problem" | tail -n 8 >&2; fi
    fail "$@"
}

check_platform
find_python "$1"
check_libc
if [ ! -e .venv/ready ]; then check_disk; fi
make_environment "$1"
rm -f .venv/ready
install_uv
install_packages
# Last, so that a run that was cut short is taken up again.
printf '%s' "$PWD" >.venv/ready
