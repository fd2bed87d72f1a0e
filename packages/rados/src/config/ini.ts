import { RadosError } from "../errors.ts";

/** Sections of a configuration file or keyring, and their unexpanded settings, by normalized name. */
export type IniSections = Map<string, Map<string, string>>;

/**
 * Parses the format of ceph.conf and of keyrings (src/common/ConfUtils.cc):
 *
 *     [section]                 ; or # start a comment, at the end of a line too
 *     mon host = a, b           a name's spaces, underscores and dashes are all one
 *     key = "a value" ; text    quotes of either kind around a value are dropped
 *     key = one \; two          a backslash takes the next character as it is,
 *     key = first \             and a line end as nothing
 *           second
 *
 * Sections of one name are merged; of settings of one name the last counts.
 *
 * @param what the file, for error messages, which never repeat its contents
 */
export function parseIni(text: string, what: string): IniSections {
  return new IniParser(text, what).parse();
}

/** The normalized name of a setting. */
export function settingName(name: string): string {
  return name.trim().replaceAll(/[\s_-]+/g, "_");
}

class IniParser {
  readonly #text: string;
  readonly #what: string;
  #at = 0;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  parse(): IniSections {
    const sections: IniSections = new Map();
    let section: Map<string, string> | undefined;
    for (; this.#at < this.#text.length; this.#at++) {
      this.#skipBlanks();
      if (this.#atLineEnd()) continue;
      if (this.#peek() === "[") {
        this.#at++;
        const name = this.#characters("]");
        if (this.#peek() !== "]") throw this.#error("a section without `]`");
        this.#at++;
        section = sections.get(name) ?? new Map();
        sections.set(name, section);
      } else {
        const name = settingName(this.#characters("="));
        if (this.#peek() !== "=" || name === "") throw this.#error("neither a section nor `name = value`");
        if (section === undefined) throw this.#error("a setting before any section");
        this.#at++;
        section.set(name, this.#value());
      }
      this.#skipBlanks();
      if (!this.#atLineEnd()) throw this.#error("text after the value");
    }
    return sections;
  }

  #value(): string {
    this.#skipBlanks();
    const quote = this.#peek();
    if (quote !== '"' && quote !== "'") return this.#characters("").trim();
    this.#at++;
    const value = this.#characters(quote);
    if (this.#peek() !== quote) throw this.#error(`no closing ${quote}`);
    this.#at++;
    return value.trim();
  }

  /** Up to the end character, a comment or the end of the line. */
  #characters(end: string): string {
    let characters = "";
    for (;;) {
      const c = this.#peek();
      if (c === "" || c === end || "\n#;".includes(c)) return characters;
      this.#at++;
      if (c !== "\\") characters += c;
      else if (this.#peek() === "\n") this.#at++;
      else {
        characters += this.#peek();
        this.#at++;
      }
    }
  }

  /** Whether the rest of the line is empty or a comment; if so, skips it. */
  #atLineEnd(): boolean {
    const c = this.#peek();
    if (c !== "" && !"\n#;".includes(c)) return false;
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
    return true;
  }

  #skipBlanks(): void {
    while (" \t\r".includes(this.#peek() || "x")) this.#at++;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #error(found: string): RadosError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new RadosError("SIPHON_RADOS_CONFIG", `cannot read ${this.#what}: line ${line}: ${found}`);
  }
}
