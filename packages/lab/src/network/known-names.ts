import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseSubnet, type Subnet } from "./subnet.ts";

/** Names that set-up and guests need, each from an archive of its own. */
const NAMES = ["deb.debian.org", "registry.npmjs.org"];

/** Offline, a look-up takes long to fail; then there is nothing to protect. */
const PATIENCE_MS = 3000;

/**
 * IPv4 addresses that this machine gets for names of the outside. Sandboxes answer with addresses of the documentation blocks and reach
 * them by the default route, which a network of our own on the same addresses would hide.
 */
export async function addressesOfNames(names = NAMES): Promise<Subnet[]> {
  const late = new AbortController();
  const nothing = sleep(PATIENCE_MS, [], { signal: late.signal }).catch(() => []);
  const found = names.map((name) =>
    Promise.race([lookup(name, { family: 4, all: true }).catch(() => []), nothing]),
  );
  const answers = await Promise.all(found);
  late.abort();
  return answers.flat().map(({ address }) => parseSubnet(address));
}
