import type { Place } from "../../model/place.ts";
import type { InputFile } from "../input.ts";

export interface CephSetting {
  section: string;
  /** With underscores, as Ceph names it: `mon host`, `mon-host` and `mon_host` are the same. */
  key: string;
  value: string;
  place: Place;
}

/**
 * Reads ceph.conf like Ceph's ConfFile: `;` and `#` begin comments, a backslash continues a line, names may contain spaces, quotes are removed.
 *
 * @param firstLine the line of the file at which the text begins
 */
export function readCephConf({ name: file, text }: InputFile, firstLine = 1): CephSetting[] {
  const settings: CephSetting[] = [];
  let section = "global";
  let open = "";
  let openLine = 0;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = open + raw.replace(/\r$/, "");
    const number = open === "" ? index : openLine;
    if (/\\\s*$/.test(line) && !/^\s*[#;]/.test(line)) {
      open = `${line.replace(/\\\s*$/, "")} `;
      openLine = number;
      continue;
    }
    open = "";
    const bare = withoutComment(line).trim();
    const header = /^\[\s*([^\]]+?)\s*\]/.exec(bare)?.[1];
    if (header !== undefined) {
      section = header;
      continue;
    }
    const equals = bare.indexOf("=");
    if (equals <= 0) continue;
    const key = bare
      .slice(0, equals)
      .trim()
      .replace(/[\s-]+/g, "_");
    const value = bare
      .slice(equals + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, "$2");
    settings.push({
      section,
      key,
      value,
      place: { file, line: firstLine + number, path: `[${section}] ${key}` },
    });
  }
  return settings;
}

/** Removes a comment. A comment sign inside quotes or after a backslash does not begin one. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\") at++;
    else if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === "#" || character === ";") {
      // `a;b` is a list of monitors, `a ; b` a value with a comment.
      if (character === "#" || at === 0 || /\s/.test(line[at - 1]!)) return line.slice(0, at);
    }
  }
  return line;
}

/** Whether a section applies to clients: to all of them, or to a named one. */
export function isForClients(section: string): boolean {
  return section === "global" || section === "client" || section.startsWith("client.");
}
