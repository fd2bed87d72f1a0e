import type { Reader } from "@siphon/wire";

/** MConfig (src/messages/MConfig.h): map of string to string, the settings of the monitors that concern us. */
export function readConfig(r: Reader): Map<string, string> {
  return r.map(
    8,
    () => r.string(),
    () => r.string(),
  );
}
