import type { BaselineOptionsInput } from "@siphon/lab";
import { type Command, Option } from "commander";
import { given, listOf, toNumber } from "./options.ts";

/** The flags of a load, as commander gives them; flags not given are missing. */
export interface LoadFlags {
  repeat?: string;
  seconds?: string;
  bs?: string;
  iodepth?: string;
  rw?: BaselineOptionsInput["rw"];
  size?: string;
  seed?: string;
}

/** The flags of response curves. */
export interface CurveFlags {
  depths?: string;
  mix?: string;
}

/** Adds the flags of a load. The meaning of two of them differs between commands. */
export function withLoadFlags(command: Command, means: { repeat: string; seconds: string }): Command {
  return withRequestFlags(command.option("--repeat <n>", means.repeat).option("--seconds <s>", means.seconds))
    .option("--size <size>", "bytes of the image that the load covers (default: scaled to this machine)")
    .option("--seed <n>", "seed of the random choices, to repeat a run exactly");
}

/** Adds the flags that describe a load's requests. */
export function withRequestFlags(command: Command): Command {
  return command
    .option("--bs <size>", "block size (default: 16k)")
    .option("--iodepth <n>", "requests in flight (default: 128)")
    .addOption(
      new Option("--rw <kind>", "kind of load (default: randread)").choices([
        ...["randread", "randwrite", "read", "write", "randrw", "rw"],
      ]),
    );
}

/** The load options that the flags set. */
export function loadFromFlags({ repeat, seconds, bs, iodepth, rw, size, seed }: LoadFlags) {
  return {
    repeat: toNumber(repeat),
    seconds: toNumber(seconds),
    bs,
    iodepth: toNumber(iodepth),
    rw,
    size,
    seed: toNumber(seed),
  };
}

export function withCurveFlags(command: Command): Command {
  return command
    .optionsGroup("Response curves:")
    .option("--depths <list>", "also measure at these queue depths: 1,4,16,64,128")
    .option("--mix <list>", "a curve each for read, write, 70/30 (default: as --rw)");
}

export function curvesFromFlags({ depths, mix }: CurveFlags): Pick<BaselineOptionsInput, "depths" | "mix"> {
  return given({ depths: listOf(depths)?.map(Number), mix: listOf(mix) });
}
