import { chooseItem } from "./bucket-choose.ts";
import * as crush from "./map.ts";
import { isOut, type Placement, spend } from "./placement.ts";

/**
 * Runs a multi-step-retry rule (crush_msr_do_rule in src/crush/mapper.c, doc/dev/crush-msr.rst): settings,
 * then blocks of TAKE, CHOOSE_MSR..., EMIT. Where an ordinary rule retries within one step, this one
 * goes down through all steps of a block again for the positions that are still open.
 *
 * @returns places of `out` that hold a result; 0 for a rule not of that form
 */
export function chooseMsr(p: Placement, rule: crush.CrushRule, size: number, out: Int32Array): number {
  const { steps } = rule;
  let { msrDescents: descents, msrCollisionTries: collisionTries } = p.map.tunables;
  let at = 0;
  for (; at < steps.length; at++) {
    const { op, arg1 } = steps[at]!;
    if (op === crush.STEP_SET_MSR_DESCENTS) descents = arg1 >>> 0;
    else if (op === crush.STEP_SET_MSR_COLLISION_TRIES) collisionTries = arg1 >>> 0;
    else break;
  }

  const firstn = rule.type === crush.RULE_TYPE_MSR_FIRSTN;
  const run: MsrRun = { p, size, out, firstn, collisionTries, emitted: 0, descent: 0 };
  out.fill(crush.ITEM_NONE, 0, size);
  let start = 0;
  while (at < steps.length) {
    const block = readBlock(steps, at, size);
    if (block === undefined) return 0;
    at = block.next;
    if (block.choices.length === 0 && block.take >= 0) {
      if (start < size) emit(run, start++, block.take);
      continue;
    }
    const root = p.map.buckets[-1 - block.take];
    if (root === undefined || block.choices.length === 0) return 0;
    const end = Math.min(start + block.width, size);
    const complete = run.emitted + end - start;
    const levels = block.choices.map((choice) => ({ ...choice, taken: new Int32Array(size).fill(vacant) }));
    for (run.descent = 0; run.descent < descents && run.emitted < complete; run.descent++) {
      spend(p, levels.length * size);
      chooseLevel(run, levels, 0, root, block.width, start, end);
    }
    start = end;
  }
  return firstn ? run.emitted : size;
}

interface MsrRun {
  readonly p: Placement;
  readonly size: number;
  readonly out: Int32Array;
  /** Results in the order they are found; otherwise at the positions they are for. */
  readonly firstn: boolean;
  readonly collisionTries: number;
  emitted: number;
  descent: number;
}

interface Block {
  readonly take: number;
  readonly choices: readonly { readonly strides: number; readonly type: number }[];
  /** Product of all strides. */
  readonly width: number;
  /** The step after its EMIT. */
  readonly next: number;
}

/** One choice step of a block, with the items that each position holds against the others. */
interface Level {
  readonly strides: number;
  readonly type: number;
  readonly taken: Int32Array;
}

const vacant = 0x7ffffffe;
const mostWidth = 2 ** 31;
const mostChoices = 64;

function readBlock(steps: readonly crush.RuleStep[], at: number, size: number): Block | undefined {
  const take = steps[at]!;
  if (take.op !== crush.STEP_TAKE) return undefined;
  const choices: { strides: number; type: number }[] = [];
  let width = 1;
  for (let i = at + 1; i < steps.length; i++) {
    const { op, arg1, arg2 } = steps[i]!;
    if (op === crush.STEP_EMIT) return { take: take.arg1, choices, width, next: i + 1 };
    const strides = arg1 === 0 ? size : arg1;
    width *= strides;
    const valid = op === crush.STEP_CHOOSE_MSR && strides > 0 && width < mostWidth;
    if (!valid || choices.length === mostChoices) return undefined;
    choices.push({ strides, type: arg2 });
  }
  return undefined;
}

/**
 * Fills what is open of the positions from `start` up to `end` by as many disjoint sets of items below `from` as the
 * level has strides; returns how many positions it filled.
 */
function chooseLevel(
  run: MsrRun,
  levels: readonly Level[],
  depth: number,
  from: crush.CrushBucket,
  width: number,
  start: number,
  end: number,
): number {
  const level = levels[depth]!;
  const leaves = levels.at(-1)!.taken;
  const stride = width / level.strides;
  const unused: { item: number; until: number }[] = [];
  let filled = 0;
  let index = 0;
  for (let at = start; at < end; at += stride, index++) {
    const until = Math.min(at + stride, end);
    if (!leaves.subarray(at, until).includes(vacant)) continue;
    const item = findDisjoint(run, level, from, index, start, end, at, until);
    if (item === undefined) continue;
    if (level.type === 0) {
      const wellFormed = stride === 1 && depth === levels.length - 1;
      if (!wellFormed || isOut(run.p, item)) continue;
      hold(level, at, until, item);
      emit(run, at, item);
      filled++;
      continue;
    }
    const bucket = run.p.map.buckets[-1 - item];
    if (bucket === undefined || depth === levels.length - 1) continue;
    const below = chooseLevel(run, levels, depth + 1, bucket, stride, at, until);
    const added = hold(level, at, until, item);
    if (added && below === 0) unused.push({ item, until });
    filled += below;
  }
  // Until here even a bucket that gave nothing kept the other strides away: so an out device moves less.
  for (const { item, until } of unused) {
    level.taken[level.taken.lastIndexOf(item, until - 1)] = vacant;
  }
  return filled;
}

/** An item that no other stride of the level holds; undefined after too many collisions. */
function findDisjoint(
  run: MsrRun,
  level: Level,
  from: crush.CrushBucket,
  index: number,
  start: number,
  end: number,
  at: number,
  until: number,
): number | undefined {
  for (let collision = 0; collision < run.collisionTries; collision++) {
    const r = (((run.descent * run.size + index) << 16) + collision) | 0;
    const item = descend(run.p, from, level.type, r, index);
    if (item === undefined) continue;
    const holder = level.taken.subarray(start, end).indexOf(item) + start;
    if (holder < start || (holder >= at && holder < until)) return item;
  }
  return undefined;
}

/** Down from a bucket to a device or an item of the type. */
function descend(
  p: Placement,
  from: crush.CrushBucket,
  type: number,
  r: number,
  index: number,
): number | undefined {
  for (let bucket = from; ; ) {
    spend(p, bucket.size);
    if (bucket.size === 0) return undefined;
    const item = chooseItem(p, bucket, r, index);
    if (item >= 0) return item < p.map.maxDevices ? item : undefined;
    const next = p.map.buckets[-1 - item];
    if (next === undefined) return undefined;
    if (next.type === type) return item;
    bucket = next;
  }
}

/** Notes an item for a stride; false where the stride holds it already. */
function hold(level: Level, at: number, until: number, item: number): boolean {
  for (let i = at; i < until; i++) {
    if (level.taken[i] === item) return false;
    if (level.taken[i] === vacant) {
      level.taken[i] = item;
      return true;
    }
  }
  return false;
}

function emit(run: MsrRun, position: number, device: number): void {
  run.out[run.firstn ? run.emitted : position] = device;
  run.emitted++;
}
