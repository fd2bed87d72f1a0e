import { RadosError, remoteError } from "../errors.ts";
import type { CommandResult } from "../mon/requests.ts";
import type { PgId } from "../osdmap/pg.ts";
import type { WaitOptions } from "../wait.ts";

/** A command as Ceph's daemons take it: `{ prefix: "osd df" }` with the arguments of that command. */
export type Command = { prefix: string } & Record<string, unknown>;

/**
 * The encoded command. A whole number for a float argument needs a decimal point, which JSON.stringify omits: use `new
 * CephFloat(1)`.
 */
export function commandText(command: Command): string {
  return JSON.stringify(command);
}

/** A floating-point argument of a command. */
export class CephFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): unknown {
    const text = JSON.stringify(this.value);
    return rawJson(/^-?\d+$/.test(text) ? `${text}.0` : text);
  }
}

/** JSON.rawJSON (ECMAScript proposal, in V8): text that JSON.stringify inserts unchanged. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * The target of a command:
 * - `mon`: the monitors, which forward the manager's commands;
 * - `mgr`: the modules of the active manager;
 * - one daemon: an OSD by number, a monitor by its name, the active manager; or the primary OSD of a PG.
 */
export type CommandTarget =
  | "mon"
  | "mgr"
  | { osd: number }
  | { mon: string }
  | { mgr: "active" }
  | { pg: string };

export interface CommandOptions extends WaitOptions {
  /** Default `mon`. */
  target?: CommandTarget;
  /** Input of the command, such as a keyring to import. */
  input?: Uint8Array;
}

/** A PG as Ceph writes it: `POOL.SEED`, the seed in hexadecimal. */
export function parsePgId(text: string): PgId {
  const parts = /^(\d+)\.([0-9a-f]+)$/i.exec(text);
  if (parts === null)
    throw new RadosError("EINVAL", `invalid PG id ${JSON.stringify(text)}: write it as 2.1f`);
  return { pool: Number(parts[1]), seed: Number.parseInt(parts[2]!, 16) };
}

export function targetText(target: CommandTarget): string {
  if (typeof target === "string") return target;
  if ("osd" in target) return `osd.${target.osd}`;
  if ("mon" in target) return `mon.${target.mon}`;
  if ("mgr" in target) return "mgr";
  return `pg ${target.pg}`;
}

/** A daemon failed to carry out a command: its errno is the code, its text is in the message; there may be output. */
export class CommandError extends RadosError {
  readonly output: Buffer;

  constructor({ code, message, retryable }: RadosError, output: Buffer) {
    super(code, message, { retryable });
    this.output = output;
  }
}

/** The result, or the daemon's error. */
export function checkResult(command: Command, target: CommandTarget, result: CommandResult): CommandResult {
  if (result.result >= 0) return result;
  const words = result.status === "" ? "" : `: ${result.status}`;
  const error = remoteError(result.result, `${targetText(target)} refused \`${command.prefix}\`${words}`);
  throw new CommandError(error, result.output);
}

/**
 * The JSON answer of a command; undefined for no output. Some commands print several adjacent lists, as `osd blocklist
 * ls` does for addresses and ranges (`[][]`); these are merged into one list.
 */
export function parseOutput(command: Command, { output }: CommandResult): unknown {
  const text = output.toString().trim();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const lists = readLists(text);
    if (lists !== undefined) return lists.flat();
    throw new RadosError("SIPHON_RADOS_PROTOCOL", `the output of \`${command.prefix}\` is not JSON`, {
      cause,
    });
  }
}

function readLists(text: string): unknown[][] | undefined {
  try {
    const values = jsonTexts(text).map((each): unknown => JSON.parse(each));
    return values.every((value) => Array.isArray(value)) ? values : undefined;
  } catch {
    return undefined;
  }
}

/** Splits between adjacent top-level lists. */
function jsonTexts(text: string): string[] {
  const texts: string[] = [];
  let [depth, start] = [0, 0];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (token === "[" && depth === 0 && index > start) {
      texts.push(text.slice(start, index));
      start = index;
    }
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
  }
  return [...texts, text.slice(start)];
}
