import { chooseFirstn } from "./choose-firstn.ts";
import { chooseIndep } from "./choose-indep.ts";
import { chooseMsr } from "./choose-msr.ts";
import * as crush from "./map.ts";
import { itemBudget, type Placement } from "./placement.ts";
import { Straw2Chooser } from "./straw2.ts";

/**
 * Runs the rules of a CRUSH map (crush_do_rule in src/crush/mapper.c).
 *
 * Its working memory is reused, so a placement allocates next to nothing; one mapper is not for use
 * inside its own callbacks or by several threads.
 */
export class CrushMapper {
  readonly map: crush.CrushMap;
  /** Made when it is first needed: many maps are decoded that nothing is placed by. */
  #placement: Placement | undefined;
  /** The items of the last step, those of the step at hand, and the devices below those. */
  #last = new Int32Array(0);
  #next = new Int32Array(0);
  #leaves = new Int32Array(0);

  constructor(map: crush.CrushMap) {
    this.map = map;
  }

  /**
   * Places one input.
   *
   * @param ruleId a rule that does not exist places nothing
   * @param x the input (32 bits)
   * @param size how many devices are wanted; `out` has at least that many places
   * @param weights how much of each device is in (0x10000: all of it), by device id
   * @param pool whose replacement weights and ids apply, if the map has any for it or for all pools
   * @param out receives device ids, and ITEM_NONE at fixed positions that stay empty
   * @returns how many places of `out` were filled
   */
  place(
    ruleId: number,
    x: number,
    size: number,
    weights: Uint32Array,
    pool: number,
    out: Int32Array,
  ): number {
    const rule = this.map.rules[ruleId];
    if (rule === undefined || size === 0) return 0;
    this.#placement ??= newPlacement(this.map);
    const p = this.#placement;
    p.weights = weights;
    p.chooseArgs = p.straw2.argsOf(pool) ?? p.straw2.argsOf(crush.defaultChooseArgs);
    p.x = x | 0;
    p.budget = itemBudget;
    if (rule.type === crush.RULE_TYPE_MSR_FIRSTN || rule.type === crush.RULE_TYPE_MSR_INDEP) {
      return chooseMsr(p, rule, size, out);
    }
    return this.#run(p, rule, size, out);
  }

  #run(p: Placement, rule: crush.CrushRule, size: number, out: Int32Array): number {
    const { tunables, buckets, maxDevices } = this.map;
    // The tunable counts retries, the steps that override it count tries.
    p.tries = tunables.chooseTotalTries + 1;
    p.leafTries = 0;
    p.localTries = tunables.chooseLocalTries;
    p.localFallbackTries = tunables.chooseLocalFallbackTries;
    p.varyR = tunables.chooseleafVaryR;
    p.stable = tunables.chooseleafStable;
    this.#reserve(size);

    let emitted = 0;
    let count = 0;
    for (const { op, arg1, arg2 } of rule.steps) {
      switch (op) {
        case crush.STEP_TAKE:
          if (arg1 >= 0 ? arg1 < maxDevices : buckets[-1 - arg1] !== undefined) {
            this.#last[0] = arg1;
            count = 1;
          }
          break;
        case crush.STEP_SET_CHOOSE_TRIES:
          if (arg1 > 0) p.tries = arg1;
          break;
        case crush.STEP_SET_CHOOSELEAF_TRIES:
          if (arg1 > 0) p.leafTries = arg1;
          break;
        case crush.STEP_SET_CHOOSE_LOCAL_TRIES:
          if (arg1 >= 0) p.localTries = arg1;
          break;
        case crush.STEP_SET_CHOOSE_LOCAL_FALLBACK_TRIES:
          if (arg1 >= 0) p.localFallbackTries = arg1;
          break;
        case crush.STEP_SET_CHOOSELEAF_VARY_R:
          if (arg1 >= 0) p.varyR = arg1;
          break;
        case crush.STEP_SET_CHOOSELEAF_STABLE:
          if (arg1 >= 0) p.stable = arg1 !== 0;
          break;
        case crush.STEP_CHOOSE_FIRSTN:
        case crush.STEP_CHOOSE_INDEP:
        case crush.STEP_CHOOSELEAF_FIRSTN:
        case crush.STEP_CHOOSELEAF_INDEP:
          if (count > 0) count = this.#choose(p, op, arg1, arg2, size, count);
          break;
        case crush.STEP_EMIT:
          for (let i = 0; i < count && emitted < size; i++) out[emitted++] = this.#last[i]!;
          count = 0;
          break;
      }
    }
    return emitted;
  }

  /** Chooses below each item of the last step; returns how many items take their place. */
  #choose(p: Placement, op: number, arg1: number, type: number, size: number, count: number): number {
    const positions = arg1 > 0 ? arg1 : arg1 + size;
    const firstn = op === crush.STEP_CHOOSE_FIRSTN || op === crush.STEP_CHOOSELEAF_FIRSTN;
    const toLeaves = op === crush.STEP_CHOOSELEAF_FIRSTN || op === crush.STEP_CHOOSELEAF_INDEP;
    const out = this.#next;
    const leaves = toLeaves ? this.#leaves : undefined;
    let chosen = 0;
    for (let i = 0; i < count && positions > 0; i++) {
      const from = this.map.buckets[-1 - this.#last[i]!];
      if (from === undefined) continue;
      const choice = { from, type, out, leaves, base: chosen, tries: p.tries, parentR: 0 };
      const room = size - chosen;
      if (firstn) {
        const leafTries = p.leafTries || (this.map.tunables.chooseleafDescendOnce ? 1 : p.tries);
        chosen += chooseFirstn(p, { ...choice, leafTries }, 0, positions, room);
      } else {
        const filled = Math.min(positions, room);
        chooseIndep(p, { ...choice, leafTries: p.leafTries || 1, stride: positions }, 0, filled);
        chosen += filled;
      }
    }
    this.#next = this.#last;
    this.#last = out;
    if (toLeaves) {
      this.#last = this.#leaves;
      this.#leaves = out;
    }
    return chosen;
  }

  #reserve(size: number): void {
    if (this.#last.length >= size) return;
    this.#last = new Int32Array(size);
    this.#next = new Int32Array(size);
    this.#leaves = new Int32Array(size);
  }
}

function newPlacement(map: crush.CrushMap): Placement {
  return {
    map,
    straw2: new Straw2Chooser(map),
    permutations: Array(map.buckets.length),
    weights: new Uint32Array(0),
    chooseArgs: undefined,
    x: 0,
    tries: 0,
    leafTries: 0,
    localTries: 0,
    localFallbackTries: 0,
    varyR: 0,
    stable: false,
    budget: 0,
  };
}
