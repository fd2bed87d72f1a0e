import type { InputFile } from "../input.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import type { ProxmoxConfig, Setting } from "./config.ts";

const prefix = /^(cur|new|del)[ \t]+(?=[a-z][\w-]*:)/;

/** Whether a text is a configuration file; a patch cannot change the output of a command. */
export function isConfigFile(text: string): boolean {
  return !isJson(text) && !isPending(text);
}

/** Whether a text is the output of `qm pending`: one value a line, in force (cur), or set (new) or deleted (del) at the next start. */
export function isPending(text: string): boolean {
  return new RegExp(prefix, "m").test(text);
}

/** The lines of `qm pending` without their prefixes, so that they are recognised as a configuration. */
export function withoutPrefixes(text: string): string {
  return text.replace(new RegExp(prefix, "gm"), "");
}

function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

/** Reads `qm pending`, or JSON of Proxmox's API: one object, an object inside `data`, or a list of keys with values. */
export function readListing(file: InputFile): ProxmoxConfig {
  return isJson(file.text) ? readJson(file) : readPending(file);
}

function readPending({ name: file, text }: InputFile): ProxmoxConfig {
  const config = emptyConfig();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const match = /^(cur|new|del)[ \t]+([a-z][\w-]*):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) continue;
    const [, state, key, value] = match as unknown as [string, string, string, string];
    const setting = { value, place: { file, line: index + 1, path: key } };
    if (state === "new") config.pending.set(key, setting);
    else config.current.set(key, setting);
    if (state === "del") config.pending.set("delete", { ...setting, value: key });
  }
  return config;
}

function readJson(input: InputFile): ProxmoxConfig {
  const config = emptyConfig();
  const add = (to: Map<string, Setting>, key: string, at: YamlValue, ...path: string[]) => {
    const value = at.text(...path);
    if (value !== undefined) to.set(key, { value, place: { ...at.place(...path), path: key } });
  };
  for (const document of readYaml(input)) {
    const whole = document.get("data") === undefined ? document : document.at("data");
    for (const entry of whole.list()) {
      const key = entry.text("key");
      if (key === undefined) continue;
      add(config.current, key, entry, "value");
      add(config.pending, key, entry, "pending");
    }
    for (const key of whole.keys()) add(config.current, key, whole, key);
  }
  return config;
}

interface Growing extends ProxmoxConfig {
  current: Map<string, Setting>;
  pending: Map<string, Setting>;
}

function emptyConfig(): Growing {
  return { current: new Map(), pending: new Map(), snapshots: [] };
}
