"""`python -m endu.door`: how Endu starts its door. Nobody else does."""

import signal
import socket
import sys
import time

import msgspec
import uvloop

from endu.door.process import DoorProcess, Sockets
from endu.garbage import search_seldom
from endu.logs import Logs, set_up

# How long a thread may hold the interpreter while another waits for it: by default 5 ms, which
# the log's thread, and so every commit, would pay while the loop is busy.
SWITCH_SECONDS = 0.0005


def main() -> None:
    # The process that started this one is told to end, and tells this one when it is time.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may log to a terminal in the background
    level, form, *descriptors = sys.argv[1:]
    set_up(msgspec.convert({"level": level, "format": form}, Logs))
    sys.setswitchinterval(SWITCH_SECONDS)
    listening, channel, handing, shared = map(int, descriptors)
    sockets = Sockets(
        socket.socket(fileno=listening),
        socket.socket(fileno=channel),
        socket.socket(fileno=handing),
        shared,
    )
    search_seldom()
    uvloop.run(DoorProcess(sockets, lambda: time.time_ns() // 1_000_000).serve())


if __name__ == "__main__":
    main()
