import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "../../packages/lab/src/host/platform.ts";
import { shellQuote } from "../../packages/lab/src/vm/escape.ts";

/** The programs of Ceph, QEMU and fio that tests call. */
const isWanted = /^(ceph|rados|rbd|crushtool|osdmaptool|monmaptool|fio$|qemu-|python3$)/;

/** Stands in a call for the directory that a script is called in. */
const here = "/directory-of-the-caller";

/**
 * Makes, for each program of a root that tests call, a script that runs it as siphon runs programs of a root. With
 * their directory first in PATH, tests and the clusters that they start use the root's release without knowing it.
 */
export function writeShims(root: Platform, directory: string): void {
  const programs = ["bin", "sbin"].flatMap((bin) => readdirSync(root.file(`/usr/${bin}`)));
  for (const program of programs.filter((name) => isWanted.test(name))) {
    const { command, args } = root.command(program, [], { cwd: here });
    const words = args.map((word) => (word === here ? '"$PWD"' : shellQuote(word)));
    const script = `#!/bin/sh\nunset LD_PRELOAD LD_LIBRARY_PATH\nexec ${command} ${words.join(" ")} "$@"\n`;
    writeFileSync(join(directory, program), script, { mode: 0o755 });
  }
}
