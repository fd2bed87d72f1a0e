/**
 * Damages valid inputs of every decoder and reads them. Ends with an error at the first crash, hang or waste of memory;
 * the seed and the input's number reproduce it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Random } from "../../../rados/test/support/random.ts";
import { begin, count, usualSeed } from "../../program.ts";
import { hostileInputs } from "./decoders.ts";
import { randomMutations } from "./mutations.ts";
import { readDamaged } from "./read-hostile.ts";

const values = await begin("soak:hostile", "Damages valid inputs of every decoder, and reads them.", {
  inputs: count("number of inputs", 1_000_000),
  seed: usualSeed,
});
const total = values.inputs;
const random = new Random(values.seed);
const inputs = hostileInputs();
const counts = new Map(inputs.map(({ name }) => [name, { read: 0, refused: 0 }]));

for (let number = 0; number < total; number++) {
  const input = inputs[number % inputs.length]!;
  const seed = random.below(input.seeds.length);
  const mutations = randomMutations(random);
  try {
    counts.get(input.name)![readDamaged(input, seed, mutations, random.chance(0.9))]++;
  } catch (error) {
    console.error(`input ${number} of seed ${values.seed}: ${JSON.stringify(mutations)} of its seed ${seed}`);
    throw error;
  }
  // Promises and timers of sessions are finished, and their memory is freed.
  if (number % 100 === 0) await nextTurn();
  if ((number + 1) % 100_000 === 0) console.log(`${number + 1} inputs`);
}
console.table(Object.fromEntries(counts));
