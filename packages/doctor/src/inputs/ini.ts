import type { Place } from "../model/place.ts";
import type { InputFile } from "./input.ts";

export interface IniSetting {
  section: string;
  key: string;
  value: string;
  place: Place;
}

/**
 * Reads an INI file like oslo.config (oslo_config/iniparser.py): `key = value` or `key: value`; a line that begins with white space
 * continues the value before it; one pair of quotes around a value is removed. The last value of a key counts.
 */
export function readIni({ name: file, text }: InputFile): IniSetting[] {
  const settings: IniSetting[] = [];
  let section = "DEFAULT";
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/\s+$/, "");
    if (line === "" || /^[#;]/.test(line)) continue;
    const previous = settings.at(-1);
    if (/^\s/.test(line) && previous !== undefined) {
      previous.value = unquoted(`${previous.value}${line.trim()}`);
      continue;
    }
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      continue;
    }
    const at = line.search(/[=:]/);
    if (at <= 0) continue;
    const key = line.slice(0, at).trim();
    const value = unquoted(line.slice(at + 1).trim());
    settings.push({ section, key, value, place: { file, line: index + 1, path: `[${section}] ${key}` } });
  }
  return settings;
}

function unquoted(value: string): string {
  return value.length > 1 && /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}
