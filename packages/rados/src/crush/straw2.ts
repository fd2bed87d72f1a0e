import { type WasmModule, webAssembly } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { crushLnTable } from "./ln.ts";
import { BUCKET_STRAW2, type ChooseArgs, type CrushBucket, type CrushMap } from "./map.ts";
import { straw2DataAt, straw2Kernel } from "./straw2-kernel.ts";

/** A pool's replacement weights and ids, as they lie in the memory of the kernel; by bucket index. */
export type Straw2Args = ReadonlyMap<number, readonly Straw2Input[]>;

/** What the kernel reads for one bucket (at one position of the result): addresses in its memory. */
interface Straw2Input {
  readonly ids: number;
  readonly end: number;
  readonly weights: number;
}

/** Chooses from the straw2 buckets of a map, whose ids and weights it copies into the kernel's memory. */
export class Straw2Chooser {
  readonly #kernel: Kernel;
  /** By bucket index. */
  readonly #inputs: (Straw2Input | undefined)[];
  readonly #args: Map<number, Straw2Args>;

  constructor(map: CrushMap) {
    if (webAssembly === undefined) {
      throw new RadosError(
        "SIPHON_RADOS_CONFIG",
        "placement needs WebAssembly, which this Node runs without",
        {
          hint: "start node without --jitless",
        },
      );
    }
    const arrays = new ArrayLayout(straw2DataAt);
    this.#inputs = map.buckets.map((bucket) =>
      bucket?.algorithm === BUCKET_STRAW2
        ? arrays.input(arrays.ids(bucket.items), bucket.size, bucket.weights)
        : undefined,
    );
    this.#args = new Map(
      [...map.chooseArgs].map(([pool, args]) => [pool, layOutArgs(arrays, map.buckets, this.#inputs, args)]),
    );

    const pages = Math.ceil(arrays.end / 65536);
    const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    new Float64Array(memory.buffer).set(crushLnTable());
    arrays.copyTo(memory.buffer);
    kernelModule ??= new webAssembly.Module(straw2Kernel());
    const { exports } = new webAssembly.Instance(kernelModule, { env: { memory } });
    this.#kernel = exports.choose as Kernel;
  }

  argsOf(pool: number): Straw2Args | undefined {
    return this.#args.get(pool);
  }

  choose(bucket: CrushBucket, x: number, r: number, args: Straw2Args | undefined, position: number): number {
    const index = -1 - bucket.id;
    const replaced = args?.get(index);
    const input =
      replaced === undefined ? this.#inputs[index]! : replaced[Math.min(position, replaced.length - 1)]!;
    return bucket.items[this.#kernel(input.ids, input.weights, input.end, x, r) >> 2]!;
  }
}

/** The offset from `ids` of the item chosen. */
type Kernel = (ids: number, weights: number, end: number, x: number, r: number) => number;

let kernelModule: WasmModule | undefined;

/** Only straw2 buckets take part, and what an entry leaves out stays the bucket's own. */
function layOutArgs(
  arrays: ArrayLayout,
  buckets: CrushMap["buckets"],
  inputs: readonly (Straw2Input | undefined)[],
  args: ChooseArgs,
): Straw2Args {
  const laidOut = new Map<number, Straw2Input[]>();
  for (const [index, { ids, weightSets }] of args) {
    const own = inputs[index];
    const bucket = buckets[index];
    if (own === undefined || bucket === undefined) continue;
    const idsAt = ids === undefined ? own.ids : arrays.ids(ids);
    const sets = weightSets.length === 0 ? [bucket.weights] : weightSets;
    laidOut.set(
      index,
      sets.map((weights) => arrays.input(idsAt, bucket.size, weights)),
    );
  }
  return laidOut;
}

/** Gives arrays their addresses before the size of the memory is known. */
class ArrayLayout {
  end: number;
  readonly #arrays: { at: number; ids: Int32Array | undefined; weights: Uint32Array | undefined }[] = [];

  constructor(start: number) {
    this.end = start;
  }

  ids(ids: Int32Array): number {
    return this.#add(4 * ids.length, ids, undefined);
  }

  /** A weight set that is too short leaves the items beyond it without weight. */
  input(ids: number, size: number, weights: Uint32Array): Straw2Input {
    const end = ids + 4 * ((Math.min(size, weights.length) + 7) & ~7);
    return { ids, end, weights: this.#add(8 * weights.length, undefined, weights) };
  }

  copyTo(memory: ArrayBuffer): void {
    for (const { at, ids, weights } of this.#arrays) {
      if (ids !== undefined) new Int32Array(memory).set(ids, at / 4);
      if (weights !== undefined) new Float64Array(memory).set(weights, at / 8);
    }
  }

  /** Each array starts at, and is padded with zeros to, a multiple of eight items. */
  #add(bytes: number, ids: Int32Array | undefined, weights: Uint32Array | undefined): number {
    const at = this.end;
    this.#arrays.push({ at, ids, weights });
    this.end = at + ((bytes + 63) & ~63);
    return at;
  }
}
