"""A cable between two network namespaces that loses packets at will.

    wire.py NEAR FAR

Makes two TUN devices of these names and says "ready". Whoever started it moves
FAR into another namespace and gives both their addresses. Each line on
standard input says what share of the packets is lost from then on, first from
FAR to NEAR, then from NEAR to FAR: "0 0" is a good cable, "1 1" a cut one.

A TUN device is used rather than a queueing discipline (netem) because every
kernel with namespaces has it.
"""

import fcntl
import os
import random
import select
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
LARGEST = 65536


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    return device


def carry(source, target, loss):
    try:
        packet = os.read(source, LARGEST)
        if random.random() >= loss:
            os.write(target, packet)
    except OSError:
        pass  # An end that is not up yet, or full: a lost packet like any other.


near, far = tun(sys.argv[1]), tun(sys.argv[2])
up, down = 0.0, 0.0
print("ready", flush=True)
while True:
    ready, _, _ = select.select([near, far, sys.stdin], [], [])
    if sys.stdin in ready:
        line = sys.stdin.readline()
        if not line:
            break
        up, down = map(float, line.split())
        print("set", flush=True)
    if far in ready:
        carry(far, near, up)
    if near in ready:
        carry(near, far, down)
