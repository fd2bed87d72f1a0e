import { basename } from "node:path";

/** The displayed name of a function: without symbol version and compiler suffixes. */
export function functionName(name: string): string {
  return name
    .replace(/@@?[A-Z][A-Za-z0-9_.]*$/, "")
    .replace(/ \[clone [^\]]*\]/g, "")
    .replace(/(\.(constprop|isra|part|cold|lto_priv|localalias)(\.\d+)*)+$/, "");
}

/** Label for functions without a name: their file, `[librbd.so.1]`, or the kind of memory. */
export function placeName(path: string): string {
  if (path === "" || path.startsWith("/memfd:") || path.startsWith("//anon")) return "[generated code]";
  return path.startsWith("[") ? path : `[${basename(path)}]`;
}
