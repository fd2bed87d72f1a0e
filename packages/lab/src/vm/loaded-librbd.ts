import { realpathSync } from "node:fs";
import { LabError } from "../errors.ts";
import { readMaps } from "../profile/symbols/maps.ts";
import type { Disk } from "./disk.ts";
import type { VmSettings } from "./settings.ts";

/**
 * Checks that QEMU has loaded the intended librbd: the loader silently skips a directory in LD_LIBRARY_PATH without the
 * library, and the figures would be those of another librbd.
 */
export function checkLibrbd(pid: number, { librbdDir }: VmSettings, disk: Disk): void {
  if (librbdDir === undefined || disk.type !== "rbd") return;
  const loaded = [...(readMaps(pid) ?? "").matchAll(/(\/\S*\/librbd\.so\S*)$/gm)].map(([, path]) => path!);
  const wanted = `${realpathSync(librbdDir)}/librbd.so`;
  if (loaded.some((path) => path.startsWith(wanted))) return;
  const found = loaded[0] === undefined ? "none" : loaded[0];
  throw new LabError("SIPHON_VM", `QEMU was to load the librbd of ${librbdDir}, and it has ${found}`, {
    hint: "is librbd.so.1 in that directory, with all that it needs beside it?",
  });
}
