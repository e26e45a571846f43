"""Runs a command at a terminal of its own, and types: pseudo-terminal.py WAIT_FOR KEYS COMMAND... (KEYS in hexadecimal)."""
import os, pty, select, sys, time

wait_for, keys, command = sys.argv[1].encode(), bytes.fromhex(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown, typed, end = b"", False, time.monotonic() + 60
while time.monotonic() < end:
    ready, _, _ = select.select([terminal], [], [], 0.5)
    if not ready:
        continue
    try:
        part = os.read(terminal, 65536)
    except OSError:  # Linux reports the end of the other side as an error.
        break
    if not part:
        break
    shown += part
    if not typed and wait_for in shown:
        typed = True
        os.write(terminal, keys)
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(shown)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
