import { readFile } from "node:fs/promises";
import { SiphonError } from "@siphon/wire";
import { Secret } from "./secret.ts";

/** The bytes of a file, line end and all, as `rbd` takes them. Throws what the system says, such as ENOENT. */
export async function readPassphrase(path: string): Promise<Secret> {
  try {
    return new Secret(await readFile(path));
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw new SiphonError(code, `unable to open passphrase file '${path}': ${code}`, { cause: error });
  }
}
