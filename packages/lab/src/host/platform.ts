import { globSync } from "node:fs";
import { relative } from "node:path";

/** Variables added to this process's environment; undefined removes one. */
export type Variables = Record<string, string | undefined>;

/** How to start a program, for node:child_process. */
export interface Call {
  command: string;
  args: string[];
  env: Variables;
}

/** Options with which a program is started. */
export interface CallOptions {
  env?: Variables;
  /** Its working directory; default: this process's. */
  cwd?: string;
}

/**
 * The source of programs: this host, or a root directory with another release of Ceph and QEMU. It only changes how a
 * program is started: paths, sockets, pids and signals are the same.
 */
export interface Platform {
  /** `host`, or the root's name. */
  readonly name: string;
  /** Whether a root has a program of that name; always true for the host. */
  has(program: string): boolean;
  /** How to start one of its programs; throws SIPHON_MISSING_PROGRAM if a root lacks it. */
  command(program: string, args: readonly string[], options?: CallOptions): Call;
  /** This process's path of a file that the platform's programs see at an absolute path. */
  file(path: string): string;
}

/** The host itself: programs as PATH finds them. */
export const host: Platform = {
  name: "host",
  has: () => true,
  command: (program, args, { env = {} } = {}) => ({ command: program, args: [...args], env }),
  file: (path) => path,
};

/**
 * The platform, or the host if the platform is a root without that program: Ceph's container images have no fio and no
 * QEMU.
 */
export function withProgram(platform: Platform, program: string): Platform {
  return platform.has(program) ? platform : host;
}

/** Where distributions keep libraries. */
export const libraryDirectories = ["/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib"];

/** The platform's files that match absolute patterns, as its programs see them. */
export function filesOf(platform: Platform, patterns: readonly string[]): string[] {
  const top = platform.file("/");
  return patterns
    .flatMap((pattern) => globSync(platform.file(pattern)))
    .map((found) => `/${relative(top, found)}`);
}
