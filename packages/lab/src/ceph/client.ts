import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../errors.ts";
import { type RunOptions, type RunResult, run } from "../host/command.ts";
import { host, type Platform } from "../host/platform.ts";
import { cephEnvironment } from "./environment.ts";
import { cephFailure } from "./failure.ts";
import { CephSession } from "./session.ts";

/** A cluster, a user, and a pool of images. */
export interface CephTarget {
  /** Path of the ceph.conf; it names the keyring. */
  conf: string;
  /** Without the `client.` prefix. */
  user: string;
  pool?: string;
  namespace?: string;
}

export interface CephCallOptions {
  signal?: AbortSignal;
  /** Milliseconds until a call that gets no answer fails with SIPHON_TIMEOUT; 60,000 unless told. */
  timeoutMs?: number;
  /** Written to the program's standard input. */
  input?: RunOptions["input"];
  /** The action, for error messages: `create image p/i`. */
  what?: string;
}

/** Seconds for a program to find a monitor. */
const CONNECT_SECONDS = 20;

/**
 * A Ceph cluster, local or existing, through Ceph's own programs. Errors: SIPHON_NOT_FOUND, SIPHON_PERMISSION,
 * SIPHON_TIMEOUT, SIPHON_NO_SPACE, SIPHON_CLUSTER.
 */
export class CephClient {
  readonly target: CephTarget;
  /** Environment of programs for this client, from a resource, so that they can be found again. */
  readonly environment: Record<string, string>;

  /** Where the programs come from. */
  readonly platform: Platform;

  constructor(target: CephTarget, environment: Record<string, string> = {}, platform: Platform = host) {
    this.target = target;
    this.environment = environment;
    this.platform = platform;
  }

  /** The same cluster with another pool, namespace or user. */
  with(change: Partial<CephTarget>): CephClient {
    return new CephClient({ ...this.target, ...change }, this.environment, this.platform);
  }

  /** Runs `ceph ARGS --format json`; returns what it prints, parsed (undefined when that is nothing). */
  async command(args: string[], options: CephCallOptions = {}): Promise<unknown> {
    const { conf, user } = this.target;
    const all = ["--conf", conf, "--id", user, "--connect-timeout", `${CONNECT_SECONDS}`, "--format", "json"];
    return parse(await this.#run("ceph", [...all, ...args], `run ceph ${args.join(" ")}`, options));
  }

  /**
   * Runs `rbd ARGS` as the user; the target's pool and namespace are not added: name images with `spec`.
   * Returns its standard output, as it is.
   */
  async rbd(args: string[], options: CephCallOptions = {}): Promise<string> {
    return (await this.#run("rbd", [...this.#rbdArgs(), ...args], `run rbd ${args.join(" ")}`, options))
      .stdout;
  }

  /** Runs `rbd ARGS --format json`; returns what it prints, parsed. */
  async rbdJson(args: string[], options: CephCallOptions = {}): Promise<unknown> {
    const all = [...this.#rbdArgs(), ...args, "--format", "json"];
    return parse(await this.#run("rbd", all, `run rbd ${args.join(" ")}`, options));
  }

  /** Runs `rados ARGS` in the target's pool and namespace. */
  async rados(args: string[], options: CephCallOptions = {}): Promise<string> {
    const where = [
      "--pool",
      this.pool,
      ...(this.target.namespace ? ["--namespace", this.target.namespace] : []),
    ];
    const all = [...this.#rbdArgs(), ...where, ...args];
    return (await this.#run("rados", all, `run rados ${args.join(" ")}`, options)).stdout;
  }

  /** One `ceph` process for many commands, which saves their start-up times. */
  session(options: { signal?: AbortSignal } = {}): Promise<CephSession> {
    const { conf, user } = this.target;
    return CephSession.open({
      ...{ conf, user, env: this.#env(), from: this.platform, connectSeconds: CONNECT_SECONDS },
      ...options,
    });
  }

  /** The pool of the target; throws SIPHON_USAGE when it has none. */
  get pool(): string {
    if (this.target.pool === undefined) {
      throw new LabError("SIPHON_USAGE", "no pool is named", { hint: "name one with --pool" });
    }
    return this.target.pool;
  }

  /** An image's name as rbd wants it: pool/image or pool/namespace/image. */
  spec(image: string): string {
    return [this.pool, this.target.namespace, image].filter((part) => part !== undefined).join("/");
  }

  #env(): Record<string, string | undefined> {
    return { ...cephEnvironment, ...this.environment };
  }

  #rbdArgs(): string[] {
    const { conf, user } = this.target;
    return ["--conf", conf, "--id", user, "--client-mount-timeout", `${CONNECT_SECONDS}`];
  }

  async #run(command: string, args: string[], what: string, options: CephCallOptions): Promise<RunResult> {
    const { signal, timeoutMs, input } = options;
    let result: RunResult;
    for (let attempt = 1; ; attempt++) {
      result = await run(command, args, {
        ...{ from: this.platform, env: this.#env(), anyExitCode: true },
        ...{ signal, timeoutMs, input },
      });
      if (result.exitCode === 0) return result;
      if (attempt === mostAttempts || !neverAsked.test(result.stderr)) break;
      await sleep(pauseMs, undefined, { signal });
    }
    const { user, conf, pool } = this.target;
    throw cephFailure({ what: options.what ?? what, user, conf, pool }, result.stderr || result.stdout);
  }
}

/**
 * The ceph program first gets the list of commands from a monitor. A monitor that has just started may reject this even
 * for admins; the command itself was not sent then, and can be retried.
 */
const neverAsked = /problem getting command descriptions/;
const mostAttempts = 4;
const pauseMs = 300;

function parse({ stdout }: RunResult): unknown {
  const text = stdout.trim();
  return text === "" ? undefined : JSON.parse(text);
}
