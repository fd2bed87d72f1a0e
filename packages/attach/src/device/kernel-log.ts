import { openSync, writeSync } from "node:fs";
import type { Log } from "../server/log.ts";

/**
 * The log of a process without a terminal: the kernel's log (`dmesg`, the journal), where the NBD driver reports on the
 * same device. Without access to it, as in a container, lines are lost.
 */
export function kernelLog(): Log {
  const fd = open();
  return (line) => {
    if (fd === undefined) return;
    try {
      writeSync(fd, `<${warningOfDaemon}>siphon[${process.pid}]: ${line}\n`);
    } catch {}
  };
}

function open(): number | undefined {
  try {
    return openSync("/dev/kmsg", "w");
  } catch {
    return undefined;
  }
}

/** Facility 3, severity 4 (syslog(3)). */
const warningOfDaemon = (3 << 3) | 4;
