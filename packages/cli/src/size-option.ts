import { parseSize } from "@siphon/lab";
import { Option } from "commander";

/** An option that takes a size in bytes: 16k, 4M, 10G. For commands that load the lab, a large package, anyway. */
export function sizeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseSize);
}
