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
 * ceph.conf as ConfFile reads it: `;` and `#` begin comments, a backslash continues a line, names may have spaces, quotes go.
 *
 * @param firstLine where the text begins in its file
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

/** A comment sign inside quotes, or after a backslash, is none. */
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

/** Whether a section holds for a client: all of them, or the one of that name. */
export function isForClients(section: string): boolean {
  return section === "global" || section === "client" || section.startsWith("client.");
}
