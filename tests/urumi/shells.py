"""Completion in real shells: what bash, zsh and fish offer at the end of a line."""

import os
import pty
import re
import shlex
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

PATIENCE_SECONDS = 60.0

BASH = r"""
source "$1"
COMP_LINE=$2
COMP_WORDS=("${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_shtab_urumi
printf '%s\n' "${COMPREPLY[@]}"
"""
# In the locale C, fish starts no program and zsh reads no path with other letters than those of ASCII.
UTF8 = {"LC_ALL": "C.UTF-8"}
FISH = 'source $argv[1]; complete -C "$argv[2]"'
# The widget lists the matches as a tab would, while compadd writes them to a pipe.
ZSH = r"""
autoload -Uz compinit && compinit -D -u
source {script}
compadd() {{
  local -a hits
  builtin compadd -O hits "$@" 2>/dev/null
  print -u $out -rl -- $hits
  builtin compadd "$@"
}}
list-and-end() {{ zle list-choices; print -u $out END; exec {{out}}>&- }}
zle-line-init() {{ exec {{out}}>{pipe} }}
zle -N list-and-end
zle -N zle-line-init
bindkey '^T' list-and-end
"""


def offered_by_bash(script: Path, line: str, environ: Mapping[str, str]) -> set[str]:
    """Return what bash offers, with the words of the line split as readline splits them.

    Their backslashes are removed, because `compgen` does so only while readline completes.
    """
    words = re.findall(r"[=:]+|(?:\\.|[^\s=:\\])+", line) + ([""] if line.endswith((" ", "=")) else [])
    words = [re.sub(r"\\(.)", r"\1", word) for word in words]
    return set(_output(environ, "bash", "--norc", "-c", BASH, "bash", str(script), line, *words)) - {""}


def offered_by_fish(script: Path, line: str, environ: Mapping[str, str]) -> set[str]:
    """Return what fish offers, without descriptions."""
    lines = _output({**environ, **UTF8}, "fish", "--no-config", "-c", FISH, str(script), line)
    return {each.partition("\t")[0] for each in lines}


def offered_by_zsh(script: Path, line: str, environ: Mapping[str, str]) -> set[str]:
    """Return what an interactive zsh offers."""
    pipe, setup = script.with_suffix(".pipe"), script.with_suffix(".setup")
    setup.write_text(ZSH.format(script=shlex.quote(str(script)), pipe=shlex.quote(str(pipe))))
    os.mkfifo(pipe)
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        ["zsh", "-f", "-i"],
        cwd=script.parent,
        env={**environ, **UTF8},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as zsh:
        os.close(terminal)
        screen: list[bytes] = []
        reader = threading.Thread(target=_drain, args=(keyboard, screen), daemon=True)
        reader.start()
        os.write(keyboard, f"source ./{setup.name}\n".encode())
        with pipe.open() as written:  # opens once the shell reads the keyboard
            os.write(keyboard, f"{line}\x14".encode())
            offered = set(written.read().splitlines())
        zsh.kill()
    reader.join(PATIENCE_SECONDS)
    os.close(keyboard)
    pipe.unlink()
    assert "END" in offered, b"".join(screen)
    assert b"_urumi_store_ids:" not in b"".join(screen), "the function printed an error"
    return offered - {"END", ""}


def _output(environ: Mapping[str, str], *command: str) -> list[str]:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


def _drain(keyboard: int, screen: list[bytes]) -> None:
    try:
        while text := os.read(keyboard, 65536):
            screen.append(text)
    except OSError:
        return  # the shell has ended
