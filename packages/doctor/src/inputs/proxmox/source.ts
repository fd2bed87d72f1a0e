import type { Source } from "../../model/disk.ts";
import { blockDeviceDriver, imageOfDevice } from "../device-path.ts";
import { looksLikeRbd } from "../looks-like-rbd.ts";
import { monitorsOf } from "../monitors.ts";
import { isOnlyNone } from "../qemu/source.ts";
import { isOn, type Setting, type Storage } from "./config.ts";

/** Where a volume's data are: from its storage, or from the storage's name if storage.cfg is not shown. */
export function sourceOf(file: string, { place }: Setting, storages: ReadonlyMap<string, Storage>): Source {
  if (file.startsWith("/"))
    return { driver: blockDeviceDriver(file), place, path: file, ...imageOfDevice(file) };
  const colon = file.indexOf(":");
  if (colon < 0) return { driver: "other", place };
  const storage = storages.get(file.slice(0, colon));
  const isRbd = storages.size > 0 ? storage?.type === "rbd" : looksLikeRbd(file.slice(0, colon));
  if (!isRbd || /^(iso|import|snippets|vztmpl|backup)\//.test(file.slice(colon + 1)))
    return { driver: "other", place };
  const option = (name: string) => storage?.options.get(name);
  const image = file.slice(file.lastIndexOf("/") + 1).replace(/^.*:/, "");
  const monhost = option("monhost");
  const monitors = monhost === undefined ? [] : monitorsOf(monhost.value);
  const namespace = option("namespace")?.value;
  const authentication = option("authsupported");
  return {
    driver: isOn(option("krbd")?.value) ? "krbd" : "librbd",
    place,
    pool: option("pool")?.value ?? "rbd",
    image,
    ...(namespace !== undefined && { namespace }),
    ...(monitors.length > 0 && { monitors: { value: monitors, place: monhost!.place } }),
    ...(authentication !== undefined &&
      isOnlyNone(authentication.value) && { authNone: authentication.place }),
  };
}
