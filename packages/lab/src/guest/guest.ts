import type { LabError } from "../errors.ts";
import type { Accelerator, Boot, Network } from "../vm/arguments.ts";
import type { VmSettings } from "../vm/settings.ts";
import type { GuestControl } from "./control.ts";

/** A kind of guest: how QEMU boots it, and how to access it. */
export interface Guest {
  /** Its parts, for the report. */
  description: { name: string; value: string }[];
  /** Stored with the VM so that another process can access it; never a secret. */
  details: { kind: string; [detail: string]: unknown };
  /** The least memory with which it boots. */
  leastMemoryMiB: number;
  boot(circumstances: BootCircumstances): Boot;
  /** How a person logs in from a terminal. */
  shell(place: { directory: string; network?: Network }): ShellAccess;
  /** Waits until the guest answers; throws SIPHON_TIMEOUT, SIPHON_GUEST, or what `qemuEnded` says. */
  connect(access: GuestAccess): Promise<GuestControl>;
}

export interface BootCircumstances {
  accelerator: Accelerator;
  settings: VmSettings;
  network?: Network;
  /** Further kernel parameters, if siphon passes them. */
  parameters: string[];
}

/** A terminal in a guest: raw bytes over a unix socket, or a program to run. */
export type ShellAccess =
  | { type: "socket"; path: string }
  | { type: "program"; command: string; args: string[]; cwd: string };

export interface GuestAccess {
  /** QEMU's end of the agent's virtio-serial port, a unix socket. */
  agentSocket: string;
  network?: Network;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Resolves when QEMU has ended, with the error that says why QEMU or the guest ended. */
  qemuEnded: Promise<LabError>;
}
