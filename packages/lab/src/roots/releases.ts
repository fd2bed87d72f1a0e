import { LabError } from "../errors.ts";

/** A release of Ceph, and sources of a root with it. */
export interface Release {
  name: string;
  /** Ceph's major version. */
  major: number;
  /** The Debian suite with it, including QEMU, libvirt and glibc. */
  suite?: string;
  /** Ceph's container image, without QEMU. */
  image?: string;
}

/** Oldest first. Debian's suites as of 2026; source: docs.ceph.com/en/latest/releases, packages.debian.org/ceph. */
export const releases: readonly Release[] = [
  { name: "nautilus", major: 14, suite: "bullseye" },
  { name: "octopus", major: 15, image: "quay.io/ceph/ceph:v15" },
  { name: "pacific", major: 16, suite: "bookworm" },
  { name: "quincy", major: 17, image: "quay.io/ceph/ceph:v17" },
  { name: "reef", major: 18, suite: "trixie" },
  { name: "squid", major: 19, image: "quay.io/ceph/ceph:v19" },
  { name: "tentacle", major: 20, suite: "sid" },
];

/** Suites besides those of `releases`, including moving names. */
const otherSuites = ["forky"];
const aliases: Record<string, string> = {
  oldstable: "bookworm",
  stable: "trixie",
  testing: "forky",
  unstable: "sid",
};

/** Sources of roots. */
export type RootSource =
  | { from: "debian"; name: string; suite: string }
  | { from: "image"; name: string; image: string };

/**
 * The source for a suite (`trixie`), a release of Ceph (`reef`) or a container image (`quay.io/ceph/ceph:v19.2.3`). Its
 * name is the root's name: a suite and its release of Ceph are one root.
 *
 * @throws LabError SIPHON_USAGE for an unknown name
 */
export function rootSource(asked: string): RootSource {
  if (asked.includes("/")) return { from: "image", name: imageName(asked), image: asked };
  const word = asked.toLowerCase();
  const release = releases.find(({ name }) => name === word);
  if (release?.image) return { from: "image", name: release.name, image: release.image };
  const suite = release?.suite ?? aliases[word] ?? word;
  if (debianSuites().includes(suite)) return { from: "debian", name: suite, suite };
  throw new LabError("SIPHON_USAGE", `there is no release of Ceph and no Debian suite called ${asked}`, {
    hint: `releases: ${releases.map(({ name }) => name).join(", ")}; suites: ${debianSuites().join(", ")}`,
  });
}

/** The release of a version of Ceph, `18.2.7`; undefined for an unknown version. */
export function releaseOf(ceph: string | undefined): string | undefined {
  const major = Number.parseInt(ceph ?? "", 10);
  return releases.find((release) => release.major === major)?.name;
}

function debianSuites(): string[] {
  return [...releases.flatMap(({ suite }) => suite ?? []), ...otherSuites];
}

/** `quay.io/ceph/ceph:v19.2.3` becomes `ceph-v19.2.3`. */
function imageName(image: string): string {
  const last = image.split("/").at(-1)!;
  return last.replace(/@sha256:(\w{12}).*$/, "-$1").replaceAll(/[^\w.-]+/g, "-");
}
