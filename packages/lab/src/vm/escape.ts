/** QEMU's `first,key=value,key=value`; commas in values are doubled, keys without a value left out. */
export function keyValues(first: string, pairs: Record<string, string | number | undefined>): string {
  const rest = Object.entries(pairs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${commaEscape(String(value))}`);
  return (first ? [first, ...rest] : rest).join(",");
}

/** A value inside a QEMU option. */
export function commaEscape(value: string): string {
  return value.replaceAll(",", ",,");
}

/** A part of an `rbd:` name, with a backslash before characters that would end the part. */
export function rbdEscape(part: string): string {
  return part.replaceAll(/[\\:@=]/g, "\\$&");
}

/** A word for a POSIX shell, quoted if necessary. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
