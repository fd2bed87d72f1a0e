import type { Machine } from "./vm.ts";

type Release = readonly [major: number, minor: number];

/** The QEMU release behind each of Ubuntu's machine types. */
const ubuntu: Readonly<Record<string, Release>> = {
  trusty: [2, 0],
  utopic: [2, 1],
  vivid: [2, 2],
  wily: [2, 3],
  xenial: [2, 5],
  yakkety: [2, 6],
  zesty: [2, 8],
  artful: [2, 10],
  bionic: [2, 11],
  cosmic: [2, 12],
  disco: [3, 1],
  eoan: [4, 0],
  focal: [4, 2],
  groovy: [5, 0],
  hirsute: [5, 2],
  impish: [6, 0],
  jammy: [6, 2],
  kinetic: [7, 0],
  lunar: [7, 2],
  mantic: [8, 0],
  noble: [8, 2],
  oracular: [9, 0],
  plucky: [9, 2],
  questing: [10, 1],
};

/** The QEMU release whose device defaults each Red Hat machine type has. A type between two entries takes the older one. */
const redHat: readonly (readonly [rhel: Release, qemu: Release])[] = [
  [
    [6, 0],
    [0, 12],
  ],
  [
    [7, 0],
    [2, 0],
  ],
  [
    [7, 3],
    [2, 6],
  ],
  [
    [7, 4],
    [2, 9],
  ],
  [
    [7, 5],
    [2, 10],
  ],
  [
    [7, 6],
    [2, 12],
  ],
  [
    [8, 0],
    [3, 1],
  ],
  [
    [8, 1],
    [4, 1],
  ],
  [
    [8, 2],
    [4, 2],
  ],
  [
    [8, 3],
    [5, 1],
  ],
  [
    [8, 4],
    [5, 2],
  ],
  [
    [8, 5],
    [6, 0],
  ],
  [
    [8, 6],
    [6, 2],
  ],
  [
    [9, 0],
    [7, 0],
  ],
  [
    [9, 2],
    [7, 2],
  ],
  [
    [9, 4],
    [8, 2],
  ],
  [
    [9, 6],
    [9, 2],
  ],
  [
    [10, 0],
    [10, 0],
  ],
];

/** Parses a QEMU machine type: `pc`, `q35`, `pc-q35-8.2+pve0`, `pc-i440fx-rhel7.6.0`, `pc-q35-noble`. */
export function machineOf(type: string, byDefault = false): Machine {
  const name = type.replace(/\+pve\d+$/, "");
  const board = /^(pc-q35|q35|ubuntu-q35)/.test(name)
    ? "q35"
    : /^(pc$|pc-i440fx|pc-\d|rhel6|ubuntu$)/.test(name)
      ? "i440fx"
      : "other";
  const release = releaseOf(name);
  return { board, byDefault, ...(release !== undefined && { release }) };
}

/** Whether this machine type's devices have one queue by default (QEMU before 5.2). */
export function hasSingleQueues({ release }: Machine): boolean {
  return release !== undefined && isOlder(release, [5, 2]);
}

export function isRedHat(type: string): boolean {
  return type.includes("rhel");
}

function releaseOf(name: string): Release | undefined {
  const rhel = /rhel(\d+)\.(\d+)/.exec(name);
  if (rhel !== null) {
    const version: Release = [Number(rhel[1]), Number(rhel[2])];
    return redHat.findLast(([known]) => !isOlder(version, known))?.[1];
  }
  const numbers = /-(\d+)\.(\d+)/.exec(name);
  if (numbers !== null) return [Number(numbers[1]), Number(numbers[2])];
  const word = /-([a-z]+)(-hpb)?(-v\d+)?$/.exec(name)?.[1];
  return word !== undefined && Object.hasOwn(ubuntu, word) ? ubuntu[word] : undefined;
}

function isOlder([major, minor]: Release, [otherMajor, otherMinor]: Release): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
