import { AttachError } from "../errors.ts";
import type { Failure } from "../shards/failure.ts";
import type { DiskWords } from "./disk-words.ts";

/** A client's request to the service: a JSON object on one line. The answer has the same `id`. */
export type ControlRequest = { readonly id?: string | number } & ControlCommand;

export type ControlCommand =
  | {
      readonly command: "add";
      readonly name: string;
      readonly disk: DiskWords;
      /** Whether the disk returns after a reboot. */
      readonly persist?: boolean;
    }
  | { readonly command: "rm"; readonly name: string; readonly force?: boolean }
  | { readonly command: "list" | "reload" }
  | { readonly command: "show" | "drain" | "resume"; readonly name: string }
  /** Without `limit`: RBD's settings. */
  | { readonly command: "limit"; readonly name: string; readonly limit?: string; readonly persist?: boolean };

export type ControlAnswer = { readonly id?: string | number } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: Failure }
);

/** Maximum length of a request in bytes. */
export const longestRequest = 64 << 10;

/** @throws AttachError SIPHON_ATTACH_CONTROL for an invalid request */
export function parseRequest(line: string): ControlRequest {
  const value = parsed(line);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw nonsense("it is not an object");
  const request = value as Record<string, unknown>;
  const members = commands[String(request.command)];
  if (typeof request.command !== "string" || members === undefined) {
    throw nonsense(`its command must be one of ${Object.keys(commands).join(", ")}`);
  }
  for (const [name, given] of Object.entries(request)) {
    if (name === "command") continue;
    const own = Object.hasOwn(members, name) ? members[name] : undefined;
    const kind = name === "id" ? "string or number?" : own;
    if (kind === undefined)
      throw nonsense(`${request.command} has no member ${JSON.stringify(name.slice(0, 80))}`);
    const type = given === null || Array.isArray(given) ? "list" : typeof given;
    if (!kind.includes(type)) throw nonsense(`${name} is not of type ${kind.replace("?", "")}`);
  }
  for (const [name, kind] of Object.entries(members)) {
    if (!kind.endsWith("?") && request[name] === undefined) throw nonsense(`${name} is missing`);
  }
  return request as unknown as ControlRequest;
}

/** The members of each command and their types; those with a question mark are optional. */
const commands: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.assign(
  Object.create(null),
  {
    add: { name: "string", disk: "object of words", persist: "boolean?" },
    rm: { name: "string", force: "boolean?" },
    list: {},
    show: { name: "string" },
    limit: { name: "string", limit: "string?", persist: "boolean?" },
    drain: { name: "string" },
    resume: { name: "string" },
    reload: {},
  },
);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw nonsense("it is not JSON");
  }
}

function nonsense(why: string): AttachError {
  return new AttachError("SIPHON_ATTACH_CONTROL", `invalid request: ${why}`);
}
