import { readFileSync } from "node:fs";

/**
 * Names of code that a program generated, from /tmp/perf-PID.map (node --perf-basic-prof, QEMU
 * -perfmap). Source: tools/perf/Documentation/jit-interface.txt of the Linux kernel.
 *
 *     7f8e5c0a1000 1a4 LazyCompile:*hot /srv/app.js:3
 */
export function readPerfMap(pid: number): (address: bigint) => string | undefined {
  let text: string;
  try {
    text = readFileSync(`/tmp/perf-${pid}.map`, "utf8");
  } catch {
    return () => undefined;
  }
  const entries = text.split("\n").flatMap((line) => {
    const [, start, size, name] = /^([0-9a-f]+) ([0-9a-f]+) (.+)$/i.exec(line) ?? [];
    return start
      ? [{ start: BigInt(`0x${start}`), end: BigInt(`0x${start}`) + BigInt(`0x${size}`), name }]
      : [];
  });
  // Memory of discarded code is reused: the last entry counts.
  return (address) => entries.findLast(({ start, end }) => address >= start && address < end)?.name;
}
