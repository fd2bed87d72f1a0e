import type { Random } from "../../../rados/test/support/random.ts";

/** One change to bytes. `at` is where, as a fraction of the length in 2^-32. */
export interface Mutation {
  kind: MutationKind;
  at: number;
  value: number;
}

export const mutationKinds = ["bit", "byte", "word", "cut", "insert", "remove", "repeat"] as const;
type MutationKind = (typeof mutationKinds)[number];

/** Numbers that break code careless about lengths and signs. */
const sharpNumbers = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

export function randomMutations(random: Random): Mutation[] {
  return Array.from({ length: random.between(1, 4) }, () => ({
    kind: random.pick(mutationKinds),
    at: random.below(2 ** 32),
    value: random.chance(0.7) ? random.pick(sharpNumbers) : random.below(2 ** 32),
  }));
}

/** The bytes with all changes made to a copy. */
export function mutated(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  return mutations.reduce<Buffer>(mutate, Buffer.from(bytes));
}

function mutate(bytes: Buffer, { kind, at, value }: Mutation): Buffer {
  const position = Math.floor((at / 2 ** 32) * bytes.length);
  if (bytes.length < 8) return Buffer.concat([bytes, Buffer.of(value & 0xff)]);
  switch (kind) {
    case "bit":
      bytes[position]! ^= 1 << (value & 7);
      return bytes;
    case "byte":
      bytes[position] = value;
      return bytes;
    case "word":
      bytes.writeUInt32LE(value >>> 0, Math.min(position, bytes.length - 4));
      return bytes;
    case "cut":
      return bytes.subarray(0, position);
    case "insert":
      return Buffer.concat([
        bytes.subarray(0, position),
        Buffer.alloc(value % 64, value),
        bytes.subarray(position),
      ]);
    case "remove":
      return Buffer.concat([bytes.subarray(0, position), bytes.subarray(position + 1 + (value % 64))]);
    case "repeat":
      return Buffer.concat([bytes.subarray(0, position + (value % 64)), bytes.subarray(position)]);
  }
}
