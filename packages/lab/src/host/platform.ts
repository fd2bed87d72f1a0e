import { globSync } from "node:fs";
import { relative } from "node:path";

/** Variables added to this process's environment; undefined removes one. */
export type Variables = Record<string, string | undefined>;

/** How to start a program: what node:child_process takes. */
export interface Call {
  command: string;
  args: string[];
  env: Variables;
}

/** Options with which a program is started. */
export interface CallOptions {
  env?: Variables;
  /** Its working directory; this process's own unless told. */
  cwd?: string;
}

/**
 * Where programs come from: this host, or a root directory that holds another release of Ceph and QEMU. It changes
 * how a program is started, and nothing else: paths, sockets, pids and signals are the same.
 */
export interface Platform {
  /** `host`, or what the root is called. */
  readonly name: string;
  /** Whether a root has a program of that name; the host is believed to have all. */
  has(program: string): boolean;
  /** How to start one of its programs; throws SIPHON_MISSING_PROGRAM where a root has no such program. */
  command(program: string, args: readonly string[], options?: CallOptions): Call;
  /** The path by which this process reaches the file that the platform's programs see at an absolute path. */
  file(path: string): string;
}

/** The host itself: programs as PATH finds them. */
export const host: Platform = {
  name: "host",
  has: () => true,
  command: (program, args, { env = {} } = {}) => ({ command: program, args: [...args], env }),
  file: (path) => path,
};

/** The platform, or the host where the platform is a root without that program: a container of Ceph has no fio and no QEMU. */
export function withProgram(platform: Platform, program: string): Platform {
  return platform.has(program) ? platform : host;
}

/** Where distributions keep libraries. */
export const libraryDirectories = ["/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib"];

/** The files of a platform that match absolute patterns, as its programs name them. */
export function filesOf(platform: Platform, patterns: readonly string[]): string[] {
  const top = platform.file("/");
  return patterns
    .flatMap((pattern) => globSync(platform.file(pattern)))
    .map((found) => `/${relative(top, found)}`);
}
