import type { Driver } from "../model/disk.ts";

/** How the data behind a path reach a cluster: through the kernel client, if the path is one of its devices. */
export function blockDeviceDriver(path: string | undefined): Driver {
  if (path === undefined) return "other";
  if (/^\/dev\/rbd(\d+(p\d+)?$|\/|-pve\/)/.test(path)) return "krbd";
  return "other";
}

/** The pool, namespace and image that a path under /dev/rbd or /dev/rbd-pve names. */
export function imageOfDevice(path: string): { pool?: string; namespace?: string; image?: string } {
  const steps = /^\/dev\/rbd(?:-pve\/[^/]+)?\/(.+)$/.exec(path)?.[1]?.split("/");
  if (steps === undefined || steps.length < 2) return {};
  const [pool, ...rest] = steps;
  const image = rest.pop()!;
  return { pool: pool!, image, ...(rest.length > 0 && { namespace: rest.join("/") }) };
}
