/** The parts of `rbd:pool/namespace/image@snapshot:option=value:...`. */
export interface RbdName {
  pool: string;
  namespace?: string;
  image?: string;
  snapshot?: string;
  options: Map<string, string>;
}

/**
 * Parses QEMU's name for an RBD image. A backslash escapes the next character (block/rbd.c,
 * qemu_rbd_parse_filename()).
 *
 * @returns undefined if the text does not begin with `rbd:`
 */
export function parseRbdName(text: string): RbdName | undefined {
  if (!text.startsWith("rbd:")) return undefined;
  const [path = "", ...settings] = split(text.slice(4), ":");
  const steps = split(path, "/");
  const pool = unescaped(steps.shift() ?? "");
  const last = steps.pop();
  const [image, snapshot] = last === undefined ? [] : split(last, "@").map(unescaped);
  const options = new Map<string, string>();
  for (const setting of settings) {
    const [name, ...value] = split(setting, "=");
    if (name !== undefined && name !== "" && value.length > 0)
      options.set(unescaped(name).replace(/[ -]/g, "_"), value.map(unescaped).join("="));
  }
  return {
    pool,
    ...(steps.length > 0 && { namespace: steps.map(unescaped).join("/") }),
    ...(image !== undefined && { image }),
    ...(snapshot !== undefined && { snapshot }),
    options,
  };
}

/** Splits at unescaped separators; escapes stay in the parts. */
function split(text: string, separator: string): string[] {
  const parts = [""];
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === separator) parts.push("");
    else {
      parts[parts.length - 1] += character;
      if (character === "\\" && at + 1 < text.length) parts[parts.length - 1] += text[++at];
    }
  }
  return parts;
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, "$1");
}
