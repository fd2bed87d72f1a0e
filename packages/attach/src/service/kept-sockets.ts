import { closeSync, fstatSync, lstatSync, rmSync } from "node:fs";
import type { Log } from "../server/log.ts";
import type { SocketKeeper } from "../server/socket-keeper.ts";
import { closeOnExec } from "../vhost/native/socket.ts";
import type { ServiceManager } from "./sd-notify.ts";

/**
 * Listening sockets that the service manager keeps (FileDescriptorStoreMax= of systemd.service(5)). However this
 * process ends, its successor inherits them (sd_listen_fds(3)), and clients that connect meanwhile wait.
 *
 * The service manager knows a descriptor by the inode of the socket's file and its path. If another file is at the path now, no client can
 * connect to the socket, and it is dropped.
 */
export class KeptSockets implements SocketKeeper {
  readonly #manager: ServiceManager;
  readonly #log: Log;
  /** Inherited sockets that no server has taken yet, by path. */
  readonly #inherited = new Map<string, number>();
  /** Their names at the service manager, by path. */
  readonly #names = new Map<string, string>();
  #isEnding = false;

  /** @param environment of the process; the variables that name inherited descriptors are removed */
  constructor(manager: ServiceManager, environment: NodeJS.ProcessEnv, log: Log) {
    this.#manager = manager;
    this.#log = log;
    const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = "" } = environment;
    for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
    if (LISTEN_PID !== String(process.pid)) return;
    const names = LISTEN_FDNAMES.split(":");
    for (let i = 0; i < Number(LISTEN_FDS); i++) this.#inherit(names[i] ?? "", firstInherited + i);
  }

  take(path: string): number | undefined {
    const fd = this.#inherited.get(path);
    this.#inherited.delete(path);
    return fd;
  }

  keep(path: string, fd: number): void {
    if (this.#names.has(path)) return;
    const name = nameOf(path);
    if (name === undefined) return;
    this.#names.set(path, name);
    if (!this.#manager.tellWith([fd], "FDSTORE=1", `FDNAME=${name}`)) {
      this.#log(`${path}: clients are refused while the service is restarted`);
    }
  }

  leaves(path: string): boolean {
    const name = this.#names.get(path);
    if (name === undefined || this.#isEnding) return name !== undefined;
    this.#names.delete(path);
    this.#manager.tell("FDSTOREREMOVE=1", `FDNAME=${name}`);
    return false;
  }

  /** Closes the sockets that no server has taken; clients that wait there are refused. */
  dropRest(): void {
    if (this.#isEnding) return;
    for (const [path, fd] of this.#inherited) {
      this.leaves(path);
      // The file would suggest that a server listens there.
      rmSync(path, { force: true });
      closeSync(fd);
    }
    this.#inherited.clear();
  }

  /** The process ends: kept sockets stay. */
  leaveAll(): void {
    this.#isEnding = true;
  }

  #inherit(name: string, fd: number): void {
    const path = pathIn(name);
    if (
      path !== undefined &&
      nameOf(path) === name &&
      !this.#inherited.has(path) &&
      fstatSync(fd).isSocket()
    ) {
      closeOnExec(fd);
      this.#inherited.set(path, fd);
      this.#names.set(path, name);
    } else {
      closeSync(fd);
      this.#manager.tell("FDSTOREREMOVE=1", `FDNAME=${name}`);
    }
  }
}

/** SD_LISTEN_FDS_START. */
const firstInherited = 3;
/** FDNAME_MAX: systemd rejects longer names, and names with a colon. */
const longestName = 255;

function nameOf(path: string): string | undefined {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (!file?.isSocket()) return undefined;
  const name = `${file.ino}@${encodeURI(path).replaceAll(":", "%3A")}`;
  return name.length <= longestName ? name : undefined;
}

function pathIn(name: string): string | undefined {
  const encoded = /^\d+@(\/.*)$/.exec(name)?.[1];
  try {
    return encoded && decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
