import { LabError } from "../errors.ts";
import { SshMaster } from "../guest/ssh/master.ts";
import { inOneLine, lastWords, type RunResult, run } from "../host/command.ts";
import { RESOURCE_VARIABLE } from "../state/resource.ts";
import { shellQuote } from "../vm/escape.ts";
import { sshArguments } from "./connection.ts";
import { hostFailure } from "./failure.ts";
import type { InventoryHost } from "./inventory.ts";
import { DEPLOYMENT_VARIABLE, script } from "./script.ts";

export interface ScriptOptions {
  /** The action, for messages: `make the store of osd.0`. */
  what: string;
  signal?: AbortSignal;
  /** Milliseconds; default two minutes. */
  timeoutMs?: number;
  /** Whether its processes belong to the deployment and end with it. False for the script that ends those processes. */
  owned?: boolean;
}

/** A host of an inventory, over one ssh connection shared by all scripts. */
export class RemoteHost implements AsyncDisposable {
  readonly inventory: InventoryHost;
  readonly #master: SshMaster;
  readonly #directory: string;
  readonly #lost = new AbortController();

  private constructor(host: InventoryHost, directory: string) {
    this.inventory = host;
    this.#directory = directory;
    this.#master = new SshMaster(sshArguments(host), host.ssh.host, directory);
    void this.#master.ended.then((said) => this.#lost.abort(connectionLost(host, said)));
  }

  /**
   * Connects; `directory` is the deployment's on this machine.
   *
   * @throws LabError SIPHON_HOST or SIPHON_PERMISSION
   */
  static async connect(host: InventoryHost, directory: string, signal?: AbortSignal): Promise<RemoteHost> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(60_000);
    const remote = new RemoteHost(host, directory);
    if (await remote.#master.accepted(signal ? AbortSignal.any([signal, timeout]) : timeout)) return remote;
    const said = remote.#master.open ? "no answer within 60 s" : await remote.#master.ended;
    await remote[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw notLetIn(host, said);
  }

  get name(): string {
    return this.inventory.name;
  }

  /** Aborted with an error that names the host when the connection ends. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Runs a script (see `script`) as the user of the inventory, or as root; returns what it prints. */
  async run(lines: string[], options: ScriptOptions): Promise<string> {
    const { what, signal, timeoutMs = 120_000, owned = true } = options;
    const { ssh, directory } = this.inventory;
    const tag = owned ? [`${DEPLOYMENT_VARIABLE}=${shellQuote(directory)}`] : [];
    const shell = [...(ssh.sudo ? ["sudo", "-n"] : []), "env", ...tag, "sh", "-s"].join(" ");
    const result = await run("ssh", [...this.#master.arguments, shell], {
      cwd: this.#directory,
      env: { [RESOURCE_VARIABLE]: this.#directory },
      input: script(lines),
      timeoutMs,
      signal: signal ? AbortSignal.any([signal, this.lost]) : this.lost,
      anyExitCode: true,
    });
    if (result.exitCode !== 0) throw this.#failure(what, result);
    return result.stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master[Symbol.asyncDispose]();
  }

  #failure(what: string, result: RunResult): LabError {
    // ssh itself exits with 255; its master may not have noticed yet.
    if (result.exitCode === 255) return connectionLost(this.inventory, inOneLine(result.stderr));
    return hostFailure(this.inventory, what, lastWords(result, 4));
  }
}

/** The connected hosts of an inventory, in order. */
export interface Fleet extends AsyncDisposable {
  remotes: RemoteHost[];
}

/** Connects to all hosts or none: throws the errors of those that it cannot reach. */
export async function connectAll(
  hosts: InventoryHost[],
  directory: string,
  signal?: AbortSignal,
): Promise<Fleet> {
  await using connected = new AsyncDisposableStack();
  const tried = await Promise.allSettled(hosts.map((host) => RemoteHost.connect(host, directory, signal)));
  const remotes = tried.flatMap((each) => (each.status === "fulfilled" ? [connected.use(each.value)] : []));
  const errors = tried.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
  signal?.throwIfAborted();
  if (errors.length > 0) throw allOf(errors);
  const kept = connected.move();
  return { remotes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function allOf(errors: Error[]): Error {
  const [first] = errors;
  if (errors.length === 1 || !(first instanceof LabError)) return first;
  const messages = errors.map(({ message }) => message);
  return new LabError(first.code, messages.join("; "), { cause: first, hint: first.hint });
}

function connectionLost({ name }: InventoryHost, said: string): LabError {
  const message = `the connection to ${name} has ended: ${said || "it does not answer any more"}`;
  return new LabError("SIPHON_HOST", message, { retryable: true });
}

function notLetIn({ name, ssh }: InventoryHost, said: string): LabError {
  const user = ssh.user ? `${ssh.user}@` : "";
  const message = `cannot reach ${name} over ssh (${user}${ssh.host}, port ${ssh.port}): ${said}`;
  if (/Host key verification failed|host key is known|IDENTIFICATION HAS CHANGED/.test(said)) {
    return new LabError("SIPHON_PERMISSION", message, {
      hint: "give the key that its server really has in the inventory (hostKey:), or add it to known_hosts",
    });
  }
  if (/Permission denied|Too many authentication failures/.test(said)) {
    return new LabError("SIPHON_PERMISSION", message, {
      hint: "the server must accept a key without asking: see ssh: user and identity in the inventory",
    });
  }
  return new LabError("SIPHON_HOST", message, { retryable: true });
}
