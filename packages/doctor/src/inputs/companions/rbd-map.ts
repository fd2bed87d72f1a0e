import type { Fact } from "../../model/place.ts";
import type { InputFile } from "../input.ts";

export interface RbdMap {
  driver: "krbd" | "rbd-nbd";
  pool?: string;
  image?: string;
  /** The device, if a listing names it. */
  device?: string;
  user?: Fact<string>;
  map?: Fact<{ options: ReadonlyMap<string, string>; given: boolean }>;
}

/** Reads `rbd map ...` and `rbd-nbd map ...` commands, lines of /etc/ceph/rbdmap, and the output of `rbd device list`. */
export function readRbdMaps({ name: file, text }: InputFile): RbdMap[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trim();
    const place = { file, line: index + 1 };
    const command = /(?:^|\s)(rbd(?:-nbd)?)\s+(.*)$/.exec(line);
    if (command !== null && /(^|\s)map(\s|$)/.test(command[2]!))
      return [fromCommand(command[1]!, command[2]!.split(/\s+/), place)];
    const listed = /^(\d+)\s+(\S+)\s+(?:(\S+)\s+)?(\S+)\s+(\S+)\s+(\/dev\/\S+)$/.exec(line);
    if (listed !== null) {
      const device = listed[6]!;
      return [
        {
          driver: device.startsWith("/dev/nbd") ? "rbd-nbd" : "krbd",
          pool: listed[2]!,
          image: listed[4]!,
          device,
        } satisfies RbdMap,
      ];
    }
    const table = /^(?:rbd\/)?([\w.-]+)\/([\w.-]+)\s+(\S*id=\S+)$/.exec(line);
    if (table === null || line.startsWith("#")) return [];
    const settings = table[3]!;
    const user = /(?:^|,)id=([^,]+)/.exec(settings)?.[1];
    const options = /options=['"]?([^'"]*)/.exec(settings)?.[1];
    return [
      {
        driver: "krbd",
        pool: table[1]!,
        image: table[2]!,
        map: { value: { options: parseOptions(options ?? ""), given: options !== undefined }, place },
        ...(user !== undefined && { user: { value: user, place } }),
      } satisfies RbdMap,
    ];
  });
}

function fromCommand(program: string, words: readonly string[], place: Fact<string>["place"]): RbdMap {
  let options: string | undefined;
  let user: string | undefined;
  let pool: string | undefined;
  let type = program === "rbd-nbd" ? "nbd" : "krbd";
  const positional: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [name, inline] = splitOption(words[at]!);
    const value = () => inline ?? words[++at] ?? "";
    if (name === "-o" || name === "--options")
      options = options === undefined ? value() : `${options},${value()}`;
    else if (name === "--id" || name === "--user") user = value();
    else if (name === "-n" || name === "--name") user = value().replace(/^client\./, "");
    else if (name === "-p" || name === "--pool") pool = value();
    else if (name === "-t" || name === "--device-type") type = value();
    else if (
      name === "-m" ||
      name === "-c" ||
      name === "-k" ||
      name === "--image" ||
      name === "--keyring" ||
      name === "--conf"
    ) {
      const text = value();
      if (name === "--image") positional.push(text);
    } else if (!name.startsWith("-") && !["map", "device", "dev"].includes(name)) positional.push(name);
  }
  const steps = (positional[0] ?? "").split("@")[0]!.split("/");
  const image = steps.pop();
  const poolName = pool ?? steps[0];
  return {
    driver: type === "nbd" ? "rbd-nbd" : "krbd",
    ...(poolName !== undefined && { pool: poolName }),
    ...(image !== undefined && image !== "" && { image }),
    ...(user !== undefined && { user: { value: user, place } }),
    map: { value: { options: parseOptions(options ?? ""), given: options !== undefined }, place },
  };
}

function splitOption(word: string): [name: string, value?: string] {
  const equals = word.indexOf("=");
  return word.startsWith("--") && equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word];
}

function parseOptions(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split(",")
      .map((option) => option.trim().split("="))
      .flatMap(([name, ...value]) =>
        name === undefined || name === "" ? [] : [[name, value.join("=")] as const],
      ),
  );
}
