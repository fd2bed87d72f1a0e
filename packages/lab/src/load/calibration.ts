import { op, wasmModule, webAssembly } from "@siphon/wire";
import { numericSort, quantileSorted } from "simple-statistics";

/** Words to read: 1 MiB, more than the processor's first-level cache. */
const words = new Uint32Array(2 ** 18).map((_, index) => index);
/** Steps of about 50 us: on a busy machine, longer work would be interrupted. */
const STEPS = 10_000;
const TIMES = 40;

/**
 * Microseconds that a fixed piece of work takes now. It depends on the clock's frequency, on other users of the
 * processor's caches, and on the neighbours of a virtual machine. The work is repeated, and the faster runs count,
 * because slower ones had to wait for a processor.
 */
export function calibrate(): number {
  const took = Array.from({ length: TIMES }, () => {
    const before = performance.now();
    work(STEPS);
    return (performance.now() - before) * 1000;
  });
  return quantileSorted(numericSort(took), 0.25);
}

/**
 * Linear congruential steps, each with a word chosen by the previous one. Memory is not changed, so the work is always
 * the same. V8 compiles and forgets JavaScript as it sees fit, and the same function takes three times as long from one
 * moment to the next; WebAssembly stays as it is.
 */
const work: (steps: number) => number = webAssembly ? compiled(webAssembly) : plain;

function compiled({ Memory, Module, Instance }: NonNullable<typeof webAssembly>): typeof work {
  const [steps, place] = [0, 1];
  const body = [
    ...[op.const(1), op.set(place)],
    op.while(
      [op.get(steps)],
      [
        ...[op.get(place), op.const(1664525), op.mul, op.const(1013904223), op.add],
        ...[op.get(place), op.const(14), op.shrU, op.const(2), op.shl, op.load(0), op.add, op.set(place)],
        ...[op.get(steps), op.const(1), op.sub, op.set(steps)],
      ],
    ),
    op.get(place),
  ];
  const memory = new Memory({ initial: words.byteLength / 2 ** 16 });
  new Uint32Array(memory.buffer).set(words);
  const bytes = wasmModule([{ name: "work", parameters: 1, locals: { i32: 1 }, body }]);
  return new Instance(new Module(bytes), { env: { memory } }).exports.work as typeof work;
}

function plain(steps: number): number {
  let place = 1;
  for (let step = 0; step < steps; step++) {
    place = (Math.imul(place, 1664525) + 1013904223 + words[place >>> 14]!) | 0;
  }
  return place;
}

// Warms up the compiler.
for (let round = 0; round < 50; round++) work(STEPS);
