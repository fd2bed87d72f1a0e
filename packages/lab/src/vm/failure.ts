import { existsSync, readFileSync } from "node:fs";
import { LabError } from "../errors.ts";
import type { Exit } from "../host/daemon.ts";
import type { Resource } from "../state/resource.ts";
import { vmFiles } from "./arguments.ts";

/** How a QEMU has ended unexpectedly; undefined if unknown (not our child process). */
export interface QemuEnd {
  exit: Exit | undefined;
  /** Its last output, in one line. */
  lastWords: string;
}

/** The error for a QEMU that ended while it was needed; a guest error if its console shows one. */
export function qemuEndedError(resource: Resource, { exit, lastWords }: QemuEnd): LabError {
  const panic = panicOf(consoleText(resource));
  if (panic) {
    // An emulated processor may fail where a real one does not, and not again.
    const retryable = resource.details.accelerator === "tcg";
    return new LabError("SIPHON_GUEST", `the guest of VM ${resource.name} died: ${panic}`, { retryable });
  }
  if (exit?.signal) {
    const message = `QEMU of VM ${resource.name} was ended by ${exit.signal}`;
    return new LabError("SIPHON_VM", `${message}: ${lastWords}`);
  }
  if (exit?.code === 0) {
    const message = `the guest of VM ${resource.name} powered off or reset itself; ${lastConsoleLine(resource)}`;
    return new LabError("SIPHON_GUEST", message);
  }
  const how = exit ? `exit code ${exit.code}` : "exit code unknown";
  return new LabError("SIPHON_VM", `QEMU of VM ${resource.name} ended (${how}): ${lastWords}`, {
    hint: hintFor(lastWords),
  });
}

/** The last line of the guest kernel's console, for errors about a guest that does not answer. */
export function lastConsoleLine(resource: Resource): string {
  const last = consoleText(resource).trim().split("\n").at(-1)?.trim();
  return last ? `its console ends with: ${last.slice(-200)}` : "its console is empty";
}

/** What the kernel says of its end, and of what led to it. */
function panicOf(console: string): string | undefined {
  const panic = /Kernel panic - not syncing: .*/.exec(console)?.[0];
  const cause = /\b(?:BUG|Oops|general protection fault)\b.*/.exec(console)?.[0];
  return panic && cause ? `${panic} (${cause.slice(0, 200)})` : panic;
}

function consoleText(resource: Resource): string {
  const file = resource.path(vmFiles.console);
  return existsSync(file) ? readFileSync(file, "latin1") : "";
}

const hints: [RegExp, string][] = [
  [/Failed to get .* lock/, "something else uses this disk; list VMs with: siphon vm list"],
  [
    /unknown (protocol|driver) 'rbd'|does not accept value 'rbd'/i,
    "this QEMU has no rbd driver; install it (Debian and Ubuntu: apt-get install qemu-block-extra, Fedora: dnf install qemu-block-rbd)",
  ],
  [/could not access KVM|failed to initialize kvm/i, "run it emulated: --accel tcg"],
  [/cannot set up guest memory|cannot allocate memory/i, "give the guest less memory"],
  [/error reading header from .*: No such file/i, "list the pool's images with: rbd ls POOL"],
  [
    /error connecting|Operation not permitted|Permission denied/i,
    "check the user's caps with: ceph auth get client.NAME",
  ],
];

function hintFor(words: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(words))?.[1];
}
