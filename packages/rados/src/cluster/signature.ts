import { RadosError } from "../errors.ts";
import { CephFloat, type Command } from "./command.ts";

/** One form of a command, from a daemon's description (`get_command_descriptions`). */
export interface Signature {
  /** Literal words and parameters, in order. */
  parts: (string | Parameter)[];
  help: string;
  /** Whether it is for the manager's modules. */
  forModules: boolean;
}

export interface Parameter {
  name: string;
  /** `CephInt`, `CephPoolname` and so on (src/pybind/ceph_argparse.py). */
  type: string;
  optional: boolean;
  /** False: only as `--name value`. */
  positional: boolean;
  /** Takes all remaining words. */
  many: boolean;
  choices: string[] | undefined;
  least: number;
  greatest: number;
  /** The allowed characters of its text. */
  characters: RegExp | undefined;
}

/**
 * Reads the JSON form of command descriptions. Releases differ in the types of fields (text, boolean, number). A
 * command with an invalid description is skipped, so that the others can be used.
 */
export function readSignatures(descriptions: unknown): Signature[] {
  return Object.values(objectOf(descriptions)).flatMap((description) => {
    const { sig, help, flags } = objectOf(description);
    if (!Array.isArray(sig)) return [];
    const parts = sig.map((part) => (typeof part === "string" ? part : readParameter(objectOf(part))));
    if (!parts.every((part) => part !== undefined)) return [];
    return { parts, help: textOf(help) ?? "", forModules: (Number(flags) & flagForModules) !== 0 };
  });
}

/**
 * Finds the command for words of a command line: of the matching forms, the one with the most literal words.
 *
 * @throws RadosError EINVAL, with the most similar forms
 */
export function matchCommand(
  signatures: readonly Signature[],
  words: readonly string[],
): { command: Command; signature: Signature } {
  let best: { command: Command; signature: Signature } | undefined;
  let mostFixed = -1;
  for (const signature of signatures) {
    const fixed = signature.parts.filter((part) => typeof part === "string").length;
    if (fixed <= mostFixed) continue;
    const command = match(signature, words);
    if (command === undefined) continue;
    best = { command, signature };
    mostFixed = fixed;
  }
  if (best !== undefined) return best;
  const closest = closestTo(signatures, words).map((signature) => `\n  ${usage(signature)}`);
  throw new RadosError(
    "EINVAL",
    `there is no command \`${words.join(" ")}\`${closest.length > 0 ? `; similar commands:${closest.join("")}` : ""}`,
  );
}

/** As in Ceph's help: `osd pool create <pool> [<pg_num>] ...`. */
export function usage({ parts }: Signature): string {
  const shown = parts.map((part) => {
    if (typeof part === "string") return part;
    const named = `--${dashed(part.name)}`;
    const choice = `<${part.choices?.join("|") ?? part.name}>`;
    const value = part.type === "CephBool" ? named : part.positional ? choice : `${named} ${choice}`;
    return `${part.optional ? `[${value}]` : value}${part.many ? "..." : ""}`;
  });
  return shown.join(" ");
}

/** CmdFlag MGR, src/mon/MonCommand.h. */
const flagForModules = 1 << 3;

/** argdesc (src/pybind/ceph_argparse.py); undefined without a name. */
function readParameter(description: Record<string, unknown>): Parameter | undefined {
  const name = textOf(description.name);
  if (name === undefined) return undefined;
  const [least = "", greatest = ""] = textOf(description.range)?.split("|") ?? [];
  return {
    ...{ name, type: textOf(description.type) ?? "CephString" },
    many: textOf(description.n)?.toUpperCase() === "N",
    choices: textOf(description.strings)?.split("|"),
    characters: pattern(textOf(description.goodchars)),
    ...{ least: bound(least, -Infinity), greatest: bound(greatest, Infinity) },
    // Some descriptions have typos (`fasle`): only `true`, or nothing, means a required positional parameter.
    optional: !isTrue(description.req),
    positional: isTrue(description.positional),
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A text or a number, as text; undefined for anything else. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? `${value}` : undefined;
}

/** A missing value means true. */
function isTrue(value: unknown): boolean {
  return value === undefined || value === true || textOf(value)?.toLowerCase() === "true";
}

function bound(text: string, otherwise: number): number {
  return text.trim() === "" || Number.isNaN(Number(text)) ? otherwise : Number(text);
}

/** A set of characters; undefined if it is invalid: then the daemon checks the text. */
function pattern(characters: string | undefined): RegExp | undefined {
  if (characters === undefined) return undefined;
  try {
    return new RegExp(`^${characters}*$`);
  } catch {
    return undefined;
  }
}

function match({ parts }: Signature, words: readonly string[]): Command | undefined {
  const fixed = parts.filter((part) => typeof part === "string");
  const parameters = parts.filter((part) => typeof part !== "string");
  const values: Record<string, unknown> = {};
  const left = takeNamed(parameters, words, values);
  if (left === undefined) return undefined;
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") {
      if (left[at++] !== part) return undefined;
    } else if (!Object.hasOwn(values, part.name)) {
      const taken = part.positional ? takePositional(part, left, at, values) : 0;
      if (taken === 0 && !part.optional) return undefined;
      at += taken;
    }
  }
  return at === left.length ? { prefix: fixed.join(" "), ...values } : undefined;
}

/** Takes `--name value` and `--name=value`; returns the remaining words, undefined for an invalid value. */
function takeNamed(
  parameters: readonly Parameter[],
  words: readonly string[],
  values: Record<string, unknown>,
): string[] | undefined {
  const left: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const [, name, attached] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const parameter = parameters.find((p) => name !== undefined && dashed(p.name) === dashed(name));
    if (parameter === undefined || parameter.choices?.includes(word)) {
      left.push(word);
      continue;
    }
    const text = attached ?? (parameter.type === "CephBool" ? "true" : words[++i]);
    const value = text === undefined ? undefined : convert(parameter, text);
    if (value === undefined) return undefined;
    values[parameter.name] = parameter.many ? [value] : value;
  }
  return left;
}

/** Returns how many words the parameter took. */
function takePositional(
  parameter: Parameter,
  words: readonly string[],
  at: number,
  values: Record<string, unknown>,
): number {
  const taken: unknown[] = [];
  while (at + taken.length < words.length && (parameter.many || taken.length === 0)) {
    const value = convert(parameter, words[at + taken.length]!);
    if (value === undefined) break;
    taken.push(value);
  }
  if (taken.length > 0) values[parameter.name] = parameter.many ? taken : taken[0];
  return taken.length;
}

/** The word converted for the daemon; undefined if it is invalid. */
function convert(parameter: Parameter, word: string): unknown {
  const { type, choices, characters } = parameter;
  // A word that looks like an unknown option is a mistake, not a name. Only injectargs takes a daemon's own options.
  if (word.startsWith("--") && type !== "CephChoices" && parameter.name !== "injected_args") return undefined;
  switch (type) {
    case "CephInt":
      return /^[+-]?\d+$/.test(word) && inRange(parameter, Number(word)) ? Number(word) : undefined;
    case "CephFloat": {
      const value = word === "" ? Number.NaN : Number(word);
      return Number.isFinite(value) && inRange(parameter, value) ? new CephFloat(value) : undefined;
    }
    case "CephBool":
      return word === "true" || word === "false" ? word === "true" : undefined;
    case "CephChoices":
      return choices?.includes(word) ? word : undefined;
    case "CephOsdName": {
      const [, id] = /^(?:osd\.)?(\d+|\*)$/.exec(word) ?? [];
      return id === undefined || id === "*" ? id : Number(id);
    }
    case "CephPgid":
      return /^\d+\.[0-9a-f]+$/i.test(word) ? word : undefined;
    case "CephUUID":
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word) ? word : undefined;
    default:
      return characters === undefined || characters.test(word) ? word : undefined;
  }
}

function inRange({ least, greatest }: Parameter, value: number): boolean {
  return value >= least && value <= greatest;
}

function dashed(name: string): string {
  return name.replaceAll("_", "-");
}

/** The forms that share the most literal words with the beginning, at most ten. */
function closestTo(signatures: readonly Signature[], words: readonly string[]): Signature[] {
  const shared = ({ parts }: Signature) => {
    const differing = parts.findIndex((part, i) => part !== words[i]);
    return differing < 0 ? parts.length : differing;
  };
  const most = Math.max(0, ...signatures.map(shared));
  return most === 0 ? [] : signatures.filter((signature) => shared(signature) === most).slice(0, 10);
}
